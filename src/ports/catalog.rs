//! Reading the catalogue out of the database, for those who make something of it.
//!
//! Shoppers' reads go to [`super::documents`] and [`super::search`] instead.

use super::{
    StoreError,
    products::{ProductFilter, StoredDraft},
};
use crate::domain::{
    category::CategoryTree,
    document::ProductDocument,
    id::ProductId,
    product::{ProductDraft, ProductRow},
    scope::Scope,
    sku::Sku,
};
use async_trait::async_trait;

#[async_trait]
pub trait Catalog: Send + Sync {
    /// The current documents of these products, and of those whose document shows one of them (a
    /// parent shows its variants). A product that is gone is absent; order means nothing.
    async fn documents(
        &self,
        scope: &Scope,
        products: &[ProductId],
    ) -> Result<Vec<ProductDocument>, StoreError>;

    /// Up to `limit` product ids above `after`, ascending: for rebuilding everything.
    async fn product_ids(
        &self,
        scope: &Scope,
        after: Option<ProductId>,
        limit: u32,
    ) -> Result<Vec<ProductId>, StoreError>;

    async fn categories(&self, scope: &Scope) -> Result<CategoryTree, StoreError>;

    async fn product_count(&self) -> Result<u64, StoreError>;
}

/// The catalogue as a source of imports.
#[async_trait]
pub trait Drafts: Send + Sync {
    /// Up to `limit` products whose SKU sorts behind `after`, by SKU, in every status and with
    /// what is on hand in each warehouse: imported into an empty shop, they make the same products.
    async fn drafts(
        &self,
        scope: &Scope,
        after: Option<&Sku>,
        limit: u32,
    ) -> Result<Vec<ProductDraft>, StoreError>;

    /// One of them, in whatever status.
    async fn draft(&self, scope: &Scope, sku: &Sku) -> Result<Option<StoredDraft>, StoreError>;

    /// Up to `limit` products that fit, behind a SKU, by SKU and in every status. Looks at all of
    /// them where few fit.
    async fn find(
        &self,
        scope: &Scope,
        filter: &ProductFilter,
        after: Option<&Sku>,
        limit: u32,
    ) -> Result<Vec<ProductRow>, StoreError>;
}
