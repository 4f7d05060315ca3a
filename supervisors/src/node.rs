//! A node of the running tree, as others see it.
//!
//! Promise: a node lives as long as the tree, through every restart of its
//! child, and may be read at any time without asking any actor.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use crate::budget::{Budget, Ledger};
use crate::fault::Death;
use crate::meter::Meter;
use crate::panics::Panicked;
use crate::policy::{Restart, Strategy};
use crate::pool::PoolOps;
use crate::snapshot::{
    BudgetSnapshot, Kind, LastFault, LastPanic, MailboxSnapshot, Snapshot, State,
    SupervisorSnapshot,
};
use crate::sync::locked;

/// Reads how full a mailbox is, whatever its message type.
pub(crate) trait Gauge: Send + Sync {
    fn depth_and_bound(&self) -> (usize, usize);
}

/// What a child brings along when its node is made.
#[derive(Default, Clone)]
pub(crate) struct Fittings {
    pub(crate) meter: Arc<Meter>,
    pub(crate) gauge: Option<Arc<dyn Gauge>>,
    pub(crate) pool: Option<Arc<dyn PoolOps>>,
    pub(crate) strategy: Option<Strategy>,
}

struct Condition {
    state: State,
    up_since: Option<Instant>,
    panic: Option<(Arc<Panicked>, Instant)>,
    fault: Option<(String, Instant)>,
    budget: Budget,
    ledger: Ledger,
}

pub(crate) struct Node {
    pub(crate) name: Cow<'static, str>,
    pub(crate) path: Arc<str>,
    kind: Kind,
    restart: Restart,
    fittings: Fittings,
    pub(crate) children: Vec<Arc<Node>>,
    starts: AtomicU64,
    condition: Mutex<Condition>,
    /// Actors alive in the whole tree; shared by all its nodes.
    pub(crate) alive: Alive,
}

/// Counts the actors of one tree that have not been dropped yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Alive(Arc<AtomicUsize>);

