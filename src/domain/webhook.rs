//! What an endpoint of somebody else's is told.

use crate::domain::{event::Position, time::Micros};
use uuid::Uuid;

/// Something that happened, as it is told; the same at each try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// As the log names it, or [`PING`].
    pub kind: String,
    pub subject: Uuid,
    pub at: Micros,
    /// In the log.
    pub place: Option<Position>,
}

/// What is posted to try an endpoint: no event's kind.
pub const PING: &str = "ping";
