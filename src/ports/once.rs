//! What was answered under a name, read back; the writer keeps it (see `writer::Once`).

use super::StoreError;
use crate::domain::once::{Kept, OnceName};
use async_trait::async_trait;

#[async_trait]
pub trait KeptAnswers: Send + Sync {
    /// `None`: nothing was, or it is forgotten.
    async fn find(&self, name: OnceName) -> Result<Option<Kept>, StoreError>;
}
