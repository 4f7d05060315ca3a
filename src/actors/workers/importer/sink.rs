//! Where an import's writes go.

use crate::ports::{
    StoreError,
    writer::{Write, Written},
};
use async_trait::async_trait;

/// Why a write has no verdict.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SinkError {
    /// Refused before anything happened: come back later.
    #[error("the writer has too much to do")]
    Full,
    /// It may have happened or may still happen: look at the import's row.
    #[error("the writer gave no answer")]
    Unknown,
    /// Nothing happened and nothing will: the process is going down.
    #[error("the writer is stopped")]
    Stopped,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes writes, one after the other, each a transaction of its own or part of a larger one.
#[async_trait]
pub(crate) trait ProductSink: Send + Sync + 'static {
    async fn write(&self, write: Write) -> Result<Written, SinkError>;
}
