//! Stock: what is asked of it, and how it is read back.

use super::StoreError;
use crate::domain::{
    id::{StockItemId, WarehouseId},
    scope::{Scope, Site},
    sku::Sku,
    stock::{EditRefused, LowStock, Movement, StockEdit, StockRecord},
    time::Micros,
};
use async_trait::async_trait;
use uuid::Uuid;

/// Something that somebody wants of a product's own stock.
#[derive(Debug, Clone)]
pub struct StockWrite {
    pub site: Site,
    pub sku: Sku,
    pub edit: StockEdit,
    /// Who, as the audit log names them.
    pub by: String,
    pub note: String,
    pub at: Micros,
    /// Only if the stock is still this version.
    pub if_version: Option<i64>,
}

/// What became of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StockWritten {
    Done(StockRecord),
    /// It is counted by its parts.
    Bundle,
    /// It is another version, this one.
    Stale(i64),
    Refused(EditRefused),
}

/// A place that holds stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warehouse {
    pub id: WarehouseId,
    pub site: Site,
    pub code: String,
    pub name: String,
    /// The lowest is drawn on first.
    pub priority: i32,
}

/// A level whose books don't balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    pub item: StockItemId,
    /// The warehouse's code.
    pub warehouse: String,
    pub on_hand: i64,
    /// What all movements come to.
    pub moved: i64,
    /// Reserved and owed, as the level says.
    pub promised: i64,
    /// What all reservations come to.
    pub reservations: i64,
}

#[async_trait]
pub trait Stock: Send + Sync {
    /// `None`: no such product.
    async fn record(&self, site: &Site, sku: &Sku) -> Result<Option<StockRecord>, StoreError>;

    /// Up to `limit` movements of an item before one of them, the newest first.
    async fn movements(
        &self,
        item: StockItemId,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Movement>, StoreError>;

    /// In the order they are drawn on.
    async fn warehouses(&self, site: &Site) -> Result<Vec<Warehouse>, StoreError>;

    /// Up to `limit` products on sale that are counted themselves, and of which no more than `few`
    /// could be sold; the scarcest first.
    async fn low(&self, scope: &Scope, few: i64, limit: u32) -> Result<Vec<LowStock>, StoreError>;

    /// Up to `limit` levels that don't agree with their reservations or movements.
    async fn drift(&self, limit: u32) -> Result<Vec<Drift>, StoreError>;
}
