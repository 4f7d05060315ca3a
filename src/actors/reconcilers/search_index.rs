//! The indexer: keeps the search index in step with this node's documents.
//!
//! A pass reads the log's events behind the index' own position, but never past the documents'
//! position, and gives the index the present documents of the products they touch, with the new
//! position, in one commit. So events may come twice and a death anywhere costs nothing but the
//! work in hand. Few events are committed at once, many in batches of [`BATCH`].
//!
//! An index that can't follow is rebuilt: one that is new, damaged or of another version, of
//! another epoch of the log, or behind what is left of it. So is one whose rebuild was asked for
//! ([`ReindexDesk`]). A rebuild walks all documents into a shadow, a chunk a pass, while live
//! indexing goes on; then it reads what happened since it began, and swaps. Questions are
//! answered by the old index until then. When it fails it is reported; one that was only asked
//! for is given up, one that is needed is begun again with backoff. When the indexer dies, its
//! successor begins it anew.

mod desk;
mod rebuild;

pub(crate) use desk::{ReindexDesk, ReindexPhase, ReindexProgress};

use super::{Progress, store_fault};
use crate::{
    domain::{
        document::ProductDocument,
        event::{Event, EventKind, Position},
        id::{CategoryId, ProductId},
        scope::Scope,
        search::SearchQuery,
    },
    hand::Hand,
    ports::{
        clock::Clock,
        documents::{Documents, DocumentsError},
        outbox::Outbox,
        search::{IndexChange, Search, SearchError, SearchIndex},
    },
};
use rebuild::Rebuild;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use supervisors::{Child, Context, Fault, Next, Nudge, Reconciler, reconciler};
use tokio::sync::Mutex;

/// How old the index may get unnoticed when no nudge comes.
const POLL: Duration = Duration::from_secs(1);
/// Events in one commit. Each commit makes a segment that is merged into larger ones later, so
/// fewer events cost more; more keep a change waiting behind them.
const BATCH: u32 = 10_000;
/// Documents read and given at once, whatever the commit.
const CHUNK: usize = 1_000;

/// What the indexer works with.
#[derive(Clone)]
pub(crate) struct SearchIndexParts {
    pub(crate) outbox: Arc<dyn Outbox>,
    pub(crate) documents: Arc<dyn Documents>,
    pub(crate) search: Arc<dyn Search>,
    /// Outlives each indexer: one's last commit may be under way when the next begins.
    pub(crate) index: Arc<Mutex<Box<dyn SearchIndex>>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) desk: ReindexDesk,
    pub(crate) scopes: Vec<Scope>,
    /// Told after each commit.
    pub(crate) progress: Progress,
    /// Reads documents.
    pub(crate) hand: Hand,
}

/// The indexer as a child of the tree, woken by `nudge`.
pub(crate) fn search_index(parts: SearchIndexParts, nudge: &Nudge) -> Child {
    reconciler("search-index", POLL, nudge, move || {
        let indexer = SearchIndexer { parts: parts.clone(), rebuild: None, distrusted: false };
        async move { Ok(indexer) }
    })
}

struct SearchIndexer {
    parts: SearchIndexParts,
    rebuild: Option<Rebuild>,
    /// The live index failed as damaged.
    distrusted: bool,
}

/// What following came to.
enum Followed {
    Level,
    More,
    /// The index can't follow from where it stands.
    Lost,
}

impl Reconciler for SearchIndexer {
    async fn pass(&mut self, _: &Context) -> Result<Next, Fault> {
        self.look().await
    }
}

