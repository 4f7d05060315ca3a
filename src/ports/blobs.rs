//! Files: private ones (imports, row errors) and public ones (pictures).
//!
//! Keys are never overwritten with other content.

use async_trait::async_trait;
use bytes::Bytes;

#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("the file store is unavailable: {0}")]
    Unavailable(String),
    #[error("the file store has no room: {0}")]
    Full(String),
    /// The key has a part such as `..` or is empty.
    #[error("{0:?} can't be the name of a file")]
    BadKey(String),
}

#[async_trait]
pub trait Blobs: Send + Sync {
    /// Whole or absent, also through a crash.
    async fn put(&self, key: &str, content: Bytes) -> Result<(), BlobError>;
    async fn get(&self, key: &str) -> Result<Option<Bytes>, BlobError>;
    async fn remove(&self, key: &str) -> Result<(), BlobError>;
    async fn list(&self, prefix: &str) -> Result<Vec<String>, BlobError>;
}
