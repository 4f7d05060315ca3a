//! Products one at a time, as staff sees and changes them.
//!
//! Promise: a change is made for the version that was seen, or not at all, and answered once it is
//! committed with its line in the audit log. What shoppers see follows through the log.

use super::{
    carts::Named,
    writer::{OnceError, StoreHandle, Told, WriteError, unexpected},
};
use crate::{
    domain::{
        principal::Principal,
        product::{ProductDraft, ProductRow},
        scope::Scope,
        sku::Sku,
    },
    ports::{
        StoreError,
        catalog::Drafts,
        clock::Clock,
        products::{ProductFilter, ProductWrite, ProductWritten, StoredDraft},
        writer::{Once, Write, Written},
    },
};
use std::sync::Arc;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Products {
    pub(crate) store: StoreHandle,
    pub(crate) rows: Arc<dyn Drafts>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) scope: Scope,
}

impl Products {
    pub(crate) async fn get(&self, sku: &Sku) -> Result<Option<StoredDraft>, StoreError> {
        self.rows.draft(&self.scope, sku).await
    }

    /// By SKU, in every status.
    pub(crate) async fn find(
        &self,
        filter: &ProductFilter,
        after: Option<&Sku>,
        limit: u32,
    ) -> Result<Vec<ProductRow>, StoreError> {
        self.rows.find(&self.scope, filter, after, limit).await
    }

    /// Puts it in the place of what it was. `None`: it is gone.
    pub(crate) async fn change(
        &self,
        before: StoredDraft,
        draft: ProductDraft,
        who: &Principal,
    ) -> Result<Option<ProductWritten>, WriteError> {
        if before.draft == draft {
            return Ok(Some(ProductWritten::Put(before.version)));
        }
        self.write(self.wish(Some(before), draft, who)).await
    }

    pub(crate) async fn make(
        &self,
        draft: ProductDraft,
        who: &Principal,
    ) -> Result<Option<ProductWritten>, WriteError> {
        self.write(self.wish(None, draft, who)).await
    }

    /// Makes one, once however often it is asked under this name.
    pub(crate) async fn make_once(
        &self,
        draft: ProductDraft,
        who: &Principal,
        named: Named,
    ) -> Result<Told, OnceError> {
        let write = self.wish(None, draft, who);
        let Named { name, body, answer } = named;
        let at = write.at;
        let write = Box::new(Write::Product(Box::new(write)));
        self.store.once(Once { name, body, at, write, answer }).await
    }

    fn wish(
        &self,
        before: Option<StoredDraft>,
        draft: ProductDraft,
        who: &Principal,
    ) -> ProductWrite {
        let (by, at) = (who.to_string(), self.clock.now());
        ProductWrite { scope: self.scope.clone(), draft, before, by, at }
    }

    async fn write(&self, write: ProductWrite) -> Result<Option<ProductWritten>, WriteError> {
        match self.store.write(Write::Product(Box::new(write))).await? {
            Written::Product(written) => Ok(Some(written)),
            Written::Absent => Ok(None),
            other => Err(unexpected(&other)),
        }
    }
}
