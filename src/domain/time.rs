//! Points in time as the database keeps them.

use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct Micros(pub i64);

impl Micros {
    /// So much later.
    pub fn plus(self, more: std::time::Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(more.as_micros()).unwrap_or(i64::MAX)))
    }

    /// So much earlier.
    pub fn minus(self, less: std::time::Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(less.as_micros()).unwrap_or(i64::MAX)))
    }

    /// Reads RFC 3339, of whatever offset.
    pub fn parse(text: &str) -> Option<Self> {
        let time: jiff::Timestamp = text.parse().ok()?;
        Some(Self(time.as_microsecond()))
    }

    /// RFC 3339 in UTC with microseconds, as the API writes times.
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_microsecond(self.0).map(|t| t.to_string()).unwrap_or_default()
    }

    /// The calendar day in UTC, `YYYY-MM-DD`, as sitemaps want it.
    pub fn day(self) -> String {
        self.rfc3339().chars().take(10).collect()
    }
}
