//! Mail: a row first, in the transaction of what it tells of, with a job that hands it over, at
//! least once.

use super::{
    StoreError,
    jobs::{NewJob, Topic},
};
use crate::domain::{
    audit::Change,
    id::{JobId, MailId, OrderId},
    job::{Priority, Queue},
    time::Micros,
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// The job that hands a mail over; its id is the mail's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendMail {
    pub mail: MailId,
}

impl Topic for SendMail {
    const TOPIC: &'static str = "mail.send";
    const VERSION: u32 = 1;
    const QUEUE: Queue = Queue::Mail;
    /// Somebody waits for it, often at a screen.
    const PRIORITY: Priority = Priority::High;
}

impl SendMail {
    /// Begun at once, and given up at `until`: later it would only confuse.
    pub fn job(mail: MailId, at: Micros, until: Micros) -> NewJob {
        let job = NewJob::of(JobId(mail.0), &Self { mail }, at);
        NewJob { expires_at: Some(until), ..job }
    }
}

/// One to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMail {
    pub id: MailId,
    /// What it is, for whoever looks at the queue: `password_reset`.
    pub kind: &'static str,
    pub recipient: String,
    pub subject: String,
    pub body: MailBody,
    pub at: Micros,
    /// Later it would only confuse; it is given up then.
    pub until: Micros,
}

/// Text that may hold a token, so it isn't printed.
#[derive(Clone, PartialEq, Eq)]
pub struct MailBody(pub String);

impl std::fmt::Debug for MailBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{} bytes]", self.0.len())
    }
}

/// One that waits to be handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingMail {
    pub id: MailId,
    pub kind: String,
    pub recipient: String,
    /// Of both nothing yet where it tells of an order: see [`WaitingMail::order`].
    pub subject: String,
    pub body: MailBody,
    /// The order it tells of: what it says is written as it is sent. `body` is then the token of a
    /// guest's link, or empty.
    pub order: Option<OrderId>,
    pub created_at: Micros,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailState {
    /// To be tried, perhaps again.
    Waiting,
    Sent,
    /// Given up.
    Failed,
}

impl MailState {
    pub const ALL: &[Self] = &[Self::Waiting, Self::Sent, Self::Failed];
    pub const NAMES: &[&str] = &["waiting", "sent", "failed"];

    /// As it stands in a row and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.as_str() == text)
    }
}

/// A mail of the queue as an operator sees it, without what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedMail {
    pub id: MailId,
    pub kind: String,
    pub recipient: String,
    pub order: Option<OrderId>,
    pub attempts: u32,
    pub created_at: Micros,
    /// When it is tried next, or was to be.
    pub due_at: Micros,
    pub sent_at: Option<Micros>,
    /// Of the last try.
    pub failure: Option<String>,
}

#[derive(Debug, Clone)]
pub enum MailWrite {
    /// Tries it now, whoever gave it up or waits with it; one of an order until then, if need be.
    Retry { id: MailId, at: Micros, until: Micros, by: String },
    /// Drops rows that were sent or given up before that, up to `most`.
    Sweep { older_than: Micros, most: u32 },
}

impl MailWrite {
    /// That somebody had it tried again, for the audit log.
    pub fn told(&self, id: MailId, at: Micros, by: &str) -> Change {
        Change::new(at, by, "mail.retry", format!("mail:{id}"), None::<&()>, None::<&()>)
    }
}

#[async_trait]
pub trait MailQueue: Send + Sync {
    /// What is to be handed over; `None`: there is none, or nothing is to be told any more.
    async fn waiting(&self, id: MailId) -> Result<Option<WaitingMail>, StoreError>;
    /// How many wait, and how many were given up.
    async fn counts(&self) -> Result<(u64, u64), StoreError>;
    /// Up to `limit` in this state, the newest first.
    async fn queued(&self, state: MailState, limit: u32) -> Result<Vec<QueuedMail>, StoreError>;
}

/// A mail as it is to travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub id: MailId,
    pub recipient: String,
    pub subject: String,
    pub text: MailBody,
    /// The same for readers that show pages.
    pub html: Option<MailBody>,
    pub created_at: Micros,
}

/// Why a mail was not handed over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// Another try may do.
    #[error("{0}")]
    Later(String),
    /// None will: there is nobody of that address.
    #[error("{0}")]
    Never(String),
}

#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands it over. Sent twice it is the same mail: its `Message-ID` is made of its id.
    async fn send(&self, letter: &Letter) -> Result<(), MailError>;
}
