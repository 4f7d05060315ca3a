//! An import's row, and a batch of its products together with the place it brings the import to.

use super::products;
use crate::{
    adapters::sql::texts::statements,
    domain::{id::ImportId, time::Micros},
    ports::{
        clock::Ids,
        imports::{Import, ImportCounts, ImportState},
        writer::{ImportCheckpoint, ProductBatch, Written},
    },
};
use sqlx::{Connection, SqliteConnection, types::Json};

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
}

pub(super) async fn batch(
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
        return products::put(conn, batch, ids).await;
    }
    let mut savepoint = conn.begin().await?;
    let counts = products::put(&mut savepoint, batch, ids).await?;
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

pub(super) async fn create(
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

pub(super) async fn end(
    conn: &mut SqliteConnection,
    id: ImportId,
    state: ImportState,
    message: Option<&str>,
    at: Micros,
) -> Result<Written, sqlx::Error> {
    let end = sqlx::query(END_IMPORT.sqlite).bind(id.0).bind(state.as_str());
    let end = end.bind(message).bind(at.0).execute(conn).await?;
    Ok(if end.rows_affected() == 0 { Written::Absent } else { Written::Done })
}
