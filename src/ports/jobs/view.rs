//! The queue as it stands, to be looked at.

use super::Steps;
use crate::{
    domain::{
        id::{JobId, WorkerId},
        job::{Family, JobState, Queue, Rate, Sharing, Within},
        time::Micros,
    },
    ports::StoreError,
};
use async_trait::async_trait;
use std::collections::BTreeMap;

/// A process that runs jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    pub id: WorkerId,
    pub name: String,
    pub beat: i64,
    pub joined_at: Micros,
    pub seen_at: Micros,
    /// Jobs in hand.
    pub jobs: u64,
}

/// Which jobs are meant; `None`: whichever.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobFilter {
    pub state: Option<JobState>,
    pub queue: Option<Queue>,
    pub topic: Option<String>,
    /// Somewhere in the error of the last try.
    pub error: Option<String>,
    /// Its children.
    pub root: Option<JobId>,
    /// Somewhere in the body.
    pub body: Option<Within>,
}

/// A job as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobNow {
    pub id: JobId,
    pub topic: String,
    pub version: i64,
    pub body: String,
    pub queue: String,
    pub priority: i64,
    pub state: JobState,
    pub attempt: u32,
    pub failures: u32,
    /// How often a process died while it had it in hand.
    pub losses: u32,
    pub sent_at: Micros,
    pub due_at: Micros,
    pub expires_at: Option<Micros>,
    pub lane: Option<String>,
    /// One of its lane is before it.
    pub blocked: bool,
    pub worker: Option<WorkerId>,
    pub started_at: Option<Micros>,
    pub ended_at: Option<Micros>,
    /// It runs, and somebody wants it to end.
    pub cancelling: bool,
    /// Of the last try.
    pub error: Option<String>,
    /// Of whose family it is.
    pub root: Option<JobId>,
    /// How far its last try was; `None` for one that succeeded, or says nothing.
    pub progress: Option<Steps>,
    /// It waits for that one and its children.
    pub after: Option<JobId>,
}

/// A queue as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueNow {
    pub queue: Queue,
    pub scheduled: u64,
    pub ready: u64,
    pub running: u64,
    /// Failed and dead.
    pub given_up: u64,
    /// Since when the one that waits for the longest could have been begun.
    pub oldest_due_at: Option<Micros>,
    /// Who paused it, and when.
    pub paused: Option<(String, Micros)>,
    pub sharing: Sharing,
}

/// How many jobs of a topic may be begun in a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicRate {
    pub topic: String,
    pub rate: Rate,
    pub set_by: String,
    pub set_at: Micros,
}

/// What may be claimed of a queue, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueDue {
    pub queue: Queue,
    /// Some jobs with which no process was lost.
    pub ready: bool,
    /// Some with which one was.
    pub suspects: bool,
    /// When the next one comes due, of either kind; that may be past.
    pub next_at: Option<Micros>,
}

impl QueueDue {
    /// When jobs of this kind may be claimed, as far as that is known.
    pub fn at(&self, suspects: bool) -> Option<Micros> {
        match if suspects { self.suspects } else { self.ready } {
            true => Some(Micros(0)),
            false => self.next_at,
        }
    }
}

#[async_trait]
pub trait Jobs: Send + Sync {
    /// What may be claimed of each of these queues; those that are paused are left out.
    async fn next_due(&self, queues: &[Queue], now: Micros) -> Result<Vec<QueueDue>, StoreError>;
    /// Whether some wait for others that are over.
    async fn are_released(&self) -> Result<bool, StoreError>;
    /// When the next one is to be given up that didn't begin.
    async fn next_expiry(&self) -> Result<Option<Micros>, StoreError>;
    async fn workers(&self) -> Result<Vec<Worker>, StoreError>;
    /// Every queue, with what waits there and who paused it.
    async fn queues(&self) -> Result<Vec<QueueNow>, StoreError>;
    /// By topic.
    async fn rates(&self) -> Result<Vec<TopicRate>, StoreError>;
    /// Of those that are roots, how their children stand.
    async fn families(&self, roots: &[JobId]) -> Result<BTreeMap<JobId, Family>, StoreError>;
    async fn job(&self, id: JobId) -> Result<Option<JobNow>, StoreError>;
    /// Up to `limit` of those, the newest first, behind `after`.
    async fn jobs(
        &self,
        filter: &JobFilter,
        after: Option<JobId>,
        limit: u32,
    ) -> Result<Vec<JobNow>, StoreError>;
}
