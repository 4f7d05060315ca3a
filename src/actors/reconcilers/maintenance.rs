//! The shop's door: closed for a while by an operator, and open again by itself.
//!
//! Promise: on the node that was asked it is closed at once, on every other within a second, and over
//! restarts; at its end it is open on each by that node's own clock, whoever lives then. To ask costs
//! a look at one number. When this dies the door stays as it is, and its successor reads anew.

use super::store_fault;
use crate::{
    actors::keepers::writer::{StoreHandle, WriteError},
    domain::time::Micros,
    ports::{
        StoreError,
        clock::Clock,
        maintenance::{Closing, Maintenance, MaintenanceWrite},
    },
};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use supervisors::{Child, Context, Fault, Next, Nudge, Reconciler, reconciler};

/// What another node set is found within this.
const EVERY: Duration = Duration::from_secs(1);
/// It was never closed, or was opened.
const OPEN: i64 = i64::MIN;

/// Cheap to clone, and to ask at every request.
#[derive(Clone)]
pub(crate) struct Door(Arc<Shared>);

struct Shared {
    rows: Arc<dyn Closing>,
    store: StoreHandle,
    clock: Arc<dyn Clock>,
    /// Wakes whoever runs jobs.
    jobs: Nudge,
    /// Until when it is closed.
    until: AtomicI64,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    closed: Option<Arc<Maintenance>>,
    /// How often an operator turned it here: who read the row before that knows less.
    turned: u64,
}

impl Door {
    /// Open, until it is read.
    pub(crate) fn new(
        rows: Arc<dyn Closing>,
        store: StoreHandle,
        clock: Arc<dyn Clock>,
        jobs: Nudge,
    ) -> Self {
        let until = AtomicI64::new(OPEN);
        Self(Arc::new(Shared { rows, store, clock, jobs, until, kept: Mutex::default() }))
    }

    /// The usual answer costs one look.
    pub(crate) fn is_open(&self) -> bool {
        let until = self.0.until.load(Ordering::Acquire);
        until == OPEN || until <= self.0.clock.now().0
    }

    /// Why and until when it is closed.
    pub(crate) fn closed(&self) -> Option<Arc<Maintenance>> {
        if self.is_open() {
            return None;
        }
        self.kept().closed.clone()
    }

    /// Closes it, or closes it otherwise.
    pub(crate) async fn close(
        &self,
        until: Micros,
        message: Option<String>,
        pauses: bool,
        by: &str,
    ) -> Result<(), WriteError> {
        let at = self.0.clock.now();
        let wanted = Maintenance { until, message, pauses, by: by.to_owned(), at };
        self.0.store.maintenance(MaintenanceWrite::On(wanted.clone())).await?;
        self.turn(Some(wanted));
        Ok(())
    }

    /// Opens it, if it is closed.
    pub(crate) async fn open(&self, by: &str) -> Result<(), WriteError> {
        let off = MaintenanceWrite::Off { by: by.to_owned(), at: self.0.clock.now() };
        self.0.store.maintenance(off).await?;
        self.turn(None);
        Ok(())
    }

    /// Goes by the row from here on.
    pub(crate) async fn read(&self) -> Result<(), StoreError> {
        let turned = self.kept().turned;
        let row = self.0.rows.maintenance().await?;
        let now = self.0.clock.now();
        let mut kept = self.kept();
        if kept.turned == turned {
            self.stand(&mut kept, row.filter(|row| row.until > now));
        }
        Ok(())
    }

    fn turn(&self, wanted: Option<Maintenance>) {
        let mut kept = self.kept();
        kept.turned += 1;
        self.stand(&mut kept, wanted);
    }

    fn stand(&self, kept: &mut Kept, wanted: Option<Maintenance>) {
        match (&kept.closed, &wanted) {
            (None, Some(wanted)) => {
                let until = wanted.until.rfc3339();
                tracing::info!(until, by = wanted.by, "the shop is closed");
            }
            (Some(_), None) => {
                tracing::info!("the shop is open again");
                self.0.jobs.wake();
            }
            _ => {}
        }
        let until = wanted.as_ref().map_or(OPEN, |wanted| wanted.until.0);
        kept.closed = wanted.map(Arc::new);
        // Last, so that whoever finds it closed finds why.
        self.0.until.store(until, Ordering::Release);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn maintenance(door: &Door) -> Child {
    let door = door.clone();
    reconciler("maintenance", EVERY, &Nudge::new(), move || {
        let keeper = DoorKeeper(door.clone());
        async move { Ok(keeper) }
    })
}

struct DoorKeeper(Door);

impl Reconciler for DoorKeeper {
    async fn pass(&mut self, _: &Context) -> Result<Next, Fault> {
        self.0.read().await.map_err(store_fault)?;
        Ok(Next::Idle)
    }
}
