//! How far ahead of its pool a queue's jobs are fetched.
//!
//! As many as the pool does in a moment, and one for each worker at least: so a pool of short jobs
//! doesn't wait for the next claim, and jobs that take long are left to processes that are idle.

use crate::domain::time::Micros;
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// A claim takes a few milliseconds, and some times that while the database is busy.
const MOMENT: Duration = Duration::from_millis(100);

/// Of one line in this process: the dispatcher and the workers share it.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    /// The queue holds more than was fetched.
    more: AtomicBool,
    /// Jobs that are to wait in the pool.
    ahead: AtomicUsize,
    done: AtomicU64,
    looked: Mutex<Option<Looked>>,
}

#[derive(Debug, Clone, Copy)]
struct Looked {
    at: Micros,
    done: u64,
}

impl Flow {
    /// A job of the pool's is done, and `waiting` are left: true when others are to be fetched.
    pub(super) fn did_one(&self, waiting: usize) -> bool {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.has_more() && self.is_low(waiting)
    }

    pub(super) fn has_more(&self) -> bool {
        self.more.load(Ordering::Relaxed)
    }

    /// Less than half of what is to wait: a claim is to be worth its while.
    pub(super) fn is_low(&self, waiting: usize) -> bool {
        waiting * 2 < self.ahead.load(Ordering::Relaxed).max(1)
    }

    /// How many are to be fetched, for as many as wait; `least` at least wait then, if there are.
    pub(super) fn wanted(&self, now: Micros, waiting: usize, least: usize) -> usize {
        let done = self.done.load(Ordering::Relaxed);
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let in_a_moment = looked.replace(Looked { at: now, done }).map_or(0, |before| {
            let elapsed = u128::from(now.0.abs_diff(before.at.0).max(1));
            u128::from(done - before.done) * MOMENT.as_micros() / elapsed
        });
        let ahead = usize::try_from(in_a_moment).unwrap_or(usize::MAX).max(least);
        self.ahead.store(ahead, Ordering::Relaxed);
        ahead.saturating_sub(waiting)
    }

    /// What a claim came to.
    pub(super) fn fetched(&self, more: bool) {
        self.more.store(more, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_000_000;

    fn after(millis: i64) -> Micros {
        Micros(START + millis * 1_000)
    }

    #[test]
    fn who_does_jobs_fast_is_fetched_a_moments_worth_and_who_is_slow_one_a_worker() {
        let flow = Flow::default();
        assert_eq!(flow.wanted(after(0), 0, 4), 4);
        for _ in 0..40 {
            flow.did_one(0);
        }
        // 40 in 10 ms are 400 in a moment.
        assert_eq!(flow.wanted(after(10), 0, 4), 400);
        assert!(flow.is_low(199) && !flow.is_low(200));
        // One in ten seconds.
        flow.did_one(400);
        assert_eq!(flow.wanted(after(10_010), 3, 4), 1);
        assert!(flow.is_low(1) && !flow.is_low(2));
    }

    #[test]
    fn others_are_asked_for_while_there_are_more_and_few_wait() {
        let flow = Flow::default();
        assert_eq!(flow.wanted(after(0), 0, 4), 4);
        assert!(!flow.did_one(0), "nobody said that there are more");
        flow.fetched(true);
        assert!(flow.did_one(1));
        assert!(!flow.did_one(2));
        flow.fetched(false);
        assert!(!flow.did_one(0));
    }
}
