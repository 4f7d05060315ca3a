//! Forgets the answers that were kept for clients who ask again, a day after they were given.
//!
//! Promise: none goes earlier. When it dies, some are kept longer than they need to be.

use crate::{
    actors::{keepers::writer::StoreHandle, reconcilers::write_fault},
    domain::{once::KEPT, time::Micros},
    ports::clock::Clock,
};
use std::{sync::Arc, time::Duration};
use supervisors::{Child, Context, Fault, Next, Nudge, Reconciler, reconciler};

const EVERY: Duration = Duration::from_secs(10 * 60);
/// Rows at a time, so that no checkout waits behind many.
const SLICE: u32 = 1_000;

/// It as a child of the tree.
pub(crate) fn kept_answers(store: &StoreHandle, clock: &Arc<dyn Clock>, nudge: &Nudge) -> Child {
    let (store, clock) = (store.clone(), Arc::clone(clock));
    reconciler("kept-answers", EVERY, nudge, move || {
        let (store, clock) = (store.clone(), Arc::clone(&clock));
        async move { Ok(KeptAnswers { store, clock }) }
    })
}

struct KeptAnswers {
    store: StoreHandle,
    clock: Arc<dyn Clock>,
}

impl Reconciler for KeptAnswers {
    async fn pass(&mut self, _: &Context) -> Result<Next, Fault> {
        let day = i64::try_from(KEPT.as_micros()).unwrap_or(i64::MAX);
        let older_than = Micros(self.clock.now().0.saturating_sub(day));
        let forgotten = self.store.forget_answers(older_than, SLICE).await.map_err(write_fault)?;
        if forgotten > 0 {
            tracing::debug!(answers.forgotten = forgotten, "forgot kept answers");
        }
        Ok(if forgotten < u64::from(SLICE) { Next::Idle } else { Next::Again })
    }
}
