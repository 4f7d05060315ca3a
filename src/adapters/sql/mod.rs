//! Both databases through sqlx: one `$n` text and one row struct serve SQLite and PostgreSQL.
//!
//! [`SqlStore`] reads (the ports that it fulfils stand in this folder's files) and looks after the
//! schema; [`SqliteWriter`] is the one writer of an embedded shop. PostgreSQL's writer is
//! `adapters::postgres`.
//!
//! SQLite runs in WAL mode with `synchronous=FULL`: what was committed survives a power cut, and
//! readers, in a pool of their own that can't write, never wait for the writer. When the process
//! dies, an open transaction was never there. A damaged file is noticed as it is opened or by
//! [`SqlStore::check`], and refused rather than served.

mod accounts;
mod audit;
mod bell;
mod carts;
mod catalog;
mod copies;
mod drafts;
mod error;
mod imports;
mod job_by_job;
mod job_waits;
mod jobs;
mod kept_answers;
mod lists;
mod mail;
mod maintenance;
mod migrations;
mod one_by_one;
mod orders;
mod outbox;
mod overrides;
mod plain;
mod plain_pools;
mod quotes;
mod rules;
mod schedules;
mod sessions;
mod sqlite_writer;
mod stock;
mod texts;
mod till;
mod webhooks;

pub use bell::PostgresBell;
pub use copies::{CopyMark, adopt_copy};
pub use job_by_job::JobByJob;
pub use migrations::{DatabaseIdentity, MigrationLine, MigrationState};
pub use one_by_one::OneByOne;
pub use sqlite_writer::SqliteWriter;

use crate::ports::{StoreError, integrity::Integrity};
use async_trait::async_trait;
use error::store_error;
use sqlx::{
    ConnectOptions, Connection, Executor, PgConnection, PgPool, SqlSafeStr, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{
        SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions,
        SqliteSynchronous,
    },
};
use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a statement may wait for another process' write on SQLite.
const BUSY: Duration = Duration::from_secs(5);
const SQLITE_READERS: u32 = 4;
const POSTGRES_READERS: u32 = 8;

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A file, made when it is missing; its folder must be there.
    Sqlite(PathBuf),
    /// A `postgres://` address.
    Postgres(String),
}

impl Location {
    /// `postgres://…` or `postgresql://…`; anything else is a file's path.
    pub fn parse(text: &str) -> Self {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Self::Postgres(text.to_owned());
        }
        Self::Sqlite(text.strip_prefix("sqlite:").unwrap_or(text).into())
    }
}

impl fmt::Display for Location {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(url) => {
                let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
                let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
                let host = host.split_once('?').map_or(host, |(host, _)| host);
                write!(f, "postgres://{host}")
            }
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self})")
    }
}

#[derive(Debug, Clone)]
enum Pools {
    Sqlite { readers: SqlitePool, path: PathBuf },
    Postgres(PgPool),
}

/// An open database. Clones share its connections.
#[derive(Debug, Clone)]
pub struct SqlStore {
    pools: Pools,
}

/// Runs one of the two bodies' shape against whichever database is open.
macro_rules! on {
    ($store:expr, $sql:expr, |$pool:ident, $text:ident| $body:expr) => {
        match &$store.pools {
            $crate::adapters::sql::Pools::Sqlite { readers: $pool, .. } => {
                let $text = $sql.sqlite;
                $body.map_err($crate::adapters::sql::error::store_error)
            }
            $crate::adapters::sql::Pools::Postgres($pool) => {
                let $text = $sql.postgres;
                $body.map_err($crate::adapters::sql::error::store_error)
            }
        }
    };
}
use on;

impl SqlStore {
    /// Opens the database, making a SQLite file that is missing, and refuses one that a newer
    /// version made. Run [`Self::migrate`] before anything else.
    pub async fn connect(location: &Location) -> Result<Self, StoreError> {
        let store = match location {
            Location::Sqlite(path) => Self::open_sqlite(path).await?,
            Location::Postgres(url) => Self::open_postgres(url).await?,
        };
        store.refuse_newer().await?;
        Ok(store)
    }

    async fn open_sqlite(path: &Path) -> Result<Self, StoreError> {
        // The first connection makes the file and puts it into WAL mode, for good.
        let first = writer_options(path).connect().await.map_err(|e| in_words(path, e))?;
        first.close().await.map_err(|e| in_words(path, e))?;
        let options = file_options(path)
            .create_if_missing(false)
            .pragma("query_only", "1")
            .pragma("cache_size", "-4096");
        let readers = SqlitePoolOptions::new()
            .max_connections(SQLITE_READERS)
            .test_before_acquire(false)
            .max_lifetime(None)
            .idle_timeout(None)
            .connect_with(options)
            .await
            .map_err(|e| in_words(path, e))?;
        Ok(Self { pools: Pools::Sqlite { readers, path: path.to_owned() } })
    }

