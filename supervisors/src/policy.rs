//! The words a tree is described with.
//!
//! Promise: pure values; what they mean is decided in one place each.

use std::ops::Range;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Whom a supervisor restarts when one child dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Only the one that died: the others do not depend on it.
    OneForOne,
    /// All: they make sense only together.
    OneForAll,
    /// The one that died and all that started after it, as those build on it.
    RestForOne,
}

impl Strategy {
    /// Which of `count` children start anew when number `dead` died.
    pub(crate) fn affected(self, dead: usize, count: usize) -> Range<usize> {
        match self {
            Self::OneForOne => dead..dead + 1,
            Self::OneForAll => 0..count,
            Self::RestForOne => dead..count,
        }
    }
}

/// When a child that ended is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// Always, also after it ended well.
    #[default]
    Permanent,
    /// After a crash; when it ends well it is done.
    Transient,
    /// Never.
    Temporary,
}

impl Restart {
    pub(crate) fn wanted(self, ended_well: bool) -> bool {
        match self {
            Self::Permanent => true,
            Self::Transient => !ended_well,
            Self::Temporary => false,
        }
    }
}

/// How a child is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// It may finish what it holds and what waits; after this time it is aborted.
    Drain(Duration),
    /// At once, at its next await.
    Abort,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::Drain(Duration::from_secs(10))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_strategy_names_whom_it_restarts() {
        assert_eq!(Strategy::OneForOne.affected(1, 4), 1..2);
        assert_eq!(Strategy::OneForAll.affected(1, 4), 0..4);
        assert_eq!(Strategy::RestForOne.affected(1, 4), 1..4);
    }

    #[test]
    fn only_the_permanent_start_again_after_ending_well() {
        let after = |well| {
            [Restart::Permanent, Restart::Transient, Restart::Temporary].map(|r| r.wanted(well))
        };
        assert_eq!(after(true), [true, false, false]);
        assert_eq!(after(false), [true, true, false]);
    }
}
