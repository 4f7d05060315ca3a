//! How far this process is in its life: starting, up, or about to leave.
//!
//! Boot sets it, each step once and none taken back; everything of the edge reads it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Cheap to clone, and to ask at every request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stage(Arc<Steps>);

#[derive(Debug, Default)]
struct Steps {
    up: AtomicBool,
    leaving: AtomicBool,
}

impl Stage {
    /// The start is over.
    pub(crate) fn rise(&self) {
        self.0.up.store(true, Ordering::Release);
    }

    pub(crate) fn is_up(&self) -> bool {
        self.0.up.load(Ordering::Acquire)
    }

    /// No new requests are wanted: probes say so, and answers end their connection.
    pub(crate) fn leave(&self) {
        self.0.leaving.store(true, Ordering::Release);
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.0.leaving.load(Ordering::Acquire)
    }
}
