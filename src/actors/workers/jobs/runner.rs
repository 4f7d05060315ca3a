//! Does one job after the other, of one queue.
//!
//! Promise: a try ends in a word about it — also one that panics, takes too long or nobody knows how
//! to do — or goes back to the queue, when the server stops or this dies. It writes nothing itself.

use super::{
    Verdict,
    committer::{Ends, Finished},
    desk::{Desk, Hold},
    topics::Topics,
};
use crate::{
    domain::{job::Retry, time::Micros},
    ports::{
        chance::Chance,
        clock::Clock,
        jobs::{ClaimedJob, Effect, Ended, Ending},
    },
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use supervisors::{Child, Context, Fault, Pool, PoolHandle, Worker, catch_panic, pool};

/// An error is kept so far: a backtrace's first half says where.
const MOST_ERROR: usize = 4_000;
/// Between two tries to hand an end over.
const BREATH: Duration = Duration::from_millis(20);

/// A job in a pool.
pub(crate) struct Task {
    pub(super) job: ClaimedJob,
    pub(super) hold: Hold,
}

#[derive(Clone)]
pub(crate) struct RunnerParts {
    pub(crate) topics: Topics,
    pub(crate) desk: Desk,
    pub(crate) ends: Ends,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) chance: Arc<dyn Chance>,
}

/// The workers of a queue's pool, as a child of the tree. `more`: the queue holds more than was
/// fetched.
pub(crate) fn runners(of: &Pool<Task>, more: &Arc<AtomicBool>, parts: &RunnerParts) -> Child {
    let (handle, more, parts) = (of.handle(), Arc::clone(more), parts.clone());
    pool(of, move || {
        let runner = Runner { pool: handle.clone(), more: Arc::clone(&more), parts: parts.clone() };
        async move { Ok(runner) }
    })
}

struct Runner {
    pool: PoolHandle<Task>,
    more: Arc<AtomicBool>,
    parts: RunnerParts,
}

impl Worker for Runner {
    type Job = Task;

    async fn run(&mut self, task: Task, context: &Context) -> Result<(), Fault> {
        // Fetched and not begun: it goes back.
        if context.stopping() {
            return Ok(());
        }
        let Task { job, hold } = task;
        let (ending, effects) = self.outcome(&job, &hold).await;
        tell(&job, &ending);
        let ended = Ended { id: job.id, attempt: job.attempt, ending, effects };
        let mut finished = Finished { ended, hold };
        while let Err(refused) = self.parts.ends.try_send(finished) {
            if context.stopping() {
                return Ok(());
            }
            finished = refused.message;
            tokio::time::sleep(BREATH).await;
        }
        if self.more.load(Ordering::Relaxed) && self.pool.room() > self.pool.depth() {
            self.parts.desk.nudge().wake();
        }
        Ok(())
    }
}

impl Runner {
    async fn outcome(&self, job: &ClaimedJob, hold: &Hold) -> (Ending, Vec<Effect>) {
        let start = match self.parts.topics.start(job) {
            Ok(start) => start,
            Err(error) => return (Ending::Dead { error }, Vec::new()),
        };
        let late = format!("it took longer than {} s", start.limit.as_secs());
        let verdict = tokio::select! {
            verdict = catch_panic(start.running) => verdict.unwrap_or_else(|panic| {
                let place = panic.location.unwrap_or_default();
                let way = panic.backtrace.unwrap_or_default();
                Verdict::Retry(format!("it panicked at {place}: {}\n{way}", panic.message))
            }),
            () = tokio::time::sleep(start.limit) => Verdict::Retry(late),
            () = hold.cancelled() => return (Ending::Cancelled, Vec::new()),
        };
        match verdict {
            Verdict::Done(effects) => (Ending::Succeeded, effects),
            Verdict::Fail(error) => (Ending::Failed { error: shortened(error) }, Vec::new()),
            Verdict::Retry(error) => (self.again(job, start.retry, error), Vec::new()),
        }
    }

    fn again(&self, job: &ClaimedJob, retry: Retry, error: String) -> Ending {
        let (now, failures) = (self.parts.clock.now(), job.failures.saturating_add(1));
        let error = shortened(error);
        match retry.again(failures, now, job.expires_at, self.dice()) {
            Some(at) => Ending::Again { at, error },
            None => Ending::Dead { error },
        }
    }

    fn dice(&self) -> u64 {
        let bytes = self.parts.chance.bytes();
        bytes.iter().take(8).fold(0, |dice, byte| dice << 8 | u64::from(*byte))
    }
}

fn shortened(mut error: String) -> String {
    let mut most = MOST_ERROR.min(error.len());
    while !error.is_char_boundary(most) {
        most -= 1;
    }
    error.truncate(most);
    // A database's text holds no NUL.
    error.replace('\0', " ")
}

/// Why stands in the row: it may name a person, which a log must not.
fn tell(job: &ClaimedJob, ending: &Ending) {
    let (id, topic, attempt) = (job.id, &job.topic, job.attempt);
    match ending {
        Ending::Succeeded | Ending::Snoozed { .. } => {
            tracing::debug!(job.id = %id, job.topic = topic, job.attempt = attempt, "job done");
        }
        Ending::Again { at: Micros(at), .. } => {
            tracing::warn!(
                job.id = %id, job.topic = topic, job.attempt = attempt, job.again_at = at,
                "job failed and is tried again"
            );
        }
        Ending::Failed { .. } | Ending::Dead { .. } => {
            tracing::error!(job.id = %id, job.topic = topic, job.attempt = attempt, "job given up");
        }
        Ending::Cancelled => {
            tracing::info!(job.id = %id, job.topic = topic, job.attempt = attempt, "job cancelled");
        }
    }
}
