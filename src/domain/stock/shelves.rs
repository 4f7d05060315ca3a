//! The stock of some items in all their warehouses, as it is and as it is moved.
//!
//! Whoever changes stock reads it, locked, into [`Shelves`], moves it here, and writes the
//! difference ([`Shelves::moves_since`]): no rule of counting stands in SQL.

use super::StockBand;
use crate::domain::{
    id::{ProductId, StockItemId, WarehouseId},
    order::StockEffect,
};
use std::collections::{BTreeMap, HashMap};

/// An item in one warehouse, in steps of the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelStock {
    pub warehouse: WarehouseId,
    /// There, promised or not.
    pub on_hand: i64,
    /// Of those, promised to orders; never more.
    pub reserved: i64,
    /// Promised beyond what is there, of an item that may be ordered back.
    pub owed: i64,
}

/// An item in all its warehouses, in the order they are drawn on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ItemStock {
    pub levels: Vec<LevelStock>,
    /// So many are kept back: with no more than these it counts as sold out.
    pub threshold: i64,
    /// Whether more may be promised than there are.
    pub back_order: bool,
}

/// So many of an item from one warehouse, for one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reserve {
    pub item: StockItemId,
    pub warehouse: WarehouseId,
    /// In steps, those that are not there yet included.
    pub quantity: i64,
}

/// By how much one level changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelMove {
    pub item: StockItemId,
    pub warehouse: WarehouseId,
    pub on_hand: i64,
    pub reserved: i64,
    pub owed: i64,
}

/// Why stock was not moved; nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StockError {
    /// What is to leave the warehouse has not arrived there.
    #[error("{missing} of an item are not in stock yet")]
    NotThere { item: StockItemId, missing: i64 },
    #[error("{reserved} are promised to orders, so there can't be fewer")]
    Promised { reserved: i64 },
    #[error("there can't be fewer than none")]
    Negative,
    #[error("that is more than can be counted")]
    TooMany,
    #[error("the item is not in this warehouse")]
    NoLevel,
}

impl LevelStock {
    /// No more than this is counted in one place.
    pub const MOST: i64 = 1_000_000_000_000;

    pub fn free(&self) -> i64 {
        self.on_hand.saturating_sub(self.reserved)
    }

    /// Sets what is there. What was owed is promised out of what has come.
    pub fn count(&mut self, on_hand: i64) -> Result<(), StockError> {
        match on_hand {
            ..0 => return Err(StockError::Negative),
            _ if on_hand < self.reserved => {
                return Err(StockError::Promised { reserved: self.reserved });
            }
            _ if on_hand > Self::MOST => return Err(StockError::TooMany),
            _ => {}
        }
        self.on_hand = on_hand;
        let come = self.owed.min(self.free());
        self.owed -= come;
        self.reserved += come;
        Ok(())
    }
}

impl ItemStock {
    /// How many could be sold now; below zero when the threshold is above what is free.
    pub fn available(&self) -> i64 {
        let free = self.levels.iter().fold(0i64, |sum, level| sum.saturating_add(level.free()));
        free.saturating_sub(self.threshold)
    }

    pub fn has(&self, wanted: i64) -> bool {
        // What is owed needs a warehouse that owes it.
        wanted <= self.available() || (self.back_order && !self.levels.is_empty())
    }

    /// How many a shopper is told of; `None`: as many as anybody likes.
    pub(super) fn shown(&self) -> Option<i64> {
        match self.available() {
            ..=0 if self.back_order => None,
            available => Some(available),
        }
    }

    pub fn level(&mut self, warehouse: WarehouseId) -> Option<&mut LevelStock> {
        self.levels.iter_mut().find(|level| level.warehouse == warehouse)
    }
}

/// All items that some products consume.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shelves {
    items: HashMap<StockItemId, ItemStock>,
    /// What one of a product consumes, by item.
    uses: HashMap<ProductId, Vec<(StockItemId, i64)>>,
}

impl Shelves {
    pub fn new(items: HashMap<StockItemId, ItemStock>) -> Self {
        Self { items, uses: HashMap::new() }
    }

    /// One of `product` consumes `quantity` of an item. A product without any is counted by
    /// nobody.
    pub fn consumes(&mut self, product: ProductId, item: StockItemId, quantity: i64) {
        self.uses.entry(product).or_default().push((item, quantity));
    }

    pub fn item(&self, item: StockItemId) -> Option<&ItemStock> {
        self.items.get(&item)
    }

    pub fn item_mut(&mut self, item: StockItemId) -> Option<&mut ItemStock> {
        self.items.get_mut(&item)
    }

