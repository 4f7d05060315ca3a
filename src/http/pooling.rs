//! The pools' handle, as the edge asks it.

use crate::{
    actors::keepers::pools::{AutoscaleRow, PoolRow, Pools, PoolsError, Wish},
    domain::time::Micros,
    http::{
        error::{Code, Problem},
        handles::{AutoscaleInfo, AutoscaleWish, OverrideInfo, PoolInfo, Pooling, ScaledInfo},
    },
};
use async_trait::async_trait;
use supervisors::State;

#[async_trait]
impl Pooling for Pools {
    async fn list(&self) -> Result<Vec<PoolInfo>, Problem> {
        Ok(Self::list(self).into_iter().map(info).collect())
    }

    async fn set(
        &self,
        pool: &str,
        workers: u32,
        by: &str,
        until: Option<Micros>,
    ) -> Result<Option<PoolInfo>, Problem> {
        answer(Self::set(self, pool, workers, by, until).await)
    }

    async fn pause(&self, pool: &str, by: &str) -> Result<Option<PoolInfo>, Problem> {
        answer(Self::pause(self, pool, by).await)
    }

    async fn resume(&self, pool: &str, by: &str) -> Result<Option<PoolInfo>, Problem> {
        answer(Self::resume(self, pool, by).await)
    }

    async fn drain(&self, pool: &str, by: &str) -> Result<Option<PoolInfo>, Problem> {
        tracing::info!(pool, by, "pool is drained");
        answer(Self::drain(self, pool).await)
    }

    async fn revert(&self, pool: &str, by: &str) -> Result<Option<PoolInfo>, Problem> {
        answer(Self::revert(self, pool, by).await)
    }

    async fn autoscale(
        &self,
        pool: &str,
        wish: Option<AutoscaleWish>,
        by: &str,
    ) -> Result<Option<PoolInfo>, Problem> {
        let wish = wish.map(|AutoscaleWish { min, max, wait_ms }| Wish { min, max, wait_ms });
        answer(Self::autoscale(self, pool, wish, by).await)
    }

    async fn autoscale_revert(&self, pool: &str, by: &str) -> Result<Option<PoolInfo>, Problem> {
        answer(Self::autoscale_revert(self, pool, by).await)
    }
}

fn answer(changed: Result<PoolRow, PoolsError>) -> Result<Option<PoolInfo>, Problem> {
    match changed {
        Ok(row) => Ok(Some(info(row))),
        Err(PoolsError::Unknown(..)) => Ok(None),
        Err(PoolsError::Wrong(key, reason)) => Err(Problem::field(&format!("/{key}"), reason)),
        Err(PoolsError::Refused(why)) => Err(Problem::new(Code::Conflict, why)),
        Err(PoolsError::Store(error)) => Err(error.into()),
    }
}

fn info(row: PoolRow) -> PoolInfo {
    let state = match &row.state {
        State::Running => "running".to_owned(),
        State::Paused => "paused".to_owned(),
        State::Draining => "draining".to_owned(),
        State::Drained => "drained".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    };
    PoolInfo {
        name: row.name,
        state,
        workers: row.now.workers as u64,
        configured: row.configured.into(),
        most: row.now.most as u64,
        busy: row.now.busy as u64,
        depth: row.now.depth as u64,
        bound: row.now.bound as u64,
        refused: row.now.refused,
        utilisation: row.now.utilisation,
        fit: row.now.fit.to_string(),
        r#override: row.live.map(|live| OverrideInfo {
            workers: live.workers,
            paused: live.paused,
            by: live.by,
            at: live.at.rfc3339(),
            until: live.until.map(Micros::rfc3339),
        }),
        autoscale: row.autoscale.map(autoscale),
    }
}

fn autoscale(row: AutoscaleRow) -> AutoscaleInfo {
    AutoscaleInfo {
        enabled: row.enabled,
        min: row.bounds.min,
        max: row.bounds.max,
        wait_ms: row.bounds.wait_ms,
        at: row.live.as_ref().map(|live| live.at.rfc3339()),
        by: row.live.map(|live| live.by),
        waited_ms: row.wait_ms,
        last: row.last.map(|last| ScaledInfo {
            at: last.at.rfc3339(),
            from: last.from,
            to: last.to,
            waited_ms: last.wait_ms,
            why: last.why.as_str().to_owned(),
        }),
    }
}
