//! Pools whose size follows the wait of their queue, between two bounds.
//!
//! It is looked once a second; what is seen moves a size by the rule of `domain::autoscale`. A size that
//! an operator set goes before it, and a pool that is paused or drained, or whose queue is, is left
//! alone. When the autoscaler dies the sizes stay; what it had counted of waits begins anew.

use super::{Pools, PoolsError, lock};
use crate::{
    actors::reconcilers::store_fault,
    domain::{
        autoscale::{Bounds, Scaler, Seen, Why},
        job::Queue,
        time::Micros,
    },
    ports::overrides::{AutoscaleWrite, PoolAutoscale},
};
use metrics::{counter, gauge};
use std::{collections::HashMap, time::Duration};
use supervisors::{Child, Context, Fault, Next, Nudge, PoolControl, Reconciler, State, reconciler};

/// From look to look.
const EVERY: Duration = Duration::from_secs(1);

/// What the configuration says of a pool that does a queue's jobs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scalable {
    pub(crate) queue: Queue,
    pub(crate) enabled: bool,
    pub(crate) bounds: Bounds,
}

/// What an operator wants; what is left out is as configured.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wish {
    pub(crate) min: Option<u32>,
    pub(crate) max: Option<u32>,
    pub(crate) wait_ms: Option<u32>,
}

/// How a pool's size follows its queue, as operators see it.
#[derive(Debug, Clone)]
pub(crate) struct AutoscaleRow {
    pub(crate) enabled: bool,
    /// Those it would have, if it isn't enabled.
    pub(crate) bounds: Bounds,
    /// What an operator said, while that is in force.
    pub(crate) live: Option<PoolAutoscale>,
    /// How long the job that is next had waited at the last look, ms.
    pub(crate) wait_ms: Option<u64>,
    pub(crate) last: Option<Change>,
}

/// Of a pool's size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    pub(crate) at: Micros,
    pub(crate) from: u32,
    pub(crate) to: u32,
    /// At which wait, ms.
    pub(crate) wait_ms: u64,
    pub(crate) why: Why,
}

/// What came of it up to now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scaled {
    size: u32,
    wait_ms: u64,
    last: Option<Change>,
}

impl Pools {
    pub(crate) fn autoscaler(&self) -> Child {
        let pools = self.clone();
        reconciler("pool-autoscaler", EVERY, &Nudge::new(), move || {
            let autoscaler = Autoscaler { pools: pools.clone(), scalers: HashMap::new() };
            async move { Ok(autoscaler) }
        })
    }

    /// Lets a pool's size follow its queue; without a wish it stays as configured from now on.
    pub(crate) async fn autoscale(
        &self,
        name: &str,
        wish: Option<Wish>,
        by: &str,
    ) -> Result<super::PoolRow, PoolsError> {
        let control = self.control(name)?;
        let known = self.scalable(name)?.bounds;
        let bounds = wish.map(|wish| Bounds {
            min: wish.min.unwrap_or(known.min.min(wish.max.unwrap_or(known.max))),
            max: wish.max.unwrap_or(known.max.max(wish.min.unwrap_or(known.min))),
            wait_ms: wish.wait_ms.unwrap_or(known.wait_ms),
        });
        if let Some(bounds) = bounds {
            let most = control.snapshot().map_or(0, |pool| pool.most);
            let most = u32::try_from(most).unwrap_or(u32::MAX);
            bounds.check(most).map_err(|(key, reason)| PoolsError::Wrong(key, reason))?;
        }
        let parts = &self.shared.parts;
        let (pool, by, at) = (name.to_owned(), by.to_owned(), parts.clock.now());
        let wanted = PoolAutoscale { pool, bounds, by, at };
        let _turning = self.shared.turning.lock().await;
        parts.store.autoscale(AutoscaleWrite::Set(wanted.clone())).await?;
        lock(&self.shared.autoscales).insert(name.to_owned(), wanted);
        self.put_right(name, &control);
        self.shown(name)
    }

    /// As configured again.
    pub(crate) async fn autoscale_revert(
        &self,
        name: &str,
        by: &str,
    ) -> Result<super::PoolRow, PoolsError> {
        let control = self.control(name)?;
        self.scalable(name)?;
        let parts = &self.shared.parts;
        let (pool, by, at) = (name.to_owned(), by.to_owned(), parts.clock.now());
        let _turning = self.shared.turning.lock().await;
        parts.store.autoscale(AutoscaleWrite::Revert { pool, by, at }).await?;
        lock(&self.shared.autoscales).remove(name);
        self.put_right(name, &control);
        self.shown(name)
    }

    /// The workers that a pool is to have while no operator has set a size.
    pub(super) fn size(&self, name: &str) -> u32 {
        let scaled = self.bounds(name).and_then(|_| lock(&self.shared.scaled).get(name).copied());
        scaled.map_or_else(|| self.configured(name), |scaled| scaled.size)
    }

    pub(super) fn autoscale_row(&self, name: &str) -> Option<AutoscaleRow> {
        let known = self.scalable(name).ok()?;
        let (bounds, live) = (self.bounds(name), lock(&self.shared.autoscales).get(name).cloned());
        let scaled = lock(&self.shared.scaled).get(name).copied();
        Some(AutoscaleRow {
            enabled: bounds.is_some(),
            bounds: bounds.unwrap_or(known.bounds),
            live,
            wait_ms: scaled.map(|scaled| scaled.wait_ms),
            last: scaled.and_then(|scaled| scaled.last),
        })
    }

