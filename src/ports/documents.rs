//! Every node's own copy of what shoppers read, in its data folder.
//!
//! It follows the log and keeps its position in the same commit as the documents, so it can lag
//! but never skip; lost, it is rebuilt from the database. Reads are synchronous and take
//! microseconds: they run on the request's own thread, also while the database is down.

use crate::domain::{
    category::CategoryTree, document::ProductDocument, event::Position, id::ProductId,
    scope::Scope, sku::Sku,
};
use bytes::Bytes;
use std::sync::Arc;

#[derive(Debug, thiserror::Error)]
pub enum DocumentsError {
    #[error("the local documents have no room: {0}")]
    Full(String),
    #[error("the local documents can't be read: {0}")]
    Corrupt(String),
}

/// What is kept of one product, all of it made by `views` when an event touched it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDocument {
    pub document: ProductDocument,
    /// The API's JSON object, ready to send.
    pub json: Bytes,
    /// The product's card for lists, as HTML.
    pub card: Bytes,
}

/// One product's change in a batch.
#[derive(Debug, Clone)]
pub enum DocumentChange {
    Put(Box<StoredDocument>),
    Remove(ProductId),
}

pub trait Documents: Send + Sync {
    fn by_slug(&self, scope: &Scope, slug: &str) -> Result<Option<StoredDocument>, DocumentsError>;
    fn by_sku(&self, scope: &Scope, sku: &Sku) -> Result<Option<StoredDocument>, DocumentsError>;
    /// In the order asked; `None` for what isn't there.
    fn by_ids(
        &self,
        scope: &Scope,
        ids: &[ProductId],
    ) -> Result<Vec<Option<StoredDocument>>, DocumentsError>;
    /// Only the cards, cheaper than [`Self::by_ids`].
    fn cards(&self, scope: &Scope, ids: &[ProductId])
    -> Result<Vec<Option<Bytes>>, DocumentsError>;
    /// Only the API's JSON, cheaper than [`Self::by_ids`].
    fn json(&self, scope: &Scope, ids: &[ProductId]) -> Result<Vec<Option<Bytes>>, DocumentsError>;
    /// Up to `limit` documents whose SKU sorts behind `after`, by SKU.
    fn page_by_sku(
        &self,
        scope: &Scope,
        after: Option<&Sku>,
        limit: usize,
    ) -> Result<Vec<StoredDocument>, DocumentsError>;
    /// Up to `limit` documents whose id sorts behind `after`, by id: a stable walk for a rebuild.
    fn page_by_id(
        &self,
        scope: &Scope,
        after: Option<ProductId>,
        limit: usize,
    ) -> Result<Vec<ProductDocument>, DocumentsError>;
    /// The whole tree, held in memory.
    fn categories(&self, scope: &Scope) -> Arc<CategoryTree>;
    fn count(&self) -> Result<u64, DocumentsError>;
    /// `None` before the first build, and when it was made by a version whose form differs.
    fn position(&self) -> Result<Option<Position>, DocumentsError>;
    /// Applies a batch and the place in the log it stands for in one commit. Blocks: call it off
    /// the request threads.
    fn apply(
        &self,
        scope: &Scope,
        changes: Vec<DocumentChange>,
        categories: Option<CategoryTree>,
        position: Option<Position>,
    ) -> Result<(), DocumentsError>;
    /// Forgets everything, before a rebuild from the database. Blocks.
    fn clear(&self) -> Result<(), DocumentsError>;
}
