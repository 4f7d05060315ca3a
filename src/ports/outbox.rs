//! The log that everything follows: appended to inside a change's own transaction by
//! [`super::writer`], read here in order.

use super::StoreError;
use crate::domain::event::{Event, Position};
use async_trait::async_trait;

#[async_trait]
pub trait Outbox: Send + Sync {
    /// Up to `limit` events behind `offset`, in order, without holes.
    async fn after(&self, offset: i64, limit: u32) -> Result<Vec<Event>, StoreError>;

    /// The newest event's place; offset 0 for an empty log. A follower whose position has another
    /// epoch, or lies ahead of this, starts over.
    async fn head(&self) -> Result<Position, StoreError>;

    /// Events up to this offset have been dropped: a follower that stands before it would pass over
    /// some, so it starts over.
    async fn pruned(&self) -> Result<i64, StoreError>;

    /// Gives committed rows that have none their place in the log and says how many. Where rows
    /// are numbered as they are written (SQLite) there is nothing to do and the answer is 0.
    /// Another node numbering at this moment is not an error: 0.
    async fn number(&self) -> Result<u64, StoreError>;

    /// Drops the oldest events as long as they lie at or below `offset` and are older than the
    /// retention, and says how many. What stays has no holes.
    async fn prune(
        &self,
        offset: i64,
        older_than: crate::domain::time::Micros,
    ) -> Result<u64, StoreError>;
}
