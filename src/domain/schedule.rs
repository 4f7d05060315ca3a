//! From when until when something holds.

use crate::domain::time::Micros;
use serde::{Deserialize, Serialize};

/// `from` is included, `until` is not; `None` is open. One that ends before it begins never holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Schedule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Micros>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Micros>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it must end after it begins: choose a later end, or leave one of the two open")]
pub struct NeverHolds;

impl Schedule {
    pub const ALWAYS: Self = Self { from: None, until: None };

    pub fn new(from: Option<Micros>, until: Option<Micros>) -> Result<Self, NeverHolds> {
        match (from, until) {
            (Some(from), Some(until)) if until <= from => Err(NeverHolds),
            _ => Ok(Self { from, until }),
        }
    }

    pub fn holds_at(&self, now: Micros) -> bool {
        self.has_begun(now) && !self.is_over(now)
    }

    pub fn has_begun(&self, now: Micros) -> bool {
        self.from.is_none_or(|from| from <= now)
    }

    pub fn is_over(&self, now: Micros) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// The first moment after `now` at which [`Schedule::holds_at`] may answer otherwise.
    pub fn next_change(&self, now: Micros) -> Option<Micros> {
        [self.from, self.until].into_iter().flatten().filter(|at| *at > now).min()
    }
}
