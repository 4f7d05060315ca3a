//! Schedules: jobs that are put into the queue again and again, each at its tick.
//!
//! Who sees to a tick puts its job and moves the schedule on to the next in one transaction, and only
//! if the schedule still stands where it was read. So a tick is one job, however many nodes see to it
//! and whenever one of them dies.

use super::{StoreError, jobs::NewJob};
use crate::domain::{
    audit::Change,
    id::JobId,
    job::{CatchUp, Priority, Queue},
    time::Micros,
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// What an operator says of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleTerms {
    pub topic: String,
    pub version: u32,
    /// Of each of its jobs, in the form of topic and version.
    pub body: Value,
    /// Where those wait.
    pub queue: Queue,
    pub priority: Priority,
    /// An expression and the name of a zone; see [`crate::domain::cron`].
    pub cron: String,
    pub zone: String,
    pub catch_up: CatchUp,
    pub enabled: bool,
}

/// A schedule as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSchedule {
    pub name: String,
    pub terms: ScheduleTerms,
    /// Another whenever the terms are.
    pub revision: Uuid,
    /// The first tick that nobody has seen to.
    pub next_at: Micros,
    /// The last tick that was run, or when it was run by hand, and as which job.
    pub last_at: Option<Micros>,
    pub last_job: Option<JobId>,
    pub set_by: String,
    pub set_at: Micros,
}

#[derive(Debug, Clone)]
pub enum ScheduleWrite {
    /// Makes one, or puts these terms in place of what it had. While expression and zone stay and it
    /// is enabled, ticks that were missed stay missed; else it begins at `next_at`.
    Set {
        name: String,
        terms: ScheduleTerms,
        revision: Uuid,
        next_at: Micros,
        by: String,
        at: Micros,
    },
    Remove {
        name: String,
        by: String,
        at: Micros,
    },
    /// One that was disabled begins at `next_at`.
    Enable {
        name: String,
        enabled: bool,
        revision: Uuid,
        next_at: Micros,
        by: String,
        at: Micros,
    },
    /// Puts this one at once, beside its ticks.
    Run {
        name: String,
        job: NewJob,
        by: String,
    },
    Tick(Tick),
}

/// What is done about a schedule whose time has come. Answered with [`super::writer::Written::Conflict`]
/// where it doesn't stand like that any more, and then nothing was done.
#[derive(Debug, Clone)]
pub struct Tick {
    pub name: String,
    pub revision: Uuid,
    /// The tick it stood at.
    pub from: Micros,
    pub next_at: Micros,
    /// Each due at its tick, the oldest first.
    pub jobs: Vec<NewJob>,
}

impl Tick {
    /// The newest tick of those that are run, and its job.
    pub fn last(&self) -> Option<(Micros, JobId)> {
        self.jobs.last().map(|job| (job.due_at, job.id))
    }
}

/// For the audit log: terms were set in place of others, or taken back.
pub fn schedule_set(
    name: &str,
    old: Option<&ScheduleTerms>,
    new: Option<&ScheduleTerms>,
    by: &str,
    at: Micros,
) -> Change {
    let action = if new.is_some() { "schedule.set" } else { "schedule.remove" };
    Change::new(at, by, action, subject(name), old, new)
}

/// For the audit log.
pub fn schedule_enabled(name: &str, enabled: bool, by: &str, at: Micros) -> Change {
    let action = if enabled { "schedule.enable" } else { "schedule.disable" };
    Change::new(at, by, action, subject(name), Some(&!enabled), Some(&enabled))
}

/// For the audit log: by hand, as this job.
pub fn schedule_run(name: &str, job: JobId, by: &str, at: Micros) -> Change {
    Change::new(at, by, "schedule.run", subject(name), None::<&()>, Some(&job))
}

fn subject(name: &str) -> String {
    format!("schedule:{name}")
}

#[async_trait]
pub trait Schedules: Send + Sync {
    /// By name.
    async fn schedules(&self) -> Result<Vec<JobSchedule>, StoreError>;
    async fn schedule(&self, name: &str) -> Result<Option<JobSchedule>, StoreError>;
    /// Up to `most` enabled ones whose time has come, the longest waiting first.
    async fn due_schedules(&self, now: Micros, most: u32) -> Result<Vec<JobSchedule>, StoreError>;
    /// When the time of the next one comes that is enabled, behind `after`.
    async fn next_tick(&self, after: Micros) -> Result<Option<Micros>, StoreError>;
}
