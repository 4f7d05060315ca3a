//! A number that stands for what lists say to everybody, until they may say something else.
//!
//! Every page for everybody is looked for under it, so it is read without a lock and made anew only
//! behind a change, or when a list's time begins or ends.

use crate::domain::time::Micros;
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicI64, AtomicU64, Ordering::SeqCst},
};

/// Nothing is known at first.
#[derive(Debug)]
pub(super) struct Kept {
    number: AtomicU64,
    until: AtomicI64,
    /// How often it was forgotten.
    changes: AtomicU64,
    /// Held by who makes it: of two, the slower would keep an older one.
    making: Mutex<()>,
}

impl Default for Kept {
    fn default() -> Self {
        let (number, changes) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { number, until: AtomicI64::new(i64::MIN), changes, making: Mutex::new(()) }
    }
}

impl Kept {
    /// It may be otherwise now; said behind the change.
    pub(super) fn forget(&self) {
        self.changes.fetch_add(1, SeqCst);
        self.until.store(i64::MIN, SeqCst);
    }

    /// The number at this time. `make` gives it for so many changes, and until when it holds.
    pub(super) fn at(&self, now: Micros, make: impl FnOnce(u64) -> (u64, Micros)) -> u64 {
        if now.0 < self.until.load(SeqCst) {
            return self.number.load(SeqCst);
        }
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let changes = self.changes.load(SeqCst);
        let (number, until) = make(changes);
        self.number.store(number, SeqCst);
        self.until.store(until.0, SeqCst);
        // A change that came in between may have said so before this was kept.
        if self.changes.load(SeqCst) != changes {
            self.until.store(i64::MIN, SeqCst);
        }
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_until_its_time_is_over_or_something_changes() {
        let (kept, made) = (Kept::default(), AtomicU64::new(0));
        let at = |now| {
            kept.at(Micros(now), |changes| (made.fetch_add(1, SeqCst) + changes * 100, Micros(10)))
        };
        assert_eq!([at(1), at(9)], [0, 0]);
        assert_eq!(at(10), 1, "its time is over");
        kept.forget();
        assert_eq!([at(1), at(2)], [102, 102]);
    }

    #[test]
    fn what_changes_while_it_is_made_is_not_kept() {
        let kept = Kept::default();
        let make = |number, forget: bool| {
            kept.at(Micros(0), |_| {
                if forget {
                    kept.forget();
                }
                (number, Micros(i64::MAX))
            })
        };
        assert_eq!([make(1, true), make(2, false), make(3, false)], [1, 2, 2]);
    }
}
