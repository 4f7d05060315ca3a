//! What the edge asks of the rest of the process, beside the read ports.
//!
//! Each is the shape of an actor's handle, with its errors already in a client's words (by
//! [`super::error`], as every error here). They are traits so that a route's test needs no tree of
//! actors, and so that a test can be a handle that is full, away or slow.

use crate::{
    actors::keepers::sessions::{Opened, Whence},
    domain::{
        id::{ImportId, SessionId, UserId},
        import::RowError,
        scope::Scope,
        search::{SearchPage, SearchQuery, Suggestions},
        secret::Secret,
        session::{Session, Via},
        time::Micros,
    },
    http::error::Problem,
    ports::imports::{Import, ImportOptions},
};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
use serde::{Deserialize, Serialize};
use std::{pin::Pin, sync::Arc};
use supervisors::Snapshot;
use utoipa::ToSchema;

/// Questions to the search index, asked through its pool.
#[async_trait]
pub(crate) trait Searching: Send + Sync {
    async fn search(&self, query: SearchQuery) -> Result<SearchPage, Problem>;
    /// The answer, if it needs no more than looking it up: without the pool, on the spot.
    fn ready(&self, _query: &SearchQuery) -> Option<SearchPage> {
        None
    }
    async fn suggest(
        &self,
        scope: Scope,
        typed: String,
        limit: usize,
    ) -> Result<Suggestions, Problem>;
    /// Rises whenever answers may differ from before. Costs an atomic read.
    fn generation(&self) -> u64;
    /// Starts a rebuild, or joins the one underway.
    async fn reindex(&self) -> Result<Reindex, Problem>;
    /// `None`: none since the process began.
    fn reindex_progress(&self) -> Option<Reindex>;
}

/// A rebuild of the search index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Reindex {
    pub(crate) state: ReindexState,
    /// Products in the shadow index.
    pub(crate) done: u64,
    /// Products there are.
    pub(crate) total: u64,
    /// What went wrong.
    #[schema(required)]
    pub(crate) message: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReindexState {
    Running,
    Succeeded,
    Failed,
}

/// Rows as they arrive; read by one import, never held whole.
pub(crate) type Rows = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

/// Catalogue imports.
#[async_trait]
pub(crate) trait Importing: Send + Sync {
    /// Stores the rows and queues the import; answers when the last row is stored.
    async fn submit(
        &self,
        name: String,
        options: ImportOptions,
        rows: Rows,
    ) -> Result<Import, Problem>;
    async fn get(&self, id: ImportId) -> Result<Option<Import>, Problem>;
    /// Newest first.
    async fn list(&self, before: Option<ImportId>, limit: u32) -> Result<Vec<Import>, Problem>;
    /// Up to `limit` rejected rows behind the first `after`, in the order of the rows. None for an
    /// import that nobody knows.
    async fn errors(
        &self,
        id: ImportId,
        after: usize,
        limit: usize,
    ) -> Result<Vec<RowError>, Problem>;
    /// `None`: no such import.
    async fn cancel(&self, id: ImportId) -> Result<Option<Import>, Problem>;
    /// `None`: no such import.
    async fn resume(&self, id: ImportId) -> Result<Option<Import>, Problem>;
}

/// Sessions and their tokens.
#[async_trait]
pub(crate) trait Visiting: Send + Sync {
    /// The live session of a token that comes in one of these ways.
    async fn find(&self, token: &Secret, via: &[Via]) -> Result<Option<Arc<Session>>, Problem>;
    /// Whether this is known to be a guest's cookie, at once and without asking anybody.
    fn is_known_guest(&self, token: &Secret) -> bool;
    async fn open_guest(&self, via: Via, whence: Whence) -> Result<Opened, Problem>;
    /// A user's live ones, the last used first.
    async fn list(&self, user: UserId) -> Result<Vec<Session>, Problem>;
    /// Whether there was one to end: of this user, when one is given.
    async fn end(&self, id: SessionId, user: Option<UserId>) -> Result<bool, Problem>;
    /// Ends all of a user's but this one, keys too.
    async fn end_others(&self, user: UserId, but: SessionId) -> Result<(), Problem>;
}

