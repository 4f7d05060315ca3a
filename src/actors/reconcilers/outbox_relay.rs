//! The outbox relay: gives committed events their place in the log and wakes who follows it.
//!
//! Promise: whenever the log has grown its followers are nudged, at once after a commit of this
//! process and within a second after another's. When the relay dies, the log stands still until
//! its successor's first pass, which nudges in any case; no event is lost, as events are rows.

use super::store_fault;
use crate::{domain::event::Position, ports::outbox::Outbox};
use std::{sync::Arc, time::Duration};
use supervisors::{Child, Context, Fault, Next, Nudge, Reconciler, reconciler};

/// How long another process's commit may go unseen.
const POLL: Duration = Duration::from_secs(1);
/// Another node may have been numbering when we wanted to, and have begun before our commit.
const SECOND_LOOK: Duration = Duration::from_millis(50);

/// The relay as a child of the tree: `committed` wakes it, it wakes `followers`.
pub(crate) fn outbox_relay(
    outbox: &Arc<dyn Outbox>,
    committed: &Nudge,
    followers: Vec<Nudge>,
) -> Child {
    let outbox = Arc::clone(outbox);
    reconciler("outbox-relay", POLL, committed, move || {
        let (outbox, followers) = (Arc::clone(&outbox), followers.clone());
        async move { Ok(OutboxRelay { outbox, followers, head: None, looked_twice: false }) }
    })
}

struct OutboxRelay {
    outbox: Arc<dyn Outbox>,
    followers: Vec<Nudge>,
    head: Option<Position>,
    looked_twice: bool,
}

impl Reconciler for OutboxRelay {
    async fn pass(&mut self, _: &Context) -> Result<Next, Fault> {
        self.outbox.number().await.map_err(store_fault)?;
        let head = self.outbox.head().await.map_err(store_fault)?;
        if self.head != Some(head) {
            self.head = Some(head);
            self.looked_twice = false;
            self.followers.iter().for_each(Nudge::wake);
            return Ok(Next::Idle);
        }
        self.looked_twice = !self.looked_twice;
        Ok(if self.looked_twice { Next::After(SECOND_LOOK) } else { Next::Idle })
    }
}

#[cfg(test)]
mod tests;
