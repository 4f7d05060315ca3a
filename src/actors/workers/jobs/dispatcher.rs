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
        bell::Bell,
        clock::Clock,
        jobs::{JobClaim, JobWrite, Jobs, JobsWritten},
        writer::Written,
    },
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use supervisors::{Child, Context, Fault, Next, PoolHandle, Reconciler, reconciler};

/// What another process put into the queue, and didn't ring for, is found within this.
const EVERY: Duration = Duration::from_millis(500);
/// Between two rings.
const RING_EVERY: Duration = Duration::from_millis(50);

/// Jobs that are fetched together, and the pool that does them: those of a queue, or those of it with
/// which a process died. So neither kind waits for room that the other takes.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) queue: Queue,
    pub(crate) suspects: bool,
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
    /// Wakes the other processes.
    pub(crate) bell: Option<Arc<dyn Bell>>,
}

/// Woken by [`Desk::nudge`].
pub(crate) fn dispatcher(parts: DispatchParts) -> Child {
    let nudge = parts.desk.nudge().clone();
    reconciler("job-dispatcher", EVERY, &nudge, move || {
        let dispatcher = Dispatcher { parts: parts.clone(), unsure: true, rung_at: None };
        async move { Ok(dispatcher) }
    })
}

struct Dispatcher {
    parts: DispatchParts,
    /// A claim may have been committed of which nobody here knows.
    unsure: bool,
    rung_at: Option<Micros>,
}

impl Reconciler for Dispatcher {
    async fn pass(&mut self, _: &Context) -> Result<Next, Fault> {
        self.hand_back().await?;
        let Some(worker) = self.parts.desk.worker() else { return Ok(Next::Idle) };
        if self.unsure {
            self.let_go(worker).await?;
        }
        // Lines of one pool take turns at being the first to fill it.
        self.parts.lines.rotate_left(1);
        let parts = &self.parts;
        let is_open = |line: &Line| line.pool.room() > 0 && line.flow.is_low(line.pool.depth());
        // Where others may do what this process doesn't get to, it looks there too.
        let company = parts.bell.is_some() && parts.desk.has_company();
        let looked: Vec<&Line> =
            parts.lines.iter().filter(|line| company || is_open(line)).collect();
        if looked.is_empty() {
            return Ok(Next::Idle);
        }
        let (now, mut pause, mut left) = (parts.clock.now(), EVERY, false);
        for (line, at) in self.due(&looked, now).await? {
            if at > now {
                pause = pause.min(Duration::from_micros(at.0.abs_diff(now.0)));
            } else if is_open(line) {
                if let Err(fault) = self.fetch(line, worker, now).await {
                    self.unsure = true;
                    return Err(fault);
                }
                left |= line.flow.has_more();
            } else {
                left = true;
            }
        }
        if left && company {
            self.ring(now).await;
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
        if others.is_empty() {
            return Ok(due);
        }
        let queues: BTreeSet<Queue> = others.iter().map(|line| line.queue).collect();
        let queues: Vec<Queue> = queues.into_iter().collect();
        let found = self.parts.rows.next_due(&queues, now).await.map_err(store_fault)?;
        for line in others {
            let of_queue = found.iter().find(|found| found.queue == line.queue);
            due.extend(of_queue.and_then(|found| found.at(line.suspects)).map(|at| (line, at)));
        }
        Ok(due)
    }

    async fn fetch(&self, line: &Line, worker: WorkerId, at: Micros) -> Result<(), Fault> {
        let parts = &self.parts;
        let Line { queue, suspects, .. } = *line;
        let wanted = line.flow.wanted(at, line.pool.depth(), line.pool.workers());
        let most = u32::try_from(wanted.min(line.pool.room())).unwrap_or(u32::MAX);
        if most == 0 {
            return Ok(());
        }
        let claim = JobWrite::Claim(JobClaim { worker, queue, at, most, suspects });
        let jobs = match parts.store.jobs(claim).await.map_err(write_fault)? {
            Written::Jobs(JobsWritten::Claimed(jobs)) => jobs,
            Written::Jobs(JobsWritten::Buried) => {
                parts.desk.left();
                return Ok(());
            }
            other => return Err(Fault::crash(format!("a claim was answered with {other:?}"))),
        };
        line.flow.fetched(jobs.len() as u64 >= u64::from(most));
        for job in jobs {
            let task = Task { hold: parts.desk.hold(&job), job, flow: Arc::clone(&line.flow) };
            // Refused, as the pool was paused meanwhile or is full: dropped, it goes back.
            drop(line.pool.try_submit(task));
        }
        Ok(())
    }

    /// There is more than this process gets to.
    async fn ring(&mut self, now: Micros) {
        let Some(bell) = &self.parts.bell else { return };
        if self.rung_at.is_some_and(|at| now < at.plus(RING_EVERY)) {
            return;
        }
        if let Err(error) = bell.ring().await {
            tracing::debug!(%error, "could not wake the others; they look by themselves");
        }
        self.rung_at = Some(now);
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
