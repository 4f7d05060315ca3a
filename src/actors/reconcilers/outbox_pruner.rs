//! The outbox pruner: drops events that every follower has and that are older than the retention.
//!
//! Promise: an event goes only when all followers of this process stand behind it. One whose
//! place is unknown, because it is being built or has not told it yet, keeps everything. When the
//! pruner dies the log grows until its successor's first pass.

use super::{Progress, store_fault};
use crate::{
    domain::{event::Position, time::Micros},
    ports::{clock::Clock, outbox::Outbox},
};
use std::{sync::Arc, time::Duration};
use supervisors::{Child, Context, Fault, Next, Nudge, Reconciler, reconciler};

const EVERY: Duration = Duration::from_secs(60);

/// What a pruner works with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct PrunerParts {
    pub(crate) outbox: Arc<dyn Outbox>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Every follower of the log.
    pub(crate) followers: Vec<Progress>,
    /// Younger events stay: a node that was away that long still catches up.
    pub(crate) retention: Duration,
}

/// The pruner as a child of the tree.
pub(crate) fn outbox_pruner(parts: PrunerParts, nudge: &Nudge) -> Child {
    reconciler("outbox-pruner", EVERY, nudge, move || {
        let parts = parts.clone();
        async move { Ok(OutboxPruner(parts)) }
    })
}

struct OutboxPruner(PrunerParts);

impl Reconciler for OutboxPruner {
    async fn pass(&mut self, _: &Context) -> Result<Next, Fault> {
        let parts = &self.0;
        let head = parts.outbox.head().await.map_err(store_fault)?;
        let places: Vec<_> = parts.followers.iter().map(Progress::position).collect();
        if let Some(offset) = behind_all(&places, head) {
            let age = i64::try_from(parts.retention.as_micros()).unwrap_or(i64::MAX);
            let older_than = Micros(parts.clock.now().0.saturating_sub(age));
            let pruned = parts.outbox.prune(offset, older_than).await.map_err(store_fault)?;
            if pruned > 0 {
                tracing::info!(outbox.pruned = pruned, outbox.up_to = offset, "pruned the log");
            }
        }
        Ok(Next::Idle)
    }
}

/// The place that every follower has reached; `None` while one of them is nowhere in this log.
fn behind_all(places: &[Option<Position>], head: Position) -> Option<i64> {
    let offset = |place: &Option<Position>| {
        place.filter(|p| p.epoch == head.epoch && p.offset <= head.offset).map(|p| p.offset)
    };
    let offsets = places.iter().map(offset).collect::<Option<Vec<_>>>()?;
    offsets.into_iter().min()
}

#[cfg(test)]
mod tests;
