//! Keeps this process known to be alive, and looks after those that are not.
//!
//! Promise: while this lives its worker's heartbeat rises; a worker whose heartbeat doesn't is buried
//! within the lease and a sweep, and others get its jobs. What finished is never touched by that: a
//! burial takes running jobs alone. At an orderly end, whatever is still in hand goes back at once
//! and is nobody's failure. When this process is buried itself, frozen for too long, it lets go of
//! everything and joins anew.
//!
//! It also makes those due that waited for others, gives up what wasn't begun in time, and forgets what
//! is over.

use super::desk::Desk;
use crate::{
    actors::{
        keepers::writer::StoreHandle,
        reconcilers::{store_fault, write_fault},
    },
    domain::{id::WorkerId, job::Watch, time::Micros},
    ports::{
        clock::{Clock, Ids},
        jobs::{JobWrite, Jobs, JobsWritten, NewWorker, Worker},
        writer::Written,
    },
};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use supervisors::{Child, Context, Fault, Next, Nudge, Reconciler, reconciler};

const EVERY: Duration = Duration::from_secs(1);
const BEAT_EVERY: Duration = Duration::from_secs(2);
const FORGET_EVERY: Duration = Duration::from_secs(60);
/// Rows at a time, so that no checkout waits behind many.
const SLICE: u32 = 500;
const HOUR: Duration = Duration::from_secs(60 * 60);

/// The `[jobs]` section.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobsConfig {
    /// Hours that a job which succeeded is kept.
    pub(crate) keep_hours: u32,
    /// Days that the others are: failed, dead and cancelled.
    pub(crate) keep_days: u32,
}

#[derive(Clone)]
pub(crate) struct LeaseParts {
    pub(crate) desk: Desk,
    pub(crate) rows: Arc<dyn Jobs>,
    pub(crate) store: StoreHandle,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    /// Node and process.
    pub(crate) name: String,
    /// No other process runs this database's jobs.
    pub(crate) alone: bool,
    pub(crate) config: JobsConfig,
}

pub(crate) fn lease(parts: LeaseParts) -> Child {
    reconciler("job-lease", EVERY, &Nudge::new(), move || {
        let parts = parts.clone();
        let lease = Lease { parts, watch: Watch::default(), beaten_at: None, forgot_at: None };
        async move { Ok(lease) }
    })
}

struct Lease {
    parts: LeaseParts,
    watch: Watch,
    beaten_at: Option<Micros>,
    forgot_at: Option<Micros>,
}

impl Reconciler for Lease {
    async fn pass(&mut self, _: &Context) -> Result<Next, Fault> {
        let now = self.parts.clock.now();
        let worker = match self.parts.desk.worker() {
            Some(worker) => worker,
            None => self.join(now).await?,
        };
        let rows = self.parts.rows.workers().await.map_err(store_fault)?;
        self.parts.desk.in_company(rows.len() > 1);
        // With nothing in hand and nobody to see it, a heartbeat would only keep a disk awake.
        let unseen = rows.len() <= 1 && self.parts.desk.is_idle();
        if !unseen && self.beaten_at.is_none_or(|at| now >= at.plus(BEAT_EVERY)) {
            if !self.beat(worker, now).await? {
                return Ok(Next::Again);
            }
            self.beaten_at = Some(now);
            self.tell_progress().await?;
        }
        let others: Vec<Worker> = rows.into_iter().filter(|row| row.id != worker).collect();
        self.bury(&others, now).await?;
        self.release(now).await?;
        if self.expire(now).await? || self.forget(now).await? {
            return Ok(Next::Again);
        }
        Ok(Next::Idle)
    }

    async fn stopping(&mut self) {
        let Some(worker) = self.parts.desk.left() else { return };
        let leave = JobWrite::Leave { worker, at: self.parts.clock.now() };
        if let Err(error) = self.parts.store.jobs(leave).await {
            tracing::warn!(%error, "jobs were not handed back; others find them in seconds");
        }
    }
}

