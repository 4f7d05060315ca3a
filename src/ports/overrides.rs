//! Live changes of an operator: rows that beat flag, environment and file.

use super::StoreError;
use crate::domain::{audit::Change, time::Micros};
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

impl PoolOverride {
    /// For the audit log: set, in place of `old`.
    pub fn change_from(&self, old: Option<&Self>) -> Change {
        Change::new(self.at, &self.by, "pool.set", self.subject(), old, Some(self))
    }

    /// For the audit log: taken back.
    pub fn reverted(&self, by: &str, at: Micros) -> Change {
        Change::new(at, by, "pool.revert", self.subject(), Some(self), None::<&Self>)
    }

    fn subject(&self) -> String {
        format!("pool:{}@{}", self.pool, self.node)
    }
}

#[async_trait]
pub trait Overrides: Send + Sync {
    async fn current(&self) -> Result<Vec<PoolOverride>, StoreError>;
}
