//! The queue as operators see and turn it. What they do is a row first, with its entry in the audit
//! log, and is in force for whoever claims next; a job that runs hears of it with its next heartbeat.

mod edit;

pub(crate) use edit::NoEdit;

use super::{Topics, desk::Desk};
use crate::{
    actors::keepers::writer::{StoreHandle, WriteError},
    domain::{
        id::JobId,
        job::{Family, JobState, MOST_WEIGHT, Mode, Queue, Rate, Sharing},
    },
    ports::{
        StoreError,
        clock::{Clock, Ids},
        jobs::{
            JobAct, JobActs, JobFilter, JobNow, JobWrite, Jobs, JobsWritten, NewJob, NewWorker,
            Probe, QueueNow, TopicRate, Worker,
        },
        writer::Written,
    },
};
use std::sync::Arc;

/// Acted on at one request; more are left for the next.
pub(crate) const MOST_ACTED: u32 = 10_000;
/// In one transaction, which a checkout may wait behind.
const SLICE: u32 = 100;

/// Why a queue's sharing, or a topic's rate, was not changed.
#[derive(Debug)]
pub(crate) enum NotShared {
    Bad {
        /// In what was wanted.
        pointer: String,
        why: String,
    },
    /// No job is of the topic that was named.
    Topic(String),
    Write(WriteError),
}

impl From<WriteError> for NotShared {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Office {
    pub(crate) rows: Arc<dyn Jobs>,
    pub(crate) store: StoreHandle,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) desk: Desk,
    pub(crate) topics: Topics,
}

/// What an operator's wish came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Acted {
    /// Jobs that were meant.
    pub(crate) matched: u64,
    /// Those it was done to; the others were not in a state for it.
    pub(crate) done: u64,
}

impl Office {
    /// The newest first, roots with their families.
    pub(crate) async fn list(
        &self,
        filter: &JobFilter,
        after: Option<JobId>,
        limit: u32,
    ) -> Result<Vec<(JobNow, Option<Family>)>, StoreError> {
        let jobs = self.rows.jobs(filter, after, limit).await?;
        self.with_families(jobs).await
    }

    pub(crate) async fn show(
        &self,
        id: JobId,
    ) -> Result<Option<(JobNow, Option<Family>)>, StoreError> {
        let job = self.rows.job(id).await?;
        Ok(self.with_families(job.into_iter().collect()).await?.pop())
    }

    /// Counted behind the jobs themselves: children come with the end of who puts them, so of one
    /// that was seen ended none is missed.
    async fn with_families(
        &self,
        jobs: Vec<JobNow>,
    ) -> Result<Vec<(JobNow, Option<Family>)>, StoreError> {
        let roots: Vec<_> = jobs.iter().map(|job| job.id).collect();
        let mut families = self.rows.families(&roots).await?;
        let with = |job: JobNow| {
            let family = families.remove(&job.id);
            (job, family)
        };
        Ok(jobs.into_iter().map(with).collect())
    }

    pub(crate) async fn queues(&self) -> Result<(Vec<QueueNow>, Vec<Worker>), StoreError> {
        Ok((self.rows.queues().await?, self.rows.workers().await?))
    }

    /// And to the families of those that are roots.
    pub(crate) async fn act(
        &self,
        act: JobAct,
        jobs: Vec<JobId>,
        by: &str,
    ) -> Result<Acted, WriteError> {
        let mut done = 0;
        for slice in jobs.chunks(SLICE as usize) {
            let acted = self.act_on_slice(act, slice.to_vec(), by).await?;
            done += acted.len() as u64;
            for root in self.rows.families(&acted).await?.into_keys() {
                self.act_on_children(act, root, by).await?;
            }
        }
        self.desk.nudge().wake();
        Ok(Acted { matched: jobs.len() as u64, done })
    }

