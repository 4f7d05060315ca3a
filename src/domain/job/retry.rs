//! When a job that failed is tried again, and when no more.

use crate::domain::time::Micros;
use std::time::Duration;

/// A topic's patience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// The pause behind the first failure; doubled with each.
    pub first: Duration,
    /// No pause is longer.
    pub most: Duration,
    /// So many failures, and it is given up.
    pub failures: u32,
}

impl Retry {
    pub const DEFAULT: Self =
        Self { first: Duration::from_secs(1), most: Duration::from_secs(5 * 60), failures: 8 };

    /// The pause behind so many failures, 1 at least. `dice` shortens it by up to a quarter, so
    /// that what failed together doesn't come back together.
    pub fn pause(&self, failures: u32, dice: u64) -> Duration {
        let doubled = 1u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX).max(1);
        let pause = self.first.saturating_mul(doubled).min(self.most);
        let quarter = u64::try_from(pause.as_micros() / 4).unwrap_or(u64::MAX);
        pause - Duration::from_micros(dice % quarter.saturating_add(1))
    }

    /// When it is tried again behind so many failures, the one of now included, and not before
    /// `wait` is over. `None`: no more, as it failed often enough, or as it would be too late.
    pub fn again(
        &self,
        failures: u32,
        now: Micros,
        wait: Option<Duration>,
        expires_at: Option<Micros>,
        dice: u64,
    ) -> Option<Micros> {
        let again = now.plus(self.pause(failures, dice).max(wait.unwrap_or_default()));
        let late = expires_at.is_some_and(|expires| again >= expires);
        (failures < self.failures && !late).then_some(again)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pauses_double_up_to_five_minutes_and_eight_failures_are_enough() {
        let pauses: Vec<_> = (1..=9).map(|n| Retry::DEFAULT.pause(n, 0).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256]);
        assert_eq!(Retry::DEFAULT.pause(10, 0).as_secs(), 300);
        let now = Micros(0);
        assert!(Retry::DEFAULT.again(7, now, None, None, 0).is_some());
        assert_eq!(Retry::DEFAULT.again(8, now, None, None, 0), None);
        let until = |expires| Retry::DEFAULT.again(1, now, None, Some(Micros(expires)), 0);
        assert_eq!(until(1_000_000), None, "too late");
        assert_eq!(until(1_000_001), Some(Micros(1_000_000)));
    }

    #[test]
    fn who_is_asked_may_want_a_longer_pause_and_not_a_shorter_one() {
        let after = |seconds, expires| {
            let (wait, expires) = (Some(Duration::from_secs(seconds)), Some(Micros(expires)));
            Retry::DEFAULT.again(3, Micros(0), wait, expires, 0)
        };
        assert_eq!(after(1, i64::MAX), Some(Micros(4_000_000)));
        assert_eq!(after(90, i64::MAX), Some(Micros(90_000_000)));
        assert_eq!(after(90, 90_000_000), None, "it would be too late");
    }

    proptest! {
        #[test]
        fn dice_take_a_quarter_at_most(failures in 1u32..100, dice: u64) {
            let (whole, thrown) =
                (Retry::DEFAULT.pause(failures, 0), Retry::DEFAULT.pause(failures, dice));
            prop_assert!(thrown <= whole && thrown >= whole * 3 / 4, "{thrown:?} of {whole:?}");
        }
    }
}
