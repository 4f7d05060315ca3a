//! What a try comes to: its verdict, and what it wants done to the database.

use super::NewJob;
use crate::domain::{id::MailId, time::Micros};
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
    Retry(String),
    /// None will.
    Fail(String),
}

/// What a job does to the database, as data: it is done with the job's end, or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// The mail was handed over: what it said is forgotten.
    MailSent { id: MailId, at: Micros },
    /// More work.
    Send(NewJob),
    /// More work, that belongs to this: its family isn't over before.
    Child(NewJob),
}
