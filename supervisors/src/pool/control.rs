//! Turning a pool while it runs.
//!
//! Promise: every change takes effect at once, loses no job and outlives the
//! workers; what cannot be is refused with a reason fit for an operator.

use std::sync::Arc;

use tokio::time::Instant;

use super::core::Core;
use crate::node::Node;
use crate::reply::BoxFuture;
use crate::snapshot::{BudgetSnapshot, PoolSnapshot, State};

/// Why a pool does not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct PoolRefusal {
    /// A sentence for the operator.
    pub reason: String,
}

/// A pool, whatever its jobs are.
pub(crate) trait PoolOps: Send + Sync {
    fn resize(&self, workers: usize) -> Result<(), PoolRefusal>;
    fn pause(&self);
    fn resume(&self);
    fn drain(&self) -> BoxFuture<'_, ()>;
    fn state(&self) -> State;
    fn snapshot(&self, now: Instant, budget: BudgetSnapshot) -> PoolSnapshot;
}

impl<J: Send + 'static> PoolOps for Core<J> {
    fn resize(&self, workers: usize) -> Result<(), PoolRefusal> {
        Core::resize(self, workers)
    }

    fn pause(&self) {
        Core::pause(self);
    }

    fn resume(&self) {
        Core::resume(self);
    }

    fn drain(&self) -> BoxFuture<'_, ()> {
        Box::pin(Core::drain(self))
    }

    fn state(&self) -> State {
        Core::state(self)
    }

    fn snapshot(&self, now: Instant, budget: BudgetSnapshot) -> PoolSnapshot {
        Core::snapshot(self, now, budget)
    }
}

/// Turns one pool of a running tree, found by its name.
#[derive(Clone)]
pub struct PoolControl {
    node: Arc<Node>,
    ops: Arc<dyn PoolOps>,
}

impl PoolControl {
    pub(crate) fn new(node: Arc<Node>, ops: Arc<dyn PoolOps>) -> Self {
        Self { node, ops }
    }

    /// Its name, unique in the tree.
    pub fn name(&self) -> &str {
        &self.node.name
    }

    /// Its place in the tree.
    pub fn path(&self) -> &str {
        &self.node.path
    }

    /// Sets the number of workers. Surplus ones finish the job in hand first.
    pub fn resize(&self, workers: usize) -> Result<(), PoolRefusal> {
        self.ops.resize(workers)
    }

    /// Hands out no more jobs. Those in hand are finished, new ones wait up to
    /// the bound.
    pub fn pause(&self) {
        self.ops.pause();
    }

    /// Takes and hands out jobs again, after a pause or a drain.
    pub fn resume(&self) {
        self.ops.resume();
    }

    /// Refuses new jobs and resolves when no job waits or is in hand; the pool
    /// goes on refusing until it is resumed. A pause is lifted first. Resolves
    /// as well when the drain is called off.
    pub async fn drain(&self) {
        self.ops.drain().await;
    }

    /// What it is doing.
    pub fn state(&self) -> State {
        self.snapshot_node().state
    }

    /// Its numbers.
    pub fn snapshot(&self) -> Option<PoolSnapshot> {
        self.snapshot_node().pool
    }

    fn snapshot_node(&self) -> crate::snapshot::Snapshot {
        self.node.snapshot()
    }
}

impl std::fmt::Debug for PoolControl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PoolControl").field(&self.node.path).finish()
    }
}
