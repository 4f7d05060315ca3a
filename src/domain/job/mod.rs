//! Jobs: work that leaves the request, waits in a queue, and is done by whoever has a hand free.
//!
//! The rules here are pure: in which state a job may be and become, which goes first, and when one
//! that failed is tried again. What may be lost is a process; what it had in hand is claimed anew,
//! under a higher attempt, and only the newest attempt's word counts.

mod catch_up;
mod family;
mod rate;
mod retry;
mod sharing;
mod state;
mod watch;
mod within;

pub use catch_up::{CatchUp, Due, GRACE, MOST_AT_ONCE, due};
pub use family::Family;
pub use rate::{NoRate, Rate};
pub use retry::Retry;
pub use sharing::{Head, MOST_WEIGHT, Mode, Shares, Sharing, Spent};
pub use state::{JobState, Step};
pub use watch::{LEASE, Watch};
pub use within::{NoPlace, Within};

use crate::domain::time::Micros;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Where jobs wait. Each has hands of its own, so that none waits behind another's kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Queue {
    Default,
    Index,
    Media,
    Mail,
    Import,
    Webhook,
}

impl Queue {
    pub const ALL: &'static [Self] =
        &[Self::Default, Self::Index, Self::Media, Self::Mail, Self::Import, Self::Webhook];
    pub const NAMES: &'static [&'static str] =
        &["default", "index", "media", "mail", "import", "webhook"];

    /// As it stands in a row, in the configuration and in the API.
    pub fn as_str(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|queue| queue.as_str() == text)
    }
}

/// Which job of a queue goes first. It is a head start in time, not a class: a job of a lower
/// priority that has waited for longer than the difference goes before a higher one, so nothing
/// waits for ever and the order of a queue is that of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    Highest,
    High,
    Normal,
    Low,
    Lowest,
}

impl Priority {
    pub const ALL: &'static [Self] =
        &[Self::Highest, Self::High, Self::Normal, Self::Low, Self::Lowest];

    /// As the API names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Highest => "highest",
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
            Self::Lowest => "lowest",
        }
    }

    /// As if it had come so much later.
    pub fn handicap(self) -> Duration {
        Duration::from_secs(match self {
            Self::Highest => 0,
            Self::High => 30,
            Self::Normal => 2 * 60,
            Self::Low => 10 * 60,
            Self::Lowest => 60 * 60,
        })
    }

    /// From 1, the highest, to 5, as it stands in a row.
    pub fn level(self) -> u8 {
        self as u8 + 1
    }

    pub fn of_level(level: i64) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| i64::from(one.level()) == level)
    }
}

/// When one is due that waits for other jobs: the end of the year 9999.
pub const NEVER: Micros = Micros(253_402_300_799_000_000);

/// How often the process that has a job in hand may die. Whatever is in hand then is a suspect, and
/// is run alone from there on, in a process of its own, whose death is a failure of the job; so what
/// is counted here are machines and servers that died.
pub const MOST_LOSSES: u32 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_and_priorities_are_read_back_from_their_rows() {
        for queue in Queue::ALL {
            assert_eq!(Queue::parse(queue.as_str()), Some(*queue));
        }
        assert_eq!(Queue::NAMES.len(), Queue::ALL.len());
        for priority in Priority::ALL {
            assert_eq!(Priority::of_level(priority.level().into()), Some(*priority));
        }
        assert_eq!(Queue::parse("other"), None);
        assert_eq!(Priority::of_level(6), None);
    }

    #[test]
    fn a_higher_priority_has_the_smaller_handicap() {
        assert!(Priority::ALL.is_sorted_by(|a, b| a.handicap() < b.handicap()));
    }
}
