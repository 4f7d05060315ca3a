//! Whether what is stored is whole.

use super::StoreError;
use async_trait::async_trait;

#[async_trait]
pub trait Integrity: Send + Sync {
    /// Reads what can be verified, while others read and write. `Corrupt` says what is damaged;
    /// any other error, that it can't be told now.
    async fn verify(&self) -> Result<(), StoreError>;
}
