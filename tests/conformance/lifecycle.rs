//! Opening a database: new, known, newer, damaged, out of reach.

use crate::shop::{Counted, Shop, draft, on_both_databases};
use std::{fs, path::Path};
use stoa::{
    adapters::sql::{Location, MigrationState, SqlStore},
    ports::{StoreError, catalog::Catalog, writer::Write},
};

on_both_databases![
    migrating_again_does_nothing_and_keeps_the_identity,
    a_database_from_a_newer_version_is_left_alone,
];

async fn migrating_again_does_nothing_and_keeps_the_identity(shop: Shop) {
    let before = shop.store.identity().await.unwrap();
    assert_ne!(before.database_id, before.epoch);
    assert_eq!(before.created_by, env!("CARGO_PKG_VERSION"));
    let source = &*shop.source;
    assert!(shop.store.migrate(true, source, source).await.unwrap().is_empty());
    assert!(shop.store.migrate(false, source, source).await.unwrap().is_empty());
    assert_eq!(shop.store.identity().await.unwrap(), before);
    let status = shop.store.migration_status().await.unwrap();
    assert!(status.len() >= 3 && status.iter().all(|line| line.state == MigrationState::Applied));
}

async fn a_database_from_a_newer_version_is_left_alone(shop: Shop) {
    let insert = "INSERT INTO _sqlx_migrations (version, description, success, checksum,
                      execution_time) SELECT 9999, 'later', TRUE, checksum, 0
                  FROM _sqlx_migrations WHERE version = 1";
    shop.execute(insert).await;
    let refused = SqlStore::connect(&shop.location).await;
    let Err(StoreError::Corrupt(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("newer version") && why.contains("9999"), "{why}");
}

/// Table, column, whether it may be NULL.
type Columns = std::collections::BTreeSet<(String, String, bool)>;

async fn columns(shop: &Shop) -> Columns {
    use sqlx::Connection;
    let rows: Vec<(String, String, bool)> = match &shop.location {
        Location::Sqlite(path) => {
            let url = format!("sqlite:{}", path.display());
            let mut conn = sqlx::SqliteConnection::connect(&url).await.unwrap();
            let text = "SELECT t.name, c.name, c.\"notnull\" = 0 AND c.pk = 0
                        FROM sqlite_schema t, pragma_table_info(t.name) c
                        WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'";
            sqlx::query_as(text).fetch_all(&mut conn).await.unwrap()
        }
        Location::Postgres(url) => {
            let mut conn = sqlx::PgConnection::connect(url).await.unwrap();
            let text = "SELECT table_name::text, column_name::text, is_nullable = 'YES'
                        FROM information_schema.columns WHERE table_schema = 'public'";
            sqlx::query_as(text).fetch_all(&mut conn).await.unwrap()
        }
    };
    rows.into_iter().filter(|(table, ..)| !table.starts_with('_')).collect()
}

#[test]
fn postgres_has_the_columns_that_sqlite_has() {
    let name = "lifecycle::postgres_has_the_columns_that_sqlite_has";
    let Some(peer) = crate::peer::database(name) else { return };
    let (postgres, sqlite) = crate::shop::runtime().block_on(async {
        (
            columns(&Shop::postgres(peer.url.clone()).await).await,
            columns(&Shop::sqlite().await).await,
        )
    });
    assert!(sqlite.len() > 60, "{sqlite:?}");
    // There a row gets its place in the log and in the audit log's chain after its commit.
    let named = |these: Vec<&(String, String, bool)>| -> Vec<_> {
        these.into_iter().map(|(table, column, _)| format!("{table}.{column}")).collect()
    };
    let other = named(sqlite.difference(&postgres).collect());
    assert_eq!(other, ["audit.link", "audit.place"]);
    let more = named(postgres.difference(&sqlite).collect());
    assert_eq!(more, ["audit.id", "audit.link", "audit.place", "log_mark.head", "outbox.place"]);
}

