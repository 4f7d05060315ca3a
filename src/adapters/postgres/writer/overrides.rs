//! An operator's live changes.

use super::audit;
use crate::{
    adapters::postgres::statement::{execute, query, statements},
    domain::time::Micros,
    ports::{overrides::PoolOverride, writer::Written},
};
use deadpool_postgres::{
    Transaction,
    tokio_postgres::{Error, Row},
};

statements! {
    GET_OVERRIDE =
        "SELECT pool, node, workers, paused, set_by, set_at, expires_at FROM pool_override
         WHERE pool = $1 AND node = $2 FOR UPDATE";
    PUT_OVERRIDE =
        "INSERT INTO pool_override (pool, node, workers, paused, set_by, set_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (pool, node) DO UPDATE SET workers = excluded.workers,
             paused = excluded.paused, set_by = excluded.set_by, set_at = excluded.set_at,
             expires_at = excluded.expires_at";
    DROP_OVERRIDE = "DELETE FROM pool_override WHERE pool = $1 AND node = $2";
}

pub(super) async fn set(tx: &Transaction<'_>, wanted: &PoolOverride) -> Result<Written, Error> {
    let old = get_override(tx, &wanted.pool, &wanted.node).await?;
    let workers = wanted.workers.map(i64::from);
    let until = wanted.until.map(|until| until.0);
    let PoolOverride { pool, node, paused, by, at, .. } = wanted;
    execute(tx, PUT_OVERRIDE, [pool, node, &workers, paused, by, &at.0, &until]).await?;
    audit::append(tx, &wanted.change_from(old.as_ref())).await?;
    Ok(Written::Done)
}

pub(super) async fn revert(
    tx: &Transaction<'_>,
    pool: &str,
    node: &str,
    by: &str,
    at: Micros,
) -> Result<Written, Error> {
    let Some(old) = get_override(tx, pool, node).await? else {
        return Ok(Written::Absent);
    };
    execute(tx, DROP_OVERRIDE, [&pool, &node]).await?;
    audit::append(tx, &old.reverted(by, at)).await?;
    Ok(Written::Done)
}

async fn get_override(
    tx: &Transaction<'_>,
    pool: &str,
    node: &str,
) -> Result<Option<PoolOverride>, Error> {
    let rows = query(tx, GET_OVERRIDE, [&pool, &node]).await?;
    rows.first().map(pool_override).transpose()
}

fn pool_override(row: &Row) -> Result<PoolOverride, Error> {
    let workers: Option<i64> = row.try_get("workers")?;
    let until: Option<i64> = row.try_get("expires_at")?;
    Ok(PoolOverride {
        pool: row.try_get("pool")?,
        node: row.try_get("node")?,
        workers: workers.and_then(|n| u32::try_from(n).ok()),
        paused: row.try_get("paused")?,
        by: row.try_get("set_by")?,
        at: Micros(row.try_get("set_at")?),
        until: until.map(Micros),
    })
}
