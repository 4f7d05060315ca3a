//! Jobs and workers as the database tells them.

use crate::{
    adapters::sql::error::not_ours,
    domain::{
        id::{JobId, WorkerId},
        job::JobState,
        time::Micros,
    },
    ports::{
        StoreError,
        jobs::{JobNow, Steps, Worker},
    },
};
use sqlx_macros::FromRow;
use uuid::Uuid;

#[derive(FromRow)]
pub(super) struct WorkerRow {
    id: Uuid,
    name: String,
    beat: i64,
    joined_at: i64,
    seen_at: i64,
    jobs: i64,
}

impl From<WorkerRow> for Worker {
    fn from(row: WorkerRow) -> Self {
        Self {
            id: WorkerId(row.id),
            name: row.name,
            beat: row.beat,
            joined_at: Micros(row.joined_at),
            seen_at: Micros(row.seen_at),
            jobs: u64::try_from(row.jobs).unwrap_or_default(),
        }
    }
}

#[derive(FromRow)]
pub(super) struct JobRow {
    id: Uuid,
    topic: String,
    version: i64,
    body: String,
    queue: String,
    priority: i64,
    state: String,
    attempt: i64,
    failures: i64,
    losses: i64,
    sent_at: i64,
    due_at: i64,
    expires_at: Option<i64>,
    lane: Option<String>,
    blocked: bool,
    worker: Option<Uuid>,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    cancelling: bool,
    error: Option<String>,
    root: Option<Uuid>,
    after: Option<Uuid>,
    steps_done: Option<i64>,
    steps_all: Option<i64>,
}

impl TryFrom<JobRow> for JobNow {
    type Error = StoreError;

    fn try_from(row: JobRow) -> Result<Self, StoreError> {
        let count = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
        let state = JobState::parse(&row.state);
        let steps = row.steps_done.zip(row.steps_all);
        let number = |n: i64| u64::try_from(n).unwrap_or_default();
        Ok(Self {
            id: JobId(row.id),
            topic: row.topic,
            version: row.version,
            body: row.body,
            queue: row.queue,
            priority: row.priority,
            state: state.ok_or_else(|| not_ours("a job is in no state we know"))?,
            attempt: count(row.attempt),
            failures: count(row.failures),
            losses: count(row.losses),
            sent_at: Micros(row.sent_at),
            due_at: Micros(row.due_at),
            expires_at: row.expires_at.map(Micros),
            lane: row.lane,
            blocked: row.blocked,
            worker: row.worker.map(WorkerId),
            started_at: row.started_at.map(Micros),
            ended_at: row.ended_at.map(Micros),
            cancelling: row.cancelling,
            error: row.error,
            root: row.root.map(JobId),
            after: row.after.map(JobId),
            progress: steps.map(|(done, of)| Steps { done: number(done), of: number(of) }),
        })
    }
}