    async fn act_on_slice(
        &self,
        act: JobAct,
        jobs: Vec<JobId>,
        by: &str,
    ) -> Result<Vec<JobId>, WriteError> {
        let acts = JobActs { act, jobs, by: by.to_owned(), at: self.clock.now() };
        match self.write(JobWrite::Act(acts)).await? {
            JobsWritten::Acted(acted) => Ok(acted),
            other => Err(unexpected(&other)),
        }
    }

    /// Cancelled is what is unfinished, and what comes later is cancelled by the root's mark; tried
    /// anew is what was over without success. Asked again it goes on where a dead process left it.
    async fn act_on_children(&self, act: JobAct, root: JobId, by: &str) -> Result<(), WriteError> {
        let meant = |job: &&JobNow| match act {
            JobAct::Cancel => !job.state.is_over(),
            JobAct::Retry => job.state.is_over() && job.state != JobState::Succeeded,
            JobAct::Discard | JobAct::Move(_) => false,
        };
        let (filter, mut after) = (JobFilter { root: Some(root), ..JobFilter::default() }, None);
        loop {
            let page = self.rows.jobs(&filter, after, SLICE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id);
            let jobs: Vec<JobId> = page.iter().filter(meant).map(|job| job.id).collect();
            if !jobs.is_empty() {
                self.act_on_slice(act, jobs, by).await?;
            }
        }
    }

    /// How many of those there are, up to [`MOST_ACTED`].
    pub(crate) async fn count(&self, filter: &JobFilter) -> Result<u64, StoreError> {
        let (mut after, mut count) = (None, 0);
        while count < u64::from(MOST_ACTED) {
            let page = self.rows.jobs(filter, after, SLICE).await?;
            count += page.len() as u64;
            match page.last() {
                Some(last) if page.len() as u32 == SLICE => after = Some(last.id),
                _ => break,
            }
        }
        Ok(count)
    }

    /// To those of the filter, page by page, up to [`MOST_ACTED`].
    pub(crate) async fn act_on_all(
        &self,
        act: JobAct,
        filter: &JobFilter,
        by: &str,
    ) -> Result<Acted, WriteError> {
        let (mut after, mut all) = (None, Acted { matched: 0, done: 0 });
        while all.matched < u64::from(MOST_ACTED) {
            let page = self.rows.jobs(filter, after, SLICE).await?;
            let jobs: Vec<JobId> = page.iter().map(|job| job.id).collect();
            let Some(last) = jobs.last().copied() else { break };
            after = Some(last);
            let acted = self.act(act, jobs, by).await?;
            all = Acted { matched: all.matched + acted.matched, done: all.done + acted.done };
        }
        Ok(all)
    }

    /// Hands nothing of it out any more, on any node, or again.
    pub(crate) async fn pause(
        &self,
        queue: Queue,
        paused: bool,
        by: &str,
    ) -> Result<(), WriteError> {
        let (by, at) = (by.to_owned(), self.clock.now());
        self.write(JobWrite::Pause { queue, paused, by, at }).await?;
        self.desk.nudge().wake();
        Ok(())
    }

    /// How the queue's topics share it, on every node. `Err`: what can't be, with its place in it.
    pub(crate) async fn share(
        &self,
        queue: Queue,
        sharing: Sharing,
        by: &str,
    ) -> Result<(), NotShared> {
        if sharing.mode != Mode::Weighted && !sharing.weights.is_empty() {
            let why = "only with the mode `weighted`".to_owned();
            return Err(NotShared::Bad { pointer: "/weights".into(), why });
        }
        for (topic, weight) in &sharing.weights {
            let pointer = format!("/weights/{topic}");
            if !(1..=MOST_WEIGHT).contains(weight) {
                let why = format!("a whole number from 1 to {MOST_WEIGHT}");
                return Err(NotShared::Bad { pointer, why });
            }
            self.known(topic).map_err(|why| NotShared::Bad { pointer, why })?;
        }
        let (by, at) = (by.to_owned(), self.clock.now());
        self.write(JobWrite::Share { queue, sharing, by, at }).await?;
        self.desk.nudge().wake();
        Ok(())
    }

    pub(crate) async fn rates(&self) -> Result<Vec<TopicRate>, StoreError> {
        self.rows.rates().await
    }

