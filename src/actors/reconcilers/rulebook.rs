//! The follower of commercial rules: what staff set is in force on this node within a second.
//!
//! Promise: the rules in memory are those of a place in the log, and move on with it; what events
//! tell of is read anew, so a lost nudge or an event seen twice does no harm. Also sweeps what
//! dropped price lists left behind, some at a time. When it dies, the rules stay as they were
//! known, and its successor goes on from where they stand.

use super::store_fault;
use crate::{
    actors::keepers::{
        rules::{RuleShelf, Told},
        writer::{StoreHandle, WriteError},
    },
    domain::{
        event::{Event, EventKind, Position},
        id::{CustomerId, PriceListId, ProductId},
    },
    ports::{clock::Clock, outbox::Outbox, rules::Rules},
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use supervisors::{Child, Context, Fault, Next, Nudge, Reconciler, reconciler};

const POLL: Duration = Duration::from_secs(1);
/// Events looked at in one go.
const BATCH: u32 = 1_000;
/// Entries swept in one transaction, so that no checkout waits behind many.
const SLICE: u32 = 1_000;

/// What the follower works with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct RulebookParts {
    pub(crate) shelf: RuleShelf,
    pub(crate) rows: Arc<dyn Rules>,
    pub(crate) outbox: Arc<dyn Outbox>,
    pub(crate) store: StoreHandle,
    pub(crate) clock: Arc<dyn Clock>,
}

/// The follower as a child of the tree, woken by `nudge`.
pub(crate) fn rulebook(parts: RulebookParts, nudge: &Nudge) -> Child {
    reconciler("rulebook", POLL, nudge, move || {
        let follower = Follower { parts: parts.clone(), sweep: None };
        async move { Ok(follower) }
    })
}

struct Follower {
    parts: RulebookParts,
    /// Lists whose entries are to go; `None`: not looked for yet.
    sweep: Option<BTreeSet<PriceListId>>,
}

impl Reconciler for Follower {
    async fn pass(&mut self, ctx: &Context) -> Result<Next, Fault> {
        let parts = self.parts.clone();
        let (began, head) = (parts.clock.now(), parts.outbox.head().await.map_err(store_fault)?);
        let mut at = match parts.shelf.progress().position() {
            Some(at) if at.epoch == head.epoch && at.offset <= head.offset => at,
            _ => self.load().await?,
        };
        while !ctx.stopping() {
            let events = parts.outbox.after(at.offset, BATCH).await.map_err(store_fault)?;
            let Some(last) = events.last() else {
                parts.shelf.progress().was_level(began);
                break;
            };
            // Asked behind the events: what was whole then has no hole now.
            if parts.outbox.pruned().await.map_err(store_fault)? > at.offset {
                at = self.load().await?;
                continue;
            }
            at = Position { epoch: at.epoch, offset: last.offset };
            self.follow(&events, at).await?;
        }
        self.sweep(ctx).await
    }
}

impl Follower {
    async fn load(&mut self) -> Result<Position, Fault> {
        let RulebookParts { shelf, rows, outbox, .. } = &self.parts;
        self.sweep = None;
        shelf.load(&**rows, &**outbox).await.map_err(store_fault)
    }

    async fn follow(&mut self, events: &[Event], at: Position) -> Result<(), Fault> {
        let shelf = &self.parts.shelf;
        let told = told(events);
        if told.is_nothing() {
            shelf.progress().stands_at(Some(at));
            return Ok(());
        }
        // What a list says is forgotten with it, so what is to be swept is noted first.
        let sweep = self.sweep.get_or_insert_with(|| shelf.left_behind());
        let before = shelf.book().lists();
        shelf.catch_up(&*self.parts.rows, &told, at).await.map_err(store_fault)?;
        sweep.extend(&before - &shelf.book().lists());
        Ok(())
    }

    /// Other nodes may be at it too: what is gone is gone.
    async fn sweep(&mut self, ctx: &Context) -> Result<Next, Fault> {
        let RulebookParts { shelf, store, clock, .. } = &self.parts;
        let lists = self.sweep.get_or_insert_with(|| shelf.left_behind());
        while let Some(list) = lists.first().copied() {
            if ctx.stopping() {
                return Ok(Next::Idle);
            }
            let swept = store.sweep_prices(list, SLICE, &**clock).await.map_err(fault)?;
            if swept < u64::from(SLICE) {
                lists.remove(&list);
            }
        }
        Ok(Next::Idle)
    }
}

fn told(events: &[Event]) -> Told {
    let mut told = Told::default();
    for event in events {
        match event.kind {
            Some(EventKind::RuleChanged) => told.rules = true,
            Some(EventKind::ListPriceChanged) => {
                told.products.insert(ProductId(event.subject));
            }
            Some(EventKind::CustomerChanged) => {
                told.customers.insert(CustomerId(event.subject));
            }
            _ => {}
        }
    }
    told
}

/// A sweep that was not made is made later; what the database refuses is for the supervisor.
fn fault(error: WriteError) -> Fault {
    match error {
        WriteError::Store(error) => store_fault(error),
        other => Fault::unavailable(other),
    }
}

#[cfg(test)]
mod tests;
