//! A universe for tests: a tree that must be gone when the test is.
//!
//! Promise: dropping a universe with an actor still alive fails the test, and
//! conditions are waited for, not slept for. Works in paused time
//! (`#[tokio::test(start_paused = true)]`) and in real time.

use std::ops::Deref;
use std::time::Duration;

use crate::snapshot::Snapshot;
use crate::tree::{Running, StartFailed, Supervisor};

/// How long a condition may take to come true, in the runtime's time.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running tree under test; use it like the [`Running`] inside.
#[derive(Debug)]
pub struct Universe {
    running: Running,
}

impl Universe {
    /// Starts the tree. Panic locations are captured from here on.
    pub async fn start(supervisor: Supervisor) -> Result<Self, StartFailed> {
        crate::install_panic_capture();
        let running = supervisor.start().await?;
        Ok(Self { running })
    }

    /// Waits until `condition` holds for the tree's snapshot.
    ///
    /// # Panics
    /// If it does not come to hold in good time; the snapshot is in the message.
    pub async fn until(&self, what: &str, condition: impl Fn(&Snapshot) -> bool) {
        let view = self.view();
        if !eventually(|| condition(&view.snapshot())).await {
            panic!("never came true: {what}; the tree is {:#?}", view.snapshot());
        }
    }
}

impl Deref for Universe {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

impl Drop for Universe {
    fn drop(&mut self) {
        let alive = self.running.alive();
        if alive > 0 && !std::thread::panicking() {
            panic!("{alive} actors still live: stop the universe before its test ends");
        }
    }
}

/// Waits until `condition` holds.
///
/// # Panics
/// If it does not come to hold in good time.
pub async fn until(what: &str, condition: impl Fn() -> bool) {
    assert!(eventually(condition).await, "never came true: {what}");
}

async fn eventually(condition: impl Fn() -> bool) -> bool {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        for _ in 0..64 {
            if condition() {
                return true;
            }
            tokio::task::yield_now().await;
        }
        if tokio::time::Instant::now() > deadline {
            return condition();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
