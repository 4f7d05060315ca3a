//! The full-text index: answering questions and following the documents.

use crate::domain::{
    document::ProductDocument,
    event::Position,
    id::ProductId,
    scope::Scope,
    search::{SearchPage, SearchQuery, Suggestions},
};
use async_trait::async_trait;

#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The engine is away or rebuilding: show the category without search.
    #[error("search is unavailable: {0}")]
    Unavailable(String),
    #[error("the search index has no room: {0}")]
    Full(String),
    /// Damaged or of another version: rebuild it.
    #[error("the search index can't be read: {0}")]
    Corrupt(String),
}

/// Answers questions. Blocking work runs off the request threads inside the adapter's caller (the
/// search pool), so these are synchronous.
pub trait Search: Send + Sync {
    fn search(&self, query: &SearchQuery) -> Result<SearchPage, SearchError>;
    /// The answer that [`Self::search`] would give, when it takes no more than looking it up: it
    /// may be asked for on a request's own thread. Questions with words are never among these.
    fn ready(&self, _query: &SearchQuery) -> Option<SearchPage> {
        None
    }
    /// Products and brands whose words begin as `typed` does.
    fn suggest(&self, scope: &Scope, typed: &str, limit: usize)
    -> Result<Suggestions, SearchError>;
    /// Rises whenever answers may differ from before.
    fn generation(&self) -> u64;
    /// Documents that can be found.
    fn count(&self) -> u64;
}

/// One product's change for the index.
#[derive(Debug, Clone)]
pub enum IndexChange {
    Put(Box<ProductDocument>),
    Remove(ProductId),
}

/// Keeps the index. One at a time; owned by the indexer. Blocking inside.
#[async_trait]
pub trait SearchIndex: Send {
    /// Where the live index stands, read from its own last commit.
    async fn position(&mut self) -> Result<Option<Position>, SearchError>;
    /// Gives changes that the next [`Self::apply`] commits with its own. After a failure of either,
    /// or a death, none of them is in: they are given again from the position. Needs a live index.
    async fn add(&mut self, scope: &Scope, changes: Vec<IndexChange>) -> Result<(), SearchError>;
    /// Applies changes and commits them together with `position`; they can be found when this
    /// returns.
    async fn apply(
        &mut self,
        scope: &Scope,
        changes: Vec<IndexChange>,
        position: Position,
    ) -> Result<(), SearchError>;
    /// Starts an empty shadow beside the live index, dropping an unfinished one.
    async fn begin_shadow(&mut self) -> Result<(), SearchError>;
    /// Adds to the shadow; nothing of it can be found yet.
    async fn fill_shadow(
        &mut self,
        scope: &Scope,
        changes: Vec<IndexChange>,
    ) -> Result<(), SearchError>;
    /// Commits the shadow at `position` and puts it in the live one's place in one step: every
    /// question is answered by one or the other, whole.
    async fn swap(&mut self, position: Position) -> Result<(), SearchError>;
}
