//! The queue: jobs are rows, put there in the transaction of what asked for them.
//!
//! A worker joins, claims some jobs at a time, and says how each ended. What it says counts while
//! the job runs under the attempt it was claimed by; what goes with that ([`Effect`]) is committed
//! in the same transaction, so it happens once, however often the job was begun. A worker whose
//! heartbeat stays the same is buried by whoever watches, and its jobs are claimed anew.

mod acts;
mod edits;
mod probes;
mod progress;
mod verdict;
mod view;
mod waits;

pub use acts::{JobAct, JobActs, queue_paused, queue_shared, topic_limited};
pub use edits::JobEdit;
pub use probes::{Echo, Probe};
pub use progress::{JobProgress, Steps};
pub use verdict::{Effect, Failure, Verdict};
pub use view::{JobFilter, JobNow, Jobs, QueueDue, QueueNow, TopicRate, Worker};
pub use waits::Waits;

use crate::domain::{
    id::{JobId, WorkerId},
    job::{JobState, NEVER, Priority, Queue, Rate, Sharing},
    time::Micros,
};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// A kind of job, as its rows name it. The body's form may change; then its version rises.
pub trait Topic: Serialize {
    const TOPIC: &'static str;
    const VERSION: u32;
    const QUEUE: Queue;
    const PRIORITY: Priority = Priority::Normal;
}

/// One to be put into the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewJob {
    /// Put twice it is one job.
    pub id: JobId,
    pub topic: String,
    pub version: u32,
    /// JSON.
    pub body: String,
    pub queue: Queue,
    pub priority: Priority,
    pub at: Micros,
    /// Not to be begun earlier.
    pub due_at: Micros,
    /// Nor later.
    pub expires_at: Option<Micros>,
    /// Jobs of one lane run one at a time, in the order of their ids.
    pub lane: Option<String>,
    pub once: Once,
    /// Of whose family it is. A root has none itself.
    pub root: Option<JobId>,
    /// It waits until that one is over, and all of its children, however they end; then it is due.
    #[serde(default)]
    pub after: Option<JobId>,
}

/// What becomes of a job when there is one like it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Once {
    /// It is put beside it.
    Each,
    /// It isn't put while one of this key is unfinished.
    Unique(String),
    /// It isn't put while one of this key waits: that one will see what this is about. One that
    /// runs may have looked already.
    Folded(String),
}

impl NewJob {
    /// Due at once; the rest is for the caller to set.
    pub fn of<T: Topic>(id: JobId, job: &T, at: Micros) -> Self {
        Self {
            id,
            topic: T::TOPIC.to_owned(),
            version: T::VERSION,
            // A struct of ours always has a form; were it not so, the worker would say so aloud.
            body: serde_json::to_string(job).unwrap_or_else(|_| "null".to_owned()),
            queue: T::QUEUE,
            priority: T::PRIORITY,
            at,
            due_at: at,
            expires_at: None,
            lane: None,
            once: Once::Each,
            root: None,
            after: None,
        }
    }

    /// Due when that one and its children are over.
    pub fn after(self, root: JobId) -> Self {
        Self { due_at: NEVER, after: Some(root), ..self }
    }

    /// The order of a queue.
    pub fn rank_at(&self) -> Micros {
        self.due_at.plus(self.priority.handicap())
    }

    /// The keys of uniqueness and folding, of which it has one at most.
    pub fn keys(&self) -> (Option<&str>, Option<&str>) {
        match &self.once {
            Once::Each => (None, None),
            Once::Unique(key) => (Some(key), None),
            Once::Folded(key) => (None, Some(key)),
        }
    }
}

/// One in a worker's hands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimedJob {
    pub id: JobId,
    pub topic: String,
    pub version: i64,
    pub body: String,
    /// The claim's number, and the fence: its end counts while no later claim was made.
    pub attempt: u32,
    /// Before this one.
    pub failures: u32,
    /// How often a process died, or lost a thread, with it in hand: if ever, it is run alone.
    #[serde(default)]
    pub losses: u32,
    pub sent_at: Micros,
    pub expires_at: Option<Micros>,
}

impl ClaimedJob {
    /// As they are named.
    pub fn in_order(jobs: impl Iterator<Item = Self>, ids: &[JobId]) -> Vec<Self> {
        let mut jobs: HashMap<JobId, Self> = jobs.map(|job| (job.id, job)).collect();
        ids.iter().filter_map(|id| jobs.remove(id)).collect()
    }

    pub fn by_topic(jobs: &[Self]) -> HashMap<String, u32> {
        let mut counts = HashMap::new();
        for job in jobs {
            *counts.entry(job.topic.clone()).or_default() += 1;
        }
        counts
    }
}

/// How a worker's try of a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub id: JobId,
    pub attempt: u32,
    pub ending: Ending,
    /// Committed with it, or not at all.
    pub effects: Vec<Effect>,
    /// It didn't let go of its thread: counted as a loss.
    #[serde(default)]
    pub stuck: bool,
}