impl Alive {
    pub(crate) fn enter(&self) -> Presence {
        self.0.fetch_add(1, Ordering::AcqRel);
        Presence(self.clone())
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

/// Held by an actor as long as it lives.
pub(crate) struct Presence(Alive);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Node {
    pub(crate) fn new(
        path: Arc<str>,
        name: Cow<'static, str>,
        kind: Kind,
        restart: Restart,
        fittings: Fittings,
        children: Vec<Arc<Self>>,
        alive: Alive,
    ) -> Self {
        Self {
            name,
            path,
            kind,
            restart,
            fittings,
            children,
            starts: AtomicU64::new(0),
            condition: Mutex::new(Condition {
                state: State::Stopped,
                up_since: None,
                panic: None,
                fault: None,
                budget: Budget::default(),
                ledger: Ledger::default(),
            }),
            alive,
        }
    }

    pub(crate) fn set(&self, state: State) {
        let mut condition = locked(&self.condition);
        let up = matches!(state, State::Running | State::Waiting { .. } | State::Stopping);
        if !up {
            condition.up_since = None;
        } else if condition.up_since.is_none() {
            condition.up_since = Some(Instant::now());
        }
        condition.state = state;
    }

    /// Back from `Waiting` to `Running`, unless something else happened since.
    pub(crate) fn recovered(&self) {
        let mut condition = locked(&self.condition);
        if matches!(condition.state, State::Waiting { .. }) {
            condition.state = State::Running;
        }
    }

    pub(crate) fn waiting(&self, reason: String) {
        let mut condition = locked(&self.condition);
        condition.fault = Some((reason.clone(), Instant::now()));
        if matches!(condition.state, State::Running | State::Waiting { .. }) {
            condition.state = State::Waiting { reason };
        }
    }

    pub(crate) fn up_for(&self) -> Option<Duration> {
        let since = locked(&self.condition).up_since;
        since.map(|since| since.elapsed())
    }

    /// Remembers what a child died of and says it in a sentence.
    pub(crate) fn died(&self, death: Death) -> String {
        let sentence = death.to_string();
        let now = Instant::now();
        let mut condition = locked(&self.condition);
        match death {
            Death::Panicked(panicked) => condition.panic = Some((Arc::new(panicked), now)),
            _ => condition.fault = Some((sentence.clone(), now)),
        }
        sentence
    }

    /// A life begins.
    pub(crate) fn starting(&self) {
        self.starts.fetch_add(1, Ordering::Relaxed);
        self.set(State::Starting);
    }

    /// How often it was started again.
    pub(crate) fn restarts(&self) -> u64 {
        self.starts.load(Ordering::Relaxed).saturating_sub(1)
    }

    /// A pool's worker was replaced, which counts as a restart of the pool's.
    pub(crate) fn worker_replaced(&self) {
        self.starts.fetch_add(1, Ordering::Relaxed);
    }

    /// A pool's worker hung in one job.
    pub(crate) fn stuck(&self, limit: Duration) {
        let message = format!("a worker had one job in hand for over {limit:?}");
        locked(&self.condition).fault = Some((message, Instant::now()));
    }

    pub(crate) fn set_budget(&self, budget: Budget) {
        locked(&self.condition).budget = budget;
    }

    /// Books a restart of a child; false if the budget is spent.
    pub(crate) fn spend(&self, now: Instant) -> bool {
        let condition = &mut *locked(&self.condition);
        condition.ledger.spend(&condition.budget, now)
    }

    /// Starts with a whole budget, as after a restart of the supervisor itself.
    pub(crate) fn fresh_budget(&self) {
        locked(&self.condition).ledger = Ledger::default();
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.fittings.meter
    }

    pub(crate) fn pool(&self) -> Option<&Arc<dyn PoolOps>> {
        self.fittings.pool.as_ref()
    }

    /// This node and all below it, parents first.
    pub(crate) fn walk(self: &Arc<Self>, visit: &mut impl FnMut(&Arc<Self>)) {
        visit(self);
        for child in &self.children {
            child.walk(visit);
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let now = Instant::now();
        let age_ms = |at: Instant| now.saturating_duration_since(at).as_millis() as u64;
        let mut condition = locked(&self.condition);
        let (tolerated, panic) = (condition.budget, condition.panic.clone());
        let (fault, up_since) = (condition.fault.clone(), condition.up_since);
        let mut state = condition.state.clone();
        let spent = condition.ledger.spent(&tolerated, now);
        // Naming a backtrace's frames takes milliseconds: not under the lock.
        drop(condition);
        let budget = BudgetSnapshot {
            restarts: tolerated.restarts,
            within_ms: tolerated.within.as_millis() as u64,
            spent,
        };
        let meter = self.meter();
        let pool = self.fittings.pool.as_ref().map(|pool| {
            if state == State::Running {
                state = pool.state();
            }
            pool.snapshot(now, budget)
        });
        Snapshot {
            name: self.name.to_string(),
            path: self.path.to_string(),
            kind: self.kind,
            state,
            restart: self.restart,
            restarts: self.restarts(),
            up_ms: up_since.map(age_ms),
            last_panic: panic.as_ref().map(|(panicked, at)| LastPanic {
                message: panicked.message.clone(),
                location: panicked.place.as_ref().and_then(|p| p.location.clone()),
                backtrace: panicked.place.as_ref().map(|p| p.backtrace.to_string()),
                ago_ms: age_ms(*at),
            }),
            last_fault: fault
                .as_ref()
                .map(|(message, at)| LastFault { message: message.clone(), ago_ms: age_ms(*at) }),
            mailbox: self.fittings.gauge.as_ref().map(|gauge| {
                let (depth, bound) = gauge.depth_and_bound();
                MailboxSnapshot { depth, bound, refused: meter.refused_total() }
            }),
            handled: meter.handled_total(),
            wait: meter.waits(now).percentiles,
            run: meter.runs(now).percentiles,
            pool,
            supervisor: self
                .fittings
                .strategy
                .map(|strategy| SupervisorSnapshot { strategy, budget }),
            children: self.children.iter().map(|child| child.snapshot()).collect(),
        }
    }
}
