//! A database of a case's own, with its writer and what is needed to talk about products.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};
use stoa::{
    adapters::{
        postgres::PostgresWriter,
        sql::{Location, SqlStore},
    },
    domain::{
        document::ProductDocument,
        event::{Event, EventKind},
        id::{ImportId, ProductId},
        money::{Currency, Money},
        product::{ProductDraft, ProductStatus, StockDraft},
        scope::Scope,
        sku::Sku,
        tax::TaxCategory,
        time::Micros,
    },
    ports::{
        StoreError,
        catalog::Catalog,
        clock::{Clock, Ids},
        imports::{Compression, Import, ImportCounts, ImportOptions, ImportState, RowFormat},
        outbox::Outbox,
        writer::{ImportCheckpoint, ProductBatch, Write, Writer, Written},
    },
};
use uuid::Uuid;

/// Ids that rise and a clock that ticks when read: the same run twice gives the same rows.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    ids: AtomicU64,
    now: AtomicI64,
}

impl Ids for Counted {
    fn next(&self) -> Uuid {
        let n = self.ids.fetch_add(1, Ordering::Relaxed) + 1;
        Uuid::from_u64_pair(0x0190_0000_0000_7000, 0x8000_0000_0000_0000 | n)
    }
}

impl Clock for Counted {
    fn now(&self) -> Micros {
        Micros(1_800_000_000_000_000 + self.now.fetch_add(1, Ordering::Relaxed))
    }
}

pub(crate) struct Shop {
    pub(crate) location: Location,
    pub(crate) store: SqlStore,
    pub(crate) writer: Box<dyn Writer>,
    pub(crate) source: Arc<Counted>,
    pub(crate) scope: Scope,
    _folder: Option<tempfile::TempDir>,
}

impl Shop {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::Sqlite(folder.path().join("stoa.db"));
        Self::open(location, Some(folder)).await
    }

    /// In a folder that somebody else keeps.
    pub(crate) async fn at(file: PathBuf) -> Self {
        Self::open(Location::Sqlite(file), None).await
    }

    pub(crate) async fn postgres(url: String) -> Self {
        Self::open(Location::Postgres(url), None).await
    }

    async fn open(location: Location, folder: Option<tempfile::TempDir>) -> Self {
        let source = Arc::new(Counted::default());
        let store = SqlStore::connect(&location).await.unwrap();
        store.migrate(false, &*source, &*source).await.unwrap();
        let writer = writer(&location, &store, source.clone()).await;
        Self { location, store, writer, source, scope: Scope::default(), _folder: folder }
    }

    /// Another writer on the same database.
    pub(crate) async fn another_writer(&self) -> Box<dyn Writer> {
        writer(&self.location, &self.store, self.source.clone()).await
    }

    /// Past every port: for what nobody can do yet.
    pub(crate) async fn execute(&self, text: &'static str) {
        self.try_execute(text).await.unwrap();
    }

    pub(crate) async fn try_execute(&self, text: &'static str) -> Result<(), sqlx::Error> {
        use sqlx::{Connection, Executor};
        match &self.location {
            Location::Sqlite(path) => {
                let url = format!("sqlite:{}", path.display());
                let mut conn = sqlx::SqliteConnection::connect(&url).await.unwrap();
                conn.execute(text).await.map(drop)
            }
            Location::Postgres(url) => {
                let mut conn = sqlx::PgConnection::connect(url).await.unwrap();
                conn.execute(text).await.map(drop)
            }
        }
    }

    /// What whoever owns the database could do to the audit log's guards.
    pub(crate) fn drop_audit_guards(&self) -> &'static [&'static str] {
        match self.location {
            Location::Sqlite(_) => {
                &["DROP TRIGGER audit_is_not_changed", "DROP TRIGGER audit_is_not_shortened"]
            }
            Location::Postgres(_) => &["DROP TRIGGER audit_is_kept ON audit"],
        }
    }

    pub(crate) fn batch(&self, products: Vec<ProductDraft>) -> ProductBatch {
        ProductBatch {
            scope: self.scope.clone(),
            products,
            checkpoint: None,
            supposed: Vec::new(),
            dry_run: false,
            at: self.source.now(),
        }
    }

    pub(crate) async fn commit(&mut self, write: Write) -> Result<Written, StoreError> {
        self.writer.commit(vec![write]).await.swap_remove(0)
    }

    /// Upserts, and says what was created, updated and unchanged.
    pub(crate) async fn put(&mut self, products: Vec<ProductDraft>) -> [u64; 3] {
        let batch = self.batch(products);
        match self.commit(Write::Products(batch)).await.unwrap() {
            Written::Products(ImportCounts { read, created, updated, unchanged, rejected }) => {
                assert_eq!(read, created + updated + unchanged + rejected);
                [created, updated, unchanged]
            }
            other => panic!("{other:?}"),
        }
    }

    /// Every document, by SKU.
    pub(crate) async fn documents(&self) -> BTreeMap<String, ProductDocument> {
        let ids = self.store.product_ids(&self.scope, None, u32::MAX).await.unwrap();
        let documents = self.store.documents(&self.scope, &ids).await.unwrap();
        assert_eq!(documents.len(), ids.len(), "each product once");
        documents.into_iter().map(|d| (d.sku.as_str().to_owned(), d)).collect()
    }

    pub(crate) async fn document(&self, sku: &str) -> ProductDocument {
        self.documents().await.remove(sku).unwrap_or_else(|| panic!("no product {sku}"))
    }

    /// SKUs with their slugs.
    pub(crate) async fn slugs(&self) -> Vec<(String, String)> {
        self.documents().await.into_iter().map(|(sku, d)| (sku, d.slug)).collect()
    }

    /// The whole log, numbered first.
    pub(crate) async fn log(&self) -> Vec<Event> {
        self.store.number().await.unwrap();
        self.store.after(0, u32::MAX).await.unwrap()
    }

    /// Which SKUs the log says have changed behind `offset`, and where it ends.
    pub(crate) async fn told_after(&self, offset: i64) -> (Vec<String>, i64) {
        let events = self.log().await;
        let end = events.last().map_or(0, |event| event.offset);
        let documents = self.documents().await;
        let sku_of = |id: Uuid| {
            let found = documents.values().find(|d| d.id == ProductId(id));
            found.unwrap_or_else(|| panic!("an event of no product: {id}")).sku.to_string()
        };
        let mut skus: Vec<_> = events
            .iter()
            .filter(|e| e.offset > offset && e.kind == Some(EventKind::ProductChanged))
            .map(|e| sku_of(e.subject))
            .collect();
        skus.sort();
        (skus, end)
    }

    pub(crate) fn import(&self) -> Import {
        let now = self.source.now();
        Import {
            id: ImportId(self.source.next()),
            name: "products.csv".into(),
            source: "/somewhere/products.csv".into(),
            source_hash: "ab".repeat(32),
            source_bytes: 1_000,
            options: ImportOptions {
                format: RowFormat::Csv,
                compression: Compression::Zstd,
                map: BTreeMap::from([("name".into(), "Title".into())]),
                currency: Currency::USD,
                dry_run: false,
            },
            state: ImportState::Pending,
            counts: ImportCounts::default(),
            rows_done: 0,
            bytes_done: 0,
            message: None,
            created_at: now,
            updated_at: now,
        }
    }
}

