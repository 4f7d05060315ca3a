//! A store in memory that keeps the writer's promises, and breaks them where it is told to.

use crate::{
    actors::workers::importer::{ProductSink, SinkError},
    domain::{catalog_batch::ContentHash, id::ImportId, product::ProductDraft, sku::Sku},
    ports::{
        StoreError,
        imports::{Import, ImportCounts, ImportState, Imports},
        writer::{ProductBatch, Write, Written},
    },
};
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What happens to one write.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Mishap {
    Unavailable,
    NoRoom,
    Full,
    Stopped,
    /// Nothing is written, and nobody says so.
    LostBefore,
    /// It is written, and nobody says so.
    LostAfter,
    PanicsBefore,
    PanicsAfter,
    /// The same write arrives twice; the second's answer is told.
    Twice,
}

pub(super) const MISHAPS: [Mishap; 9] = [
    Mishap::Unavailable,
    Mishap::NoRoom,
    Mishap::Full,
    Mishap::Stopped,
    Mishap::LostBefore,
    Mishap::LostAfter,
    Mishap::PanicsBefore,
    Mishap::PanicsAfter,
    Mishap::Twice,
];

#[derive(Default)]
pub(super) struct MemoryStore(Mutex<State>);

#[derive(Default)]
struct State {
    products: BTreeMap<Sku, ProductDraft>,
    imports: BTreeMap<ImportId, Import>,
    /// Writes so far, all of them.
    writes: usize,
    mishaps: BTreeMap<usize, Mishap>,
    /// The largest batch seen.
    most_products: usize,
}

impl MemoryStore {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the write numbered `at` (from 0) meet with `mishap`.
    pub(super) fn plan(&self, at: usize, mishap: Mishap) {
        self.state().mishaps.insert(at, mishap);
    }

    pub(super) fn products(&self) -> BTreeMap<Sku, ProductDraft> {
        self.state().products.clone()
    }

    pub(super) fn imports(&self) -> BTreeMap<ImportId, Import> {
        self.state().imports.clone()
    }

    pub(super) fn writes(&self) -> usize {
        self.state().writes
    }

    pub(super) fn most_products(&self) -> usize {
        self.state().most_products
    }

    pub(super) fn change(&self, id: ImportId, change: impl FnOnce(&mut Import)) {
        if let Some(import) = self.state().imports.get_mut(&id) {
            change(import);
        }
    }
}

impl State {
    fn apply(&mut self, write: Write) -> Result<Written, SinkError> {
        match write {
            Write::Products(batch) => self.products(batch),
            Write::CreateImport(import) => {
                self.imports.entry(import.id).or_insert(*import);
                Ok(Written::Done)
            }
            Write::EndImport { id, state, message, at } => {
                let Some(import) = self.imports.get_mut(&id) else { return Ok(Written::Absent) };
                (import.state, import.message, import.updated_at) = (state, message, at);
                Ok(Written::Done)
            }
            other => unreachable!("an importer doesn't write {other:?}"),
        }
    }

    fn products(&mut self, batch: ProductBatch) -> Result<Written, SinkError> {
        self.most_products = self.most_products.max(batch.products.len());
        if let Some(bad) = batch.products.iter().find(|p| p.sku.as_str().starts_with("refused")) {
            return Err(StoreError::Refused(format!("{} is not to my taste", bad.sku)).into());
        }
        let place = batch.checkpoint.expect("an importer's batch has a checkpoint");
        let Some(import) = self.imports.get_mut(&place.import) else { return Ok(Written::Absent) };
        if import.rows_done != place.rows_before {
            return Ok(Written::Superseded);
        }
        let mut counts = ImportCounts {
            read: batch.products.len() as u64 + place.rejected,
            rejected: place.rejected,
            ..ImportCounts::default()
        };
        let mut products = self.products.clone();
        let mut supposed: BTreeMap<_, _> = batch.supposed.into_iter().collect();
        for draft in batch.products {
            let same = match supposed.remove(&draft.sku) {
                Some(before) => Some(before == ContentHash::of(&batch.scope, &draft)),
                None => products.get(&draft.sku).map(|before| *before == draft),
            };
            match same {
                None => counts.created += 1,
                Some(true) => counts.unchanged += 1,
                Some(false) => counts.updated += 1,
            }
            products.insert(draft.sku.clone(), draft);
        }
        if !batch.dry_run {
            self.products = products;
        }
        import.counts.read += counts.read;
        import.counts.created += counts.created;
        import.counts.updated += counts.updated;
        import.counts.unchanged += counts.unchanged;
        import.counts.rejected += counts.rejected;
        import.rows_done = place.rows_done;
        import.bytes_done = place.bytes_done;
        Ok(Written::Products(counts))
    }
}

#[async_trait]
impl ProductSink for MemoryStore {
    async fn write(&self, write: Write) -> Result<Written, SinkError> {
        // Whoever cuts a run at an await finds one on both sides of the commit.
        tokio::task::yield_now().await;
        let answer = {
            let mut state = self.state();
            let mishap = {
                let at = state.writes;
                state.writes += 1;
                state.mishaps.remove(&at)
            };
            match mishap {
                Some(Mishap::Unavailable) => {
                    Err(StoreError::Unavailable("it was switched off".into()).into())
                }
                Some(Mishap::NoRoom) => Err(StoreError::Full("the disk is full".into()).into()),
                Some(Mishap::Full) => Err(SinkError::Full),
                Some(Mishap::Stopped) => Err(SinkError::Stopped),
                Some(Mishap::LostBefore) => Err(SinkError::Unknown),
                Some(Mishap::LostAfter) => {
                    // A refusal can get lost too.
                    let _lost = state.apply(write);
                    Err(SinkError::Unknown)
                }
                Some(Mishap::PanicsBefore) => panic!("before the commit"),
                Some(Mishap::PanicsAfter) => {
                    let _lost = state.apply(write);
                    panic!("after the commit")
                }
                Some(Mishap::Twice) => {
                    let _first = state.apply(write.clone());
                    state.apply(write)
                }
                None => state.apply(write),
            }
        };
        tokio::task::yield_now().await;
        answer
    }
}

#[async_trait]
impl Imports for MemoryStore {
    async fn get(&self, id: ImportId) -> Result<Option<Import>, StoreError> {
        tokio::task::yield_now().await;
        Ok(self.state().imports.get(&id).cloned())
    }

    async fn list(&self, before: Option<ImportId>, limit: u32) -> Result<Vec<Import>, StoreError> {
        let state = self.state();
        let older = state.imports.values().rev().filter(|i| before.is_none_or(|b| i.id < b));
        Ok(older.take(limit as usize).cloned().collect())
    }

    async fn next_unfinished(&self) -> Result<Option<Import>, StoreError> {
        let unfinished =
            |i: &&Import| matches!(i.state, ImportState::Pending | ImportState::Running);
        Ok(self.state().imports.values().find(unfinished).cloned())
    }

    async fn resumable(&self, source_hash: &str) -> Result<Option<Import>, StoreError> {
        let fits = |i: &&Import| i.source_hash == source_hash && i.state != ImportState::Succeeded;
        Ok(self.state().imports.values().rev().find(fits).cloned())
    }
}
