//! Operators' live changes, read back; see `ports::overrides`. The writer makes the rows.

use super::{SqlStore, error::not_ours, on, texts::statements};
use crate::{
    domain::{autoscale::Bounds, time::Micros},
    ports::{
        StoreError,
        overrides::{Overrides, PoolAutoscale, PoolOverride},
    },
};
use async_trait::async_trait;
use sqlx_macros::FromRow;

statements! {
    CURRENT = "SELECT pool, node, workers, paused, set_by, set_at, expires_at FROM pool_override
               ORDER BY pool, node";
    AUTOSCALES = "SELECT pool, min, max, wait_ms, set_by, set_at FROM pool_autoscale ORDER BY pool";
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

#[derive(FromRow)]
pub(super) struct AutoscaleRow {
    pool: String,
    min: Option<i64>,
    max: Option<i64>,
    wait_ms: Option<i64>,
    set_by: String,
    set_at: i64,
}

impl From<AutoscaleRow> for PoolAutoscale {
    fn from(row: AutoscaleRow) -> Self {
        let number = |number: Option<i64>| number.and_then(|number| u32::try_from(number).ok());
        let (min, max, wait) = (number(row.min), number(row.max), number(row.wait_ms));
        let bounds = min.zip(max).zip(wait);
        Self {
            pool: row.pool,
            bounds: bounds.map(|((min, max), wait_ms)| Bounds { min, max, wait_ms }),
            by: row.set_by,
            at: Micros(row.set_at),
        }
    }
}

#[async_trait]
impl Overrides for SqlStore {
    async fn current(&self) -> Result<Vec<PoolOverride>, StoreError> {
        let rows: Vec<OverrideRow> =
            on!(self, CURRENT, |pool, text| sqlx::query_as(text).fetch_all(pool).await)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn autoscales(&self) -> Result<Vec<PoolAutoscale>, StoreError> {
        let rows: Vec<AutoscaleRow> =
            on!(self, AUTOSCALES, |pool, text| sqlx::query_as(text).fetch_all(pool).await)?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}