impl SearchIndexer {
    async fn look(&mut self) -> Result<Next, Fault> {
        let began = self.parts.clock.now();
        // Without documents there is nothing to follow; they nudge when there are.
        let Some(target) = self.parts.documents.position().map_err(documents_fault)? else {
            return Ok(Next::Idle);
        };
        let followed = match self.follow(target).await {
            Err(Trouble::Index(SearchError::Corrupt(reason))) => {
                tracing::error!(search.reason = reason, "search index is damaged");
                self.distrusted = true;
                Followed::Lost
            }
            followed => followed.map_err(fault)?,
        };
        let lost = matches!(followed, Followed::Lost);
        match followed {
            Followed::Level => self.parts.progress.was_level(began),
            Followed::More => {}
            // Nothing of the log may go that the rebuild will need.
            Followed::Lost => self.parts.progress.stands_at(None),
        }
        if !lost && !self.parts.desk.is_wanted() {
            return Ok(if matches!(followed, Followed::More) { Next::Again } else { Next::Idle });
        }
        match self.rebuild_on(target).await {
            Ok(true) => {
                self.distrusted = false;
                Ok(Next::Again)
            }
            Ok(false) => Ok(Next::Again),
            Err(trouble) => {
                self.rebuild = None;
                self.parts.desk.failed(&trouble.to_string());
                Err(fault(trouble))
            }
        }
    }

    /// Brings one batch of events into the live index.
    async fn follow(&mut self, target: Position) -> Result<Followed, Trouble> {
        if self.distrusted {
            return Ok(Followed::Lost);
        }
        let parts = &self.parts;
        let at = parts.index.lock().await.position().await?;
        let Some(at) = at.filter(|at| at.epoch == target.epoch) else {
            return Ok(Followed::Lost);
        };
        let Some((events, to)) = parts.events(at, target).await? else {
            return Ok(Followed::Lost);
        };
        if to == at {
            parts.progress.stands_at(Some(at));
            return Ok(Followed::Level);
        }
        parts.give(Into::Live, &events).await?;
        parts.commit(to).await?;
        parts.progress.stands_at(Some(to));
        Ok(if to.offset < target.offset { Followed::More } else { Followed::Level })
    }

    /// One step of a rebuild, which is begun if there is none; true when it is done.
    async fn rebuild_on(&mut self, target: Position) -> Result<bool, Trouble> {
        let rebuild = match &mut self.rebuild {
            Some(rebuild) if rebuild.began_at.epoch == target.epoch => rebuild,
            _ => self.rebuild.insert(Rebuild::begin(&self.parts, target).await?),
        };
        let done = rebuild.step(&self.parts, target).await?;
        if done {
            self.rebuild = None;
        }
        Ok(done)
    }
}

/// Which index changes go into.
#[derive(Debug, Clone, Copy)]
enum Into {
    Live,
    Shadow,
}

impl SearchIndexParts {
    /// Events behind `at` up to `target` and the place they lead to; `None` when some are gone.
    async fn events(
        &self,
        at: Position,
        target: Position,
    ) -> Result<Option<(Vec<Event>, Position)>, Trouble> {
        if at.offset >= target.offset {
            return Ok(Some((Vec::new(), at)));
        }
        let mut events = self.outbox.after(at.offset, BATCH).await.map_err(Trouble::Log)?;
        // Asked behind the events: what was whole then has no hole now.
        if self.outbox.pruned().await.map_err(Trouble::Log)? > at.offset {
            return Ok(None);
        }
        events.retain(|event| event.offset <= target.offset);
        let offset = events.last().map_or(target.offset, |event| event.offset);
        Ok(Some((events, Position { epoch: at.epoch, offset })))
    }

    /// Gives an index the present documents of all that the events touched.
    async fn give(&self, into: Into, events: &[Event]) -> Result<(), Trouble> {
        let mut products = BTreeSet::new();
        let mut categories = BTreeSet::new();
        for event in events {
            match event.kind {
                Some(EventKind::ProductChanged) => {
                    products.insert(ProductId(event.subject));
                }
                Some(EventKind::CategoryChanged) => {
                    categories.insert(CategoryId(event.subject));
                }
                _ => {}
            }
        }
        for scope in &self.scopes {
            self.give_below(into, scope, &categories).await?;
        }
        let ids: Vec<ProductId> = products.into_iter().collect();
        for scope in &self.scopes {
            for ids in ids.chunks(CHUNK) {
                let changes = self.load(scope, ids.to_vec()).await?;
                self.put(into, scope, changes).await?;
            }
        }
        Ok(())
    }

