//! Stock as staff sees and changes it.
//!
//! Promise: a change is answered once it is committed with its line in the ledger and in the audit
//! log. What orders hold is never taken from under them.

use super::writer::{StoreHandle, WriteError, unexpected};
use crate::{
    domain::{
        id::StockItemId,
        scope::{Scope, Site},
        sku::Sku,
        stock::{LowStock, Movement, StockBand, StockRecord},
    },
    ports::{
        StoreError,
        stock::{self as port, StockWrite, StockWritten, Warehouse},
        writer::{Write, Written},
    },
};
use std::sync::Arc;
use uuid::Uuid;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Stocks {
    pub(crate) store: StoreHandle,
    pub(crate) rows: Arc<dyn port::Stock>,
}

impl Stocks {
    pub(crate) async fn record(
        &self,
        site: &Site,
        sku: &Sku,
    ) -> Result<Option<StockRecord>, StoreError> {
        self.rows.record(site, sku).await
    }

    /// The newest first.
    pub(crate) async fn movements(
        &self,
        item: StockItemId,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Movement>, StoreError> {
        self.rows.movements(item, before, limit).await
    }

    /// Products of which few are left, the scarcest first.
    pub(crate) async fn low(&self, scope: &Scope, limit: u32) -> Result<Vec<LowStock>, StoreError> {
        self.rows.low(scope, StockBand::FEW, limit).await
    }

    pub(crate) async fn warehouses(&self, site: &Site) -> Result<Vec<Warehouse>, StoreError> {
        self.rows.warehouses(site).await
    }

    /// `None`: no such product.
    pub(crate) async fn edit(&self, write: StockWrite) -> Result<Option<StockWritten>, WriteError> {
        match self.store.write(Write::Stock(write)).await? {
            Written::Stock(written) => Ok(Some(written)),
            Written::Absent => Ok(None),
            other => Err(unexpected(&other)),
        }
    }

    /// Makes one, or changes the one of this code.
    pub(crate) async fn put_warehouse(&self, warehouse: Warehouse) -> Result<(), WriteError> {
        match self.store.write(Write::PutWarehouse(warehouse)).await? {
            Written::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }
}
