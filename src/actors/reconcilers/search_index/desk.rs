//! Where a rebuild of the index is asked for and its progress shown.
//!
//! Held in memory: a wish that dies with the process is asked again, and the half-built shadow is
//! gone at the next start. It outlives the indexer, so a wish outlives the indexer's restarts.

use crate::domain::time::Micros;
use serde::Serialize;
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReindexPhase {
    /// None since the process began.
    #[default]
    None,
    /// Asked for; the indexer has not begun.
    Asked,
    /// Reading all documents into the shadow.
    Walking,
    /// Reading what happened meanwhile, then swapping.
    CatchingUp,
    Done,
    Failed,
}

/// A rebuild, whether it was asked for or needed.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub(crate) struct ReindexProgress {
    pub(crate) phase: ReindexPhase,
    /// Documents in the shadow.
    pub(crate) done: u64,
    /// Documents there were when it began.
    pub(crate) total: u64,
    /// Documents a second, since it began.
    pub(crate) rate: f64,
    /// Time left for the documents still to be read; unknown before the first.
    pub(crate) left: Option<Duration>,
    /// Why it failed.
    pub(crate) message: Option<String>,
}

impl ReindexProgress {
    pub(crate) fn is_under_way(&self) -> bool {
        use ReindexPhase::{Asked, CatchingUp, Walking};
        matches!(self.phase, Asked | Walking | CatchingUp)
    }
}

/// Shared by the indexer and those who ask. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct ReindexDesk {
    progress: Arc<watch::Sender<ReindexProgress>>,
}

impl ReindexDesk {
    pub(crate) fn new() -> Self {
        Self { progress: Arc::new(watch::Sender::new(ReindexProgress::default())) }
    }

    /// Asks for a rebuild, or joins the one under way.
    pub(crate) fn ask(&self) {
        self.progress.send_if_modified(|progress| {
            let new = !progress.is_under_way();
            if new {
                let phase = ReindexPhase::Asked;
                *progress = ReindexProgress { phase, ..ReindexProgress::default() };
            }
            new
        });
    }

    pub(crate) fn watch(&self) -> watch::Receiver<ReindexProgress> {
        self.progress.subscribe()
    }

    /// Whether one was asked for that nobody finished; also true for the successor of an indexer
    /// that died while it rebuilt.
    pub(super) fn is_wanted(&self) -> bool {
        self.progress.borrow().is_under_way()
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    pub(super) fn show(&self, phase: ReindexPhase, done: u64, total: u64, took: Micros) {
        let seconds = took.0.max(1) as f64 / 1e6;
        let rate = done as f64 / seconds;
        let left = (done > 0).then(|| {
            let left = total.saturating_sub(done) as f64 / rate;
            Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX)
        });
        let shown = ReindexProgress { phase, done, total, rate, left, message: None };
        self.progress.send_replace(shown);
    }

    pub(super) fn failed(&self, why: &str) {
        self.progress.send_modify(|progress| {
            progress.phase = ReindexPhase::Failed;
            progress.message = Some(why.to_owned());
            progress.left = None;
        });
    }
}
