//! Ends jobs: what finished meanwhile is ended together, with all effects, in one commit.
//!
//! Promise: an end and its effects are committed together or not at all, and only while the job is
//! this process' to end. Ends wait here while the database is away. When this dies, what it had in
//! hand goes back to the queue; were those ends committed after all, that does nothing.

use super::desk::{Desk, Hold};
use crate::{
    actors::keepers::writer::{StoreHandle, WriteError},
    domain::id::JobId,
    ports::{
        StoreError,
        clock::Clock,
        jobs::{Ended, Ending, JobWrite, JobsWritten},
        writer::Written,
    },
};
use std::{collections::HashSet, sync::Arc, time::Duration};
use supervisors::{Address, Agent, Child, Context, Fault, Mailbox, agent};

/// Between two commits while more is in hand: what ends meanwhile is committed together. It costs an
/// end that much, and saves the database a transaction for nearly every job where jobs are short.
const GATHER: Duration = Duration::from_millis(2);
/// Beyond this, whoever finished one waits with it: the database is away, or slow.
const BOUND: usize = 1_024;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MOST_PAUSE: Duration = Duration::from_secs(2);

/// A job's end, and the claim by which it is said.
pub(crate) struct Finished {
    pub(super) ended: Ended,
    pub(super) hold: Hold,
}

pub(crate) type Ends = Address<Finished>;

/// The committer's mailbox, made before it lives.
pub(crate) fn ends() -> Mailbox<Finished> {
    Mailbox::new("job-committer", BOUND)
}

pub(crate) fn committer(
    mailbox: &Mailbox<Finished>,
    desk: &Desk,
    store: &StoreHandle,
    clock: &Arc<dyn Clock>,
) -> Child {
    let parts = Committer { desk: desk.clone(), store: store.clone(), clock: Arc::clone(clock) };
    agent("job-committer", mailbox, move || {
        let committer = parts.clone();
        async move { Ok(committer) }
    })
}

#[derive(Clone)]
struct Committer {
    desk: Desk,
    store: StoreHandle,
    clock: Arc<dyn Clock>,
}

impl Agent for Committer {
    type Message = Finished;
    /// One transaction's worth: a background write is to be short.
    const DRAIN: usize = 256;

    async fn handle(&mut self, finished: Vec<Finished>, context: &Context) -> Result<(), Fault> {
        let ended: Vec<Ended> = finished.iter().map(|one| one.ended.clone()).collect();
        match self.patiently(ended, context).await {
            Ok(counted) => {
                let counted: HashSet<_> = counted.into_iter().collect();
                let late = finished.iter().filter(|one| !counted.contains(&one.hold.id)).count();
                if late > 0 {
                    tracing::warn!(jobs = late, "ends came too late: others had the jobs by then");
                }
            }
            // Which one it is shows when each is alone; that one failed.
            Err(WriteError::Store(StoreError::Refused(_))) => {
                for one in &finished {
                    self.alone(one, context).await?;
                }
            }
            // They go back.
            Err(WriteError::Stopping) => return Ok(()),
            Err(error) => return Err(Fault::crash(error)),
        }
        let few = finished.len() < Self::DRAIN;
        finished.into_iter().for_each(|one| one.hold.ended());
        if few && !self.desk.is_idle() && !context.stopping() {
            tokio::time::sleep(GATHER).await;
        }
        Ok(())
    }
}

impl Committer {
    async fn alone(&self, one: &Finished, context: &Context) -> Result<(), Fault> {
        let refused = match self.patiently(vec![one.ended.clone()], context).await {
            Ok(_) => return Ok(()),
            Err(WriteError::Store(StoreError::Refused(refused))) => refused,
            Err(error) => return Err(Fault::crash(error)),
        };
        tracing::error!(job.id = %one.ended.id, "the database refuses what a job wants to do");
        let error = format!("what it wants to do is refused: {refused}");
        let dead =
            Ended { ending: Ending::Dead { error }, effects: Vec::new(), ..one.ended.clone() };
        self.patiently(vec![dead], context).await.map(drop).map_err(Fault::crash)
    }

    /// For as long as the database is away. Said twice it is the same: the second word finds
    /// nothing to end.
    async fn patiently(
        &self,
        ended: Vec<Ended>,
        context: &Context,
    ) -> Result<Vec<JobId>, WriteError> {
        let mut pause = FIRST_PAUSE;
        loop {
            let write = JobWrite::End { ended: ended.clone(), at: self.clock.now() };
            let error = match self.store.jobs(write).await {
                Ok(Written::Jobs(JobsWritten::Ended(counted))) => return Ok(counted),
                Ok(other) => {
                    let why = format!("an end was answered with {other:?}");
                    return Err(WriteError::Store(StoreError::Corrupt(why)));
                }
                Err(error) => error,
            };
            let passes = match &error {
                WriteError::Store(error) => {
                    matches!(error, StoreError::Unavailable(_) | StoreError::Full(_))
                }
                WriteError::Overloaded { .. } | WriteError::Unknown => true,
                WriteError::Stopping => false,
            };
            if !passes || context.stopping() {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(MOST_PAUSE);
        }
    }
}