    async fn open_postgres(url: &str) -> Result<Self, StoreError> {
        let options: PgConnectOptions = url.parse().map_err(store_error)?;
        let options = options.application_name("stoa").options([
            ("statement_timeout", "30s"),
            ("idle_in_transaction_session_timeout", "5s"),
            ("lock_timeout", "10s"),
            // Pays for analytics; here an estimate gone wrong would add its 200 ms to a read.
            ("jit", "off"),
            // A plan that was made while its table was small would go on reading all of it.
            ("enable_seqscan", "off"),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_READERS)
            .acquire_timeout(Duration::from_secs(5))
            .connect_with(options)
            .await
            .map_err(store_error)?;
        Ok(Self { pools: Pools::Postgres(pool) })
    }

    /// The writer of an embedded shop, with a connection of its own. `None` on PostgreSQL, whose
    /// writer is another adapter.
    pub async fn sqlite_writer(
        &self,
        ids: std::sync::Arc<dyn crate::ports::clock::Ids>,
    ) -> Result<Option<SqliteWriter>, StoreError> {
        match &self.pools {
            Pools::Sqlite { path, .. } => SqliteWriter::open(path, ids).await.map(Some),
            Pools::Postgres(_) => Ok(None),
        }
    }

    /// Reads what is cheap to verify of the whole database and prepares every statement against
    /// its schema: for `doctor` and a scheduled check. Takes as long as reading a SQLite file.
    pub async fn check(&self) -> Result<(), StoreError> {
        if let Pools::Sqlite { readers, .. } = &self.pools {
            let found: Vec<String> = sqlx::query_scalar("PRAGMA quick_check(1)")
                .fetch_all(readers)
                .await
                .map_err(store_error)?;
            if found != ["ok"] {
                return Err(StoreError::Corrupt(found.join("; ")));
            }
        }
        self.prepare_all().await
    }

    /// Every text of this folder, prepared: one that doesn't fit the schema is named.
    async fn prepare_all(&self) -> Result<(), StoreError> {
        let modules = [
            migrations::ALL,
            catalog::ALL,
            drafts::ALL,
            outbox::ALL,
            imports::ALL,
            overrides::ALL,
            rules::ALL,
            quotes::ALL,
            audit::ALL,
            bell::ALL,
            carts::ALL,
            sessions::ALL,
            accounts::ALL,
            jobs::ALL,
            job_waits::ALL,
            schedules::ALL,
            maintenance::ALL,
            mail::ALL,
            orders::ALL,
            till::ALL,
            kept_answers::ALL,
            job_by_job::ALL,
            one_by_one::ALL,
            stock::ALL,
            webhooks::ALL,
        ];
        match &self.pools {
            Pools::Sqlite { readers, .. } => {
                let all: Vec<_> =
                    modules.iter().chain(sqlite_writer::ALL).copied().flatten().copied().collect();
                let mut conn = readers.acquire().await.map_err(store_error)?;
                for (name, sql) in all {
                    prepared(name, prepare_on_sqlite(&mut conn, sql.sqlite).await)?;
                }
            }
            Pools::Postgres(pool) => {
                let all: Vec<_> = modules.into_iter().flatten().copied().collect();
                let mut conn = pool.acquire().await.map_err(store_error)?;
                for (name, sql) in all {
                    prepared(name, prepare_on_postgres(&mut conn, sql.postgres).await)?;
                }
            }
        }
        Ok(())
    }

    /// Closes the connections once their statements are done.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { readers, .. } => readers.close().await,
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

#[async_trait]
impl Integrity for SqlStore {
    async fn verify(&self) -> Result<(), StoreError> {
        self.check().await
    }
}

// Two rather than one over any executor: a generic one is not `Send` enough for a port's future.
async fn prepare_on_sqlite(
    conn: &mut SqliteConnection,
    text: &'static str,
) -> Result<(), sqlx::Error> {
    if text.is_empty() {
        return Ok(());
    }
    conn.prepare(text.into_sql_str()).await.map(drop)
}

async fn prepare_on_postgres(
    conn: &mut PgConnection,
    text: &'static str,
) -> Result<(), sqlx::Error> {
    if text.is_empty() {
        return Ok(());
    }
    conn.prepare(text.into_sql_str()).await.map(drop)
}

fn prepared(name: &str, outcome: Result<(), sqlx::Error>) -> Result<(), StoreError> {
    outcome.map_err(|e| match store_error(e) {
        StoreError::Refused(why) => StoreError::Corrupt(format!(
            "the statement {name} does not fit the schema ({why}); run `stoa migrate --status`"
        )),
        other => other,
    })
}

fn file_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .synchronous(SqliteSynchronous::Full)
        .pragma("temp_store", "memory")
        .disable_statement_logging()
}

/// Also bounds the memory of the one connection that sorts and indexes an import.
fn writer_options(path: &Path) -> SqliteConnectOptions {
    file_options(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .pragma("cache_size", "-32768")
        // A burst's WAL is given back to the disk rather than kept at its largest.
        .pragma("journal_size_limit", "67108864")
}

/// A connection for a seldom write beside the writer's: migrations, pruning.
async fn housekeeping(path: &Path) -> Result<SqliteConnection, StoreError> {
    writer_options(path).connect().await.map_err(|e| in_words(path, e))
}

/// Opening a file fails in few ways; say which file, and what to do.
fn in_words(path: &Path, error: sqlx::Error) -> StoreError {
    let at = path.display();
    match store_error(error) {
        StoreError::Corrupt(why) => StoreError::Corrupt(format!(
            "{at}: {why}; restore a backup, or move the file away to start with an empty shop"
        )),
        StoreError::Full(why) => StoreError::Full(format!(
            "{at}: {why}; is its folder there, writable for this user, and is there space left?"
        )),
        StoreError::Unavailable(why) => StoreError::Unavailable(format!("{at}: {why}")),
        StoreError::Refused(why) => StoreError::Refused(format!("{at}: {why}")),
    }
}