    /// Items that the products consume and whose stock is not in here.
    pub fn unknown_items(&self) -> Vec<StockItemId> {
        let used = self.uses.values().flatten().map(|(item, _)| *item);
        let mut unknown: Vec<_> = used.filter(|item| !self.items.contains_key(item)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        unknown
    }

    pub fn add(&mut self, items: HashMap<StockItemId, ItemStock>) {
        self.items.extend(items);
    }

    pub fn uses(&self, product: ProductId) -> &[(StockItemId, i64)] {
        self.uses.get(&product).map_or(&[], Vec::as_slice)
    }

    /// How many of a product could be sold now: the scarcest of its items decides. `None`: as
    /// many as anybody likes.
    pub fn available(&self, product: ProductId) -> Option<i64> {
        let of = |(item, each): &(StockItemId, i64)| match self.items.get(item) {
            Some(stock) => stock.shown().map(|shown| shown.div_euclid(*each)),
            None => Some(0),
        };
        self.uses(product).iter().filter_map(of).min()
    }

    /// Products whose band is another than it was in `before`, by id.
    pub fn bands_moved(&self, before: &Self) -> Vec<ProductId> {
        let band = |shelves: &Self, product| StockBand::of(shelves.available(product));
        let mut moved: Vec<_> = self.uses.keys().copied().collect();
        moved.retain(|product| band(self, *product) != band(before, *product));
        moved.sort_unstable();
        moved
    }

    /// Every level that is another than it was in `before`, in the order in which levels are
    /// locked: by item and warehouse.
    pub fn moves_since(&self, before: &Self) -> Vec<LevelMove> {
        let mut moves = BTreeMap::new();
        for (item, stock) in &self.items {
            let old = before.items.get(item);
            for level in &stock.levels {
                let old = old.and_then(|old| {
                    old.levels.iter().find(|was| was.warehouse == level.warehouse).copied()
                });
                let nothing =
                    LevelStock { warehouse: level.warehouse, on_hand: 0, reserved: 0, owed: 0 };
                let old = old.unwrap_or(nothing);
                if old != *level {
                    let (item, warehouse) = (*item, level.warehouse);
                    let moved = LevelMove {
                        item,
                        warehouse,
                        on_hand: level.on_hand - old.on_hand,
                        reserved: level.reserved - old.reserved,
                        owed: level.owed - old.owed,
                    };
                    moves.insert((item, warehouse), moved);
                }
            }
        }
        moves.into_values().collect()
    }

    /// Takes what the item [has](ItemStock::has), warehouse by warehouse, the rest as owed by the
    /// first of them.
    pub fn take(&mut self, item: StockItemId, wanted: i64, reserves: &mut Vec<Reserve>) {
        let Some(stock) = self.items.get_mut(&item) else { return };
        // Those kept back stay in the warehouses drawn on last.
        let mut sellable = stock.available().max(0);
        let mut left = wanted;
        let own = reserves.len();
        for level in &mut stock.levels {
            let taken = left.min(sellable).min(level.free()).max(0);
            if taken == 0 {
                continue;
            }
            level.reserved += taken;
            sellable -= taken;
            left -= taken;
            reserves.push(Reserve { item, warehouse: level.warehouse, quantity: taken });
        }
        let (true, Some(first)) = (left > 0, stock.levels.first_mut()) else { return };
        first.owed = first.owed.saturating_add(left);
        match reserves[own..].iter_mut().find(|reserve| reserve.warehouse == first.warehouse) {
            Some(reserve) => reserve.quantity = reserve.quantity.saturating_add(left),
            None => reserves.push(Reserve { item, warehouse: first.warehouse, quantity: left }),
        }
    }

    /// What an order's move does to its goods.
    pub fn affect(&mut self, effect: StockEffect, reserves: &[Reserve]) -> Result<(), StockError> {
        match effect {
            StockEffect::Release => self.release(reserves),
            StockEffect::Consume => self.consume(reserves),
            StockEffect::Restock => self.restock(reserves),
        }
    }

    /// Lets go what was promised to an order: first of what isn't there yet.
    pub fn release(&mut self, reserves: &[Reserve]) -> Result<(), StockError> {
        for reserve in reserves {
            let level = self.level(reserve)?;
            let owed = level.owed.min(reserve.quantity);
            level.owed -= owed;
            level.reserved -= reserve.quantity - owed;
        }
        Ok(())
    }

    /// What was promised to an order leaves the warehouse; all of it or, with an error, part of
    /// it in here: throw this away then.
    pub fn consume(&mut self, reserves: &[Reserve]) -> Result<(), StockError> {
        for reserve in reserves {
            let level = self.level(reserve)?;
            let missing = reserve.quantity - level.reserved;
            if missing > 0 {
                return Err(StockError::NotThere { item: reserve.item, missing });
            }
            level.on_hand -= reserve.quantity;
            level.reserved -= reserve.quantity;
        }
        Ok(())
    }

    /// What an order had got is back.
    pub fn restock(&mut self, reserves: &[Reserve]) -> Result<(), StockError> {
        for reserve in reserves {
            let level = self.level(reserve)?;
            level.count(level.on_hand.saturating_add(reserve.quantity))?;
        }
        Ok(())
    }

    fn level(&mut self, reserve: &Reserve) -> Result<&mut LevelStock, StockError> {
        let stock = self.items.get_mut(&reserve.item).ok_or(StockError::NoLevel)?;
        stock.level(reserve.warehouse).ok_or(StockError::NoLevel)
    }
}

#[cfg(test)]
mod tests;
