//! What happened to stock, and how it stands.

use crate::domain::{
    id::{OrderId, StockItemId, WarehouseId},
    sku::Sku,
    time::Micros,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why stock moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// What was there before movements were kept.
    Opening,
    Import,
    /// Somebody counted.
    Set,
    /// Somebody added or took some away.
    Adjust,
    Reserve,
    Release,
    Ship,
    Restock,
}

impl MovementKind {
    pub const ALL: &[Self] = &[
        Self::Opening,
        Self::Import,
        Self::Set,
        Self::Adjust,
        Self::Reserve,
        Self::Release,
        Self::Ship,
        Self::Restock,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Import => "import",
            Self::Set => "set",
            Self::Adjust => "adjust",
            Self::Reserve => "reserve",
            Self::Release => "release",
            Self::Ship => "ship",
            Self::Restock => "restock",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }
}

/// One line of the ledger, never changed. All of them sum to the level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    pub id: Uuid,
    pub item: StockItemId,
    pub warehouse: WarehouseId,
    pub kind: MovementKind,
    /// How many more are there.
    pub on_hand: i64,
    /// How many more are promised, there or not.
    pub promised: i64,
    pub order: Option<OrderId>,
    /// Who, as the audit log names them.
    pub by: String,
    pub note: String,
    pub at: Micros,
}

/// How a product's own item stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockRecord {
    pub sku: Sku,
    /// `None`: nobody counts it, or it is counted by its parts.
    pub item: Option<StockItemId>,
    /// Whether it is counted by its parts.
    pub bundle: bool,
    /// How many could be sold now; `None`: as many as anybody likes.
    pub available: Option<i64>,
    pub threshold: i64,
    pub back_order: bool,
    /// Rises with each change of what is there, of the threshold and of the flag.
    pub version: i64,
    /// In the order they are drawn on.
    pub levels: Vec<WarehouseLevel>,
}

/// An item in one warehouse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarehouseLevel {
    /// The warehouse's code.
    pub warehouse: String,
    pub on_hand: i64,
    pub reserved: i64,
    pub owed: i64,
}
