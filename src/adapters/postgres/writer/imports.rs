//! An import's row, and a batch of its products together with the place it brings the import to.

use super::products;
use crate::{
    adapters::postgres::statement::{execute, query, statements},
    domain::{id::ImportId, time::Micros},
    ports::{
        clock::Ids,
        imports::{Import, ImportCounts, ImportState},
        writer::{ImportCheckpoint, ProductBatch, Written},
    },
};
use deadpool_postgres::{Transaction, tokio_postgres::Error};

statements! {
    CREATE_IMPORT =
        "INSERT INTO import (id, name, source, source_hash, source_bytes, options, state,
             rows_read, rows_created, rows_updated, rows_unchanged, rows_rejected, rows_done,
             bytes_done, message, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, $7, $8, $9, $10, $11, $12, $13, $14, $15,
             $16, $17)";
    END_IMPORT = "UPDATE import SET state = $2, message = $3, updated_at = $4 WHERE id = $1";
    /// Claims the import's next stretch, if it is still where the batch believes.
    CLAIM_IMPORT =
        "UPDATE import SET rows_done = $3, bytes_done = $4, updated_at = $5
         WHERE id = $1 AND rows_done = $2 AND state NOT IN ('succeeded', 'cancelled')";
    IMPORT_EXISTS = "SELECT count(*) FROM import WHERE id = $1";
    COUNT_IMPORT =
        "UPDATE import SET rows_read = rows_read + $2, rows_created = rows_created + $3,
             rows_updated = rows_updated + $4, rows_unchanged = rows_unchanged + $5,
             rows_rejected = rows_rejected + $6 WHERE id = $1";
}

/// `again`: the transaction has staged products before.
pub(super) async fn batch(
    tx: &mut Transaction<'_>,
    batch: &ProductBatch,
    ids: &dyn Ids,
    again: bool,
) -> Result<Written, Error> {
    products::lock(tx, &batch.scope.site).await?;
    let Some(checkpoint) = &batch.checkpoint else {
        return Ok(Written::Products(put(tx, batch, ids, again).await?));
    };
    if let Some(refused) = claim(tx, checkpoint, batch.at).await? {
        return Ok(refused);
    }
    let mut counts = put(tx, batch, ids, again).await?;
    counts.read += checkpoint.rejected;
    counts.rejected = checkpoint.rejected;
    let ImportCounts { read, created, updated, unchanged, rejected } = counts;
    let [read, created, updated, unchanged, rejected] =
        [read, created, updated, unchanged, rejected].map(|n| n as i64);
    let import = &checkpoint.import.0;
    execute(tx, COUNT_IMPORT, [import, &read, &created, &updated, &unchanged, &rejected]).await?;
    Ok(Written::Products(counts))
}

/// A dry run does it all, so that it fails where the run would, and takes it back.
async fn put(
    tx: &mut Transaction<'_>,
    batch: &ProductBatch,
    ids: &dyn Ids,
    again: bool,
) -> Result<ImportCounts, Error> {
    if !batch.dry_run {
        return products::put(tx, batch, ids, again).await;
    }
    let savepoint = tx.transaction().await?;
    let counts = products::put(&savepoint, batch, ids, again).await?;
    savepoint.rollback().await?;
    Ok(counts)
}

/// `Some` when the batch must not be written.
async fn claim(
    tx: &Transaction<'_>,
    checkpoint: &ImportCheckpoint,
    at: Micros,
) -> Result<Option<Written>, Error> {
    let import = &checkpoint.import.0;
    let [before, done, bytes] =
        [checkpoint.rows_before, checkpoint.rows_done, checkpoint.bytes_done].map(|n| n as i64);
    if execute(tx, CLAIM_IMPORT, [import, &before, &done, &bytes, &at.0]).await? == 1 {
        return Ok(None);
    }
    let there = query(tx, IMPORT_EXISTS, [import]).await?;
    let there: i64 = there.first().map_or(Ok(0), |row| row.try_get(0))?;
    Ok(Some(if there == 0 { Written::Absent } else { Written::Superseded }))
}

pub(super) async fn create(tx: &Transaction<'_>, import: &Import) -> Result<Written, Error> {
    let ImportCounts { read, created, updated, unchanged, rejected } = import.counts;
    let [read, created, updated, unchanged, rejected] =
        [read, created, updated, unchanged, rejected].map(|n| n as i64);
    let [size, rows, bytes] =
        [import.source_bytes, import.rows_done, import.bytes_done].map(|n| n as i64);
    let options = serde_json::to_string(&import.options).unwrap_or_default();
    let state = import.state.as_str();
    let Import { id, name, source, source_hash, message, created_at, updated_at, .. } = import;
    execute(
        tx,
        CREATE_IMPORT,
        [
            &id.0,
            name,
            source,
            source_hash,
            &size,
            &options,
            &state,
            &read,
            &created,
            &updated,
            &unchanged,
            &rejected,
            &rows,
            &bytes,
            message,
            &created_at.0,
            &updated_at.0,
        ],
    )
    .await?;
    Ok(Written::Done)
}

pub(super) async fn end(
    tx: &Transaction<'_>,
    id: ImportId,
    state: ImportState,
    message: Option<&str>,
    at: Micros,
) -> Result<Written, Error> {
    let state = state.as_str();
    let ended = execute(tx, END_IMPORT, [&id.0, &state, &message, &at.0]).await?;
    Ok(if ended == 0 { Written::Absent } else { Written::Done })
}
