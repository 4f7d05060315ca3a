//! What a try comes to: its verdict, and what it wants done to the database.

use super::NewJob;
use crate::{
    domain::{id::MailId, time::Micros},
    ports::webhooks::Tried,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Done(Vec<Effect>),
    /// Not now: at another time, and that is no failure.
    Snooze(Duration),
    /// Another try may do.
    Retry(Failure),
    /// None will.
    Fail(Failure),
}

/// Why a try failed, and what is to be kept of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub error: String,
    /// Committed with the try's end, as those of one that went well are.
    #[serde(default)]
    pub effects: Vec<Effect>,
    /// Whoever it asked doesn't want to be asked again earlier. It makes a pause longer than the
    /// topic's own, never shorter, and is no reason to go on past the job's time.
    #[serde(default)]
    pub wait: Option<Duration>,
}

impl<S: Into<String>> From<S> for Failure {
    fn from(error: S) -> Self {
        Self { error: error.into(), effects: Vec::new(), wait: None }
    }
}

impl Verdict {
    pub fn retry(why: impl Into<Failure>) -> Self {
        Self::Retry(why.into())
    }

    pub fn fail(why: impl Into<Failure>) -> Self {
        Self::Fail(why.into())
    }
}

/// What a job does to the database, as data: it is done with the job's end, or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// The mail was handed over: what it said is forgotten.
    MailSent { id: MailId, at: Micros },
    /// An event was posted to an endpoint, with what came of it.
    WebhookTried(Tried),
    /// More work.
    Send(NewJob),
    /// More work, that belongs to this: its family isn't over before.
    Child(NewJob),
}
