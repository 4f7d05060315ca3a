//! How far this process is in its life: starting, up, or about to leave.
//!
//! Boot sets it, each step once and none taken back; everything of the edge reads it.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::Notify;

/// Cheap to clone, and to ask at every request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stage(Arc<Steps>);

#[derive(Debug, Default)]
struct Steps {
    up: AtomicBool,
    leaving: AtomicBool,
    leaves: Notify,
}

impl Stage {
    /// The start is over.
    pub(crate) fn rise(&self) {
        self.0.up.store(true, Ordering::Release);
    }

    pub(crate) fn is_up(&self) -> bool {
        self.0.up.load(Ordering::Acquire)
    }

    /// No new requests are wanted: probes say so, answers end their connection, streams end.
    pub(crate) fn leave(&self) {
        self.0.leaving.store(true, Ordering::Release);
        self.0.leaves.notify_waiters();
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.0.leaving.load(Ordering::Acquire)
    }

    /// Waits until the process is about to leave.
    pub(crate) async fn left(&self) {
        let mut leaves = pin!(self.0.leaves.notified());
        // Listening comes before looking, or a step between the two would be missed.
        leaves.as_mut().enable();
        if !self.is_leaving() {
            leaves.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_waits_for_the_end_hears_of_it_before_and_after() {
        let stage = Stage::default();
        let mut early = pin!(stage.left());
        assert!(futures_util::poll!(&mut early).is_pending());
        stage.leave();
        early.await;
        stage.left().await;
    }
}
