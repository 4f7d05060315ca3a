//! Which pools follow their queues.

use super::audit;
use crate::{
    adapters::postgres::statement::{execute, query, statements},
    domain::{autoscale::Bounds, time::Micros},
    ports::{
        overrides::{AutoscaleWrite, PoolAutoscale},
        writer::Written,
    },
};
use deadpool_postgres::{
    Transaction,
    tokio_postgres::{Error, Row},
};

statements! {
    GET =
        "SELECT pool, min, max, wait_ms, set_by, set_at FROM pool_autoscale WHERE pool = $1
         FOR UPDATE";
    PUT =
        "INSERT INTO pool_autoscale (pool, min, max, wait_ms, set_by, set_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (pool) DO UPDATE SET min = excluded.min, max = excluded.max,
             wait_ms = excluded.wait_ms, set_by = excluded.set_by, set_at = excluded.set_at";
    DROP = "DELETE FROM pool_autoscale WHERE pool = $1";
}

pub(super) async fn apply(tx: &Transaction<'_>, write: &AutoscaleWrite) -> Result<Written, Error> {
    let change = match write {
        AutoscaleWrite::Set(wanted) => {
            let old = get(tx, &wanted.pool).await?;
            let number = |of: fn(&Bounds) -> u32| wanted.bounds.as_ref().map(of).map(i64::from);
            let (min, max) = (number(|bounds| bounds.min), number(|bounds| bounds.max));
            let wait = number(|bounds| bounds.wait_ms);
            let PoolAutoscale { pool, by, at, .. } = wanted;
            execute(tx, PUT, [pool, &min, &max, &wait, by, &at.0]).await?;
            wanted.change_from(old.as_ref())
        }
        AutoscaleWrite::Revert { pool, by, at } => {
            let Some(old) = get(tx, pool).await? else { return Ok(Written::Absent) };
            execute(tx, DROP, [pool]).await?;
            old.reverted(by, *at)
        }
    };
    audit::append(tx, &change).await?;
    Ok(Written::Done)
}

async fn get(tx: &Transaction<'_>, pool: &str) -> Result<Option<PoolAutoscale>, Error> {
    let rows = query(tx, GET, [&pool]).await?;
    rows.first().map(autoscale).transpose()
}

fn autoscale(row: &Row) -> Result<PoolAutoscale, Error> {
    let number = |key| {
        let number: Option<i64> = row.try_get(key)?;
        Ok(number.and_then(|number| u32::try_from(number).ok()))
    };
    let (min, max, wait) = (number("min")?, number("max")?, number("wait_ms")?);
    Ok(PoolAutoscale {
        pool: row.try_get("pool")?,
        bounds: min.zip(max).zip(wait).map(|((min, max), wait_ms)| Bounds { min, max, wait_ms }),
        by: row.try_get("set_by")?,
        at: Micros(row.try_get("set_at")?),
    })
}
