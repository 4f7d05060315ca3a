//! Jobs for looking at the queue itself.

use super::Topic;
use crate::domain::job::{Priority, Queue};
use serde::{Deserialize, Serialize};

/// It takes its time and does no more, or leaves an echo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    pub n: u64,
    pub millis: u32,
    pub echo: bool,
    /// At its first try it asks for another time, so many milliseconds later.
    #[serde(default)]
    pub snooze: u32,
}

impl Topic for Probe {
    const TOPIC: &'static str = "probe";
    const VERSION: u32 = 1;
    const QUEUE: Queue = Queue::Default;
    const PRIORITY: Priority = Priority::Low;
}

/// What a probe leaves, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Echo {
    pub of: u64,
}

impl Topic for Echo {
    const TOPIC: &'static str = "probe.echo";
    const VERSION: u32 = 1;
    const QUEUE: Queue = Queue::Default;
    const PRIORITY: Priority = Priority::Low;
}
