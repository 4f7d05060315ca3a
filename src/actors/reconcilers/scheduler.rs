//! Schedules: looked at and turned by operators, and seen to at their ticks.
//!
//! Promise: each tick is one job, whichever node sees to it and whenever one dies: its job is put in
//! the transaction that moves its schedule on, from where this was read and from nowhere else. While
//! no node is there ticks are missed, and the schedule's policy says what becomes of them. When the
//! scheduler dies, its successor reads anew.

use super::{store_fault, write_fault};
use crate::{
    actors::{
        keepers::writer::{StoreHandle, WriteError},
        workers::jobs::{NoJob, Topics},
    },
    domain::{
        cron::{BadCron, Cron},
        id::JobId,
        job::{CatchUp, due},
        slug,
        time::Micros,
    },
    ports::{
        StoreError,
        clock::{Clock, Ids},
        jobs::{NewJob, Once},
        schedules::{self, JobSchedule, ScheduleTerms, ScheduleWrite, Tick},
        writer::Written,
    },
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use supervisors::{Child, Context, Fault, Next, Nudge, Reconciler, reconciler};

/// What another node changed is found within this.
const EVERY: Duration = Duration::from_secs(1);
/// Seen to in one pass.
const MOST_DUE: u32 = 100;
const MOST_NAME: usize = 64;
/// Characters of JSON.
const MOST_BODY: usize = 16 * 1_024;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Schedules {
    pub(crate) rows: Arc<dyn schedules::Schedules>,
    pub(crate) store: StoreHandle,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    /// Jobs that can be scheduled: those that are done here.
    pub(crate) topics: Topics,
    /// Wakes the scheduler.
    pub(crate) changed: Nudge,
    /// Wakes whoever runs jobs.
    pub(crate) put: Nudge,
}

/// As an operator says it.
pub(crate) struct Wanted {
    pub(crate) topic: String,
    /// The newest, where none is said.
    pub(crate) version: Option<u32>,
    pub(crate) body: Value,
    pub(crate) cron: String,
    pub(crate) zone: String,
    pub(crate) catch_up: String,
    pub(crate) enabled: bool,
}

#[derive(Debug)]
pub(crate) enum SchedulesError {
    /// This part of what was wanted can't be.
    Bad {
        part: &'static str,
        why: String,
    },
    Absent,
    Write(WriteError),
}

impl From<WriteError> for SchedulesError {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

impl From<StoreError> for SchedulesError {
    fn from(error: StoreError) -> Self {
        Self::Write(error.into())
    }
}

impl Schedules {
    /// By name.
    pub(crate) async fn list(&self) -> Result<Vec<JobSchedule>, StoreError> {
        self.rows.schedules().await
    }

    pub(crate) async fn show(&self, name: &str) -> Result<JobSchedule, SchedulesError> {
        self.rows.schedule(name).await?.ok_or(SchedulesError::Absent)
    }

    /// Makes one, or puts this in place of what it was.
    pub(crate) async fn set(
        &self,
        name: &str,
        wanted: Wanted,
        by: &str,
    ) -> Result<JobSchedule, SchedulesError> {
        let (terms, cron) = self.read(name, wanted)?;
        let at = self.clock.now();
        let set = ScheduleWrite::Set {
            name: name.to_owned(),
            terms,
            revision: self.ids.next(),
            next_at: cron.next(at).unwrap_or(at),
            by: by.to_owned(),
            at,
        };
        self.write(set).await?;
        self.show(name).await
    }

    pub(crate) async fn remove(&self, name: &str, by: &str) -> Result<(), SchedulesError> {
        let (name, by, at) = (name.to_owned(), by.to_owned(), self.clock.now());
        self.write(ScheduleWrite::Remove { name, by, at }).await.map(drop)
    }

    /// What it would have run while it was disabled is not missed.
    pub(crate) async fn enable(
        &self,
        name: &str,
        enabled: bool,
        by: &str,
    ) -> Result<JobSchedule, SchedulesError> {
        let (terms, at) = (self.show(name).await?.terms, self.clock.now());
        let cron = Cron::new(&terms.cron, &terms.zone).map_err(bad_cron)?;
        let enable = ScheduleWrite::Enable {
            name: name.to_owned(),
            enabled,
            revision: self.ids.next(),
            next_at: cron.next(at).unwrap_or(at),
            by: by.to_owned(),
            at,
        };
        self.write(enable).await?;
        self.show(name).await
    }

    /// One job more, now; its ticks stay as they are.
    pub(crate) async fn run(&self, name: &str, by: &str) -> Result<JobSchedule, SchedulesError> {
        let (schedule, now) = (self.show(name).await?, self.clock.now());
        let job = self.job(&schedule.terms, now, now);
        let run = ScheduleWrite::Run { name: name.to_owned(), job, by: by.to_owned() };
        self.write(run).await?;
        self.put.wake();
        self.show(name).await
    }

    fn read(&self, name: &str, wanted: Wanted) -> Result<(ScheduleTerms, Cron), SchedulesError> {
        if name.len() > MOST_NAME || !slug::is_one(name) {
            let why = format!(
                "small letters, digits and single hyphens between them, at most {MOST_NAME}"
            );
            return Err(SchedulesError::Bad { part: "name", why });
        }
        if wanted.body.to_string().chars().count() > MOST_BODY {
            let why = format!("at most {MOST_BODY} characters");
            return Err(SchedulesError::Bad { part: "body", why });
        }
        let known = self.topics.check(&wanted.topic, wanted.version, &wanted.body);
        let known = known.map_err(|no| match no {
            NoJob::Topic(why) => SchedulesError::Bad { part: "topic", why },
            NoJob::Version(why) => SchedulesError::Bad { part: "version", why },
            NoJob::Body(why) => SchedulesError::Bad { part: "body", why },
        })?;
        let cron = Cron::new(&wanted.cron, &wanted.zone).map_err(bad_cron)?;
        let bad = |why: String| SchedulesError::Bad { part: "catch_up", why };
        let catch_up: CatchUp = wanted.catch_up.parse().map_err(|no: _| bad(format!("{no}")))?;
        let terms = ScheduleTerms {
            topic: wanted.topic,
            version: known.version,
            body: known.body,
            queue: known.queue,
            priority: known.priority,
            cron: wanted.cron,
            zone: wanted.zone,
            catch_up,
            enabled: wanted.enabled,
        };
        Ok((terms, cron))
    }

    fn job(&self, terms: &ScheduleTerms, due_at: Micros, at: Micros) -> NewJob {
        NewJob {
            id: JobId(self.ids.next()),
            topic: terms.topic.clone(),
            version: terms.version,
            body: terms.body.to_string(),
            queue: terms.queue,
            priority: terms.priority,
            at,
            due_at,
            expires_at: None,
            lane: None,
            once: Once::Each,
            root: None,
            after: None,
        }
    }

    async fn write(&self, write: ScheduleWrite) -> Result<Written, SchedulesError> {
        let written = self.store.schedules(write).await?;
        self.changed.wake();
        match written {
            Written::Absent => Err(SchedulesError::Absent),
            written => Ok(written),
        }
    }
}

fn bad_cron(error: BadCron) -> SchedulesError {
    let part = if matches!(error, BadCron::Zone(_)) { "zone" } else { "cron" };
    SchedulesError::Bad { part, why: error.to_string() }
}

pub(crate) fn scheduler(schedules: Schedules) -> Child {
    let nudge = schedules.changed.clone();
    reconciler("scheduler", EVERY, &nudge, move || {
        let scheduler = Scheduler(schedules.clone());
        async move { Ok(scheduler) }
    })
}

struct Scheduler(Schedules);

impl Reconciler for Scheduler {
    async fn pass(&mut self, _: &Context) -> Result<Next, Fault> {
        let Schedules { rows, clock, put, .. } = &self.0;
        let now = clock.now();
        let due = rows.due_schedules(now, MOST_DUE).await.map_err(store_fault)?;
        let (all, mut moved) = (due.len() as u32 == MOST_DUE, false);
        for schedule in due {
            moved |= self.see_to(schedule, now).await?;
        }
        if moved {
            put.wake();
        }
        if moved && all {
            return Ok(Next::Again);
        }
        let next = rows.next_tick(now).await.map_err(store_fault)?;
        let pause = next.map(|at| Duration::from_micros(at.0.abs_diff(clock.now().0.min(at.0))));
        Ok(pause.map_or(Next::Idle, |pause| Next::After(pause.min(EVERY))))
    }
}

impl Scheduler {
    /// Whether it was moved on from here.
    async fn see_to(&self, schedule: JobSchedule, now: Micros) -> Result<bool, Fault> {
        let JobSchedule { name, terms, revision, next_at: from, .. } = schedule;
        let cron = match Cron::new(&terms.cron, &terms.zone) {
            Ok(cron) => cron,
            Err(error) => {
                // It was a newer version's, or of a zone that is no more.
                tracing::error!(schedule = name, %error, "a schedule can't be read");
                return Ok(false);
            }
        };
        let Some(due) = due(&cron, from, terms.catch_up, now) else { return Ok(false) };
        let jobs: Vec<_> = due.ticks.iter().map(|at| self.0.job(&terms, *at, now)).collect();
        let (put, next_at) = (jobs.len(), due.next_at);
        let tick = Tick { name: name.clone(), revision, from, next_at, jobs };
        let written = self.0.store.schedules(ScheduleWrite::Tick(tick)).await;
        match written.map_err(write_fault)? {
            // Another node was there before, or an operator turned it meanwhile.
            Written::Conflict => Ok(false),
            _ => {
                if put == 0 {
                    tracing::warn!(schedule = name, "ticks were missed and are passed over");
                }
                Ok(true)
            }
        }
    }
}
