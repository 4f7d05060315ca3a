//! How far this process is in its life.
//!
//! Boot sets it, once; everything of the edge reads it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Cheap to clone, and to ask at every request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stage(Arc<AtomicBool>);

impl Stage {
    /// The start is over.
    pub(crate) fn rise(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(crate) fn is_up(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
