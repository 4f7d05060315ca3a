//! How far jobs are, as they say themselves.
//!
//! What a job says is kept here, over what it said before, and written with the next heartbeat. When the
//! process dies, what was said since is lost; nothing hangs on it.

use crate::ports::jobs::Steps;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Told by one try of a job, as often as it likes. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    told: Arc<Mutex<Told>>,
}

#[derive(Debug, Default)]
struct Told {
    now: Option<Steps>,
    written: Option<Steps>,
}

impl Progress {
    /// So many of so many steps are done.
    pub(crate) fn at(&self, done: u64, of: u64) {
        let of = of.max(1);
        self.told().now = Some(Steps { done: done.min(of), of });
    }

    /// What nobody has written yet.
    pub(super) fn unwritten(&self) -> Option<Steps> {
        let told = self.told();
        told.now.filter(|now| told.written != Some(*now))
    }

    pub(super) fn written(&self, steps: Steps) {
        self.told().written = Some(steps);
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_last_is_written_once_and_never_more_than_all() {
        let progress = Progress::default();
        assert_eq!(progress.unwritten(), None);
        progress.at(1, 3);
        progress.at(9, 3);
        let all = Steps { done: 3, of: 3 };
        assert_eq!(progress.unwritten(), Some(all));
        assert_eq!(progress.unwritten(), Some(all), "the write may have failed");
        progress.written(all);
        assert_eq!(progress.unwritten(), None);
        progress.at(0, 0);
        assert_eq!(progress.unwritten(), Some(Steps { done: 0, of: 1 }));
    }
}
