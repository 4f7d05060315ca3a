//! How long queues make their jobs wait.

use crate::{
    domain::{job::Queue, time::Micros},
    ports::StoreError,
};
use async_trait::async_trait;

#[async_trait]
pub trait Waits: Send + Sync {
    /// Since when the job that is next in each queue's order could have been begun; those of which
    /// none waits, and those that hand nothing out, are left out. Costs the same however many wait.
    async fn waiting_since(
        &self,
        queues: &[Queue],
        now: Micros,
    ) -> Result<Vec<(Queue, Micros)>, StoreError>;
}