    /// A category that was renamed or moved changes the products in it, which have no events of
    /// their own. A new one has no products, or they have.
    async fn give_below(
        &self,
        into: Into,
        scope: &Scope,
        categories: &BTreeSet<CategoryId>,
    ) -> Result<(), Trouble> {
        let changed: Vec<CategoryId> =
            categories.iter().copied().filter(|id| self.holds(scope, *id)).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let mut after = None;
        loop {
            let (documents, scope_too) = (Arc::clone(&self.documents), scope.clone());
            let page =
                self.reading(move || documents.page_by_id(&scope_too, after, CHUNK)).await??;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id);
            let below = page.into_iter().filter(|product| {
                product.categories.iter().any(|category| changed.contains(&category.id))
            });
            let changes: Vec<_> =
                below.map(|product| IndexChange::Put(Box::new(product))).collect();
            if !changes.is_empty() {
                self.put(into, scope, changes).await?;
            }
        }
    }

    /// Whether the index shows a product in this category; when it can't say: it may.
    fn holds(&self, scope: &Scope, category: CategoryId) -> bool {
        let query = SearchQuery {
            category: Some(category),
            limit: 0,
            ..SearchQuery::everything(scope.clone())
        };
        self.search.search(&query).map_or(true, |page| page.total > 0)
    }

    /// Reading thousands of documents takes tens of milliseconds, too long for a request's thread.
    async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Trouble> {
        self.hand.start(read).await.map_err(Trouble::Panicked)
    }

    async fn load(&self, scope: &Scope, ids: Vec<ProductId>) -> Result<Vec<IndexChange>, Trouble> {
        let (documents, scope) = (Arc::clone(&self.documents), scope.clone());
        self.reading(move || {
            let found = documents.documents(&scope, &ids)?;
            let change = |(id, found): (&ProductId, Option<ProductDocument>)| match found {
                Some(document) => IndexChange::Put(Box::new(document)),
                None => IndexChange::Remove(*id),
            };
            Ok(ids.iter().zip(found).map(change).collect())
        })
        .await?
    }

    async fn put(
        &self,
        into: Into,
        scope: &Scope,
        changes: Vec<IndexChange>,
    ) -> Result<(), Trouble> {
        let mut index = self.index.lock().await;
        match into {
            Into::Live => index.add(scope, changes).await?,
            Into::Shadow => index.fill_shadow(scope, changes).await?,
        }
        Ok(())
    }

    /// Only now can what was put into the live index be found, and does it say that all is in.
    async fn commit(&self, to: Position) -> Result<(), Trouble> {
        if let Some(scope) = self.scopes.first() {
            self.index.lock().await.apply(scope, Vec::new(), to).await?;
        }
        Ok(())
    }
}

/// Why a pass could not go on.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Documents(#[from] DocumentsError),
    #[error(transparent)]
    Index(#[from] SearchError),
    #[error(transparent)]
    Log(crate::ports::StoreError),
    #[error("reading documents panicked: {0}")]
    Panicked(tokio::task::JoinError),
}

fn fault(trouble: Trouble) -> Fault {
    match trouble {
        Trouble::Documents(error) => documents_fault(error),
        // Room comes back, and damage is mended by the next pass.
        Trouble::Index(error) => Fault::unavailable(error),
        Trouble::Log(error) => store_fault(error),
        Trouble::Panicked(error) => Fault::crash(error),
    }
}

/// The documents' own follower mends them.
fn documents_fault(error: DocumentsError) -> Fault {
    Fault::unavailable(error)
}

#[cfg(test)]
mod tests;