    /// How many of the topic may be begun in a time, on all nodes together; `None`: all there are.
    pub(crate) async fn limit(
        &self,
        topic: &str,
        rate: Option<Rate>,
        by: &str,
    ) -> Result<(), NotShared> {
        if rate.is_some() {
            self.known(topic).map_err(NotShared::Topic)?;
        }
        let (by, at, topic) = (by.to_owned(), self.clock.now(), topic.to_owned());
        self.write(JobWrite::Limit { topic, rate, by, at }).await?;
        self.desk.nudge().wake();
        Ok(())
    }

    /// `Err`: the topics there are.
    fn known(&self, topic: &str) -> Result<(), String> {
        match self.topics.names().any(|name| name == topic) {
            true => Ok(()),
            false => {
                let names: Vec<_> = self.topics.names().collect();
                Err(format!("one of {}", names.join(", ")))
            }
        }
    }

    /// Puts so many probes like this one there, numbered on from it; they wait for that one.
    pub(crate) async fn probe(
        &self,
        like: &Probe,
        count: u64,
        after: Option<JobId>,
    ) -> Result<(), WriteError> {
        let all: Vec<u64> = (like.n..like.n.saturating_add(count)).collect();
        for slice in all.chunks(SLICE as usize) {
            let at = self.clock.now();
            let probe = |n: &u64| Probe { n: *n, ..like.clone() };
            let put = |n| {
                let job = NewJob::of(JobId(self.ids.next()), &probe(n), at);
                after.into_iter().fold(job, NewJob::after)
            };
            self.write(JobWrite::Send(slice.iter().map(put).collect())).await?;
        }
        self.desk.nudge().wake();
        Ok(())
    }

    #[cfg(debug_assertions)]
    pub(crate) async fn trouble(
        &self,
        trouble: crate::actors::workers::trouble::Trouble,
    ) -> Result<(), WriteError> {
        let job = NewJob::of(JobId(self.ids.next()), &trouble, self.clock.now());
        self.write(JobWrite::Send(vec![job])).await?;
        self.desk.nudge().wake();
        Ok(())
    }

    /// What a worker beside the server wants written. What operators do goes by names of their own.
    pub(crate) async fn relay(&self, write: JobWrite) -> Result<Option<JobsWritten>, WriteError> {
        let (new, more) = match &write {
            JobWrite::Act(_)
            | JobWrite::Edit(_)
            | JobWrite::Pause { .. }
            | JobWrite::Share { .. }
            | JobWrite::Limit { .. } => return Ok(None),
            JobWrite::Join(new) => (Some(new.clone()), false),
            JobWrite::End { .. }
            | JobWrite::HandBack { .. }
            | JobWrite::LetGo { .. }
            | JobWrite::Leave { .. }
            | JobWrite::Bury { .. } => (None, true),
            _ => (None, false),
        };
        // It is beside a server, whatever it says.
        let write = new.map_or(write, |new| JobWrite::Join(NewWorker { alone: false, ..new }));
        let written = self.write(write).await?;
        if more {
            self.desk.nudge().wake();
        }
        Ok(Some(written))
    }

    async fn write(&self, write: JobWrite) -> Result<JobsWritten, WriteError> {
        match self.store.jobs(write).await? {
            Written::Jobs(written) => Ok(written),
            other => Err(unexpected(&other)),
        }
    }
}

/// States from which an act leads somewhere.
pub(crate) fn states_for(act: JobAct) -> &'static [JobState] {
    use JobState::*;
    match act {
        JobAct::Retry => &[Failed, Dead, Cancelled, Scheduled],
        JobAct::Discard => &[Failed, Dead, Cancelled, Scheduled, Ready, Succeeded],
        JobAct::Cancel => &[Scheduled, Ready, Running],
        JobAct::Move(_) => &[Scheduled, Ready],
    }
}

fn unexpected(written: &impl std::fmt::Debug) -> WriteError {
    StoreError::Refused(format!("the writer answered with something else: {written:?}")).into()
}
