//! The audit log, read back; it is written by [`super::writer`], each entry in the transaction of
//! the change it tells of.

use super::StoreError;
use crate::domain::audit::AuditEntry;
use async_trait::async_trait;

#[async_trait]
pub trait Audit: Send + Sync {
    /// Up to `limit` entries behind `place`, in order: for checking the chain.
    async fn entries_after(&self, place: i64, limit: u32) -> Result<Vec<AuditEntry>, StoreError>;

    /// Up to `limit` entries before `place` (`None`: from the end), newest first: for people.
    async fn entries_before(
        &self,
        place: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError>;
}
