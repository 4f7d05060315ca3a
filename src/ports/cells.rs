//! Processes in which one job runs at a time, so that it takes nothing along when it dies.

use super::jobs::{ClaimedJob, Verdict};
use async_trait::async_trait;

#[async_trait]
pub trait Cells: Send + Sync {
    /// `Err`: why there can't be one.
    async fn open(&self) -> Result<Box<dyn Cell>, String>;
}

/// Dropped, its process is killed, whatever it does.
#[async_trait]
pub trait Cell: Send {
    async fn run(&mut self, job: &ClaimedJob) -> Result<Verdict, CellEnd>;
}

/// A cell's process is no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CellEnd {
    /// It had ended in peace, and never saw the job.
    Closed,
    /// It died of the job: how, and what it said last.
    Died(String),
}
