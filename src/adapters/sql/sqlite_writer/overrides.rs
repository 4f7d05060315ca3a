//! An operator's live changes.

use crate::{
    adapters::sql::{audit, overrides::OverrideRow, texts::statements},
    domain::time::Micros,
    ports::{StoreError, overrides::PoolOverride, writer::Written},
};
use sqlx::SqliteConnection;

statements! {
    GET_OVERRIDE = { sqlite:
        "SELECT pool, node, workers, paused, set_by, set_at, expires_at FROM pool_override
         WHERE pool = $1 AND node = $2" };
    PUT_OVERRIDE = { sqlite:
        "INSERT INTO pool_override (pool, node, workers, paused, set_by, set_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (pool, node) DO UPDATE SET workers = excluded.workers,
             paused = excluded.paused, set_by = excluded.set_by, set_at = excluded.set_at,
             expires_at = excluded.expires_at" };
    DROP_OVERRIDE = { sqlite: "DELETE FROM pool_override WHERE pool = $1 AND node = $2" };
}

pub(super) async fn set(
    conn: &mut SqliteConnection,
    wanted: &PoolOverride,
) -> Result<Written, sqlx::Error> {
    let old = get_override(conn, &wanted.pool, &wanted.node).await?;
    sqlx::query(PUT_OVERRIDE.sqlite)
        .bind(&wanted.pool)
        .bind(&wanted.node)
        .bind(wanted.workers)
        .bind(wanted.paused)
        .bind(&wanted.by)
        .bind(wanted.at.0)
        .bind(wanted.until.map(|until| until.0))
        .execute(&mut *conn)
        .await?;
    audit::append(conn, &wanted.change_from(old.as_ref())).await?;
    Ok(Written::Done)
}

pub(super) async fn revert(
    conn: &mut SqliteConnection,
    pool: &str,
    node: &str,
    by: &str,
    at: Micros,
) -> Result<Written, sqlx::Error> {
    let Some(old) = get_override(conn, pool, node).await? else {
        return Ok(Written::Absent);
    };
    let drop = sqlx::query(DROP_OVERRIDE.sqlite).bind(pool).bind(node);
    drop.execute(&mut *conn).await?;
    audit::append(conn, &old.reverted(by, at)).await?;
    Ok(Written::Done)
}

async fn get_override(
    conn: &mut SqliteConnection,
    pool: &str,
    node: &str,
) -> Result<Option<PoolOverride>, sqlx::Error> {
    let get = sqlx::query_as::<_, OverrideRow>(GET_OVERRIDE.sqlite).bind(pool).bind(node);
    let row = get.fetch_optional(conn).await?;
    row.map(TryInto::try_into).transpose().map_err(|e: StoreError| sqlx::Error::Decode(e.into()))
}
