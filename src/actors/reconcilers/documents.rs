//! The documents' follower: keeps this node's copy of what shoppers read in step with the log.
//!
//! A pass reads events behind the copy's position, loads the current documents of the products
//! they touch, renders them, and applies them together with the new position. So events may come
//! twice and a death anywhere costs nothing but the work in hand: the position says what is in.
//! While one batch is rendered and applied, off the request threads, the next one is loaded.
//!
//! A copy that can't follow is rebuilt from the database, readable meanwhile: one that is new or
//! of another form, of another epoch of the log, ahead of it, or behind what is left of it. A
//! damaged copy is emptied first. With the database away a pass is retried with backoff, and
//! browsing goes on with what is there.
//!
//! After each commit [`Invalidate`] is told what was touched, and the search index is nudged; at
//! each start everything is invalidated, as the predecessor may have died before it told.

mod batch;
mod rebuild;

use super::{Progress, store_fault};
use crate::{
    domain::{
        document::ProductDocument,
        event::{EventKind, Position},
        id::ProductId,
        scope::Scope,
    },
    ports::{
        catalog::Catalog,
        clock::Clock,
        documents::{Documents, DocumentsError, StoredDocument},
        invalidate::Invalidate,
        outbox::Outbox,
    },
    views,
};
use batch::{Applying, Batch, Turn};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use supervisors::{Child, Context, Fault, Next, Nudge, Reconciler, reconciler};

/// How old the copy may get unnoticed when no nudge comes.
const POLL: Duration = Duration::from_secs(1);
/// Events, or products of a rebuild, in one commit. Fewer cost a flush each, more cost memory and
/// are no faster (`what_following_costs`).
pub(crate) const BATCH: usize = 2_000;

/// What a follower works with.
pub(crate) struct DocumentsParts {
    pub(crate) outbox: Arc<dyn Outbox>,
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) documents: Arc<dyn Documents>,
    pub(crate) invalidate: Arc<dyn Invalidate>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) scope: Scope,
    pub(crate) render: fn(ProductDocument) -> StoredDocument,
    /// Told after each commit.
    pub(crate) progress: Progress,
    /// Woken after each commit: who follows the documents.
    pub(crate) changed: Vec<Nudge>,
    pub(crate) batch: usize,
}

/// A document with all that is kept of it, as views makes it.
pub(crate) fn render(document: ProductDocument) -> StoredDocument {
    let (json, card) = (views::product_json(&document), views::product_card(&document));
    StoredDocument { document, json, card }
}

/// The follower as a child of the tree, woken by `nudge`.
pub(crate) fn documents(parts: DocumentsParts, nudge: &Nudge) -> Child {
    let (parts, turn) = (Arc::new(parts), Turn::default());
    reconciler("documents", POLL, nudge, move || {
        let follower = Follower { parts: Arc::clone(&parts), turn: turn.clone(), begun: false };
        async move { Ok(follower) }
    })
}

struct Follower {
    parts: Arc<DocumentsParts>,
    /// Outlives each follower: one's last batch may still be applied when the next begins.
    turn: Turn,
    begun: bool,
}

impl Reconciler for Follower {
    async fn pass(&mut self, ctx: &Context) -> Result<Next, Fault> {
        let mut applying = Applying::begin(&self.parts, &self.turn).await;
        if !self.begun {
            self.parts.invalidate.everything();
            self.parts.changed.iter().for_each(Nudge::wake);
            self.begun = true;
        }
        let passed = self.follow(&mut applying, ctx).await;
        // Also after a failure: what is under way is finished, whoever it was for.
        applying.finish().await?;
        passed
    }
}

impl Follower {
    async fn follow(&self, applying: &mut Applying, ctx: &Context) -> Result<Next, Fault> {
        let parts = &*self.parts;
        let (began, head) = (parts.clock.now(), parts.outbox.head().await.map_err(store_fault)?);
        let mut at = match parts.documents.position() {
            Ok(Some(at)) if at.epoch == head.epoch && at.offset <= head.offset => at,
            Ok(_) => return self.rebuild(applying, ctx).await,
            Err(DocumentsError::Corrupt(reason)) => {
                tracing::error!(documents.reason = reason, "local documents are damaged");
                applying.clear().await?;
                return self.rebuild(applying, ctx).await;
            }
            Err(error) => return Err(documents_fault(error)),
        };
        parts.progress.stands_at(Some(at));
        while !ctx.stopping() {
            let events = parts.outbox.after(at.offset, limit(parts.batch)).await;
            let events = events.map_err(store_fault)?;
            let Some(last) = events.last() else {
                applying.finish().await?;
                parts.progress.was_level(began);
                break;
            };
            // Asked behind the events: what was whole then has no hole now.
            if parts.outbox.pruned().await.map_err(store_fault)? > at.offset {
                return self.rebuild(applying, ctx).await;
            }
            let mut touched = BTreeSet::new();
            let mut recategorised = false;
            for event in &events {
                match event.kind {
                    Some(EventKind::ProductChanged) => {
                        touched.insert(ProductId(event.subject));
                    }
                    Some(EventKind::CategoryChanged) => recategorised = true,
                    _ => {}
                }
            }
            let mut batch = self.load(&touched).await?;
            if recategorised {
                let tree = parts.catalog.categories(&parts.scope).await.map_err(store_fault)?;
                if rebuild::touches_products(&parts.documents.categories(&parts.scope), &tree) {
                    return self.rebuild(applying, ctx).await;
                }
                batch.categories = Some(tree);
            }
            at = Position { epoch: at.epoch, offset: last.offset };
            batch.position = Some(at);
            applying.start(batch).await?;
        }
        Ok(Next::Idle)
    }

    /// The present documents of these products and of those that show them; what isn't there any
    /// more is to go.
    async fn load(&self, touched: &BTreeSet<ProductId>) -> Result<Batch, Fault> {
        let parts = &*self.parts;
        let ids: Vec<_> = touched.iter().copied().collect();
        if ids.is_empty() {
            return Ok(Batch::default());
        }
        let found = parts.catalog.documents(&parts.scope, &ids).await.map_err(store_fault)?;
        let mut gone = touched.clone();
        for document in &found {
            gone.remove(&document.id);
        }
        Ok(Batch { found, gone: gone.into_iter().collect(), ..Batch::default() })
    }
}

fn limit(batch: usize) -> u32 {
    u32::try_from(batch).unwrap_or(u32::MAX)
}

/// None of it is a bug of ours: room comes back, and damage is mended by the next pass.
fn documents_fault(error: DocumentsError) -> Fault {
    Fault::unavailable(error)
}

#[cfg(test)]
mod figures;
#[cfg(test)]
mod tests;
