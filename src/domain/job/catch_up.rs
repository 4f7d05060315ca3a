//! What becomes of a schedule's ticks when nobody was there for them.
//!
//! A tick is missed when it is older than [`GRACE`] before anybody looks: what a restart or a slow
//! moment costs is not missed. Whatever the policy, a tick is run once at most.

use crate::domain::{cron::Cron, time::Micros};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// The newest tick is run, whatever the policy, when it is no older than this.
pub const GRACE: Duration = Duration::from_secs(60);
/// Of missed ticks as many are run at most; each is a job in one transaction.
pub const MOST_AT_ONCE: u32 = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum CatchUp {
    /// Missed ticks are passed over.
    Skip,
    /// The last of them is run.
    Once,
    /// The last so many of them are run, each by a job of its own.
    All(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("skip, once, or all:N with N from 1 to {MOST_AT_ONCE}, such as all:24")]
pub struct NoPolicy;

impl FromStr for CatchUp {
    type Err = NoPolicy;

    fn from_str(text: &str) -> Result<Self, NoPolicy> {
        match text.split_once(':') {
            None if text == "skip" => Ok(Self::Skip),
            None if text == "once" => Ok(Self::Once),
            Some(("all", most)) => match most.parse() {
                Ok(most) if (1..=MOST_AT_ONCE).contains(&most) => Ok(Self::All(most)),
                _ => Err(NoPolicy),
            },
            _ => Err(NoPolicy),
        }
    }
}

impl TryFrom<String> for CatchUp {
    type Error = NoPolicy;

    fn try_from(text: String) -> Result<Self, NoPolicy> {
        text.parse()
    }
}

impl fmt::Display for CatchUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skip => f.write_str("skip"),
            Self::Once => f.write_str("once"),
            Self::All(most) => write!(f, "all:{most}"),
        }
    }
}

impl From<CatchUp> for String {
    fn from(policy: CatchUp) -> Self {
        policy.to_string()
    }
}

/// What is to be done about a schedule whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// To be run, the oldest first.
    pub ticks: Vec<Micros>,
    /// The first that is still to come.
    pub next_at: Micros,
}

/// `from`: the first tick that nobody has seen to. `None`: it is still to come, or none comes ever.
pub fn due(cron: &Cron, from: Micros, policy: CatchUp, now: Micros) -> Option<Due> {
    if from > now {
        return None;
    }
    let newest = cron.last(now).unwrap_or(from).max(from);
    let most = match policy {
        CatchUp::Skip if newest < now.minus(GRACE) => 0,
        CatchUp::Skip | CatchUp::Once => 1,
        CatchUp::All(most) => most as usize,
    };
    let mut ticks = Vec::new();
    let mut tick = Some(newest);
    while let Some(at) = tick.filter(|at| *at >= from && ticks.len() < most) {
        ticks.push(at);
        tick = cron.last(Micros(at.0 - 1));
    }
    ticks.reverse();
    Some(Due { ticks, next_at: cron.next(now)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: i64 = 60_000_000;

    fn ticks(policy: CatchUp, from: i64, now: i64) -> Vec<i64> {
        let cron = Cron::new("*/10 * * * *", "UTC").unwrap();
        let due = due(&cron, Micros(from * MINUTE), policy, Micros(now * MINUTE)).unwrap();
        assert_eq!(due.next_at.0, (now / 10 + 1) * 10 * MINUTE);
        due.ticks.iter().map(|at| at.0 / MINUTE).collect()
    }

    #[test]
    fn each_policy_runs_as_many_as_it_says() {
        assert_eq!(ticks(CatchUp::Skip, 10, 10), [10]);
        assert_eq!(ticks(CatchUp::Skip, 10, 11), [10], "a restart misses nothing");
        assert_eq!(ticks(CatchUp::Skip, 10, 12), [] as [i64; 0]);
        assert_eq!(ticks(CatchUp::Skip, 10, 40), [40], "the newest is not missed");
        assert_eq!(ticks(CatchUp::Once, 10, 45), [40]);
        assert_eq!(ticks(CatchUp::All(9), 10, 45), [10, 20, 30, 40]);
        assert_eq!(ticks(CatchUp::All(2), 10, 45), [30, 40]);
    }

    #[test]
    fn what_is_still_to_come_is_left_alone() {
        let cron = Cron::new("*/10 * * * *", "UTC").unwrap();
        assert_eq!(due(&cron, Micros(10 * MINUTE), CatchUp::Once, Micros(9 * MINUTE)), None);
    }

    #[test]
    fn policies_are_read_back_as_they_are_written() {
        for policy in [CatchUp::Skip, CatchUp::Once, CatchUp::All(24)] {
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
        for bad in ["", "all", "all:0", "all:1001", "all:x", "Skip", "once:2"] {
            assert_eq!(bad.parse::<CatchUp>(), Err(NoPolicy), "{bad}");
        }
    }

    proptest! {
        /// However often it is looked, and whenever: each tick once, none left out.
        #[test]
        fn looked_at_again_and_again_every_tick_is_run_once(
            looks in prop::collection::vec(1_i64..90, 1..40),
        ) {
            let cron = Cron::new("*/10 * * * *", "UTC").unwrap();
            let (mut from, mut now, mut run) = (Micros(10 * MINUTE), 0, Vec::new());
            for pause in looks {
                now += pause;
                if let Some(due) = due(&cron, from, CatchUp::All(MOST_AT_ONCE), Micros(now * MINUTE)) {
                    run.extend(due.ticks);
                    from = due.next_at;
                }
            }
            let expected: Vec<_> = (1..=now / 10).map(|n| Micros(n * 10 * MINUTE)).collect();
            prop_assert_eq!(run, expected);
        }
    }
}
