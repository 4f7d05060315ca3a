//! Operators' live changes, read back; see `ports::overrides`. The writer makes the rows.

use super::{SqlStore, error::not_ours, on, texts::statements};
use crate::{
    domain::time::Micros,
    ports::{
        StoreError,
        overrides::{Overrides, PoolOverride},
    },
};
use async_trait::async_trait;
use sqlx_macros::FromRow;

statements! {
    CURRENT = "SELECT pool, node, workers, paused, set_by, set_at, expires_at FROM pool_override
               ORDER BY pool, node";
}

#[derive(FromRow)]
pub(super) struct OverrideRow {
    pool: String,
    node: String,
    workers: Option<i64>,
    paused: bool,
    set_by: String,
    set_at: i64,
    expires_at: Option<i64>,
}

impl TryFrom<OverrideRow> for PoolOverride {
    type Error = StoreError;

    fn try_from(row: OverrideRow) -> Result<Self, StoreError> {
        let workers = row.workers.map(u32::try_from).transpose();
        Ok(Self {
            workers: workers.map_err(|_| not_ours("a pool's workers are out of range"))?,
            pool: row.pool,
            node: row.node,
            paused: row.paused,
            by: row.set_by,
            at: Micros(row.set_at),
            until: row.expires_at.map(Micros),
        })
    }
}

#[async_trait]
impl Overrides for SqlStore {
    async fn current(&self) -> Result<Vec<PoolOverride>, StoreError> {
        let rows: Vec<OverrideRow> =
            on!(self, CURRENT, |pool, text| sqlx::query_as(text).fetch_all(pool).await)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}
