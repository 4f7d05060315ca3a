//! The follower that tells endpoints: each event of the log becomes a delivery for each endpoint that
//! wants it.
//!
//! Promise: an event gives an endpoint one delivery, with its job, in the transaction that moves the
//! follower's place; who finds that place moved by another node does nothing and reads it anew. When
//! this dies, its successor goes on from there. Events that nobody wants are passed over in memory,
//! and their place is written now and then, so that a busy shop without endpoints pays nothing.
//! Also drops deliveries that have been over for long.

use super::{Progress, store_fault, write_fault};
use crate::{
    actors::keepers::writer::StoreHandle,
    domain::{
        event::{Event, Position},
        id::{DeliveryId, JobId},
        time::Micros,
        webhook::Told,
    },
    ports::{
        clock::{Clock, Ids},
        outbox::Outbox,
        webhooks::{Endpoint, NewDelivery, WebhookWrite, Webhooks},
        writer::Written,
    },
};
use std::{sync::Arc, time::Duration};
use supervisors::{Child, Context, Fault, Next, Nudge, Reconciler, reconciler};

const POLL: Duration = Duration::from_secs(1);
/// Deliveries put there in one transaction.
const MOST_AT_ONCE: usize = 1_000;
/// Events read in one go.
const BATCH: usize = 500;
/// The place in memory is written when it is so far ahead of its row…
const AHEAD: i64 = 1_000;
/// …or was for so long.
const SETTLES: Duration = Duration::from_secs(60);
/// What is over is kept so long.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);
const SWEPT_AT_A_TIME: u32 = 1_000;

/// What the follower works with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct WebhookParts {
    pub(crate) rows: Arc<dyn Webhooks>,
    pub(crate) outbox: Arc<dyn Outbox>,
    pub(crate) store: StoreHandle,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) progress: Progress,
    /// Wakes whoever runs jobs.
    pub(crate) wake: Nudge,
}

/// The follower as a child of the tree, woken by `nudge`.
pub(crate) fn webhooks(parts: WebhookParts, nudge: &Nudge) -> Child {
    reconciler("webhooks", POLL, nudge, move || {
        let follower =
            Follower { parts: parts.clone(), seen: None, wrote_at: Micros(0), swept_at: Micros(0) };
        async move { Ok(follower) }
    })
}

struct Follower {
    parts: WebhookParts,
    /// The last event looked at, at or ahead of the row.
    seen: Option<Position>,
    wrote_at: Micros,
    swept_at: Micros,
}

impl Reconciler for Follower {
    async fn pass(&mut self, ctx: &Context) -> Result<Next, Fault> {
        let parts = self.parts.clone();
        let (began, head) = (parts.clock.now(), parts.outbox.head().await.map_err(store_fault)?);
        let row = parts.rows.followed().await.map_err(store_fault)?;
        let here = |at: &Position| at.epoch == head.epoch && at.offset <= head.offset;
        let Some(mut row) = row.filter(here) else {
            // New, or of a log that was restored or made anew: what happens from here on is told.
            return self.write(row, head, Vec::new()).await.map(|_| Next::Again);
        };
        let ahead = self.seen.filter(|seen| here(seen) && seen.offset > row.offset);
        let mut at = ahead.unwrap_or(row);
        while !ctx.stopping() {
            let endpoints = parts.rows.endpoints().await.map_err(store_fault)?;
            let limit = (MOST_AT_ONCE / endpoints.len().max(1)).clamp(1, BATCH);
            let limit = u32::try_from(limit).unwrap_or(1);
            let events = parts.outbox.after(at.offset, limit).await.map_err(store_fault)?;
            let Some(last) = events.last() else {
                parts.progress.was_level(began);
                break;
            };
            // Asked behind the events: what was whole then has no hole now.
            let pruned = parts.outbox.pruned().await.map_err(store_fault)?;
            if pruned > at.offset {
                tracing::error!(
                    webhooks.at = at.offset,
                    log.pruned = pruned,
                    "events were dropped from the log before endpoints were told of them"
                );
                at = Position { offset: pruned, ..at };
                continue;
            }
            at = Position { offset: last.offset, ..at };
            let deliveries = self.deliveries(&events, &endpoints, at);
            if deliveries.is_empty() && at.offset - row.offset < AHEAD {
                continue;
            }
            if !self.write(Some(row), at, deliveries).await? {
                return Ok(Next::Again);
            }
            row = at;
        }
        self.seen = Some(at);
        self.settle(row, at).await?;
        self.sweep().await
    }
}

impl Follower {
    fn deliveries(
        &self,
        events: &[Event],
        endpoints: &[Endpoint],
        at: Position,
    ) -> Vec<NewDelivery> {
        let mut deliveries = Vec::new();
        for event in events {
            // A kind of a newer version: who knows it tells it.
            let Some(kind) = event.kind else { continue };
            for endpoint in endpoints.iter().filter(|one| one.wants(kind, event.at)) {
                deliveries.push(NewDelivery {
                    id: DeliveryId(self.parts.ids.next()),
                    endpoint: endpoint.id,
                    told: Told {
                        kind: kind.as_str().to_owned(),
                        subject: event.subject,
                        at: event.at,
                        place: Some(Position { offset: event.offset, ..at }),
                    },
                    job: JobId(self.parts.ids.next()),
                });
            }
        }
        deliveries
    }

    /// `false`: another node was faster, and nothing was done.
    async fn write(
        &mut self,
        from: Option<Position>,
        to: Position,
        deliveries: Vec<NewDelivery>,
    ) -> Result<bool, Fault> {
        let (at, any) = (self.parts.clock.now(), !deliveries.is_empty());
        let follow = WebhookWrite::Follow { from, to, deliveries, at };
        let written = self.parts.store.webhooks(follow).await.map_err(write_fault)?;
        if written != Written::Done {
            self.seen = None;
            return Ok(false);
        }
        self.wrote_at = at;
        self.parts.progress.stands_at(Some(to));
        if any {
            self.parts.wake.wake();
        }
        Ok(true)
    }

    /// The log is pruned up to what is written.
    async fn settle(&mut self, row: Position, at: Position) -> Result<(), Fault> {
        self.parts.progress.stands_at(Some(row));
        let due = self.wrote_at.plus(SETTLES) <= self.parts.clock.now();
        if row != at && due {
            self.write(Some(row), at, Vec::new()).await?;
        }
        Ok(())
    }

    async fn sweep(&mut self) -> Result<Next, Fault> {
        let now = self.parts.clock.now();
        if self.swept_at.plus(SWEEP_EVERY) > now {
            return Ok(Next::Idle);
        }
        let sweep = WebhookWrite::Sweep { older_than: now.minus(KEPT), most: SWEPT_AT_A_TIME };
        match self.parts.store.webhooks(sweep).await.map_err(write_fault)? {
            Written::Swept(swept) if swept >= u64::from(SWEPT_AT_A_TIME) => Ok(Next::Again),
            _ => {
                self.swept_at = now;
                Ok(Next::Idle)
            }
        }
    }
}
