//! What the edge asks of the rest of the process, beside the read ports.
//!
//! Each is the shape of an actor's handle. They are traits so that a route's test needs no tree of
//! actors, and so that a test can be a handle that is full, away or slow.

use crate::{
    domain::{
        id::ImportId,
        scope::Scope,
        search::{SearchPage, SearchQuery, Suggestions},
        time::Micros,
    },
    ports::imports::{Import, ImportOptions},
};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
use serde::{Deserialize, Serialize};
use std::pin::Pin;
use supervisors::Snapshot;
use utoipa::ToSchema;

/// Why a handle could not do what it was asked; a variant for each thing a client may do
/// differently.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Refused at the door; nothing was begun.
    #[error("its queue is full")]
    Busy,
    /// What it needs is away.
    #[error("unavailable: {0}")]
    Away(String),
    /// No answer came: it may or may not have been done.
    #[error("no answer: {0}")]
    Unanswered(String),
    /// Not in the state things are in, for this reason.
    #[error("{0}")]
    NotNow(String),
    #[error("no room: {0}")]
    NoRoom(String),
    /// The client broke off, or sent what can't be read.
    #[error("unreadable: {0}")]
    Unreadable(String),
    #[error("broken: {0}")]
    Broken(String),
}

/// Questions to the search index, asked through its pool.
#[async_trait]
pub trait Searching: Send + Sync {
    async fn search(&self, query: SearchQuery) -> Result<SearchPage, Refusal>;
    async fn suggest(&self, scope: Scope, typed: String, limit: usize)
    -> Result<Suggestions, Refusal>;
    /// Rises whenever answers may differ from before. Costs an atomic read.
    fn generation(&self) -> u64;
    /// Products that can be found.
    fn count(&self) -> u64;
    /// Starts a rebuild, or joins the one underway.
    async fn reindex(&self) -> Result<Reindex, Refusal>;
    /// `None`: none since the process began.
    fn reindex_progress(&self) -> Option<Reindex>;
}

/// A rebuild of the search index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reindex {
    pub state: ReindexState,
    /// Products in the shadow index.
    pub done: u64,
    /// Products there are.
    pub total: u64,
    /// What went wrong.
    #[schema(required)]
    pub message: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReindexState {
    Running,
    Succeeded,
    Failed,
}

/// Rows as they arrive; read by one import, never held whole.
pub type Rows = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

/// Catalogue imports.
#[async_trait]
pub trait Importing: Send + Sync {
    /// Stores the rows and queues the import; answers when the last row is stored.
    async fn submit(
        &self,
        name: String,
        options: ImportOptions,
        rows: Rows,
    ) -> Result<Import, Refusal>;
    async fn get(&self, id: ImportId) -> Result<Option<Import>, Refusal>;
    /// Newest first.
    async fn list(&self, before: Option<ImportId>, limit: u32) -> Result<Vec<Import>, Refusal>;
    /// Rejected rows as JSON lines; `None`: no such import.
    async fn errors(&self, id: ImportId) -> Result<Option<Bytes>, Refusal>;
    /// `None`: no such import.
    async fn cancel(&self, id: ImportId) -> Result<Option<Import>, Refusal>;
    /// `None`: no such import.
    async fn resume(&self, id: ImportId) -> Result<Option<Import>, Refusal>;
}

/// A pool with its size and where that comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PoolInfo {
    pub name: String,
    /// `running`, `paused`, `draining`, …
    pub state: String,
    pub workers: u64,
    /// Without an operator's override.
    pub configured: u64,
    /// Workers it may grow to.
    pub most: u64,
    pub busy: u64,
    /// Jobs waiting.
    pub depth: u64,
    /// Jobs that may wait.
    pub bound: u64,
    pub refused: u64,
    /// Busy share of the workers' time, 0 to 1.
    pub utilisation: f64,
    /// `too small`, `too big` or `fine`, by Little's law.
    pub fit: String,
    #[schema(required)]
    pub r#override: Option<OverrideInfo>,
}

/// What an operator set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OverrideInfo {
    #[schema(required)]
    pub workers: Option<u32>,
    pub paused: bool,
    pub by: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    pub at: String,
    /// RFC 3339, UTC; `null`: for good.
    #[schema(required, format = DateTime)]
    pub until: Option<String>,
}

/// Live changes of the pools. Each answers the pool as it is afterwards; `None`: no such pool.
#[async_trait]
pub trait Pooling: Send + Sync {
    async fn list(&self) -> Result<Vec<PoolInfo>, Refusal>;
    async fn set(
        &self,
        pool: &str,
        workers: u32,
        by: &str,
        until: Option<Micros>,
    ) -> Result<Option<PoolInfo>, Refusal>;
    async fn pause(&self, pool: &str, by: &str) -> Result<Option<PoolInfo>, Refusal>;
    async fn resume(&self, pool: &str, by: &str) -> Result<Option<PoolInfo>, Refusal>;
    async fn drain(&self, pool: &str, by: &str) -> Result<Option<PoolInfo>, Refusal>;
    async fn revert(&self, pool: &str, by: &str) -> Result<Option<PoolInfo>, Refusal>;
}

/// The tree of actors as it runs.
pub trait Viewing: Send + Sync {
    fn snapshot(&self) -> Snapshot;
}

impl Viewing for supervisors::TreeView {
    fn snapshot(&self) -> Snapshot {
        Self::snapshot(self)
    }
}

/// One component's health. Must be quick: it may be asked every second.
#[async_trait]
pub trait Check: Send + Sync {
    /// A category such as `database`; never an id.
    fn name(&self) -> &'static str;
    /// Whether the shop can do without it for a while: shown, but not counted.
    fn optional(&self) -> bool {
        false
    }
    /// What is wrong, in a sentence for the operator.
    async fn check(&self) -> Result<(), String>;
}
