//! Fetches jobs for the pools of this process.
//!
//! Promise: whatever may run is claimed within half a second while a pool has room for it, a pool is
//! handed no more than it is bound to hold, and one that is paused is handed nothing. What was let
//! go of without an end goes back first. When this dies, what it claimed is in a pool or goes back.

use super::{desk::Desk, runner::Task};
use crate::{
    actors::{
        keepers::writer::StoreHandle,
        reconcilers::{store_fault, write_fault},
    },
    domain::{id::WorkerId, job::Queue, time::Micros},
    ports::{
        clock::Clock,
        jobs::{JobWrite, Jobs, JobsWritten},
        writer::Written,
    },
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use supervisors::{Child, Context, Fault, Next, PoolHandle, Reconciler, reconciler};

/// What another process put into the queue is found within this.
const EVERY: Duration = Duration::from_millis(500);

/// A queue and the pool that does its jobs.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) queue: Queue,
    pub(crate) pool: PoolHandle<Task>,
    /// Set while the queue holds more than was fetched.
    pub(crate) more: Arc<AtomicBool>,
}

#[derive(Clone)]
pub(crate) struct DispatchParts {
    pub(crate) desk: Desk,
    pub(crate) rows: Arc<dyn Jobs>,
    pub(crate) store: StoreHandle,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) lines: Vec<Line>,
    /// Where jobs are run alone, of whatever queue.
    pub(crate) suspects: PoolHandle<Task>,
}

/// Woken by [`Desk::nudge`].
pub(crate) fn dispatcher(parts: DispatchParts) -> Child {
    let nudge = parts.desk.nudge().clone();
    reconciler("job-dispatcher", EVERY, &nudge, move || {
        let dispatcher = Dispatcher { parts: parts.clone() };
        async move { Ok(dispatcher) }
    })
}

struct Dispatcher {
    parts: DispatchParts,
}

impl Reconciler for Dispatcher {
    async fn pass(&mut self, _: &Context) -> Result<Next, Fault> {
        let parts = &self.parts;
        self.hand_back().await?;
        let Some(worker) = parts.desk.worker() else { return Ok(Next::Idle) };
        // A pool that is more than half full is left alone, so that a claim is worth its while.
        let open = parts.lines.iter().filter(|line| line.pool.room() > line.pool.depth());
        let open: Vec<&Line> = open.collect();
        if open.is_empty() {
            return Ok(Next::Idle);
        }
        let queues: Vec<Queue> = open.iter().map(|line| line.queue).collect();
        let (now, mut pause) = (parts.clock.now(), EVERY);
        let due = parts.rows.next_due(&queues, now).await.map_err(store_fault)?;
        for line in open {
            line.more.store(false, Ordering::Relaxed);
            let Some((_, at)) = due.iter().find(|(queue, _)| *queue == line.queue) else {
                continue;
            };
            if *at <= now {
                self.fetch(line, worker, now).await?;
            } else {
                pause = pause.min(Duration::from_micros(at.0.abs_diff(now.0)));
            }
        }
        Ok(Next::After(pause))
    }
}

impl Dispatcher {
    async fn fetch(&self, line: &Line, worker: WorkerId, at: Micros) -> Result<(), Fault> {
        let parts = &self.parts;
        let alone = parts.suspects.room();
        // None may be fetched that there is no room for.
        let most = match alone {
            0 => line.pool.room(),
            alone => line.pool.room().min(alone),
        };
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let claim = JobWrite::Claim { worker, queue: line.queue, at, most, suspects: alone > 0 };
        let jobs = match parts.store.jobs(claim).await.map_err(write_fault)? {
            Written::Jobs(JobsWritten::Claimed(jobs)) => jobs,
            Written::Jobs(JobsWritten::Buried) => {
                parts.desk.left();
                return Ok(());
            }
            other => return Err(Fault::crash(format!("a claim was answered with {other:?}"))),
        };
        line.more.store(jobs.len() as u64 >= u64::from(most), Ordering::Relaxed);
        for job in jobs {
            let pool = if job.losses > 0 { &parts.suspects } else { &line.pool };
            let task = Task { hold: parts.desk.hold(&job), job };
            // Refused, as the pool was paused or shrunk meanwhile: dropped, it goes back.
            drop(pool.try_submit(task));
        }
        Ok(())
    }

    async fn hand_back(&self) -> Result<(), Fault> {
        let jobs = self.parts.desk.strays();
        if jobs.is_empty() {
            return Ok(());
        }
        let at = self.parts.clock.now();
        let back = JobWrite::HandBack { jobs: jobs.clone(), at };
        if let Err(error) = self.parts.store.jobs(back).await {
            self.parts.desk.still_strays(jobs);
            return Err(write_fault(error));
        }
        Ok(())
    }
}
