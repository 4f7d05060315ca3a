//! The tree at one moment, as data.
//!
//! Promise: everything round-trips through serde, so that the process that
//! shows it need not be the one that runs it. Times are ages in ms, never
//! clock readings, as the two may not agree on the time.

use serde::{Deserialize, Serialize};

use crate::policy::{Restart, Strategy};

/// One node and everything below it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The last part of the path; a category, so fit for a metric's label.
    pub name: String,
    /// Names from the root, joined by `/`.
    pub path: String,
    /// What sort of child it is.
    pub kind: Kind,
    /// What it is doing.
    pub state: State,
    /// When it is started again after it ended.
    pub restart: Restart,
    /// How often it was started again since the tree was built.
    pub restarts: u64,
    /// How long ago it last started, in ms; none if it is not up.
    pub up_ms: Option<u64>,
    /// The last panic in its code.
    pub last_panic: Option<LastPanic>,
    /// The last error it returned.
    pub last_fault: Option<LastFault>,
    /// Agents only.
    pub mailbox: Option<MailboxSnapshot>,
    /// Messages, passes or jobs done since the tree was built.
    pub handled: u64,
    /// How long messages or jobs waited in the last one to two minutes.
    pub wait: Option<Percentiles>,
    /// How long a batch, pass or job took in the last one to two minutes.
    pub run: Option<Percentiles>,
    /// Pools only.
    pub pool: Option<PoolSnapshot>,
    /// Supervisors only.
    pub supervisor: Option<SupervisorSnapshot>,
    /// In start order.
    pub children: Vec<Snapshot>,
}

impl Snapshot {
    /// The node at `path` (`stoa/store/writer`), if it is this one or below it.
    pub fn find(&self, path: &str) -> Option<&Self> {
        if self.path == path {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.find(path))
    }

    /// This node and all below it, parents first.
    pub fn walk(&self) -> Vec<&Self> {
        let mut nodes = vec![self];
        for child in &self.children {
            nodes.extend(child.walk());
        }
        nodes
    }

    /// Whether every node is running, idle or finished as it should be: what a
    /// readiness probe wants to know.
    pub fn is_healthy(&self) -> bool {
        let fine = !matches!(
            self.state,
            State::Starting
                | State::BackingOff
                | State::Failed { .. }
                | State::Stopping
                | State::Stopped
        );
        fine && self.children.iter().all(Self::is_healthy)
    }
}

/// What sort of child a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Restarts its children.
    Supervisor,
    /// Serves a mailbox.
    Agent,
    /// Makes passes.
    Reconciler,
    /// Runs one future.
    Task,
    /// Does jobs with several workers.
    Pool,
}

/// What a node is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Being made.
    Starting,
    /// Up.
    Running,
    /// Up, but what it needs is away; tried again with backoff.
    Waiting {
        /// The error of the last try.
        reason: String,
    },
    /// Died; is started again after a pause.
    BackingOff,
    /// A pool that takes jobs but hands none out.
    Paused,
    /// A pool that takes no jobs and finishes those it has.
    Draining,
    /// A pool that takes no jobs and has none.
    Drained,
    /// Asked to end.
    Stopping,
    /// Not running, and rightly so.
    Stopped,
    /// Ended well and is done.
    Finished,
    /// Given up.
    Failed {
        /// Why.
        reason: String,
    },
}

/// A panic, with its place if the capture hook is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastPanic {
    /// The panic's text.
    pub message: String,
    /// `file:line:column`.
    pub location: Option<String>,
    /// The stack at the panic.
    pub backtrace: Option<String>,
    /// How long ago, in ms.
    pub ago_ms: u64,
}

/// An error a child returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastFault {
    /// The error and its sources.
    pub message: String,
    /// How long ago, in ms.
    pub ago_ms: u64,
}

/// How full a mailbox is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxSnapshot {
    /// Messages waiting.
    pub depth: usize,
    /// Messages that may wait, over all ranks.
    pub bound: usize,
    /// Messages refused as it was full, since the tree was built.
    pub refused: u64,
}

/// Upper bounds of times, at most a quarter too high, in µs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Percentiles {
    /// Half took no longer.
    pub p50_us: u64,
    /// 95 of 100 took no longer.
    pub p95_us: u64,
    /// 99 of 100 took no longer.
    pub p99_us: u64,
}

/// A supervisor's settings and how much of its budget is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupervisorSnapshot {
    /// Whom it restarts.
    pub strategy: Strategy,
    /// The restarts it tolerates.
    pub budget: BudgetSnapshot,
}

/// A restart budget in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetSnapshot {
    /// Restarts tolerated…
    pub restarts: u32,
    /// …within this many ms.
    pub within_ms: u64,
    /// Restarts counted in that time up to now.
    pub spent: u32,
}

/// A pool at work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PoolSnapshot {
    /// Workers wanted.
    pub workers: usize,
    /// Workers that are up.
    pub up: usize,
    /// Workers with a job in hand.
    pub busy: usize,
    /// Workers it may grow to.
    pub most: usize,
    /// Jobs waiting.
    pub depth: usize,
    /// How long the job that is next has been waiting here, in ms.
    pub waiting_ms: Option<u64>,
    /// Jobs that may wait.
    pub bound: usize,
    /// Jobs refused as it was full or drained, since the tree was built.
    pub refused: u64,
    /// Workers replaced as they hung in one job, since the tree was built.
    pub stuck: u64,
    /// The longest time a job now in hand has been running, in ms.
    pub longest_ms: Option<u64>,
    /// Busy share of the workers' time lately, 0 to 1.
    pub utilisation: f64,
    /// Little's law: arrivals per second × seconds a job takes = workers needed.
    pub needed: f64,
    /// What that says about the pool's size.
    pub fit: Fit,
    /// The restarts it tolerates.
    pub budget: BudgetSnapshot,
}

/// Whether a pool's size suits its load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fit {
    /// Over four fifths busy, so queues grow quickly.
    #[serde(rename = "too small")]
    TooSmall,
    /// Two workers fewer would still be less than half busy.
    #[serde(rename = "too big")]
    TooBig,
    /// Leave it.
    #[serde(rename = "fine")]
    Fine,
}

impl std::fmt::Display for Fit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TooSmall => "too small",
            Self::TooBig => "too big",
            Self::Fine => "fine",
        })
    }
}
