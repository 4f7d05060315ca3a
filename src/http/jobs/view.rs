//! Jobs and queues as they are shown.

use crate::{
    actors::reconcilers::maintenance::Door,
    domain::{
        job::{Family, JobState, Priority},
        time::Micros,
    },
    ports::jobs::{JobNow, QueueNow, Steps, Worker},
};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Serialize, ToSchema)]
pub(super) struct JobList {
    /// The newest first.
    pub(super) items: Vec<JobView>,
    /// The cursor of the next page; `null` on the last.
    #[schema(required)]
    pub(super) next: Option<String>,
}

/// A piece of work.
#[derive(Serialize, ToSchema)]
pub(super) struct JobView {
    id: Uuid,
    #[schema(example = "mail.send")]
    topic: String,
    version: i64,
    /// What it is about, in the form of its topic and version.
    body: Value,
    queue: String,
    /// `highest` to `lowest`; `null` for one that this version doesn't know.
    #[schema(required, value_type = Option<String>)]
    priority: Option<&'static str>,
    #[schema(example = "ready")]
    state: &'static str,
    /// How often it was begun.
    attempt: u32,
    /// How often it failed.
    failures: u32,
    /// How often a process died that had it in hand.
    losses: u32,
    #[schema(format = DateTime)]
    sent_at: String,
    /// It runs no earlier.
    #[schema(format = DateTime)]
    due_at: String,
    #[schema(required, format = DateTime)]
    expires_at: Option<String>,
    /// Of one lane one runs at a time, in order.
    #[schema(required)]
    lane: Option<String>,
    /// One of its lane is before it.
    blocked: bool,
    /// The process that has it in hand.
    #[schema(required)]
    worker: Option<Uuid>,
    #[schema(required, format = DateTime)]
    started_at: Option<String>,
    #[schema(required, format = DateTime)]
    ended_at: Option<String>,
    /// It runs and is to end.
    cancelling: bool,
    /// What went wrong with the last try.
    #[schema(required)]
    error: Option<String>,
    /// Whose child it is.
    #[schema(required)]
    root: Option<Uuid>,
    /// It waits until this one is over, and all of its children.
    #[schema(required)]
    after: Option<Uuid>,
    /// How it stands with its children; `null` for one that has none.
    #[schema(required)]
    family: Option<FamilyView>,
    /// How far its last try was, as it said with the process' last heartbeat; `null` for one that
    /// succeeded, or says nothing.
    #[schema(required)]
    progress: Option<ProgressView>,
}

/// So many of so many steps, whatever those are.
#[derive(Serialize, ToSchema)]
struct ProgressView {
    done: u64,
    of: u64,
}

/// A job and its children.
#[derive(Serialize, ToSchema)]
struct FamilyView {
    /// Of all of them: `running` until the last is over; then `cancelled` if any was, else `failed`
    /// if any failed or is dead, else `succeeded`.
    #[schema(example = "running")]
    state: &'static str,
    /// Children.
    jobs: u64,
    /// Those of them that are over, however they ended.
    over: u64,
    succeeded: u64,
    /// Failed and dead.
    failed: u64,
    cancelled: u64,
}

impl FamilyView {
    fn of(family: Family, own: JobState) -> Self {
        Self {
            state: family.state(own).as_str(),
            jobs: family.all(),
            over: family.over(),
            succeeded: family.of(JobState::Succeeded),
            failed: family.of(JobState::Failed) + family.of(JobState::Dead),
            cancelled: family.of(JobState::Cancelled),
        }
    }
}

impl JobView {
    pub(super) fn of((job, family): (JobNow, Option<Family>)) -> Self {
        Self {
            id: job.id.0,
            topic: job.topic,
            version: job.version,
            body: serde_json::from_str(&job.body).unwrap_or_default(),
            queue: job.queue,
            priority: Priority::of_level(job.priority).map(Priority::as_str),
            state: job.state.as_str(),
            attempt: job.attempt,
            failures: job.failures,
            losses: job.losses,
            sent_at: job.sent_at.rfc3339(),
            due_at: job.due_at.rfc3339(),
            expires_at: job.expires_at.map(Micros::rfc3339),
            lane: job.lane,
            blocked: job.blocked,
            worker: job.worker.map(|worker| worker.0),
            started_at: job.started_at.map(Micros::rfc3339),
            ended_at: job.ended_at.map(Micros::rfc3339),
            cancelling: job.cancelling,
            error: job.error,
            root: job.root.map(|root| root.0),
            after: job.after.map(|root| root.0),
            family: family.map(|family| FamilyView::of(family, job.state)),
            progress: job.progress.map(|Steps { done, of }| ProgressView { done, of }),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct QueueList {
    pub(super) items: Vec<QueueView>,
    /// Processes that run jobs, the longest there first.
    pub(super) workers: Vec<WorkerView>,
}

/// A queue as it stands.
#[derive(Serialize, ToSchema)]
pub(super) struct QueueView {
    name: &'static str,
    /// Whether nothing of it is handed out.
    paused: bool,
    /// Who paused it.
    #[schema(required)]
    paused_by: Option<String>,
    #[schema(required, format = DateTime)]
    paused_at: Option<String>,
    scheduled: u64,
    ready: u64,
    running: u64,
    /// Failed and dead.
    given_up: u64,
    /// Since when the one that waits for the longest could have been begun.
    #[schema(required, format = DateTime)]
    oldest_due_at: Option<String>,
    /// How its topics share it: `strict`, `weighted` or `fair`.
    #[schema(example = "strict")]
    mode: &'static str,
    /// By topic; of those left out it is 1.
    weights: BTreeMap<String, u32>,
}

impl QueueView {
    /// One that is paused by hand is that also while all of them are.
    pub(super) fn of(queue: QueueNow, door: &Door) -> Self {
        let closed = door.closed().filter(|closed| closed.pauses);
        let closed = closed.map(|closed| ("maintenance".to_owned(), closed.at));
        let (paused_by, paused_at) = queue.paused.or(closed).unzip();
        Self {
            name: queue.queue.as_str(),
            paused: paused_by.is_some(),
            paused_by,
            paused_at: paused_at.map(Micros::rfc3339),
            scheduled: queue.scheduled,
            ready: queue.ready,
            running: queue.running,
            given_up: queue.given_up,
            oldest_due_at: queue.oldest_due_at.map(Micros::rfc3339),
            mode: queue.sharing.mode.as_str(),
            weights: queue.sharing.weights,
        }
    }
}

/// A process that runs jobs.
#[derive(Serialize, ToSchema)]
pub(super) struct WorkerView {
    id: Uuid,
    /// Node and process.
    name: String,
    #[schema(format = DateTime)]
    joined_at: String,
    /// Its last heartbeat.
    #[schema(format = DateTime)]
    seen_at: String,
    /// Jobs in hand.
    jobs: u64,
}

impl From<Worker> for WorkerView {
    fn from(worker: Worker) -> Self {
        Self {
            id: worker.id.0,
            name: worker.name,
            joined_at: worker.joined_at.rfc3339(),
            seen_at: worker.seen_at.rfc3339(),
            jobs: worker.jobs,
        }
    }
}
