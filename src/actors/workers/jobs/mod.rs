//! Jobs: work that waits in the database and is done by pools of workers, one pool a queue.
//!
//! A [`Job`] is a struct that serde reads, a topic, and one `run`. It changes nothing itself: what
//! it wants done is an effect, data, which the committer commits with the job's end, and only if
//! the job is still this process' to end. So the effect happens once, however often `run` began.
//!
//! [`Desk`] is what this process has in hand. The lease keeps it known to be alive, the dispatcher
//! fills the pools from it, runners work — wardens those under which a process died before — and
//! the committer ends. When one of them dies, what it
//! had in hand goes back to the queue; when the process dies, another buries it and gets its jobs.

mod attempt;
mod committer;
mod desk;
mod dispatcher;
mod flow;
mod lease;
mod listener;
mod office;
mod progress;
mod runner;
mod suspects;
mod topics;

#[cfg(test)]
mod tests;

pub(crate) use committer::{committer, ends};
pub(crate) use desk::Desk;
pub(crate) use dispatcher::{DispatchParts, Line, dispatcher};
pub(crate) use flow::Flow;
pub(crate) use lease::{JobsConfig, LeaseParts, lease};
pub(crate) use listener::listener;
pub(crate) use office::{Acted, MOST_ACTED, NoEdit, NotShared, Office, states_for};
pub(crate) use progress::Progress;
pub(crate) use runner::{RunnerParts, runners};
pub(crate) use suspects::suspects;
pub(crate) use topics::{NoJob, Topics};

use crate::{
    domain::{id::JobId, job::Retry},
    ports::jobs::{ClaimedJob, Topic, Verdict},
};
use serde::de::DeserializeOwned;
use std::{future::Future, time::Duration};

/// A kind of job and how it is done.
pub(crate) trait Job: Topic + DeserializeOwned + Send + 'static {
    /// What it works with.
    type World: Clone + Send + Sync + 'static;
    const RETRY: Retry = Retry::DEFAULT;
    /// One try takes no longer: it is ended then, and that is a failure.
    const LIMIT: Duration = Duration::from_secs(5 * 60);

    /// May be begun again whenever it didn't end, and dropped at any `await`. A panic is a failure.
    fn run(self, world: Self::World, tries: Try) -> impl Future<Output = Verdict> + Send;
}

/// Which try of a job this is.
#[derive(Debug, Clone)]
pub(crate) struct Try {
    pub(crate) job: JobId,
    /// From 1, counting those that never ended.
    pub(crate) attempt: u32,
    /// Where it may say how far it is.
    pub(crate) progress: Progress,
}

/// A job's verdict, in a process that has nothing else in hand.
pub(crate) async fn alone(topics: &Topics, job: &ClaimedJob) -> Verdict {
    // Whoever waits for this asks for nothing but its verdict.
    let start = match topics.start(job, &Progress::default()) {
        Ok(start) => start,
        Err(error) => return Verdict::fail(error),
    };
    match attempt::attempt(start, std::future::pending()).await {
        attempt::Outcome::Said(verdict) => verdict,
        attempt::Outcome::Stuck(why) => Verdict::retry(why),
        attempt::Outcome::Cancelled => Verdict::retry("its process ends"),
    }
}
