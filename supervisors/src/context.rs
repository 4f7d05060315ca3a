//! What a child may know about itself.
//!
//! Promise: [`Context::stopping`] turns true before anything is taken away
//! from the child, and never turns back in this life.

use std::sync::Arc;

use tokio::sync::watch;

/// Why a child is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It will be started again: what waits may wait.
    Pause,
    /// For good: what waits is served now or answered with `Stopped`.
    Close,
}

/// Handed to a child's code: its place in the tree and whether it should end.
#[derive(Debug, Clone)]
pub struct Context {
    path: Arc<str>,
    ending: watch::Receiver<Option<Ending>>,
}

impl Context {
    pub(crate) fn new(path: Arc<str>) -> (Self, watch::Sender<Option<Ending>>) {
        let (sender, ending) = watch::channel(None);
        (Self { path, ending }, sender)
    }

    /// Where it lives, such as `stoa/store/writer`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The last part of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it has been asked to end.
    pub fn stopping(&self) -> bool {
        self.ending().is_some()
    }

    /// Resolves when it is asked to end.
    pub async fn stopped(&self) {
        let mut ending = self.ending.clone();
        // A dropped sender means the supervisor is gone: that is an end as well.
        let _ended = ending.wait_for(Option::is_some).await;
    }

    pub(crate) fn ending(&self) -> Option<Ending> {
        *self.ending.borrow()
    }
}
