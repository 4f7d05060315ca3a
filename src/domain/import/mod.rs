//! Reading and writing products as rows of a file.
//!
//! A row becomes a `ProductDraft` or the list of *all* its problems, each with line, field and
//! what was expected; no text makes this panic. A price is read from the digits as written, never
//! through a float. What [`json::write`] and [`csv::cells`] write reads back as the same draft.
//!
//! Columns nobody knows are no error, but they are counted ([`Ignored`]), so a typing mistake in
//! a header is seen in the summary.

pub mod change;
pub mod csv;
mod draft;
mod field;
pub mod json;
#[cfg(test)]
mod tests;
mod value;

pub use field::{Columns, Field};

use crate::domain::money::Currency;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// The longest row, in bytes: a JSON line or a CSV record with its line breaks.
pub const MOST_ROW_BYTES: usize = 1 << 20;

/// The most that fields may hold; characters where it is text.
pub mod limits {
    pub const NAME: usize = 300;
    pub const BRAND: usize = 120;
    pub const SHORT_DESCRIPTION: usize = 2_000;
    pub const DESCRIPTION: usize = 50_000;
    pub const UNIT: usize = 20;
    pub const CATEGORY: usize = 120;
    /// Levels of a category path.
    pub const CATEGORIES: usize = 8;
    pub const IMAGE: usize = 2_048;
    pub const IMAGES: usize = 20;
    pub const ATTRIBUTES: usize = 100;
    pub const OPTIONS: usize = 20;
    /// Of an attribute's or option's name.
    pub const LABEL: usize = 100;
    /// Of an attribute's or option's value.
    pub const WORTH: usize = 2_000;
    pub const WAREHOUSES: usize = 100;
    pub const WAREHOUSE: usize = 64;
    pub const PRECISION: i64 = 6;
    /// Small enough that the stock of all warehouses can be summed.
    pub const QUANTITY: i64 = 1_000_000_000_000;
    /// Problems told of one row; a row with more is beyond reading anyway.
    pub const PROBLEMS: usize = 20;
}

/// One thing wrong with one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("line {line}: {}{message}", Named(.field))]
pub struct RowError {
    /// Where the row starts; the first line of a file is 1.
    pub line: u64,
    /// As the file calls it; `None` when it is about the row as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    pub message: String,
    /// The row's SKU, when that much could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
}

struct Named<'a>(&'a Option<String>);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |name| write!(f, "{name}: "))
    }
}

impl RowError {
    /// A problem of the row as a whole.
    pub fn whole(line: u64, message: impl Into<String>) -> Self {
        Self { line, field: None, message: message.into(), sku: None }
    }
}

/// Why a file can't be read at all, as a sentence for whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FileError(pub String);

/// How rows are understood; the same for the whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub columns: Columns,
    /// Of prices whose row names none.
    pub currency: Currency,
}

impl Reading {
    /// `map` goes from field to column, for columns that have names of their own.
    pub fn new(map: &BTreeMap<String, String>, currency: Currency) -> Result<Self, FileError> {
        Ok(Self { columns: Columns::new(map)?, currency })
    }
}

/// Columns that mean nothing to us, with how many rows had something in them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignored {
    names: BTreeMap<String, u64>,
    /// Whether there were more names than are kept.
    more: bool,
}

impl Ignored {
    /// Names kept; a file that makes up a new one in each row must not fill the memory.
    const MOST: usize = 50;

    pub(crate) fn count(&mut self, name: &str) {
        self.add(name, 1);
    }

    fn add(&mut self, name: &str, rows: u64) {
        if let Some(known) = self.names.get_mut(name) {
            *known += rows;
        } else if self.names.len() < Self::MOST {
            let short = name.chars().take(limits::LABEL).collect();
            *self.names.entry(short).or_default() += rows;
        } else {
            self.more = true;
        }
    }

    pub fn merge(&mut self, other: &Self) {
        for (name, rows) in &other.names {
            self.add(name, *rows);
        }
        self.more |= other.more;
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub fn names(&self) -> impl Iterator<Item = (&str, u64)> {
        self.names.iter().map(|(name, rows)| (name.as_str(), *rows))
    }

    /// `ignored columns: colour (12 rows), source (49447 rows)`; `None` when there were none.
    pub fn sentence(&self) -> Option<String> {
        if self.names.is_empty() {
            return None;
        }
        let rows = |n: u64| if n == 1 { "1 row".into() } else { format!("{n} rows") };
        let named: Vec<_> =
            self.names.iter().map(|(name, n)| format!("{name} ({})", rows(*n))).collect();
        let more = if self.more { " and others" } else { "" };
        Some(format!("ignored columns: {}{more}", named.join(", ")))
    }
}