    fn scalable(&self, name: &str) -> Result<Scalable, PoolsError> {
        let known = self.shared.parts.configured.get(name).and_then(|pool| pool.scalable);
        known.ok_or_else(|| {
            PoolsError::Refused(format!("{name} does no queue's jobs whose wait it could follow"))
        })
    }

    /// `None`: its size stays.
    fn bounds(&self, name: &str) -> Option<Bounds> {
        let known = self.scalable(name).ok()?;
        match lock(&self.shared.autoscales).get(name) {
            Some(live) => live.bounds,
            None => known.enabled.then_some(known.bounds),
        }
    }

    fn is_set(&self, name: &str) -> bool {
        lock(&self.shared.applied).get(name).is_some_and(|live| live.workers.is_some())
    }

    /// After a change of bounds: what is outside is moved into them at once.
    fn put_right(&self, name: &str, control: &PoolControl) {
        let Some(bounds) = self.bounds(name) else {
            lock(&self.shared.scaled).remove(name);
            let live = lock(&self.shared.applied).get(name).cloned();
            return self.apply(name, control, live.as_ref());
        };
        let (from, at) = (self.size(name), self.shared.parts.clock.now());
        let to = from.clamp(bounds.min, bounds.max);
        if to != from && !self.is_set(name) {
            self.scale(name, control, Change { at, from, to, wait_ms: 0, why: Why::Bounds });
        }
    }

    fn scale(&self, name: &str, control: &PoolControl, change: Change) {
        let Change { from, to, wait_ms, why, .. } = change;
        let scaled = Scaled { size: to, wait_ms, last: Some(change) };
        lock(&self.shared.scaled).insert(name.to_owned(), scaled);
        if let Err(refusal) = control.resize(to as usize) {
            tracing::warn!(pool = name, to, reason = refusal.reason, "pool can't be resized");
            return;
        }
        let why = why.as_str();
        tracing::info!(pool = name, from, to, wait_ms, why, "pool was resized");
        counter!("stoa.pool.autoscaled", "pool" => name.to_owned(), "why" => why).increment(1);
    }
}

struct Autoscaler {
    pools: Pools,
    scalers: HashMap<String, Scaler>,
}

/// A pool that follows its queue now.
struct Followed {
    name: String,
    control: PoolControl,
    queue: Queue,
    bounds: Bounds,
}

impl Reconciler for Autoscaler {
    async fn pass(&mut self, _: &Context) -> Result<Next, Fault> {
        let followed = self.followed();
        self.scalers.retain(|name, _| followed.iter().any(|pool| pool.name == *name));
        self.tell();
        if followed.is_empty() {
            return Ok(Next::Idle);
        }
        let parts = &self.pools.shared.parts;
        let (queues, now): (Vec<_>, _) =
            (followed.iter().map(|pool| pool.queue).collect(), parts.clock.now());
        let since = parts.waits.waiting_since(&queues, now).await.map_err(store_fault)?;
        for pool in followed {
            let at = since.iter().find(|(queue, _)| *queue == pool.queue).map(|(_, at)| *at);
            self.look(pool, at, now);
        }
        Ok(Next::Idle)
    }
}

impl Autoscaler {
    fn followed(&self) -> Vec<Followed> {
        let mut followed = Vec::new();
        for (name, known) in &self.pools.shared.parts.configured {
            let (Some(known), Some(bounds)) = (known.scalable, self.pools.bounds(name)) else {
                continue;
            };
            let Ok(control) = self.pools.control(name) else { continue };
            if !self.pools.is_set(name) && matches!(control.state(), State::Running) {
                followed.push(Followed { name: name.clone(), control, queue: known.queue, bounds });
            }
        }
        followed
    }

    fn look(&mut self, pool: Followed, since: Option<Micros>, now: Micros) {
        let Some(seen) = pool.control.snapshot() else { return };
        let queued = since.map_or(0, |at| now.0.abs_diff(at.0) / 1_000);
        // What was fetched for it waits in the pool itself.
        let wait_ms = queued.max(seen.waiting_ms.unwrap_or_default());
        let (size, name) = (self.pools.size(&pool.name), pool.name);
        let busy = match seen.depth {
            0 => u32::try_from(seen.busy).unwrap_or(u32::MAX),
            _ => size,
        };
        let scaler = self.scalers.entry(name.clone()).or_default();
        match scaler.look(pool.bounds, Seen { size, busy, wait_ms }) {
            Some((to, why)) => {
                let change = Change { at: now, from: size, to, wait_ms, why };
                self.pools.scale(&name, &pool.control, change);
            }
            None => {
                let mut scaled = lock(&self.pools.shared.scaled);
                let fresh = Scaled { size, wait_ms, last: None };
                scaled.entry(name).or_insert(fresh).wait_ms = wait_ms;
            }
        }
    }

    /// Of each that could follow its queue; bounds of 0: it doesn't.
    fn tell(&self) {
        for (name, known) in &self.pools.shared.parts.configured {
            if known.scalable.is_none() {
                continue;
            }
            let Some(row) = self.pools.row(name) else { continue };
            let bounds = self.pools.bounds(name);
            let wait = row.autoscale.and_then(|row| row.wait_ms).unwrap_or_default();
            let set = |metric: &'static str, value: f64| {
                gauge!(metric, "pool" => name.clone()).set(value);
            };
            set("stoa.pool.workers", row.now.workers as f64);
            set("stoa.pool.autoscale.min", bounds.map_or(0.0, |bounds| bounds.min.into()));
            set("stoa.pool.autoscale.max", bounds.map_or(0.0, |bounds| bounds.max.into()));
            set("stoa.pool.autoscale.wait_seconds", wait as f64 / 1_000.0);
        }
    }
}
