//! How far jobs are, as they say themselves.

use crate::domain::id::JobId;
use serde::{Deserialize, Serialize};

/// So many of so many steps, whatever those are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steps {
    pub done: u64,
    pub of: u64,
}

/// What a job that runs has said last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobProgress {
    pub id: JobId,
    /// Which try said it: of another it isn't kept.
    pub attempt: u32,
    pub steps: Steps,
}