/// On SQLite alone: its file is ours to find in any state.
fn with_file(test: impl AsyncFnOnce(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    crate::shop::runtime().block_on(test(&folder.path().join("stoa.db")));
}

async fn refusal(path: &Path) -> StoreError {
    match SqlStore::connect(&Location::Sqlite(path.into())).await {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

#[test]
fn a_file_that_is_no_database_is_refused_and_kept() {
    with_file(async |path| {
        let content = b"this is a shopping list, not a database. ".repeat(100);
        fs::write(path, &content).unwrap();
        let error = refusal(path).await;
        assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
        assert!(error.to_string().contains("restore a backup"), "{error}");
        assert_eq!(fs::read(path).unwrap(), content);
    });
}

#[test]
fn a_missing_folder_is_said_to_be_unwritable() {
    with_file(async |path| {
        let error = refusal(&path.join("below")).await;
        assert!(matches!(error, StoreError::Full(_)), "{error}");
        assert!(error.to_string().contains("writable"), "{error}");
    });
}

#[test]
fn a_dry_run_says_what_is_pending_and_does_none_of_it() {
    with_file(async |path| {
        let source = Counted::default();
        let store = SqlStore::connect(&Location::Sqlite(path.into())).await.unwrap();
        let pending = store.migrate(true, &source, &source).await.unwrap();
        assert_eq!(store.migration_status().await.unwrap(), pending);
        assert!(store.identity().await.is_err());
        assert_eq!(store.migrate(false, &source, &source).await.unwrap(), pending);
        store.check().await.unwrap();
    });
}

#[test]
fn flipped_bytes_are_found_by_a_check() {
    with_file(async |path| {
        let location = Location::Sqlite(path.into());
        let source = std::sync::Arc::new(Counted::default());
        let store = SqlStore::connect(&location).await.unwrap();
        store.migrate(false, &*source, &*source).await.unwrap();
        let writer = store.sqlite_writer(source).await.unwrap().unwrap();
        let mut writer: Box<dyn stoa::ports::writer::Writer> = Box::new(writer);
        let batch = stoa::ports::writer::ProductBatch {
            scope: Default::default(),
            products: (0..500)
                .map(|n| draft(&format!("P{n}"), "a product of some length"))
                .collect(),
            checkpoint: None,
            supposed: Vec::new(),
            dry_run: false,
            at: Default::default(),
        };
        assert!(writer.commit(vec![Write::Products(batch)]).await[0].is_ok());
        assert_eq!(store.product_count().await.unwrap(), 500);
        store.check().await.unwrap();
        drop(writer);
        store.close().await;

        let mut bytes = fs::read(path).unwrap();
        let page = 4_096;
        for byte in bytes.iter_mut().skip(20 * page).step_by(7).take(5 * page) {
            *byte ^= 0xff;
        }
        fs::write(path, bytes).unwrap();
        let found = match SqlStore::connect(&location).await {
            Ok(store) => store.check().await,
            Err(error) => Err(error),
        };
        assert!(matches!(found, Err(StoreError::Corrupt(_))), "{found:?}");
    });
}

#[test]
fn a_full_disk_refuses_writes_keeps_reads_and_recovers() {
    let Some(disk) = crate::disk::SmallDisk::mount() else { return };
    let ballast = disk.path().join("ballast");
    fs::write(&ballast, vec![1; 4 << 20]).unwrap();
    crate::shop::runtime().block_on(async {
        let mut shop = Shop::at(disk.path().join("stoa.db")).await;
        let mut acknowledged = 0;
        let full = loop {
            let products = (0..500).map(|n| draft(&format!("P{}", acknowledged + n), "a lamp"));
            let batch = shop.batch(products.collect());
            match shop.commit(Write::Products(batch)).await {
                Ok(_) => acknowledged += 500,
                Err(error) => break error,
            }
            assert!(acknowledged < 100_000, "it never got full");
        };
        assert!(matches!(full, StoreError::Full(_)), "{full}");
        assert!(acknowledged > 0, "it held nothing at all");
        assert_eq!(shop.store.product_count().await.unwrap(), acknowledged);

        fs::remove_file(&ballast).unwrap();
        assert_eq!(shop.put(vec![draft("LAST", "room again")]).await, [1, 0, 0]);
        assert_eq!(shop.store.product_count().await.unwrap(), acknowledged + 1);
        shop.store.check().await.unwrap();
        shop.store.close().await;
    });
}
