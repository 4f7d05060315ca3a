//! The shop is closed for a while, or opened again.

use super::audit;
use crate::{
    adapters::postgres::statement::{execute, query, statements},
    domain::time::Micros,
    ports::{
        maintenance::{Maintenance, MaintenanceWrite},
        writer::Written,
    },
};
use deadpool_postgres::{
    Transaction,
    tokio_postgres::{Error, Row},
};

statements! {
    GET_MAINTENANCE =
        "SELECT ends_at, message, pauses, set_by, set_at FROM maintenance WHERE one = 1
         FOR UPDATE";
    PUT_MAINTENANCE =
        "INSERT INTO maintenance (one, ends_at, message, pauses, set_by, set_at)
         VALUES (1, $1, $2, $3, $4, $5)
         ON CONFLICT (one) DO UPDATE SET ends_at = excluded.ends_at, message = excluded.message,
             pauses = excluded.pauses, set_by = excluded.set_by, set_at = excluded.set_at";
    DROP_MAINTENANCE = "DELETE FROM maintenance WHERE one = 1";
}

pub(super) async fn apply(
    tx: &Transaction<'_>,
    write: &MaintenanceWrite,
) -> Result<Written, Error> {
    let rows = query(tx, GET_MAINTENANCE, []).await?;
    let old = rows.first().map(maintenance).transpose()?;
    match write {
        MaintenanceWrite::On(wanted) => {
            let Maintenance { until, message, pauses, by, at } = wanted;
            execute(tx, PUT_MAINTENANCE, [&until.0, message, pauses, by, &at.0]).await?;
            audit::append(tx, &wanted.change_from(old.as_ref())).await?;
        }
        MaintenanceWrite::Off { by, at } => {
            let Some(old) = old else { return Ok(Written::Absent) };
            execute(tx, DROP_MAINTENANCE, []).await?;
            audit::append(tx, &old.taken_back(by, *at)).await?;
        }
    }
    Ok(Written::Done)
}

fn maintenance(row: &Row) -> Result<Maintenance, Error> {
    Ok(Maintenance {
        until: Micros(row.try_get("ends_at")?),
        message: row.try_get("message")?,
        pauses: row.try_get("pauses")?,
        by: row.try_get("set_by")?,
        at: Micros(row.try_get("set_at")?),
    })
}
