//! What people change of a product's stock.

use super::{ItemStock, LevelStock, MovementKind, StockError, StockRecord, WarehouseLevel};
use crate::domain::{
    id::{StockItemId, WarehouseId},
    sku::Sku,
};
use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StockEdit {
    /// Sets what is there in these warehouses, by code, and how it is sold; other warehouses
    /// stay as they are. From then on the product is counted.
    Set { levels: Vec<(String, i64)>, threshold: i64, back_order: bool },
    /// So many more are there, or fewer.
    Adjust { warehouse: String, by: i64 },
}

/// Why nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditRefused {
    NoWarehouse(String),
    Level { warehouse: String, why: StockError },
}

/// An item after an edit, with what was counted in which warehouse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    pub stock: ItemStock,
    /// How many more are there than before.
    pub counted: Vec<(WarehouseId, i64)>,
}

impl StockEdit {
    pub fn kind(&self) -> MovementKind {
        match self {
            Self::Set { .. } => MovementKind::Set,
            Self::Adjust { .. } => MovementKind::Adjust,
        }
    }

    /// `warehouses`: those of the site, in the order they are drawn on.
    pub fn apply(
        &self,
        stock: &ItemStock,
        warehouses: &[(WarehouseId, String)],
    ) -> Result<Edited, EditRefused> {
        let mut edited = Edited { stock: stock.clone(), counted: Vec::new() };
        match self {
            Self::Set { levels, threshold, back_order } => {
                for (code, on_hand) in levels {
                    edited.count(code, warehouses, |_| *on_hand)?;
                }
                edited.stock.threshold = *threshold;
                edited.stock.back_order = *back_order;
            }
            Self::Adjust { warehouse, by } => {
                edited.count(warehouse, warehouses, |on_hand| on_hand.saturating_add(*by))?;
            }
        }
        Ok(edited)
    }
}

impl Edited {
    fn count(
        &mut self,
        code: &str,
        warehouses: &[(WarehouseId, String)],
        to: impl Fn(i64) -> i64,
    ) -> Result<(), EditRefused> {
        let known = warehouses.iter().find(|(_, known)| known == code);
        let (id, _) = known.ok_or_else(|| EditRefused::NoWarehouse(code.to_owned()))?;
        let levels = &mut self.stock.levels;
        let at = levels.iter().position(|level| level.warehouse == *id).unwrap_or_else(|| {
            levels.push(LevelStock { warehouse: *id, on_hand: 0, reserved: 0, owed: 0 });
            levels.len() - 1
        });
        let level = &mut levels[at];
        let before = level.on_hand;
        let counted = level.count(to(before));
        counted.map_err(|why| EditRefused::Level { warehouse: code.to_owned(), why })?;
        self.counted.push((*id, level.on_hand - before));
        Ok(())
    }
}

impl StockRecord {
    /// Of an item that one product has for itself.
    pub fn of(
        sku: Sku,
        item: StockItemId,
        version: i64,
        stock: &ItemStock,
        warehouses: &[(WarehouseId, String)],
    ) -> Self {
        let levels = warehouses.iter().filter_map(|(id, code)| {
            let level = stock.levels.iter().find(|level| level.warehouse == *id)?;
            let LevelStock { on_hand, reserved, owed, .. } = *level;
            Some(WarehouseLevel { warehouse: code.clone(), on_hand, reserved, owed })
        });
        Self {
            sku,
            item: Some(item),
            bundle: false,
            available: stock.shown(),
            threshold: stock.threshold,
            back_order: stock.back_order,
            version,
            levels: levels.collect(),
        }
    }

    /// What people set of it, as the audit log shows it.
    pub fn told(&self) -> impl Serialize + use<> {
        #[derive(Serialize)]
        struct Told {
            levels: Vec<(String, i64)>,
            threshold: i64,
            back_order: bool,
        }
        let levels = self.levels.iter().map(|level| (level.warehouse.clone(), level.on_hand));
        Told { levels: levels.collect(), threshold: self.threshold, back_order: self.back_order }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn warehouses() -> Vec<(WarehouseId, String)> {
        ["main", "north"]
            .iter()
            .enumerate()
            .map(|(n, code)| (WarehouseId(Uuid::from_u128(n as u128)), (*code).to_owned()))
            .collect()
    }

    fn set(levels: &[(&str, i64)]) -> StockEdit {
        let levels = levels.iter().map(|(code, n)| ((*code).to_owned(), *n)).collect();
        StockEdit::Set { levels, threshold: 2, back_order: true }
    }

    #[test]
    fn a_count_is_kept_as_the_difference_it_makes() {
        let edited = set(&[("north", 7)]).apply(&ItemStock::default(), &warehouses()).unwrap();
        assert_eq!(edited.counted, [(warehouses()[1].0, 7)]);
        let again = set(&[("north", 5), ("main", 1)]).apply(&edited.stock, &warehouses()).unwrap();
        assert_eq!(again.counted, [(warehouses()[1].0, -2), (warehouses()[0].0, 1)]);
        assert_eq!((again.stock.available(), again.stock.back_order), (4, true));
        let fewer = StockEdit::Adjust { warehouse: "north".into(), by: -6 };
        let refused = fewer.apply(&again.stock, &warehouses());
        let why = StockError::Negative;
        assert_eq!(refused, Err(EditRefused::Level { warehouse: "north".into(), why }));
    }

    #[test]
    fn a_warehouse_that_is_not_there_is_named() {
        let refused = set(&[("main", 1), ("nroth", 7)]).apply(&ItemStock::default(), &warehouses());
        assert_eq!(refused, Err(EditRefused::NoWarehouse("nroth".into())));
    }
}
