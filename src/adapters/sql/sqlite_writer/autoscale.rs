//! Which pools follow their queues.

use crate::{
    adapters::sql::{audit, overrides::AutoscaleRow, texts::statements},
    ports::{
        overrides::{AutoscaleWrite, PoolAutoscale},
        writer::Written,
    },
};
use sqlx::SqliteConnection;

statements! {
    GET = { sqlite:
        "SELECT pool, min, max, wait_ms, set_by, set_at FROM pool_autoscale WHERE pool = $1" };
    PUT = { sqlite:
        "INSERT INTO pool_autoscale (pool, min, max, wait_ms, set_by, set_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (pool) DO UPDATE SET min = excluded.min, max = excluded.max,
             wait_ms = excluded.wait_ms, set_by = excluded.set_by, set_at = excluded.set_at" };
    DROP = { sqlite: "DELETE FROM pool_autoscale WHERE pool = $1" };
}

pub(super) async fn apply(
    conn: &mut SqliteConnection,
    write: &AutoscaleWrite,
) -> Result<Written, sqlx::Error> {
    let change = match write {
        AutoscaleWrite::Set(wanted) => {
            let old = get(conn, &wanted.pool).await?;
            let bounds = wanted.bounds;
            sqlx::query(PUT.sqlite)
                .bind(&wanted.pool)
                .bind(bounds.map(|bounds| bounds.min))
                .bind(bounds.map(|bounds| bounds.max))
                .bind(bounds.map(|bounds| bounds.wait_ms))
                .bind(&wanted.by)
                .bind(wanted.at.0)
                .execute(&mut *conn)
                .await?;
            wanted.change_from(old.as_ref())
        }
        AutoscaleWrite::Revert { pool, by, at } => {
            let Some(old) = get(conn, pool).await? else { return Ok(Written::Absent) };
            sqlx::query(DROP.sqlite).bind(pool).execute(&mut *conn).await?;
            old.reverted(by, *at)
        }
    };
    audit::append(conn, &change).await?;
    Ok(Written::Done)
}

async fn get(
    conn: &mut SqliteConnection,
    pool: &str,
) -> Result<Option<PoolAutoscale>, sqlx::Error> {
    let row = sqlx::query_as::<_, AutoscaleRow>(GET.sqlite).bind(pool).fetch_optional(conn).await?;
    Ok(row.map(Into::into))
}
