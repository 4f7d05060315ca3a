//! How far a follower of the log is, for those who ask from outside.
//!
//! Held in memory and true of this process alone; a follower that starts tells it anew.

use crate::domain::{event::Position, time::Micros};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Shared by a follower, which tells, and others, who ask. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    position: Option<Position>,
    level_at: Option<Micros>,
}

impl Progress {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state now stands for this place in the log; `None` while it is made anew.
    pub(crate) fn stands_at(&self, position: Option<Position>) {
        self.known().position = position;
    }

    /// There was nothing more to follow at this time.
    pub(crate) fn was_level(&self, at: Micros) {
        self.known().level_at = Some(at);
    }

    pub(crate) fn position(&self) -> Option<Position> {
        self.known().position
    }

    /// How old the state may be: the time since the follower last had nothing left to do, so it
    /// grows too while the follower is dead or can't reach the log. `None` before the first time.
    pub(crate) fn age(&self, now: Micros) -> Option<Duration> {
        let level_at = self.known().level_at?;
        Some(Duration::from_micros(u64::try_from(now.0 - level_at.0).unwrap_or_default()))
    }
}
