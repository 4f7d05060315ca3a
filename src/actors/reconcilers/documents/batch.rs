//! One batch at a time on its way into the store, off the request threads.

use super::{DocumentsParts, documents_fault};
use crate::{
    domain::{category::CategoryTree, document::ProductDocument, event::Position, id::ProductId},
    hand::Hand,
    ports::documents::{DocumentChange, DocumentsError},
};
use std::{
    collections::BTreeSet,
    ops::Bound,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};
use supervisors::{Fault, Nudge};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    task::JoinHandle,
};

/// What one commit shall bring.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) found: Vec<ProductDocument>,
    pub(super) gone: Vec<ProductId>,
    /// Of a rebuild: of what lies between these, only what was found shall stay.
    pub(super) whole: Option<(Option<ProductId>, Option<ProductId>)>,
    pub(super) categories: Option<CategoryTree>,
    pub(super) position: Option<Position>,
}

/// Who may write. A batch that is being applied can't be called back: when the follower dies, its
/// successor waits here for the last one to be in, else that one's older documents could land on
/// newer ones of its own.
#[derive(Clone)]
pub(super) struct Turn {
    lock: Arc<Mutex<()>>,
    hand: Hand,
}

impl Default for Turn {
    fn default() -> Self {
        Self { lock: Arc::default(), hand: Hand::new("documents") }
    }
}

impl Turn {
    async fn take(&self) -> Arc<OwnedMutexGuard<()>> {
        Arc::new(Arc::clone(&self.lock).lock_owned().await)
    }
}

/// At most one batch under way, applied in the order they were started.
pub(super) struct Applying {
    parts: Arc<DocumentsParts>,
    turn: Arc<OwnedMutexGuard<()>>,
    hand: Hand,
    under_way: Option<JoinHandle<Result<(), DocumentsError>>>,
}

impl Applying {
    /// Once it is our turn.
    pub(super) async fn begin(parts: &Arc<DocumentsParts>, turn: &Turn) -> Self {
        let hand = turn.hand.clone();
        Self { parts: Arc::clone(parts), turn: turn.take().await, hand, under_way: None }
    }

    /// Waits for the batch before and begins this one.
    pub(super) async fn start(&mut self, batch: Batch) -> Result<(), Fault> {
        self.run(move |parts| apply(parts, batch)).await
    }

    /// Waits until what is under way is in, or has failed.
    pub(super) async fn finish(&mut self) -> Result<(), Fault> {
        match self.under_way.take() {
            Some(task) => task.await?.map_err(documents_fault),
            None => Ok(()),
        }
    }

    pub(super) async fn clear(&mut self) -> Result<(), Fault> {
        let clear = |parts: &DocumentsParts| {
            parts.progress.stands_at(None);
            parts.documents.clear()?;
            parts.invalidate.everything();
            Ok(())
        };
        self.run(clear).await?;
        self.finish().await
    }

    pub(super) async fn forget_position(&mut self) -> Result<(), Fault> {
        let forget = |parts: &DocumentsParts| {
            parts.progress.stands_at(None);
            parts.documents.forget_position()
        };
        self.run(forget).await?;
        self.finish().await
    }

    async fn run(
        &mut self,
        work: impl FnOnce(&DocumentsParts) -> Result<(), DocumentsError> + Send + 'static,
    ) -> Result<(), Fault> {
        self.finish().await?;
        let (parts, turn) = (Arc::clone(&self.parts), Arc::clone(&self.turn));
        self.under_way = Some(self.hand.start(move || {
            let done = work(&parts);
            drop(turn);
            done
        }));
        Ok(())
    }
}

/// Renders, commits, and tells whoever must know, in one go: a follower that dies meanwhile
/// leaves nobody untold.
fn apply(parts: &DocumentsParts, batch: Batch) -> Result<(), DocumentsError> {
    let mut changes: Vec<_> = batch.gone.into_iter().map(DocumentChange::Remove).collect();
    if let Some(stretch) = batch.whole {
        let kept: BTreeSet<_> = batch.found.iter().map(|d| d.id).collect();
        leftovers(parts, stretch, |id| {
            if !kept.contains(&id) {
                changes.push(DocumentChange::Remove(id));
            }
        })?;
    }
    changes.extend(batch.found.into_iter().map(|document| rendered(parts, document)));
    let recategorised = batch.categories.is_some();
    let applied = parts.documents.apply(&parts.scope, changes, batch.categories, batch.position);
    let touched = applied.inspect_err(|_| {
        // It may be in all the same.
        parts.invalidate.everything();
        parts.changed.iter().for_each(Nudge::wake);
    })?;
    if recategorised {
        parts.invalidate.everything();
    } else if !touched.is_empty() {
        parts.invalidate.products(&touched);
    }
    if batch.position.is_some() {
        parts.progress.stands_at(batch.position);
        parts.changed.iter().for_each(Nudge::wake);
    }
    Ok(())
}

/// Every id in the store behind the first and up to the second.
fn leftovers(
    parts: &DocumentsParts,
    (mut behind, to): (Option<ProductId>, Option<ProductId>),
    mut each: impl FnMut(ProductId),
) -> Result<(), DocumentsError> {
    let end = to.map_or(Bound::Unbounded, Bound::Included);
    loop {
        let page = parts.documents.ids(&parts.scope, behind, parts.batch)?;
        for id in &page {
            if matches!(end, Bound::Included(end) if *id > end) {
                return Ok(());
            }
            each(*id);
        }
        match page.last() {
            Some(last) => behind = Some(*last),
            None => return Ok(()),
        }
    }
}

/// A product that views can't render is a bug there, and no reason to stop following for all
/// others. It is not shown: its old document may name a price that is no longer true.
fn rendered(parts: &DocumentsParts, document: ProductDocument) -> DocumentChange {
    let id = document.id;
    match catch_unwind(AssertUnwindSafe(|| (parts.render)(document))) {
        Ok(stored) => DocumentChange::Put(Box::new(stored)),
        Err(_) => {
            tracing::error!(product.id = %id, "a product can't be rendered and is not shown");
            DocumentChange::Remove(id)
        }
    }
}
