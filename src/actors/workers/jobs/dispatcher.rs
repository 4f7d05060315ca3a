//! Fetches jobs for the pools of this process.
//!
//! Promise: whatever may run is claimed within half a second while a pool is short of work, a pool is
//! handed no more than it does in a moment and is bound to hold, and one that is paused is handed
//! nothing. What was let go of without an end goes back first. When this dies, or the answer to a
//! claim is lost, what was claimed is in a pool or goes back.

use super::{desk::Desk, flow::Flow, runner::Task};
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
use std::{sync::Arc, time::Duration};
use supervisors::{Child, Context, Fault, Next, PoolHandle, Reconciler, reconciler};

/// What another process put into the queue is found within this.
const EVERY: Duration = Duration::from_millis(500);

/// A queue and the pool that does its jobs.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) queue: Queue,
    pub(crate) pool: PoolHandle<Task>,
    pub(crate) flow: Arc<Flow>,
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
        let dispatcher = Dispatcher { parts: parts.clone(), unsure: true };
        async move { Ok(dispatcher) }
    })
}

struct Dispatcher {
    parts: DispatchParts,
    /// A claim may have been committed of which nobody here knows.
    unsure: bool,
}

impl Reconciler for Dispatcher {
    async fn pass(&mut self, _: &Context) -> Result<Next, Fault> {
        self.hand_back().await?;
        let Some(worker) = self.parts.desk.worker() else { return Ok(Next::Idle) };
        if self.unsure {
            self.let_go(worker).await?;
        }
        let parts = &self.parts;
        let open = |line: &&Line| line.pool.room() > 0 && line.flow.is_low(line.pool.depth());
        let open: Vec<&Line> = parts.lines.iter().filter(open).collect();
        if open.is_empty() {
            return Ok(Next::Idle);
        }
        let (now, mut pause) = (parts.clock.now(), EVERY);
        let due = self.due(&open, now).await?;
        for (line, at) in due {
            if at <= now {
                if let Err(fault) = self.fetch(line, worker, now).await {
                    self.unsure = true;
                    return Err(fault);
                }
            } else {
                pause = pause.min(Duration::from_micros(at.0.abs_diff(now.0)));
            }
        }
        Ok(Next::After(pause))
    }
}

impl Dispatcher {
    /// When each is to be fetched for. Where the last claim left some, nobody has to look.
    async fn due<'a>(
        &self,
        open: &[&'a Line],
        now: Micros,
    ) -> Result<Vec<(&'a Line, Micros)>, Fault> {
        let (more, others): (Vec<&Line>, Vec<&Line>) =
            open.iter().partition(|line| line.flow.has_more());
        let mut due: Vec<_> = more.into_iter().map(|line| (line, Micros(0))).collect();
        let queues: Vec<Queue> = others.iter().map(|line| line.queue).collect();
        if queues.is_empty() {
            return Ok(due);
        }
        let found = self.parts.rows.next_due(&queues, now).await.map_err(store_fault)?;
        for line in others {
            let at = found.iter().find(|(queue, _)| *queue == line.queue);
            due.extend(at.map(|(_, at)| (line, *at)));
        }
        Ok(due)
    }

    async fn fetch(&self, line: &Line, worker: WorkerId, at: Micros) -> Result<(), Fault> {
        let parts = &self.parts;
        let alone = parts.suspects.room();
        let wanted = line.flow.wanted(at, line.pool.depth(), line.pool.workers());
        // Once suspects were met, no more are fetched than there is room for.
        let most = match line.flow.meets_suspects() && alone > 0 {
            true => wanted.min(line.pool.room()).min(alone),
            false => wanted.min(line.pool.room()),
        };
        if most == 0 {
            return Ok(());
        }
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
        let met = jobs.iter().any(|job| job.losses > 0);
        line.flow.fetched(jobs.len() as u64 >= u64::from(most), met);
        for job in jobs {
            let pool = if job.losses > 0 { &parts.suspects } else { &line.pool };
            let task = Task { hold: parts.desk.hold(&job), job };
            // Refused, as the pool was paused meanwhile or is full: dropped, it goes back.
            drop(pool.try_submit(task));
        }
        Ok(())
    }

    async fn let_go(&mut self, worker: WorkerId) -> Result<(), Fault> {
        let (held, at) = (self.parts.desk.held(), self.parts.clock.now());
        let let_go = JobWrite::LetGo { worker, held, at };
        let written = self.parts.store.jobs(let_go).await.map_err(write_fault)?;
        if let Written::Jobs(JobsWritten::Moved(jobs @ 1..)) = written {
            tracing::warn!(jobs, "jobs were claimed whose claim was never answered: they go back");
        }
        self.unsure = false;
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