async fn writer(location: &Location, store: &SqlStore, ids: Arc<Counted>) -> Box<dyn Writer> {
    match location {
        Location::Sqlite(_) => Box::new(store.sqlite_writer(ids).await.unwrap().unwrap()),
        Location::Postgres(url) => Box::new(PostgresWriter::connect(url, ids).await.unwrap()),
    }
}

pub(crate) fn checkpoint(import: ImportId, rows_before: u64, rows_done: u64) -> ImportCheckpoint {
    ImportCheckpoint { import, rows_before, rows_done, bytes_done: rows_done * 10, rejected: 0 }
}

pub(crate) fn sku(text: &str) -> Sku {
    Sku::new(text).unwrap()
}

/// The plainest product there is; change what the case is about.
pub(crate) fn draft(code: &str, name: &str) -> ProductDraft {
    ProductDraft {
        sku: sku(code),
        name: name.into(),
        slug: None,
        brand: None,
        short_description: None,
        description: None,
        status: ProductStatus::Active,
        price: Some(Money { minor: 1_299, currency: Currency::USD }),
        tax_category: TaxCategory::default(),
        categories: Vec::new(),
        images: Vec::new(),
        attributes: BTreeMap::new(),
        unit: "each".into(),
        precision: 0,
        stock: None,
        variant_of: None,
        options: BTreeMap::new(),
        popularity: 0,
    }
}

pub(crate) fn stock(warehouse: &str, quantity: i64) -> StockDraft {
    StockDraft { warehouse: warehouse.into(), quantity }
}

pub(crate) fn path(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Runs each named case on both databases, as tests of `sqlite` and `postgres`.
macro_rules! on_both_databases {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $case() {
                let run = async { super::$case(crate::shop::Shop::sqlite().await).await };
                crate::shop::runtime().block_on(run);
            })*
        }
        mod postgres {
            $(#[test]
            fn $case() {
                let name = concat!(module_path!(), "::", stringify!($case));
                let Some(peer) = crate::peer::database(name) else { return };
                let run = async { super::$case(crate::shop::Shop::postgres(peer.url.clone()).await).await };
                crate::shop::runtime().block_on(run);
            })*
        }
    };
}
pub(crate) use on_both_databases;
