//! How processes of one database wake each other: there is work that whoever rings doesn't get to.

use super::StoreError;
use async_trait::async_trait;

#[async_trait]
pub trait Bell: Send + Sync {
    /// Heard by the others. Lost, it costs them a poll.
    async fn ring(&self) -> Result<(), StoreError>;
    async fn listen(&self) -> Result<Box<dyn Ear>, StoreError>;
}

#[async_trait]
pub trait Ear: Send {
    /// Once another process rang, or may have while nobody could hear.
    async fn heard(&mut self) -> Result<(), StoreError>;
}
