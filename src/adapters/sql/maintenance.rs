//! Whether the shop is closed; see `ports::maintenance`. The writer makes the row.

use super::{SqlStore, on, texts::statements};
use crate::{
    domain::time::Micros,
    ports::{
        StoreError,
        maintenance::{Closing, Maintenance},
    },
};
use async_trait::async_trait;
use sqlx_macros::FromRow;

statements! {
    CURRENT = "SELECT ends_at, message, pauses, set_by, set_at FROM maintenance WHERE one = 1";
}

#[derive(FromRow)]
pub(super) struct MaintenanceRow {
    ends_at: i64,
    message: Option<String>,
    pauses: bool,
    set_by: String,
    set_at: i64,
}

impl From<MaintenanceRow> for Maintenance {
    fn from(row: MaintenanceRow) -> Self {
        Self {
            until: Micros(row.ends_at),
            message: row.message,
            pauses: row.pauses,
            by: row.set_by,
            at: Micros(row.set_at),
        }
    }
}

#[async_trait]
impl Closing for SqlStore {
    async fn maintenance(&self) -> Result<Option<Maintenance>, StoreError> {
        let row: Option<MaintenanceRow> =
            on!(self, CURRENT, |pool, text| sqlx::query_as(text).fetch_optional(pool).await)?;
        Ok(row.map(Into::into))
    }
}
