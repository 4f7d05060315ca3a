//! How the size of a pool follows the wait of its queue, between two bounds.
//!
//! It grows soon and shrinks late. Between the wait that makes it grow and the one that lets it shrink
//! lies room in which nothing happens, and a change is not followed by its opposite for a while: so a
//! wait that swings round what is wanted moves nothing. It never shrinks below what was at work. While a
//! worker is idle, jobs wait for something else than workers: a topic's rate, say.

use serde::{Deserialize, Serialize};

/// Looks in a row that find the wait too long before it grows.
pub const GROWS_AFTER: u32 = 3;
/// Looks in a row that find next to no wait before it shrinks.
pub const SHRINKS_AFTER: u32 = 20;
/// Looks from a change to its opposite, at least.
pub const COOLDOWN: u32 = 15;
/// Next to no wait: this part of the longest one that is wanted.
const SHORT: u64 = 4;
/// An hour: who may wait for longer needs no second worker for it.
pub const MOST_WAIT_MS: u32 = 3_600_000;

/// What an operator wants of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Workers when nothing is to be done.
    pub min: u32,
    /// Workers at most.
    pub max: u32,
    /// How long a job may wait, ms.
    pub wait_ms: u32,
}

impl Bounds {
    /// The key that is wrong and what it must be. `most`: workers that the pool may have.
    pub fn check(self, most: u32) -> Result<(), (&'static str, String)> {
        if !(1..=most).contains(&self.max) {
            return Err(("max", format!("must be 1 to {most}")));
        }
        if !(1..=self.max).contains(&self.min) {
            return Err(("min", format!("must be 1 to the maximum, {}", self.max)));
        }
        if !(1..=MOST_WAIT_MS).contains(&self.wait_ms) {
            return Err(("wait_ms", format!("must be 1 to {MOST_WAIT_MS}")));
        }
        Ok(())
    }
}

/// A pool at one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Workers it is to have.
    pub size: u32,
    /// Workers with a job in hand, or all of them while one waits for a worker.
    pub busy: u32,
    /// How long the job that is next has been waiting, ms.
    pub wait_ms: u64,
}

/// Why its size changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Jobs waited for too long.
    Waited,
    /// Jobs hardly waited, and workers were idle.
    Idle,
    /// It was outside its bounds.
    Bounds,
}

impl Why {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waited => "waited",
            Self::Idle => "idle",
            Self::Bounds => "bounds",
        }
    }
}

/// What is remembered of a pool from look to look.
#[derive(Debug, Clone, Default)]
pub struct Scaler {
    /// Looks in a row that found the wait for a worker too long, or next to none.
    long: u32,
    short: u32,
    /// Workers busy at once during the latter.
    busiest: u32,
    /// The last change, and the looks since.
    changed: Option<(Why, u32)>,
}

impl Scaler {
    /// Looks once more; the size it is to have from now on and why, if that is another.
    pub fn look(&mut self, bounds: Bounds, seen: Seen) -> Option<(u32, Why)> {
        if let Some((_, looks)) = &mut self.changed {
            *looks = looks.saturating_add(1);
        }
        let within = seen.size.clamp(bounds.min, bounds.max);
        if within != seen.size {
            *self = Self::default();
            return Some((within, Why::Bounds));
        }
        self.count(bounds, seen);
        if self.long >= GROWS_AFTER && seen.size < bounds.max && self.may(Why::Waited) {
            return Some(self.change(seen.size.saturating_mul(2).min(bounds.max), Why::Waited));
        }
        if self.short < SHRINKS_AFTER || !self.may(Why::Idle) {
            return None;
        }
        // With one to spare where jobs wait for something else: else they would seem to wait for it.
        let spare = u32::from(seen.wait_ms > u64::from(bounds.wait_ms));
        let smaller = (seen.size / 2).max(self.busiest.saturating_add(spare)).max(bounds.min);
        if smaller >= seen.size {
            // All are needed; whether they still are is seen by as many looks again.
            (self.short, self.busiest) = (0, 0);
            return None;
        }
        Some(self.change(smaller, Why::Idle))
    }

    fn count(&mut self, bounds: Bounds, seen: Seen) {
        let wanted = u64::from(bounds.wait_ms);
        if seen.busy < seen.size || seen.wait_ms <= wanted / SHORT {
            (self.long, self.short) = (0, self.short.saturating_add(1));
            self.busiest = self.busiest.max(seen.busy);
        } else if seen.wait_ms > wanted {
            (self.long, self.short, self.busiest) = (self.long.saturating_add(1), 0, 0);
        } else {
            (self.long, self.short, self.busiest) = (0, 0, 0);
        }
    }

    /// The last change was no opposite, or is long enough ago.
    fn may(&self, why: Why) -> bool {
        self.changed.is_none_or(|(before, looks)| before == why || looks >= COOLDOWN)
    }

