//! Runs over a store in memory, whole and cut short in every way we could think of.

mod faults;
mod handle;
mod sources;
mod store;
mod supervised;

use super::*;
use crate::{
    domain::{import::RowError, money::Currency, product::ProductDraft, sku::Sku, time::Micros},
    ports::imports::{Compression, ImportOptions, RowFormat},
};
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
};
use store::MemoryStore;
use uuid::Uuid;

/// Each look takes a millisecond.
#[derive(Default)]
struct Ticks(AtomicI64);

impl Clock for Ticks {
    fn now(&self) -> Micros {
        Micros(self.0.fetch_add(1_000, Ordering::Relaxed))
    }
}

#[derive(Default)]
struct Counted(AtomicU64);

impl Ids for Counted {
    fn next(&self) -> Uuid {
        Uuid::from_u64_pair(1, self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

impl Importer {
    /// Passes until nothing is waiting.
    async fn run_all(&mut self) -> Result<(), PassError> {
        while self.carry_on(&|| false).await? == Passed::Ran {}
        Ok(())
    }
}

/// A process's worth of importer over a store and folder that outlive it.
fn process(store: &Arc<MemoryStore>, folder: &Path) -> Imports {
    process_with(store, folder, Nudge::new())
}

fn process_with(store: &Arc<MemoryStore>, folder: &Path, nudge: Nudge) -> Imports {
    let batch = BatchOptions {
        start: 4,
        least: 1,
        most: 6,
        target: Duration::from_millis(2),
        most_bytes: 4_096,
    };
    Imports::new(ImporterParts {
        rows: Arc::clone(store) as Arc<dyn ports::imports::Imports>,
        sink: Arc::clone(store) as Arc<dyn ProductSink>,
        clock: Arc::new(Ticks::default()),
        ids: Arc::new(Counted(AtomicU64::new(store.imports().len() as u64))),
        scope: Scope::default(),
        folder: folder.to_owned(),
        options: ImporterOptions {
            batch,
            patience: Duration::from_millis(30),
            upload_most_bytes: 1 << 20,
        },
        nudge,
    })
    .unwrap()
}

fn options() -> ImportOptions {
    ImportOptions {
        format: RowFormat::JsonLines,
        compression: Compression::None,
        map: BTreeMap::new(),
        currency: Currency::USD,
        dry_run: false,
    }
}

/// Rows good and bad, with a SKU that comes twice and two the store won't have.
fn mixed_rows() -> String {
    let mut text = String::new();
    for n in 0..40 {
        text += &match n {
            5 | 17 => format!("{{\"sku\":\"S-{n}\",\"price\":\"much\"}}\n\n"),
            9 => "not json\n".into(),
            12 | 23 => format!("{{\"sku\":\"refused-{n}\",\"name\":\"n\"}}\n"),
            30 => "{\"sku\":\"S-3\",\"name\":\"again\",\"source\":\"x\"}\n".into(),
            39 => "{\"name\":\"the last has no sku\"}".into(),
            _ => format!("{{\"sku\":\"S-{n}\",\"name\":\"n {n}\",\"source\":\"x\"}}\n"),
        };
    }
    text
}

/// Everything a run leaves behind.
#[derive(Debug, PartialEq)]
struct EndState {
    state: ImportState,
    message: Option<String>,
    counts: ImportCounts,
    rows_done: u64,
    products: BTreeMap<Sku, ProductDraft>,
    errors: Vec<RowError>,
}

async fn end_state(imports: &Imports, store: &MemoryStore, id: ImportId) -> EndState {
    let import = imports.get(id).await.unwrap().unwrap();
    EndState {
        state: import.state,
        message: import.message,
        counts: import.counts,
        rows_done: import.rows_done,
        products: store.products(),
        errors: imports.errors(id, 0, usize::MAX).await.unwrap(),
    }
}

/// What a run that nothing disturbs leaves behind of [`mixed_rows`].
async fn undisturbed() -> EndState {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(MemoryStore::default());
    let imports = process(&store, &folder.path().join("imports"));
    let file = folder.path().join("rows.jsonl");
    std::fs::write(&file, mixed_rows()).unwrap();
    let id = imports.submit_path("rows.jsonl", &file, options()).await.unwrap();
    imports.importer().run_all().await.unwrap();
    end_state(&imports, &store, id).await
}

#[tokio::test]
async fn a_run_accounts_for_every_row() {
    let end = undisturbed().await;
    assert_eq!(end.state, ImportState::Succeeded);
    assert_eq!(end.message.as_deref(), Some("ignored columns: source (34 rows)"));
    assert_eq!((end.counts.read, end.rows_done), (40, 40));
    assert_eq!((end.counts.created, end.counts.updated, end.counts.rejected), (33, 1, 6));
    assert_eq!(end.products.len(), 33);
    let told: Vec<_> = end
        .errors
        .iter()
        .map(|e| (e.line, e.field.as_deref().unwrap_or("-"), e.sku.as_deref().unwrap_or("-")))
        .collect();
    assert_eq!(
        told,
        [
            (6, "name", "S-5"),
            (6, "price", "S-5"),
            (11, "-", "-"),
            (14, "-", "refused-12"),
            (19, "name", "S-17"),
            (19, "price", "S-17"),
            (26, "-", "refused-23"),
            (42, "sku", "-"),
        ]
    );
}