impl Lease {
    async fn write(&self, write: JobWrite) -> Result<JobsWritten, Fault> {
        match self.parts.store.jobs(write).await.map_err(write_fault)? {
            Written::Jobs(written) => Ok(written),
            other => Err(Fault::crash(format!("a lease was answered with {other:?}"))),
        }
    }

    async fn join(&mut self, at: Micros) -> Result<WorkerId, Fault> {
        let parts = &self.parts;
        let id = WorkerId(parts.ids.next());
        let new = NewWorker { id, name: parts.name.clone(), at, alone: parts.alone };
        if let JobsWritten::Moved(jobs @ 1..) = self.write(JobWrite::Join(new)).await? {
            tracing::warn!(jobs, "jobs of a process that died are run again");
        }
        self.beaten_at = Some(at);
        self.parts.desk.joined(id);
        Ok(id)
    }

    /// False: it was buried.
    async fn beat(&self, worker: WorkerId, at: Micros) -> Result<bool, Fault> {
        match self.write(JobWrite::Beat { worker, at }).await? {
            JobsWritten::Beating(cancel) => {
                cancel.into_iter().for_each(|id| self.parts.desk.cancel(id));
                Ok(true)
            }
            _ => {
                tracing::warn!("taken for dead by another process: its jobs are run elsewhere");
                self.parts.desk.left();
                Ok(false)
            }
        }
    }

    /// One write for whatever was said since the last heartbeat.
    async fn tell_progress(&self) -> Result<(), Fault> {
        let told = self.parts.desk.progress();
        if !told.is_empty() {
            self.write(JobWrite::Progress(told.clone())).await?;
            self.parts.desk.progress_written(&told);
        }
        Ok(())
    }

    async fn bury(&mut self, rows: &[Worker], now: Micros) -> Result<(), Fault> {
        let beats: Vec<_> = rows.iter().map(|row| (row.id, row.beat)).collect();
        let lost = self.watch.look(now, &beats);
        if lost.is_empty() {
            return Ok(());
        }
        for row in rows.iter().filter(|row| lost.iter().any(|(id, _)| *id == row.id)) {
            tracing::warn!(
                worker.name = row.name,
                worker.jobs = row.jobs,
                "a process that runs jobs is lost; its jobs are run again"
            );
        }
        self.write(JobWrite::Bury { lost, at: now }).await?;
        self.parts.desk.nudge().wake();
        Ok(())
    }

    /// Jobs that waited for others become due.
    async fn release(&self, at: Micros) -> Result<(), Fault> {
        if !self.parts.rows.are_released().await.map_err(store_fault)? {
            return Ok(());
        }
        self.write(JobWrite::Release { at }).await?;
        self.parts.desk.nudge().wake();
        Ok(())
    }

    /// True: there is more to do.
    async fn expire(&self, now: Micros) -> Result<bool, Fault> {
        let next = self.parts.rows.next_expiry().await.map_err(store_fault)?;
        if next.is_none_or(|next| next > now) {
            return Ok(false);
        }
        let expired = self.write(JobWrite::Expire { at: now, most: SLICE }).await?;
        Ok(matches!(expired, JobsWritten::Moved(n) if n >= u64::from(SLICE)))
    }

    /// True: there is more to do.
    async fn forget(&mut self, now: Micros) -> Result<bool, Fault> {
        if self.forgot_at.is_some_and(|at| now < at.plus(FORGET_EVERY)) {
            return Ok(false);
        }
        let keep = &self.parts.config;
        let (succeeded, others) =
            (now.minus(HOUR * keep.keep_hours), now.minus(24 * HOUR * keep.keep_days));
        let forget = JobWrite::Forget { succeeded, others, most: SLICE };
        match self.write(forget).await? {
            JobsWritten::Moved(n) if n >= u64::from(SLICE) => Ok(true),
            _ => {
                self.forgot_at = Some(now);
                Ok(false)
            }
        }
    }
}
