//! What happened, as the log tells it to its followers.

use crate::domain::time::Micros;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The log's kinds. Past tense; a follower that doesn't know one passes over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A product's row, texts, stock band or place changed: subject is the product.
    ProductChanged,
    /// The category tree changed: subject is the category.
    CategoryChanged,
}

impl EventKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProductChanged => "product_changed",
            Self::CategoryChanged => "category_changed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "product_changed" => Some(Self::ProductChanged),
            "category_changed" => Some(Self::CategoryChanged),
            _ => None,
        }
    }
}

/// One row of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The place in the log; rises by commit order, starts at 1.
    pub offset: i64,
    /// `None`: a kind of a newer version.
    pub kind: Option<EventKind>,
    pub subject: Uuid,
    pub at: Micros,
}

/// A follower's place: offsets of another epoch mean nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Drawn when the database was made, and anew when it is restored.
    pub epoch: Uuid,
    /// The last event that is in the follower's state; 0 for none.
    pub offset: i64,
}
