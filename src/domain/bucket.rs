//! A bucket of tokens: so many at once, and one more each so often.

use crate::domain::time::Micros;
use std::time::Duration;

/// How much is let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At once, after a pause.
    pub burst: u32,
    /// One more after each of these.
    pub every: Duration,
}

/// One bucket. It is full when it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// When it would be full again if nothing more were taken: all there is to remember.
    full_at: Micros,
}

impl Bucket {
    pub fn full(now: Micros) -> Self {
        Self { full_at: now }
    }

    /// Takes one out, or says how long to wait for one.
    pub fn take(&mut self, rate: Rate, now: Micros) -> Result<(), Duration> {
        let full_at = self.full_at.max(now).plus(rate.every);
        let latest = now.plus(rate.every.saturating_mul(rate.burst.max(1)));
        if full_at > latest {
            return Err(Duration::from_micros(full_at.0.abs_diff(latest.0)));
        }
        self.full_at = full_at;
        Ok(())
    }

    /// Puts one back that turned out not to count.
    pub fn give_back(&mut self, rate: Rate) {
        self.full_at = self.full_at.minus(rate.every);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RATE: Rate = Rate { burst: 3, every: Duration::from_secs(10) };

    #[test]
    fn a_burst_passes_and_then_one_at_a_time() {
        let seconds = |n: i64| Micros(n * 1_000_000);
        let mut bucket = Bucket::full(seconds(100));
        for _ in 0..3 {
            assert_eq!(bucket.take(RATE, seconds(100)), Ok(()));
        }
        assert_eq!(bucket.take(RATE, seconds(100)), Err(Duration::from_secs(10)));
        assert_eq!(bucket.take(RATE, seconds(107)), Err(Duration::from_secs(3)));
        assert_eq!(bucket.take(RATE, seconds(110)), Ok(()));
        assert!(bucket.take(RATE, seconds(110)).is_err());
        bucket.give_back(RATE);
        assert_eq!(bucket.take(RATE, seconds(110)), Ok(()));
    }

    proptest! {
        /// Whatever the pauses, no more passes than the burst and what dripped in since.
        #[test]
        fn no_more_passes_than_the_rate(pauses in prop::collection::vec(0i64..30_000_000, 1..200)) {
            let start = Micros(1_000_000_000);
            let (mut now, mut passed) = (start, 0u32);
            let mut bucket = Bucket::full(start);
            for pause in pauses {
                now = Micros(now.0 + pause);
                match bucket.take(RATE, now) {
                    Ok(()) => passed += 1,
                    Err(wait) => {
                        let mut later = bucket;
                        prop_assert!(later.take(RATE, now.plus(wait)).is_ok());
                        prop_assert!(bucket.take(RATE, Micros(now.plus(wait).0 - 1)).is_err());
                    }
                }
                let dripped = (now.0 - start.0) / 10_000_000;
                prop_assert!(i64::from(passed) <= 3 + dripped);
            }
        }
    }
}
