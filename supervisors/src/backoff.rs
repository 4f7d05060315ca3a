//! How long to wait before trying again.
//!
//! Promise: a pure function of the attempt and a roll of the dice; never longer
//! than `most`, never negative, never an overflow.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// `first`, times `factor` for each further attempt, up to `most`; then up to
/// `jitter` of it taken off by chance, so that what failed together does not
/// come back together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    /// The wait before the first new attempt.
    pub first: Duration,
    /// What each further wait is multiplied with; below 1 counts as 1.
    pub factor: f64,
    /// No wait is longer.
    pub most: Duration,
    /// The share of a wait that is left to chance, 0 to 1.
    pub jitter: f64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(20),
            factor: 2.0,
            most: Duration::from_secs(10),
            jitter: 0.2,
        }
    }
}

impl Backoff {
    /// No wait at all, for tests.
    pub const NONE: Self =
        Self { first: Duration::ZERO, factor: 1.0, most: Duration::ZERO, jitter: 0.0 };

    /// The wait before attempt number `attempt` (1 is the first new one), with
    /// `roll` in 0..1 as the dice.
    pub fn delay(&self, attempt: u32, roll: f64) -> Duration {
        let doublings = attempt.saturating_sub(1).min(i32::MAX as u32) as i32;
        let grown = self.first.as_secs_f64() * self.factor.max(1.0).powi(doublings);
        let capped = grown.min(self.most.as_secs_f64());
        let kept = 1.0 - self.jitter.clamp(0.0, 1.0) * roll.clamp(0.0, 1.0);
        Duration::try_from_secs_f64(capped * kept).unwrap_or(self.most)
    }

    pub(crate) fn roll(&self, attempt: u32) -> Duration {
        // The standard library's hasher keys are the dice: good enough to spread waits.
        let dice = RandomState::new().hash_one(attempt) >> 11;
        self.delay(attempt, dice as f64 / (1u64 << 53) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn any_backoff()(
            first in 0u64..100_000,
            factor in 0.0f64..10.0,
            most in 0u64..10_000_000,
            jitter in 0.0f64..=1.0,
        ) -> Backoff {
            Backoff {
                first: Duration::from_micros(first),
                factor,
                most: Duration::from_micros(most),
                jitter,
            }
        }
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_the_most(
            backoff in any_backoff(), attempt in any::<u32>(), roll in 0.0f64..1.0,
        ) {
            prop_assert!(backoff.delay(attempt, roll) <= backoff.most);
        }

        #[test]
        fn without_chance_waits_never_shrink(backoff in any_backoff(), attempt in 1u32..1_000) {
            prop_assert!(backoff.delay(attempt, 0.0) <= backoff.delay(attempt + 1, 0.0));
        }

        #[test]
        fn chance_takes_off_its_share_at_most(
            backoff in any_backoff(), attempt in 1u32..100, roll in 0.0f64..1.0,
        ) {
            let full = backoff.delay(attempt, 0.0).as_secs_f64();
            let rolled = backoff.delay(attempt, roll).as_secs_f64();
            prop_assert!(rolled >= full * (1.0 - backoff.jitter) - 1e-6);
        }

        #[test]
        fn a_rolled_wait_stays_in_bounds(attempt in any::<u32>()) {
            let backoff = Backoff::default();
            prop_assert!(backoff.roll(attempt) <= backoff.most);
        }
    }

    #[test]
    fn waits_double_up_to_the_most() {
        let backoff = Backoff { jitter: 0.0, ..Backoff::default() };
        let waits: Vec<_> = (1..=11).map(|n| backoff.delay(n, 0.0).as_millis()).collect();
        assert_eq!(waits[..4], [20, 40, 80, 160]);
        assert_eq!(waits[10], 10_000);
    }
}
