//! Files: private ones (imports, row errors) and public ones (pictures).
//!
//! A file is whole or absent, also through a crash, and its content stays: other content needs
//! another key, so whoever holds a key (a browser's cache, a product's picture) is never shown
//! something else than was meant.

use async_trait::async_trait;
use bytes::Bytes;

#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("the file store is unavailable: {0}")]
    Unavailable(String),
    /// Nothing was kept, and what was begun holds no room.
    #[error("the file store has no room: {0}")]
    Full(String),
    /// See [`Blobs`] for what a key may be.
    #[error("{0:?} can't be the name of a file")]
    BadKey(String),
    /// Something else is under this key, or under a key that it would lie inside of.
    #[error("{0:?} is the name of another file already")]
    Taken(String),
    #[error("{key:?} has more than {most} bytes")]
    TooLarge { key: String, most: u64 },
}

/// Files by key. A key is a path such as `tools/drill.png`: at most 200 bytes in at most 8 parts
/// between `/`, none of them empty, beginning with a dot, beginning or ending with white space, or
/// with a control character or a backslash in it.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Once this answers, the file is on the disk. The same content again is fine.
    async fn put(&self, key: &str, content: Bytes) -> Result<(), BlobError>;
    /// The whole file, which is held in memory: one of more than `most` bytes is
    /// [`BlobError::TooLarge`] and not read.
    async fn get(&self, key: &str, most: u64) -> Result<Option<Bytes>, BlobError>;
    /// Removing what isn't there is fine.
    async fn remove(&self, key: &str) -> Result<(), BlobError>;
    /// Keys that begin with `prefix`, which may be empty, in order.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, BlobError>;
}
