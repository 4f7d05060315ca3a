//! Live changes of an operator: rows that beat flag, environment and file.

use super::StoreError;
use crate::domain::{audit::Change, autoscale::Bounds, time::Micros};
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

/// Whether the size of a pool follows the wait of its queue, on every node. What an operator set as
/// its size ([`PoolOverride`]) goes before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolAutoscale {
    pub pool: String,
    /// For each process; `None`: it stays as configured.
    pub bounds: Option<Bounds>,
    /// Who set it, as they named themselves.
    pub by: String,
    pub at: Micros,
}

#[derive(Debug, Clone)]
pub enum AutoscaleWrite {
    /// Keeps the change in the audit log.
    Set(PoolAutoscale),
    /// As configured again.
    Revert { pool: String, by: String, at: Micros },
}

impl PoolAutoscale {
    /// For the audit log: set, in place of `old`.
    pub fn change_from(&self, old: Option<&Self>) -> Change {
        Change::new(self.at, &self.by, "pool.autoscale", self.subject(), old, Some(self))
    }

    /// For the audit log: taken back.
    pub fn reverted(&self, by: &str, at: Micros) -> Change {
        let subject = self.subject();
        Change::new(at, by, "pool.autoscale_revert", subject, Some(self), None::<&Self>)
    }

    fn subject(&self) -> String {
        format!("pool:{}@*", self.pool)
    }
}

#[async_trait]
pub trait Overrides: Send + Sync {
    async fn current(&self) -> Result<Vec<PoolOverride>, StoreError>;
    async fn autoscales(&self) -> Result<Vec<PoolAutoscale>, StoreError>;
}
