//! The cart sweeper: drops carts a month after they were last touched, guests' and ordered ones.
//!
//! Promise: a cart of somebody with an account stays until they delete it or order it, and no
//! guest's goes earlier than that. When the sweeper dies, some are kept longer than they need to be.

use crate::{
    actors::{keepers::writer::StoreHandle, reconcilers::write_fault},
    domain::{cart::KEPT, time::Micros},
    ports::clock::Clock,
};
use std::{sync::Arc, time::Duration};
use supervisors::{Child, Context, Fault, Next, Nudge, Reconciler, reconciler};

const EVERY: Duration = Duration::from_secs(60 * 60);
/// Lines at a time, so that no checkout waits behind many.
const SLICE: u32 = 2_000;

/// It as a child of the tree.
pub(crate) fn cart_sweeper(store: &StoreHandle, clock: &Arc<dyn Clock>, nudge: &Nudge) -> Child {
    let (store, clock) = (store.clone(), Arc::clone(clock));
    reconciler("cart-sweeper", EVERY, nudge, move || {
        let (store, clock) = (store.clone(), Arc::clone(&clock));
        async move { Ok(CartSweeper { store, clock }) }
    })
}

struct CartSweeper {
    store: StoreHandle,
    clock: Arc<dyn Clock>,
}

impl Reconciler for CartSweeper {
    async fn pass(&mut self, _: &Context) -> Result<Next, Fault> {
        let kept = i64::try_from(KEPT.as_micros()).unwrap_or(i64::MAX);
        let older_than = Micros(self.clock.now().0.saturating_sub(kept));
        let swept = self.store.sweep_carts(older_than, SLICE).await.map_err(write_fault)?;
        if swept > 0 {
            tracing::debug!(carts.swept = swept, "dropped old carts");
        }
        // How many lines that were is not told: only nothing means that there are no more.
        Ok(if swept == 0 { Next::Idle } else { Next::Again })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::StoreError;
    use crate::{
        actors::keepers::writer,
        ports::writer::{Write, Writer, Written},
    };
    use async_trait::async_trait;
    use std::sync::Mutex;
    use supervisors::{
        Strategy, Supervisor,
        testing::{Universe, until},
    };

    /// Has a few to sweep, and notes what it was asked.
    #[derive(Clone)]
    struct Attic(Arc<Mutex<Vec<u64>>>, Arc<Mutex<Vec<Write>>>);

    #[async_trait]
    impl Writer for Attic {
        async fn commit(&mut self, writes: Vec<Write>) -> Vec<Result<Written, StoreError>> {
            let swept = |write| {
                self.1.lock().unwrap().push(write);
                Ok(Written::Swept(self.0.lock().unwrap().pop().unwrap_or(0)))
            };
            writes.into_iter().map(swept).collect()
        }
    }

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Micros {
            Micros(1_000_000 + i64::try_from(KEPT.as_micros()).unwrap())
        }
    }

    #[tokio::test]
    async fn old_carts_go_slice_by_slice_until_none_is_left() {
        let attic = Attic(Arc::new(Mutex::new(vec![1, 3])), Arc::default());
        let (mailbox, store) = writer::store();
        let clock: Arc<dyn Clock> = Arc::new(Noon);
        let opened = attic.clone();
        let tree = Supervisor::new("test", Strategy::OneForOne)
            .child(writer::writer(&mailbox, &Nudge::new(), move || {
                let opened = opened.clone();
                async move { Ok(Box::new(opened) as Box<dyn Writer>) }
            }))
            .child(cart_sweeper(&store, &clock, &Nudge::new()));
        let universe = Universe::start(tree).await.unwrap();
        until("all are swept", || attic.1.lock().unwrap().len() == 3).await;
        for write in attic.1.lock().unwrap().iter() {
            let Write::SweepCarts { older_than, most } = write else { panic!("{write:?}") };
            assert_eq!((*older_than, *most), (Micros(1_000_000), SLICE));
        }
        universe.stop().await;
    }
}
