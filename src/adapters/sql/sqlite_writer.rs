//! The one writer of an embedded shop; see `ports::writer`.
//!
//! It owns its connection and commits what it is handed as one `BEGIN IMMEDIATE` transaction,
//! synced to the disk before anybody is answered. When it dies in between, nothing was written;
//! a full disk or a busy file is answered as such, and the next commit starts afresh.

use super::{
    error::store_error, in_words, overrides::OverrideRow, sqlite_batch, texts::statements,
    writer_options,
};
use crate::ports::{
    StoreError,
    clock::Ids,
    imports::{Import, ImportCounts},
    overrides::PoolOverride,
    writer::{ImportCheckpoint, ProductBatch, Write, Writer, Written},
};
use async_trait::async_trait;
use sqlx::{ConnectOptions, Connection, SqliteConnection, types::Json};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

statements! {
    CREATE_IMPORT = { sqlite:
        "INSERT INTO import (id, name, source, source_hash, source_bytes, options, state,
             rows_read, rows_created, rows_updated, rows_unchanged, rows_rejected, rows_done,
             bytes_done, message, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)" };
    END_IMPORT = { sqlite:
        "UPDATE import SET state = $2, message = $3, updated_at = $4 WHERE id = $1" };
    /// Claims the import's next stretch, if it is still where the batch believes.
    CLAIM_IMPORT = { sqlite:
        "UPDATE import SET rows_done = $3, bytes_done = $4, updated_at = $5
         WHERE id = $1 AND rows_done = $2 AND state NOT IN ('succeeded', 'cancelled')" };
    IMPORT_EXISTS = { sqlite: "SELECT count(*) FROM import WHERE id = $1" };
    COUNT_IMPORT = { sqlite:
        "UPDATE import SET rows_read = rows_read + $2, rows_created = rows_created + $3,
             rows_updated = rows_updated + $4, rows_unchanged = rows_unchanged + $5,
             rows_rejected = rows_rejected + $6 WHERE id = $1" };
    GET_OVERRIDE = { sqlite:
        "SELECT pool, node, workers, paused, set_by, set_at, expires_at FROM pool_override
         WHERE pool = $1 AND node = $2" };
    PUT_OVERRIDE = { sqlite:
        "INSERT INTO pool_override (pool, node, workers, paused, set_by, set_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (pool, node) DO UPDATE SET workers = excluded.workers,
             paused = excluded.paused, set_by = excluded.set_by, set_at = excluded.set_at,
             expires_at = excluded.expires_at" };
    DROP_OVERRIDE = { sqlite: "DELETE FROM pool_override WHERE pool = $1 AND node = $2" };
    KEEP_CHANGE = { sqlite:
        "INSERT INTO pool_override_history (at, by_whom, pool, node, old_value, new_value)
         VALUES ($1, $2, $3, $4, $5, $6)" };
}

pub struct SqliteWriter {
    path: PathBuf,
    /// `None` after a failure that may have left it inside a transaction.
    conn: Option<SqliteConnection>,
    ids: Arc<dyn Ids>,
}

impl SqliteWriter {
    pub(super) async fn open(path: &Path, ids: Arc<dyn Ids>) -> Result<Self, StoreError> {
        let conn = writer_options(path).create_if_missing(false).connect().await;
        let conn = conn.map_err(|e| in_words(path, e))?;
        Ok(Self { path: path.to_owned(), conn: Some(conn), ids })
    }

    async fn connection(&mut self) -> Result<SqliteConnection, StoreError> {
        match self.conn.take() {
            Some(conn) => Ok(conn),
            None => {
                let options = writer_options(&self.path).create_if_missing(false);
                options.connect().await.map_err(|e| in_words(&self.path, e))
            }
        }
    }

    /// All of them in one transaction, or none.
    async fn together(&mut self, writes: &[Write]) -> Result<Vec<Written>, StoreError> {
        // Taken out while it works: dropped half-way, or in a state nobody knows, it isn't put
        // back, and SQLite undoes what a closed connection leaves.
        let mut conn = self.connection().await?;
        let mut tx = match conn.begin_with("BEGIN IMMEDIATE").await {
            Ok(tx) => tx,
            Err(error) => return Err(store_error(error)),
        };
        let mut done = Vec::with_capacity(writes.len());
        for write in writes {
            match apply(&mut tx, write, &*self.ids).await {
                Ok(written) => done.push(written),
                Err(error) => {
                    if tx.rollback().await.is_ok() {
                        self.conn = Some(conn);
                    }
                    return Err(store_error(error));
                }
            }
        }
        tx.commit().await.map_err(store_error)?;
        self.conn = Some(conn);
        Ok(done)
    }
}

#[async_trait]
impl Writer for SqliteWriter {
    async fn commit(&mut self, writes: Vec<Write>) -> Vec<Result<Written, StoreError>> {
        match self.together(&writes).await {
            Ok(done) => done.into_iter().map(Ok).collect(),
            // One of them was refused; which one shows when each is alone.
            Err(StoreError::Refused(_)) if writes.len() > 1 => {
                let mut answers = Vec::with_capacity(writes.len());
                for write in &writes {
                    let alone = self.together(std::slice::from_ref(write)).await;
                    answers.push(alone.map(|mut done| done.swap_remove(0)));
                }
                answers
            }
            Err(error) => writes.iter().map(|_| Err(error.clone())).collect(),
        }
    }
}

async fn apply(
    conn: &mut SqliteConnection,
    write: &Write,
    ids: &dyn Ids,
) -> Result<Written, sqlx::Error> {
    match write {
        Write::Products(batch) => products(conn, batch, ids).await,
        Write::CreateImport(import) => create_import(conn, import).await,
        Write::EndImport { id, state, message, at } => {
            let end = sqlx::query(END_IMPORT.sqlite).bind(id.0).bind(state.as_str());
            let end = end.bind(message).bind(at.0).execute(conn).await?;
            Ok(if end.rows_affected() == 0 { Written::Absent } else { Written::Done })
        }
        Write::SetOverride(wanted) => {
            let old = get_override(conn, &wanted.pool, &wanted.node).await?;
            sqlx::query(PUT_OVERRIDE.sqlite)
                .bind(&wanted.pool)
                .bind(&wanted.node)
                .bind(wanted.workers)
                .bind(wanted.paused)
                .bind(&wanted.by)
                .bind(wanted.at.0)
                .bind(wanted.until.map(|until| until.0))
                .execute(&mut *conn)
                .await?;
            keep_change(conn, wanted, old.as_ref(), Some(wanted)).await
        }
        Write::RevertOverride { pool, node, by, at } => {
            let Some(old) = get_override(conn, pool, node).await? else {
                return Ok(Written::Absent);
            };
            let drop = sqlx::query(DROP_OVERRIDE.sqlite).bind(pool).bind(node);
            drop.execute(&mut *conn).await?;
            let change = PoolOverride { by: by.clone(), at: *at, ..old.clone() };
            keep_change(conn, &change, Some(&old), None).await
        }
    }
}

async fn products(
    conn: &mut SqliteConnection,
    batch: &ProductBatch,
    ids: &dyn Ids,
) -> Result<Written, sqlx::Error> {
    let Some(checkpoint) = &batch.checkpoint else {
        return Ok(Written::Products(put(conn, batch, ids).await?));
    };
    if let Some(refused) = claim(conn, checkpoint, batch.at.0).await? {
        return Ok(refused);
    }
    let mut counts = put(conn, batch, ids).await?;
    counts.read += checkpoint.rejected;
    counts.rejected = checkpoint.rejected;
    let ImportCounts { read, created, updated, unchanged, rejected } = counts;
    let mut count = sqlx::query(COUNT_IMPORT.sqlite).bind(checkpoint.import.0);
    for n in [read, created, updated, unchanged, rejected] {
        count = count.bind(n as i64);
    }
    count.execute(conn).await?;
    Ok(Written::Products(counts))
}

/// A dry run does it all, so that it fails where the run would, and takes it back.
async fn put(
    conn: &mut SqliteConnection,
    batch: &ProductBatch,
    ids: &dyn Ids,
) -> Result<ImportCounts, sqlx::Error> {
    if !batch.dry_run {
        return sqlite_batch::put(conn, batch, ids).await;
    }
    let mut savepoint = conn.begin().await?;
    let counts = sqlite_batch::put(&mut savepoint, batch, ids).await?;
    savepoint.rollback().await?;
    Ok(counts)
}

/// `Some` when the batch must not be written.
async fn claim(
    conn: &mut SqliteConnection,
    checkpoint: &ImportCheckpoint,
    at: i64,
) -> Result<Option<Written>, sqlx::Error> {
    let claimed = sqlx::query(CLAIM_IMPORT.sqlite)
        .bind(checkpoint.import.0)
        .bind(checkpoint.rows_before as i64)
        .bind(checkpoint.rows_done as i64)
        .bind(checkpoint.bytes_done as i64)
        .bind(at)
        .execute(&mut *conn)
        .await?;
    if claimed.rows_affected() == 1 {
        return Ok(None);
    }
    let there = sqlx::query_scalar(IMPORT_EXISTS.sqlite).bind(checkpoint.import.0);
    let there: i64 = there.fetch_one(conn).await?;
    Ok(Some(if there == 0 { Written::Absent } else { Written::Superseded }))
}

async fn create_import(
    conn: &mut SqliteConnection,
    import: &Import,
) -> Result<Written, sqlx::Error> {
    sqlx::query(CREATE_IMPORT.sqlite)
        .bind(import.id.0)
        .bind(&import.name)
        .bind(&import.source)
        .bind(&import.source_hash)
        .bind(import.source_bytes as i64)
        .bind(Json(&import.options))
        .bind(import.state.as_str())
        .bind(import.counts.read as i64)
        .bind(import.counts.created as i64)
        .bind(import.counts.updated as i64)
        .bind(import.counts.unchanged as i64)
        .bind(import.counts.rejected as i64)
        .bind(import.rows_done as i64)
        .bind(import.bytes_done as i64)
        .bind(&import.message)
        .bind(import.created_at.0)
        .bind(import.updated_at.0)
        .execute(conn)
        .await?;
    Ok(Written::Done)
}

async fn get_override(
    conn: &mut SqliteConnection,
    pool: &str,
    node: &str,
) -> Result<Option<PoolOverride>, sqlx::Error> {
    let get = sqlx::query_as::<_, OverrideRow>(GET_OVERRIDE.sqlite).bind(pool).bind(node);
    let row = get.fetch_optional(conn).await?;
    row.map(TryInto::try_into).transpose().map_err(|e: StoreError| sqlx::Error::Decode(e.into()))
}

async fn keep_change(
    conn: &mut SqliteConnection,
    change: &PoolOverride,
    old: Option<&PoolOverride>,
    new: Option<&PoolOverride>,
) -> Result<Written, sqlx::Error> {
    sqlx::query(KEEP_CHANGE.sqlite)
        .bind(change.at.0)
        .bind(&change.by)
        .bind(&change.pool)
        .bind(&change.node)
        .bind(old.map(Json))
        .bind(new.map(Json))
        .execute(conn)
        .await?;
    Ok(Written::Done)
}
