//! Does one job after the other, of one queue.
//!
//! Promise: a try ends in a word about it — also one that panics, takes too long or nobody knows how
//! to do — or goes back to the queue, when the server stops or this dies. It writes nothing itself.

use super::{
    attempt::{Outcome, attempt},
    committer::{Ends, Finished},
    desk::{Desk, Hold},
    flow::Flow,
    topics::Topics,
};
use crate::{
    domain::{job::Retry, time::Micros},
    ports::{
        chance::Chance,
        clock::Clock,
        jobs::{ClaimedJob, Ended, Ending, Verdict},
    },
};
use std::{sync::Arc, time::Duration};
use supervisors::{Child, Context, Fault, Pool, PoolHandle, Worker, pool};

/// An error is kept so far: a backtrace's first half says where.
const MOST_ERROR: usize = 4_000;
/// Between two tries to hand an end over.
const BREATH: Duration = Duration::from_millis(20);

/// A job in a pool.
pub(crate) struct Task {
    pub(super) job: ClaimedJob,
    pub(super) hold: Hold,
    /// Of the line in which it came.
    pub(super) flow: Arc<Flow>,
}

#[derive(Clone)]
pub(crate) struct RunnerParts {
    pub(crate) topics: Topics,
    pub(crate) desk: Desk,
    pub(crate) ends: Ends,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) chance: Arc<dyn Chance>,
}

/// The workers of a queue's pool, as a child of the tree.
pub(crate) fn runners(of: &Pool<Task>, parts: &RunnerParts) -> Child {
    let (handle, parts) = (of.handle(), parts.clone());
    pool(of, move || {
        let runner = Runner { pool: handle.clone(), parts: parts.clone() };
        async move { Ok(runner) }
    })
}

struct Runner {
    pool: PoolHandle<Task>,
    parts: RunnerParts,
}

impl Worker for Runner {
    type Job = Task;

    async fn run(&mut self, task: Task, context: &Context) -> Result<(), Fault> {
        // Fetched and not begun: it goes back.
        if context.stopping() {
            return Ok(());
        }
        let Task { job, hold, flow } = task;
        let came = match self.parts.topics.start(&job, &hold.progress) {
            Ok(start) => {
                let retry = start.retry;
                Ok((attempt(start, hold.cancelled()).await, retry))
            }
            Err(error) => Err(error),
        };
        let ended = settled(&self.parts, &job, came);
        deliver(&self.parts, Finished { ended, hold }, context).await;
        did_one(&self.parts, &flow, &self.pool);
        Ok(())
    }
}

/// The dispatcher is woken when it is time for others.
pub(super) fn did_one(parts: &RunnerParts, flow: &Flow, pool: &PoolHandle<Task>) {
    if flow.did_one(pool.depth()) {
        parts.desk.nudge().wake();
    }
}

/// To the committer; when the server stops before it takes it, the job goes back.
pub(super) async fn deliver(parts: &RunnerParts, mut finished: Finished, context: &Context) {
    while let Err(refused) = parts.ends.try_send(finished) {
        if context.stopping() {
            return;
        }
        finished = refused.message;
        tokio::time::sleep(BREATH).await;
    }
}

/// What came of a try, as the job's end. `Err`: why nobody here can do it.
pub(super) fn settled(
    parts: &RunnerParts,
    job: &ClaimedJob,
    came: Result<(Outcome, Retry), String>,
) -> Ended {
    let (mut effects, mut stuck) = (Vec::new(), false);
    let ending = match came {
        Err(error) => Ending::Dead { error },
        Ok((Outcome::Cancelled, _)) => Ending::Cancelled,
        Ok((Outcome::Stuck(error), retry)) => {
            tracing::error!(
                job.id = %job.id, job.topic = job.topic,
                "a job doesn't let go of its thread, which is left to it: it is run alone next"
            );
            stuck = true;
            parts.again(job, retry, None, error)
        }
        Ok((Outcome::Said(verdict), retry)) => match verdict {
            Verdict::Done(done) => {
                effects = done;
                Ending::Succeeded
            }
            Verdict::Snooze(pause) => Ending::Snoozed { until: parts.clock.now().plus(pause) },
            Verdict::Fail(failure) => {
                effects = failure.effects;
                Ending::Failed { error: shortened(failure.error) }
            }
            Verdict::Retry(failure) => {
                effects = failure.effects;
                parts.again(job, retry, failure.wait, failure.error)
            }
        },
    };
    tell(job, &ending);
    Ended { id: job.id, attempt: job.attempt, ending, effects, stuck }
}

impl RunnerParts {
    fn again(
        &self,
        job: &ClaimedJob,
        retry: Retry,
        wait: Option<Duration>,
        error: String,
    ) -> Ending {
        let (now, failures) = (self.clock.now(), job.failures.saturating_add(1));
        let error = shortened(error);
        match retry.again(failures, now, wait, job.expires_at, self.dice()) {
            Some(at) => Ending::Again { at, error },
            None => Ending::Dead { error },
        }
    }

    fn dice(&self) -> u64 {
        let bytes = self.chance.bytes();
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
