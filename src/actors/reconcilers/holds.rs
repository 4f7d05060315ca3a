//! Cancels orders whose payment got no verdict in the time for which their goods were held, so that
//! others can buy those.
//!
//! Promise: none is cancelled earlier, and none whose provider was asked and hasn't answered (the
//! till ends those). When it dies, goods are held longer than they need to be.

use crate::{
    actors::{keepers::writer::StoreHandle, reconcilers::write_fault},
    ports::clock::Clock,
};
use std::{sync::Arc, time::Duration};
use supervisors::{Child, Context, Fault, Next, Nudge, Reconciler, reconciler};

const EVERY: Duration = Duration::from_secs(2);
/// Orders at a time, so that no checkout waits behind many.
const SLICE: u32 = 50;

/// It as a child of the tree.
pub(crate) fn holds(store: &StoreHandle, clock: &Arc<dyn Clock>, nudge: &Nudge) -> Child {
    let (store, clock) = (store.clone(), Arc::clone(clock));
    reconciler("holds", EVERY, nudge, move || {
        let (store, clock) = (store.clone(), Arc::clone(&clock));
        async move { Ok(Holds { store, clock }) }
    })
}

struct Holds {
    store: StoreHandle,
    clock: Arc<dyn Clock>,
}

impl Reconciler for Holds {
    async fn pass(&mut self, _: &Context) -> Result<Next, Fault> {
        let ended = self.store.end_holds(self.clock.now(), SLICE).await.map_err(write_fault)?;
        if ended > 0 {
            tracing::info!(orders = ended, "cancelled orders that were not paid in time");
        }
        Ok(if ended < u64::from(SLICE) { Next::Idle } else { Next::Again })
    }
}
