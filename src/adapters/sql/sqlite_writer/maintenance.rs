//! The shop is closed for a while, or opened again.

use crate::{
    adapters::sql::{
        audit,
        maintenance::{CURRENT, MaintenanceRow},
        texts::statements,
    },
    ports::{
        maintenance::{Maintenance, MaintenanceWrite},
        writer::Written,
    },
};
use sqlx::SqliteConnection;

statements! {
    PUT_MAINTENANCE = { sqlite:
        "INSERT INTO maintenance (one, ends_at, message, pauses, set_by, set_at)
         VALUES (1, $1, $2, $3, $4, $5)
         ON CONFLICT (one) DO UPDATE SET ends_at = excluded.ends_at, message = excluded.message,
             pauses = excluded.pauses, set_by = excluded.set_by, set_at = excluded.set_at" };
    DROP_MAINTENANCE = { sqlite: "DELETE FROM maintenance WHERE one = 1" };
}

pub(super) async fn apply(
    conn: &mut SqliteConnection,
    write: &MaintenanceWrite,
) -> Result<Written, sqlx::Error> {
    let get = sqlx::query_as::<_, MaintenanceRow>(CURRENT.sqlite);
    let old: Option<Maintenance> = get.fetch_optional(&mut *conn).await?.map(Into::into);
    match write {
        MaintenanceWrite::On(wanted) => {
            let put = sqlx::query(PUT_MAINTENANCE.sqlite).bind(wanted.until.0);
            let put = put.bind(&wanted.message).bind(wanted.pauses).bind(&wanted.by);
            put.bind(wanted.at.0).execute(&mut *conn).await?;
            audit::append(conn, &wanted.change_from(old.as_ref())).await?;
        }
        MaintenanceWrite::Off { by, at } => {
            let Some(old) = old else { return Ok(Written::Absent) };
            sqlx::query(DROP_MAINTENANCE.sqlite).execute(&mut *conn).await?;
            audit::append(conn, &old.taken_back(by, *at)).await?;
        }
    }
    Ok(Written::Done)
}
