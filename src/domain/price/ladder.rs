//! One product's price by quantity, for whom a [`PriceSet`] is.

use super::PriceSet;
use crate::domain::{
    id::{PriceListId, ProductId},
    import::limits,
    money::Money,
    quantity::Quantity,
    tax::TaxMode,
};
use serde::{Deserialize, Serialize};

/// A price on a list. List, product, unit and least quantity together are unique.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceEntry {
    pub list: PriceListId,
    pub product: ProductId,
    /// What the amount is for one of; an entry for another unit than the product's waits until
    /// the product is sold in it.
    pub unit: String,
    /// From so many on, in steps of the product.
    pub min_quantity: Quantity,
    /// For one whole unit, in minor units of the list's currency; never negative.
    pub amount: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceEntryError {
    #[error("the price is negative")]
    Negative,
    #[error("the price is too large: a million units at it could not be paid")]
    TooLarge,
    #[error("the unit is 1 to 20 characters on one line, such as each or kg")]
    Unit,
}

impl PriceEntry {
    /// In minor units; [`Quantity::MOST_UNITS`] at it still fit an amount of money.
    pub const MOST_AMOUNT: i64 = i64::MAX / Quantity::MOST_UNITS;

    pub fn check(&self) -> Result<(), PriceEntryError> {
        match self.amount {
            ..0 => return Err(PriceEntryError::Negative),
            0..=Self::MOST_AMOUNT => {}
            _ => return Err(PriceEntryError::TooLarge),
        }
        let characters = self.unit.chars().count();
        if !(1..=limits::UNIT).contains(&characters) || self.unit.chars().any(char::is_control) {
            return Err(PriceEntryError::Unit);
        }
        Ok(())
    }
}

/// Where a price comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PriceSource {
    /// The product's own price.
    Base,
    List {
        list: PriceListId,
    },
}

/// What one whole unit costs. An order's line keeps it as it was; at checkout it is compared with
/// what the ladder says then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UnitPrice {
    pub amount: Money,
    pub tax: TaxMode,
    pub source: PriceSource,
    /// From so many on it holds.
    pub min_quantity: Quantity,
}

/// A product's prices by quantity; no rungs where the price is on request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ladder {
    /// Rising in least quantity, no two equal.
    rungs: Vec<UnitPrice>,
}

impl Ladder {
    /// `base` is the product's own price, `entries` what any lists say of it: those of other
    /// products, units and lists than the set's are passed over.
    pub fn new(
        set: &PriceSet,
        product: ProductId,
        unit: &str,
        base: Option<Money>,
        entries: &[PriceEntry],
    ) -> Self {
        let base = base.filter(|price| price.currency == set.currency && price.minor >= 0);
        let base = base.map(|amount| {
            let (tax, source) = (set.base_tax, PriceSource::Base);
            (usize::MAX, UnitPrice { amount, tax, source, min_quantity: Quantity::STEP })
        });
        let mut offers: Vec<(usize, UnitPrice)> = entries
            .iter()
            .filter(|entry| entry.product == product && entry.unit == unit && entry.amount >= 0)
            .filter_map(|entry| {
                let (rank, tax) = set.rank(entry.list)?;
                let amount = Money { minor: entry.amount, currency: set.currency };
                let source = PriceSource::List { list: entry.list };
                Some((rank, UnitPrice { amount, tax, source, min_quantity: entry.min_quantity }))
            })
            .chain(base)
            .collect();
        // Of equal quantities the list that comes first is seen first, and of one list (which
        // holds a quantity once) the lower price.
        offers.sort_by_key(|(rank, price)| (price.min_quantity, *rank, price.amount.minor));
        let mut rungs: Vec<UnitPrice> = Vec::new();
        let mut winner = usize::MAX;
        for (rank, price) in offers {
            let taken = rungs.last().is_some_and(|last| last.min_quantity == price.min_quantity);
            if rank <= winner && !taken {
                winner = rank;
                rungs.push(price);
            }
        }
        Self { rungs }
    }

    /// What a whole unit costs when so many are taken; `None`: on request.
    pub fn at(&self, quantity: Quantity) -> Option<&UnitPrice> {
        let above = self.rungs.partition_point(|rung| rung.min_quantity <= quantity);
        self.rungs[..above].last()
    }

    /// Whether a price taken down earlier is still what so many cost.
    pub fn still_says(&self, earlier: &UnitPrice, quantity: Quantity) -> bool {
        self.at(quantity).is_some_and(|now| now.amount == earlier.amount && now.tax == earlier.tax)
    }

    /// The tiers to show, rising in least quantity: where only the source changes there is none.
    pub fn tiers(&self) -> Vec<&UnitPrice> {
        let mut tiers: Vec<&UnitPrice> = Vec::new();
        for rung in &self.rungs {
            let same = |last: &&&UnitPrice| (last.amount, last.tax) == (rung.amount, rung.tax);
            if tiers.last().filter(same).is_none() {
                tiers.push(rung);
            }
        }
        tiers
    }

    /// The lowest price at any quantity, for a `from …` on a card.
    pub fn lowest(&self) -> Option<&UnitPrice> {
        self.rungs.iter().min_by_key(|rung| rung.amount.minor)
    }
}