impl Ended {
    /// What those of them do whose end counts, and each of which job.
    pub fn effects_of<'a>(
        ended: &'a [Self],
        counted: &[JobId],
    ) -> impl Iterator<Item = (JobId, &'a Effect)> {
        let counted: HashSet<_> = counted.iter().copied().collect();
        let ended = ended.iter().filter(move |one| counted.contains(&one.id));
        ended.flat_map(|one| one.effects.iter().map(|effect| (one.id, effect)))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    Succeeded,
    /// It failed and is tried again then, unless somebody wants it cancelled.
    Again {
        at: Micros,
        error: String,
    },
    /// It asked for another time; that is no failure.
    Snoozed {
        until: Micros,
    },
    /// Trying again would do nothing.
    Failed {
        error: String,
    },
    /// Given up.
    Dead {
        error: String,
    },
    /// Somebody wanted it cancelled, and it was.
    Cancelled,
}

impl Ending {
    pub fn state(&self) -> JobState {
        match self {
            Self::Succeeded => JobState::Succeeded,
            Self::Again { .. } | Self::Snoozed { .. } => JobState::Scheduled,
            Self::Failed { .. } => JobState::Failed,
            Self::Dead { .. } => JobState::Dead,
            Self::Cancelled => JobState::Cancelled,
        }
    }

    /// When it is due again.
    pub fn due_at(&self) -> Option<Micros> {
        match self {
            Self::Again { at: again, .. } | Self::Snoozed { until: again } => Some(*again),
            _ => None,
        }
    }

    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Again { error, .. } | Self::Failed { error } | Self::Dead { error } => {
                Some(error)
            }
            Self::Succeeded | Self::Snoozed { .. } | Self::Cancelled => None,
        }
    }

    /// One more failure.
    pub fn is_failure(&self) -> bool {
        self.error().is_some()
    }
}

/// How a process that runs jobs shows itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewWorker {
    pub id: WorkerId,
    /// Node and process.
    pub name: String,
    pub at: Micros,
    /// No other process runs this database's jobs: whoever was there before is gone.
    pub alone: bool,
}

/// Takes up to `most` that may run, the first of the queue's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobClaim {
    pub worker: WorkerId,
    pub queue: Queue,
    pub at: Micros,
    pub most: u32,
    /// Those with which a process was lost before, or only the others.
    pub suspects: bool,
}

impl JobClaim {
    /// How the queue is shared here, of what its row has: suspects go in order.
    pub fn sharing(&self, mode: &str, weights: &str) -> Sharing {
        match self.suspects {
            true => Sharing::default(),
            false => Sharing::of_row(mode, weights).unwrap_or_default(),
        }
    }
}

/// With a form of its own, as a worker beside the server tells it over a socket.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum JobWrite {
    Send(Vec<NewJob>),
    Join(NewWorker),
    /// It lives. Answers with what is to be cancelled of what it has in hand.
    Beat {
        worker: WorkerId,
        at: Micros,
    },
    /// How far jobs are that run, each under the attempt that said so.
    Progress(Vec<JobProgress>),
    /// It stops: what it has in hand goes back, and is nobody's failure.
    Leave {
        worker: WorkerId,
        at: Micros,
    },
    /// These died, unless their heartbeat has risen since: others get what they had in hand.
    Bury {
        lost: Vec<(WorkerId, i64)>,
        at: Micros,
    },
    Claim(JobClaim),
    /// Each at its newest attempt, with its effects; of others nothing is done.
    End {
        ended: Vec<Ended>,
        at: Micros,
    },
    /// What a worker claimed and didn't do.
    HandBack {
        jobs: Vec<(JobId, u32)>,
        at: Micros,
    },
    /// Of what the worker has claimed, all but this goes back: a claim that was committed, and of which
    /// the answer was lost, is in nobody's hands.
    LetGo {
        worker: WorkerId,
        held: Vec<(JobId, u32)>,
        at: Micros,
    },
    /// Gives up what should have begun by now, up to `most`.
    Expire {
        at: Micros,
        most: u32,
    },
    /// Makes those due that waited for others, which are over by now.
    Release {
        at: Micros,
    },
    /// Hands nothing of a queue out, or again.
    Pause {
        queue: Queue,
        paused: bool,
        by: String,
        at: Micros,
    },
    /// How the queue's topics share it.
    Share {
        queue: Queue,
        sharing: Sharing,
        by: String,
        at: Micros,
    },
    /// How many of a topic may be begun in a time; `None`: as many as there are.
    Limit {
        topic: String,
        rate: Option<Rate>,
        by: String,
        at: Micros,
    },
    /// What an operator wants of some jobs.
    Act(JobActs),
    /// Of one: answered as an act.
    Edit(JobEdit),
    /// Drops jobs that were over before: those that succeeded, and the others; up to `most`.
    Forget {
        succeeded: Micros,
        others: Micros,
        most: u32,
    },
}

/// What became of a [`JobWrite`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobsWritten {
    /// Those that were put; the others were there already.
    Sent(Vec<JobId>),
    Claimed(Vec<ClaimedJob>),
    /// Those whose end counts.
    Ended(Vec<JobId>),
    /// To be cancelled.
    Beating(Vec<JobId>),
    /// The worker was buried, or never joined.
    Buried,
    /// Those it was done to.
    Acted(Vec<JobId>),
    /// So many rows.
    Moved(u64),
}
