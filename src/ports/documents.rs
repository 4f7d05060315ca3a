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
    /// Damaged: rebuild them.
    #[error("the local documents can't be read: {0}")]
    Corrupt(String),
    /// Another process has them, or the file can't be reached: nothing was changed, and nothing
    /// must be thrown away for it.
    #[error("the local documents are unavailable: {0}")]
    Unavailable(String),
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

/// The names a change touched: every product of the batch under the slug it has now, and under
/// the one it had before where that differs. What was made of either is out of date.
pub type Touched = Vec<(ProductId, String)>;

pub trait Documents: Send + Sync {
    fn by_slug(&self, scope: &Scope, slug: &str) -> Result<Option<StoredDocument>, DocumentsError>;
    fn by_sku(&self, scope: &Scope, sku: &Sku) -> Result<Option<StoredDocument>, DocumentsError>;
    /// In the order asked; `None` for what isn't there.
    fn by_ids(
        &self,
        scope: &Scope,
        ids: &[ProductId],
    ) -> Result<Vec<Option<StoredDocument>>, DocumentsError>;
    /// Only the documents, cheaper than [`Self::by_ids`].
    fn documents(
        &self,
        scope: &Scope,
        ids: &[ProductId],
    ) -> Result<Vec<Option<ProductDocument>>, DocumentsError>;
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
    /// Up to `limit` ids that sort behind `after`, ascending; of a rebuild, which drops those that
    /// the database has no more.
    fn ids(
        &self,
        scope: &Scope,
        after: Option<ProductId>,
        limit: usize,
    ) -> Result<Vec<ProductId>, DocumentsError>;
    /// Applies a batch and the place in the log it stands for in one commit: after a crash both
    /// are there or neither. A position says that everything in here is of the present form and
    /// no older than that; without one the position stays, and a crash may take the batch back.
    /// Of two changes of one product the later wins. Blocks: call it off the request threads.
    fn apply(
        &self,
        scope: &Scope,
        changes: Vec<DocumentChange>,
        categories: Option<CategoryTree>,
        position: Option<Position>,
    ) -> Result<Touched, DocumentsError>;
    /// Forgets the position for good and keeps what is readable: called before a rebuild, so that
    /// one that dies half-way is begun again rather than taken for done. Blocks.
    fn forget_position(&self) -> Result<(), DocumentsError>;
    /// Forgets everything; works on a damaged file too. Blocks.
    fn clear(&self) -> Result<(), DocumentsError>;
}
