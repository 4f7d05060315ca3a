//! What operators do to jobs and queues, and how the audit log tells of it.

use crate::domain::{
    audit::Change,
    id::JobId,
    job::{Queue, Rate, Sharing},
    time::Micros,
};
use serde::{Deserialize, Serialize};

/// Done to each of these that it can be done to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobActs {
    pub act: JobAct,
    pub jobs: Vec<JobId>,
    pub by: String,
    pub at: Micros,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobAct {
    /// Tried anew and now, as if it had never failed: one that waits or is over without success.
    Retry,
    /// Dropped: one that doesn't run.
    Discard,
    /// One that waits is cancelled; one that runs is asked to end. What is put on behalf of a root
    /// that was cancelled is cancelled as it comes.
    Cancel,
    /// Put into another queue: one that waits.
    Move(Queue),
}

impl JobAct {
    fn action(self) -> &'static str {
        match self {
            Self::Retry => "job.retry",
            Self::Discard => "job.discard",
            Self::Cancel => "job.cancel",
            Self::Move(_) => "job.move",
        }
    }
}

impl JobActs {
    /// For the audit log: of one of them.
    pub fn told(&self, id: JobId) -> Change {
        let (action, subject) = (self.act.action(), format!("job:{id}"));
        let to = match self.act {
            JobAct::Move(queue) => Some(queue),
            JobAct::Retry | JobAct::Discard | JobAct::Cancel => None,
        };
        Change::new(self.at, &self.by, action, subject, None::<&()>, to.as_ref())
    }
}

/// For the audit log: a queue was paused, or resumed.
pub fn queue_paused(queue: Queue, paused: bool, by: &str, at: Micros) -> Change {
    let subject = format!("queue:{}", queue.as_str());
    let action = if paused { "queue.pause" } else { "queue.resume" };
    Change::new(at, by, action, subject, Some(&!paused), Some(&paused))
}

/// For the audit log: a queue's topics share it in another way.
pub fn queue_shared(queue: Queue, old: &Sharing, new: &Sharing, by: &str, at: Micros) -> Change {
    Change::new(at, by, "queue.share", format!("queue:{}", queue.as_str()), Some(old), Some(new))
}

/// For the audit log: a topic has another rate.
pub fn topic_limited(
    topic: &str,
    old: Option<&Rate>,
    new: Option<&Rate>,
    by: &str,
    at: Micros,
) -> Change {
    Change::new(at, by, "queue.rate", format!("topic:{topic}"), old, new)
}
