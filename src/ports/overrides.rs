//! Live changes of an operator: rows that beat flag, environment and file.

use super::StoreError;
use crate::domain::time::Micros;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// What an operator set for one pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolOverride {
    pub pool: String,
    /// A node's name, or `*` for every node; the most specific wins.
    pub node: String,
    /// `None`: as configured.
    pub workers: Option<u32>,
    pub paused: bool,
    /// Who set it, as they named themselves.
    pub by: String,
    pub at: Micros,
    /// From then on it counts no more; `None`: for good.
    pub until: Option<Micros>,
}

/// One row of what was changed, kept for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverrideChange {
    pub at: Micros,
    pub by: String,
    pub pool: String,
    pub node: String,
    pub old: Option<PoolOverride>,
    /// `None`: reverted.
    pub new: Option<PoolOverride>,
}

#[async_trait]
pub trait Overrides: Send + Sync {
    async fn current(&self) -> Result<Vec<PoolOverride>, StoreError>;
    /// Newest first.
    async fn history(&self, limit: u32) -> Result<Vec<OverrideChange>, StoreError>;
}
