//! How much there is, and what of it a shopper is told.

mod edit;
mod movement;
mod shelves;

pub use edit::{EditRefused, Edited, StockEdit};
pub use movement::{Movement, MovementKind, StockRecord, WarehouseLevel};
pub use shelves::{ItemStock, LevelMove, LevelStock, Reserve, Shelves, StockError};

use crate::domain::sku::Sku;
use serde::{Deserialize, Serialize};

/// A product of which few are left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LowStock {
    pub sku: Sku,
    pub name: String,
    /// How many could be sold now; below zero when more are kept back than there are.
    pub available: i64,
}

/// What a page says of stock. Pages carry the band, not the number, so that a cached page
/// changes only when the band does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockBand {
    /// Nobody counts it: made or bought to order.
    Untracked,
    InStock,
    /// At most [`StockBand::FEW`] left.
    FewLeft,
    SoldOut,
}

impl StockBand {
    pub const ALL: &'static [Self] =
        &[Self::Untracked, Self::InStock, Self::FewLeft, Self::SoldOut];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Untracked => "untracked",
            Self::InStock => "in_stock",
            Self::FewLeft => "few_left",
            Self::SoldOut => "sold_out",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|band| band.as_str() == text)
    }

    /// From this many down a shopper is told that few are left.
    pub const FEW: i64 = 5;

    /// `available` is on hand less reserved, over all warehouses; `None` when nobody counts it.
    pub fn of(available: Option<i64>) -> Self {
        match available {
            None => Self::Untracked,
            Some(n) if n <= 0 => Self::SoldOut,
            Some(n) if n <= Self::FEW => Self::FewLeft,
            Some(_) => Self::InStock,
        }
    }

    /// Of a product that nobody counts itself and that is bought as one of its variants: the best
    /// of theirs, as whoever looks at it can still choose. `None` for no variants.
    pub fn of_variants(variants: impl IntoIterator<Item = Self>) -> Option<Self> {
        variants.into_iter().max_by_key(|band| match band {
            Self::SoldOut => 0,
            Self::FewLeft => 1,
            Self::Untracked => 2,
            Self::InStock => 3,
        })
    }

    /// Whether the "in stock" filter keeps it.
    pub fn can_be_bought(self) -> bool {
        self != Self::SoldOut
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Untracked => "Available to order",
            Self::InStock => "In stock",
            Self::FewLeft => "Only a few left",
            Self::SoldOut => "Sold out",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_as_well_stocked_as_its_best_variant() {
        use StockBand::{FewLeft, InStock, SoldOut, Untracked};
        assert_eq!(StockBand::of_variants([SoldOut, InStock, FewLeft]), Some(InStock));
        assert_eq!(StockBand::of_variants([SoldOut, Untracked, FewLeft]), Some(Untracked));
        assert_eq!(StockBand::of_variants([SoldOut, SoldOut]), Some(SoldOut));
        assert_eq!(StockBand::of_variants([]), None);
    }
}
