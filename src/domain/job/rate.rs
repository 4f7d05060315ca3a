//! How many jobs of a topic may be begun in a time, whoever begins them.

use crate::domain::time::Micros;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// So much of what wasn't used is kept: whoever looks for jobs now and then gets to the rate all the
/// same.
const KEPT: Duration = Duration::from_secs(1);
const UNITS: &[(&str, u64)] = &[("s", 1), ("m", 60), ("h", 60 * 60)];
const MOST: u32 = 100_000;

/// So many jobs in a second, a minute or an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Rate {
    jobs: u32,
    seconds: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "so many jobs in a second, a minute or an hour: 1 to 100000, such as 10/s, 100/m or 1000/h"
)]
pub struct NoRate;

impl Rate {
    /// As it stands in a row.
    pub fn of_row(jobs: i64, seconds: i64) -> Option<Self> {
        let (jobs, seconds) = (u32::try_from(jobs).ok()?, u64::try_from(seconds).ok()?);
        let known = UNITS.iter().any(|(_, unit)| *unit == seconds);
        ((1..=MOST).contains(&jobs) && known).then_some(Self { jobs, seconds })
    }

    pub fn jobs(self) -> i64 {
        i64::from(self.jobs)
    }

    pub fn seconds(self) -> i64 {
        i64::try_from(self.seconds).unwrap_or(i64::MAX)
    }

    /// From one job to the next, in microseconds.
    fn step(self) -> i64 {
        (self.seconds() * 1_000_000 / self.jobs()).max(1)
    }

    /// How many may be begun, where all is spent up to `spent_to`.
    pub fn allows(self, spent_to: Micros, now: Micros) -> u32 {
        let left = now.0 - self.base(spent_to, now).0;
        // One whose time has come, and one for each step that has passed since.
        let allowed = if left < 0 { 0 } else { 1 + left / self.step() };
        u32::try_from(allowed).unwrap_or(u32::MAX)
    }

    /// Up to when all is spent, once so many more were begun.
    pub fn spend(self, spent_to: Micros, now: Micros, jobs: u32) -> Micros {
        Micros(self.base(spent_to, now).0 + self.step() * i64::from(jobs))
    }

    fn base(self, spent_to: Micros, now: Micros) -> Micros {
        spent_to.max(now.minus(KEPT))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.iter().find(|(_, seconds)| *seconds == self.seconds);
        write!(f, "{}/{}", self.jobs, unit.map_or("?", |(name, _)| name))
    }
}

impl FromStr for Rate {
    type Err = NoRate;

    fn from_str(text: &str) -> Result<Self, NoRate> {
        let (jobs, unit) = text.split_once('/').ok_or(NoRate)?;
        if !jobs.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NoRate);
        }
        let jobs = jobs.parse().ok().filter(|jobs| (1..=MOST).contains(jobs)).ok_or(NoRate)?;
        let unit = UNITS.iter().find(|(name, _)| *name == unit).ok_or(NoRate)?;
        Ok(Self { jobs, seconds: unit.1 })
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        rate.to_string()
    }
}

impl TryFrom<String> for Rate {
    type Error = NoRate;

    fn try_from(text: String) -> Result<Self, NoRate> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn a_rate_is_read_as_it_is_written() {
        for text in ["10/s", "1/m", "100000/h"] {
            let rate: Rate = text.parse().unwrap();
            assert_eq!(rate.to_string(), text);
            assert_eq!(Rate::of_row(rate.jobs(), rate.seconds()), Some(rate));
        }
        for text in ["", "10", "/s", "0/s", "+1/s", "100001/s", "10/d", "10/ s", "1.5/s"] {
            assert_eq!(text.parse::<Rate>(), Err(NoRate), "{text}");
        }
        assert_eq!(Rate::of_row(1, 2), None);
    }

    #[test]
    fn behind_a_rest_a_second_is_caught_up_with_and_no_more() {
        let rate: Rate = "4/s".parse().unwrap();
        let now = Micros(100 * SECOND);
        assert_eq!(rate.allows(Micros(0), now), 5);
        let spent = rate.spend(Micros(0), now, 5);
        assert_eq!(rate.allows(spent, now), 0);
        assert_eq!(rate.allows(spent, now.plus(Duration::from_millis(249))), 0);
        assert_eq!(rate.allows(spent, now.plus(Duration::from_millis(250))), 1);
        assert_eq!(rate.allows(spent, now.plus(Duration::from_millis(500))), 2);
    }

    proptest! {
        /// Looked at now and then, in the long run a rate is kept and reached.
        #[test]
        fn a_rate_is_kept_and_reached(
            jobs in 1u32..500, unit in 0usize..3,
            looks in proptest::collection::vec(1i64..SECOND, 50..200),
        ) {
            let rate: Rate = format!("{jobs}/{}", UNITS[unit].0).parse().unwrap();
            let (begin, mut spent, mut begun) = (Micros(1_000 * SECOND), Micros(0), 0i64);
            let mut now = begin;
            for look in looks {
                let allowed = rate.allows(spent, now);
                spent = rate.spend(spent, now, allowed);
                begun += i64::from(allowed);
                now = Micros(now.0 + look);
            }
            let lasted = now.0 - begin.0;
            prop_assert!(begun <= (lasted + SECOND) / rate.step() + 1, "{begun} in {lasted}");
            prop_assert!(begun >= (lasted - SECOND) / rate.step(), "{begun} in {lasted}");
        }
    }
}