    fn change(&mut self, size: u32, why: Why) -> (u32, Why) {
        *self = Self { changed: Some((why, 0)), ..Self::default() };
        (size, why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOUNDS: Bounds = Bounds { min: 2, max: 32, wait_ms: 1_000 };

    /// Looks at those waits one after the other; each change with its look's number.
    fn run(
        size: u32,
        looks: impl IntoIterator<Item = (u64, u32)>,
    ) -> (u32, Vec<(usize, u32, Why)>) {
        let (mut scaler, mut size, mut changes) = (Scaler::default(), size, Vec::new());
        for (look, (wait_ms, busy)) in looks.into_iter().enumerate() {
            let busy = busy.min(size);
            if let Some((to, why)) = scaler.look(BOUNDS, Seen { size, busy, wait_ms }) {
                assert_ne!(to, size);
                size = to;
                changes.push((look, to, why));
            }
        }
        (size, changes)
    }

    #[test]
    fn it_doubles_while_jobs_wait_too_long_and_stops_at_its_most() {
        let (size, changes) = run(2, std::iter::repeat_n((1_001, 99), 30));
        assert_eq!(size, 32);
        let steps: Vec<_> = changes.iter().map(|(look, to, _)| (*look, *to)).collect();
        assert_eq!(steps, [(2, 4), (5, 8), (8, 16), (11, 32)]);
    }

    #[test]
    fn it_comes_back_to_its_least_when_nothing_is_to_be_done() {
        let (size, changes) = run(32, std::iter::repeat_n((0, 0), 100));
        assert_eq!((size, changes.len()), (2, 4));
        assert!(changes.iter().all(|(_, _, why)| *why == Why::Idle));
    }

    #[test]
    fn it_keeps_the_workers_that_have_work_though_nothing_waits() {
        assert_eq!(run(32, std::iter::repeat_n((0, 11), 200)).0, 11);
        assert_eq!(run(8, std::iter::repeat_n((0, 8), 200)), (8, Vec::new()));
    }

    #[test]
    fn jobs_that_wait_though_workers_are_idle_make_it_no_larger() {
        let (size, changes) = run(8, std::iter::repeat_n((60_000, 3), 500));
        assert_eq!((size, changes.len()), (4, 1), "an idle one is left to see it by");
    }

    #[test]
    fn a_wait_that_swings_round_what_is_wanted_moves_nothing() {
        for (low, high) in [(999, 1_001), (0, 9_000), (500, 60_000)] {
            let swings = (0..500).map(|look| (if look % 3 == 0 { low } else { high }, 8));
            assert_eq!(run(8, swings), (8, Vec::new()), "{low} and {high}");
        }
        assert_eq!(run(8, std::iter::repeat_n((900, 8), 500)), (8, Vec::new()));
    }

    #[test]
    fn what_lies_outside_the_bounds_is_moved_into_them_at_once() {
        assert_eq!(run(1, [(0, 0)]).1, [(0, 2, Why::Bounds)]);
        assert_eq!(run(64, [(9_999, 64)]).1, [(0, 32, Why::Bounds)]);
    }

    #[test]
    fn bounds_are_refused_with_the_key_that_is_wrong() {
        let wrong = |bounds: Bounds| bounds.check(64).unwrap_err().0;
        assert_eq!(BOUNDS.check(64), Ok(()));
        assert_eq!(wrong(Bounds { max: 65, ..BOUNDS }), "max");
        assert_eq!(wrong(Bounds { max: 0, ..BOUNDS }), "max");
        assert_eq!(wrong(Bounds { min: 0, ..BOUNDS }), "min");
        assert_eq!(wrong(Bounds { min: 33, ..BOUNDS }), "min");
        assert_eq!(wrong(Bounds { wait_ms: 0, ..BOUNDS }), "wait_ms");
        assert_eq!(wrong(Bounds { wait_ms: MOST_WAIT_MS + 1, ..BOUNDS }), "wait_ms");
    }

    proptest! {
        #[test]
        fn whatever_comes_it_stays_within_its_bounds_and_never_turns_round_soon(
            size in 1_u32..80,
            // Stretches of one wait, as queues have them.
            stretches in prop::collection::vec((0_u64..4_000, 0_u32..40, 1_usize..40), 1..40),
        ) {
            let looks = stretches.into_iter()
                .flat_map(|(wait, busy, looks)| std::iter::repeat_n((wait, busy), looks));
            let (_, changes) = run(size, looks);
            let mut before: Option<(usize, Why)> = None;
            for (look, to, why) in changes {
                prop_assert!((BOUNDS.min..=BOUNDS.max).contains(&to));
                prop_assert!(why != Why::Bounds || look == 0);
                if let Some((at, last)) = before && last != why && last != Why::Bounds {
                    prop_assert!(look - at >= COOLDOWN as usize, "{last:?} at {at}, {why:?} at {look}");
                }
                before = Some((look, why));
            }
        }

        /// From wherever it stands: soon at its most, and at its least not long after.
        #[test]
        fn it_reacts_within_as_many_looks_as_it_says(size in 2_u32..33) {
            let doublings = 4;
            let up = (COOLDOWN + doublings * GROWS_AFTER) as usize;
            let down = (COOLDOWN + doublings * SHRINKS_AFTER) as usize;
            let load = std::iter::repeat_n((1_001, 32), up);
            prop_assert_eq!(run(size, load.clone()).0, 32);
            prop_assert_eq!(run(size, load.chain(std::iter::repeat_n((0, 0), down))).0, 2);
        }
    }
}
