//! The stock of some items in all their warehouses, as it is and as orders take from it.

use crate::domain::{
    id::{ProductId, StockItemId, WarehouseId},
    stock::StockBand,
};
use std::collections::HashMap;

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
    /// All of them.
    pub quantity: i64,
    /// Of those, that are not there yet.
    pub owed: i64,
}

impl LevelStock {
    pub fn free(&self) -> i64 {
        self.on_hand.saturating_sub(self.reserved)
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
    fn shown(&self) -> Option<i64> {
        match self.available() {
            ..=0 if self.back_order => None,
            available => Some(available),
        }
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

    pub fn items(&self) -> impl Iterator<Item = (&StockItemId, &ItemStock)> {
        self.items.iter()
    }

    pub(super) fn uses(&self, product: ProductId) -> &[(StockItemId, i64)] {
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

    /// Takes what the item [has](ItemStock::has), warehouse by warehouse, the rest as owed by the
    /// first of them.
    pub(super) fn take(&mut self, item: StockItemId, wanted: i64, reserves: &mut Vec<Reserve>) {
        let Some(stock) = self.items.get_mut(&item) else { return };
        // Those kept back stay in the warehouses drawn on last.
        let mut sellable = stock.available().max(0);
        let mut left = wanted;
        for level in &mut stock.levels {
            let taken = left.min(sellable).min(level.free()).max(0);
            if taken == 0 {
                continue;
            }
            level.reserved += taken;
            sellable -= taken;
            left -= taken;
            reserves.push(Reserve { item, warehouse: level.warehouse, quantity: taken, owed: 0 });
        }
        let (true, Some(first)) = (left > 0, stock.levels.first_mut()) else { return };
        first.owed = first.owed.saturating_add(left);
        match reserves.iter_mut().find(|r| r.item == item && r.warehouse == first.warehouse) {
            Some(reserve) => {
                reserve.quantity = reserve.quantity.saturating_add(left);
                reserve.owed = left;
            }
            None => reserves.push(Reserve {
                item,
                warehouse: first.warehouse,
                quantity: left,
                owed: left,
            }),
        }
    }
}
