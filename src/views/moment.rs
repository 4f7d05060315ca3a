//! A time as pages show it.

use crate::domain::time::Micros;

pub(super) struct Moment {
    pub(super) exact: String,
    /// To the minute.
    pub(super) words: String,
}

impl Moment {
    pub(super) fn of(at: Micros) -> Self {
        let exact = at.rfc3339();
        let words = exact.get(..16).map(|text| format!("{} UTC", text.replace('T', " ")));
        Self { words: words.unwrap_or_default(), exact }
    }
}
