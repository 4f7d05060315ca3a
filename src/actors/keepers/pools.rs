//! Live changes of pools: what an operator set beats the configuration until it is reverted.
//!
//! Every change is a row first, with who, when, old and new in the audit log, and is then applied
//! to this process; every other node finds the row within a second. When this actor dies the
//! pools stay as they are, and its next pass puts them right. Where no size was set, one may follow the
//! wait of its queue ([`scaling`]).

mod scaling;

pub(crate) use scaling::{AutoscaleRow, Scalable, Wish};

use crate::{
    actors::keepers::writer::{StoreHandle, WriteError},
    domain::time::Micros,
    ports::{
        clock::Clock,
        jobs::Waits,
        overrides::{Overrides, PoolAutoscale, PoolOverride},
    },
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use supervisors::{
    Context, Fault, Next, Nudge, PoolControl, PoolSnapshot, Reconciler, State, TreeView,
};

/// A pool's name for overrides that hold on every node.
const EVERY_NODE: &str = "*";

/// How long a drain is waited for before the answer says that it goes on.
const DRAIN_SHOWN: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub(crate) enum PoolsError {
    #[error("there is no pool `{0}`; there are: {1}")]
    Unknown(String, String),
    /// The pool can't be that large or small.
    #[error("{0}")]
    Refused(String),
    /// What stands at this key of a wish, and what it must be.
    #[error("{0} {1}")]
    Wrong(&'static str, String),
    #[error(transparent)]
    Store(#[from] WriteError),
}

/// One pool as operators see it.
#[derive(Debug, Clone)]
pub(crate) struct PoolRow {
    pub(crate) name: String,
    pub(crate) state: State,
    pub(crate) now: PoolSnapshot,
    /// Workers as configured.
    pub(crate) configured: u32,
    /// What an operator set, while it is in force.
    pub(crate) live: Option<PoolOverride>,
    /// Of one that does a queue's jobs.
    pub(crate) autoscale: Option<AutoscaleRow>,
}

/// A pool's size in the configuration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Configured {
    pub(crate) workers: u32,
    /// Of one that does a queue's jobs.
    pub(crate) scalable: Option<Scalable>,
}

/// What pools' sizes are read from and written to.
pub(crate) struct PoolsParts {
    pub(crate) node: String,
    pub(crate) configured: BTreeMap<String, Configured>,
    pub(crate) store: StoreHandle,
    pub(crate) overrides: Arc<dyn Overrides>,
    pub(crate) waits: Arc<dyn Waits>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) nudge: Nudge,
}

/// Shared by the handle and the reconciler.
#[derive(Clone)]
pub(crate) struct Pools {
    shared: Arc<Shared>,
}

struct Shared {
    parts: PoolsParts,
    /// Held from a change to its row's commit, and by a pass from its reading to its end: else a pass
    /// that has read the rows before takes a change back for a moment.
    turning: tokio::sync::Mutex<()>,
    /// Set once the tree is up; the pools live in it.
    view: Mutex<Option<TreeView>>,
    /// What was in force at the last pass.
    applied: Mutex<HashMap<String, PoolOverride>>,
    /// Which follow their queue live, or don't, as it was at the last pass.
    autoscales: Mutex<HashMap<String, PoolAutoscale>>,
    scaled: Mutex<HashMap<String, scaling::Scaled>>,
}

impl Pools {
    pub(crate) fn new(parts: PoolsParts) -> Self {
        let shared = Shared {
            parts,
            turning: tokio::sync::Mutex::default(),
            view: Mutex::default(),
            applied: Mutex::default(),
            autoscales: Mutex::default(),
            scaled: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Gives it the running tree, whose pools it turns.
    pub(crate) fn attach(&self, view: TreeView) {
        *lock(&self.shared.view) = Some(view);
        self.shared.parts.nudge.wake();
    }

    pub(crate) fn reconciler(&self) -> PoolOverrides {
        PoolOverrides { pools: self.clone() }
    }

    pub(crate) fn list(&self) -> Vec<PoolRow> {
        self.shared.parts.configured.keys().filter_map(|name| self.row(name)).collect()
    }

    /// Sets the size; `until` takes it back by itself.
    pub(crate) async fn set(
        &self,
        name: &str,
        workers: u32,
        by: &str,
        until: Option<Micros>,
    ) -> Result<PoolRow, PoolsError> {
        let control = self.control(name)?;
        if workers == 0 {
            let reason = "a pool has at least 1 worker; pause it to stop it";
            return Err(PoolsError::Refused(reason.into()));
        }
        let _turning = self.shared.turning.lock().await;
        // Tried first: what can't be done must not become a row.
        control.resize(workers as usize).map_err(|refusal| PoolsError::Refused(refusal.reason))?;
        let mut wanted = self.wanted(name, by);
        wanted.workers = Some(workers);
        wanted.until = until;
        self.keep(wanted).await
    }

    pub(crate) async fn pause(&self, name: &str, by: &str) -> Result<PoolRow, PoolsError> {
        let control = self.control(name)?;
        let _turning = self.shared.turning.lock().await;
        control.pause();
        let mut wanted = self.wanted(name, by);
        wanted.paused = true;
        self.keep(wanted).await
    }

    pub(crate) async fn resume(&self, name: &str, by: &str) -> Result<PoolRow, PoolsError> {
        let control = self.control(name)?;
        let _turning = self.shared.turning.lock().await;
        control.resume();
        let wanted = self.wanted(name, by);
        if wanted.workers.is_none() {
            return self.take_back(name, &control, by).await;
        }
        self.keep(PoolOverride { paused: false, ..wanted }).await
    }

    /// Takes no new jobs and finishes the queued ones; lasts until it is resumed or the process
    /// ends, so it is no row.
    pub(crate) async fn drain(&self, name: &str) -> Result<PoolRow, PoolsError> {
        let control = self.control(name)?;
        // A long job may outlast the caller's patience; the pool goes on draining.
        drop(tokio::time::timeout(DRAIN_SHOWN, control.drain()).await);
        self.shown(name)
    }

    /// Back to the configured size and state.
    pub(crate) async fn revert(&self, name: &str, by: &str) -> Result<PoolRow, PoolsError> {
        let control = self.control(name)?;
        let _turning = self.shared.turning.lock().await;
        self.take_back(name, &control, by).await
    }

    async fn take_back(
        &self,
        name: &str,
        control: &PoolControl,
        by: &str,
    ) -> Result<PoolRow, PoolsError> {
        let shared = &self.shared;
        let (now, by) = (shared.parts.clock.now(), by.to_owned());
        shared.parts.store.revert_override(name.into(), EVERY_NODE.into(), by, now).await?;
        lock(&shared.applied).remove(name);
        self.apply(name, control, None);
        self.shown(name)
    }

    async fn keep(&self, wanted: PoolOverride) -> Result<PoolRow, PoolsError> {
        let name = wanted.pool.clone();
        lock(&self.shared.applied).insert(name.clone(), wanted.clone());
        if let Err(error) = self.shared.parts.store.set_override(wanted).await {
            // Not kept, so not in force: the next pass goes by the rows.
            lock(&self.shared.applied).remove(&name);
            self.shared.parts.nudge.wake();
            return Err(error.into());
        }
        self.shown(&name)
    }

    fn wanted(&self, name: &str, by: &str) -> PoolOverride {
        let now = self.shared.parts.clock.now();
        let before = lock(&self.shared.applied).get(name).cloned();
        let fresh = PoolOverride {
            pool: name.to_owned(),
            node: EVERY_NODE.to_owned(),
            workers: None,
            paused: false,
            by: by.to_owned(),
            at: now,
            until: None,
        };
        match before {
            Some(before) => PoolOverride { by: by.to_owned(), at: now, ..before },
            None => fresh,
        }
    }

    fn control(&self, name: &str) -> Result<PoolControl, PoolsError> {
        let unknown = || {
            let names: Vec<&str> =
                self.shared.parts.configured.keys().map(String::as_str).collect();
            PoolsError::Unknown(name.to_owned(), names.join(", "))
        };
        let view = lock(&self.shared.view);
        view.as_ref().and_then(|view| view.pool(name)).ok_or_else(unknown)
    }

    fn shown(&self, name: &str) -> Result<PoolRow, PoolsError> {
        self.row(name).ok_or_else(|| PoolsError::Refused(format!("{name} is not running")))
    }

    fn row(&self, name: &str) -> Option<PoolRow> {
        let control = self.control(name).ok()?;
        Some(PoolRow {
            name: name.to_owned(),
            state: control.state(),
            now: control.snapshot()?,
            configured: self.configured(name),
            live: lock(&self.shared.applied).get(name).cloned(),
            autoscale: self.autoscale_row(name),
        })
    }

    fn configured(&self, name: &str) -> u32 {
        self.shared.parts.configured.get(name).map_or(1, |pool| pool.workers)
    }

    /// Puts one pool right; a pool that drains is left alone.
    fn apply(&self, name: &str, control: &PoolControl, live: Option<&PoolOverride>) {
        let workers = live.and_then(|live| live.workers).unwrap_or_else(|| self.size(name));
        if let Err(refusal) = control.resize(workers as usize) {
            tracing::warn!(pool = name, workers, reason = refusal.reason, "pool can't be resized");
        }
        let state = control.state();
        match live.is_some_and(|live| live.paused) {
            true if matches!(state, State::Running) => control.pause(),
            false if matches!(state, State::Paused) => control.resume(),
            _ => {}
        }
    }
}

/// Applies the rows that are in force, on every node, and drops those that have run out.
pub(crate) struct PoolOverrides {
    pools: Pools,
}

impl Reconciler for PoolOverrides {
    async fn pass(&mut self, _: &Context) -> Result<Next, Fault> {
        let shared = &self.pools.shared;
        let _turning = shared.turning.lock().await;
        let rows = shared.parts.overrides.current().await.map_err(Fault::unavailable)?;
        let follow = shared.parts.overrides.autoscales().await.map_err(Fault::unavailable)?;
        *lock(&shared.autoscales) = follow.into_iter().map(|row| (row.pool.clone(), row)).collect();
        let now = shared.parts.clock.now();
        let mut force: HashMap<String, PoolOverride> = HashMap::new();
        for row in rows {
            let over = row.until.is_some_and(|until| until <= now);
            if over || (row.node != EVERY_NODE && row.node != shared.parts.node) {
                continue;
            }
            let named = row.node != EVERY_NODE;
            let place = force.entry(row.pool.clone());
            place
                .and_modify(|known| {
                    if named {
                        *known = row.clone()
                    }
                })
                .or_insert(row);
        }
        for name in shared.parts.configured.keys() {
            if let Ok(control) = self.pools.control(name) {
                self.pools.apply(name, &control, force.get(name));
            }
        }
        *lock(&shared.applied) = force;
        Ok(Next::Idle)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