/// A pool with its size and where that comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct PoolInfo {
    pub(crate) name: String,
    /// `running`, `paused`, `draining`, …
    pub(crate) state: String,
    pub(crate) workers: u64,
    /// Without an operator's override.
    pub(crate) configured: u64,
    /// Workers it may grow to.
    pub(crate) most: u64,
    pub(crate) busy: u64,
    /// Jobs waiting.
    pub(crate) depth: u64,
    /// Jobs that may wait.
    pub(crate) bound: u64,
    pub(crate) refused: u64,
    /// Busy share of the workers' time, 0 to 1.
    pub(crate) utilisation: f64,
    /// `too small`, `too big` or `fine`, by Little's law.
    pub(crate) fit: String,
    #[schema(required)]
    pub(crate) r#override: Option<OverrideInfo>,
    /// `null`: it does no queue's jobs.
    #[schema(required)]
    pub(crate) autoscale: Option<AutoscaleInfo>,
}

/// How a pool's size follows the wait of its queue. A size that an operator set goes before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct AutoscaleInfo {
    pub(crate) enabled: bool,
    /// Workers in each process.
    pub(crate) min: u32,
    pub(crate) max: u32,
    /// How long a job may wait.
    pub(crate) wait_ms: u32,
    /// Who said so live; `null`: it is as configured.
    #[schema(required)]
    pub(crate) by: Option<String>,
    /// RFC 3339, UTC.
    #[schema(required, format = DateTime)]
    pub(crate) at: Option<String>,
    /// How long the job that is next had waited at the last look.
    #[schema(required)]
    pub(crate) waited_ms: Option<u64>,
    /// The last change of the size.
    #[schema(required)]
    pub(crate) last: Option<ScaledInfo>,
}

/// A change of a pool's size that nobody made by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ScaledInfo {
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    pub(crate) at: String,
    pub(crate) from: u32,
    pub(crate) to: u32,
    /// How long the job that was next had waited.
    pub(crate) waited_ms: u64,
    /// `waited`: jobs waited too long; `idle`: they hardly did; `bounds`: it was outside of them.
    pub(crate) why: String,
}

/// What is wanted of a pool's bounds; what is left out is as configured.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AutoscaleWish {
    pub(crate) min: Option<u32>,
    pub(crate) max: Option<u32>,
    pub(crate) wait_ms: Option<u32>,
}

/// What an operator set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct OverrideInfo {
    #[schema(required)]
    pub(crate) workers: Option<u32>,
    pub(crate) paused: bool,
    pub(crate) by: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    pub(crate) at: String,
    /// RFC 3339, UTC; `null`: for good.
    #[schema(required, format = DateTime)]
    pub(crate) until: Option<String>,
}

/// Live changes of the pools. Each answers the pool as it is afterwards; `None`: no such pool.
#[async_trait]
pub(crate) trait Pooling: Send + Sync {
    async fn list(&self) -> Result<Vec<PoolInfo>, Problem>;
    async fn set(
        &self,
        pool: &str,
        workers: u32,
        by: &str,
        until: Option<Micros>,
    ) -> Result<Option<PoolInfo>, Problem>;
    async fn pause(&self, pool: &str, by: &str) -> Result<Option<PoolInfo>, Problem>;
    async fn resume(&self, pool: &str, by: &str) -> Result<Option<PoolInfo>, Problem>;
    async fn drain(&self, pool: &str, by: &str) -> Result<Option<PoolInfo>, Problem>;
    async fn revert(&self, pool: &str, by: &str) -> Result<Option<PoolInfo>, Problem>;
    /// `None`: its size doesn't follow its queue.
    async fn autoscale(
        &self,
        pool: &str,
        wish: Option<AutoscaleWish>,
        by: &str,
    ) -> Result<Option<PoolInfo>, Problem>;
    async fn autoscale_revert(&self, pool: &str, by: &str) -> Result<Option<PoolInfo>, Problem>;
}

/// The tree of actors as it runs.
pub(crate) trait Viewing: Send + Sync {
    fn snapshot(&self) -> Snapshot;
}

impl Viewing for supervisors::TreeView {
    fn snapshot(&self) -> Snapshot {
        Self::snapshot(self)
    }
}

/// One component's health. Must be quick: it may be asked every second.
#[async_trait]
pub(crate) trait Check: Send + Sync {
    /// A category such as `database`; never an id.
    fn name(&self) -> &'static str;
    /// Whether the shop can do without it for a while: shown, but not counted.
    fn optional(&self) -> bool {
        false
    }
    /// What is wrong, in a sentence for the operator.
    async fn check(&self) -> Result<(), String>;
}
