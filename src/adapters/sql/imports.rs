//! Import runs, read back; see `ports::imports`. The writer makes and moves the rows.

use super::{SqlStore, error::not_ours, on, texts::statements};
use crate::{
    domain::{id::ImportId, time::Micros},
    ports::{
        StoreError,
        imports::{Import, ImportCounts, ImportOptions, ImportState, Imports},
    },
};
use async_trait::async_trait;
use sqlx::types::Json;
use sqlx_macros::FromRow;
use uuid::Uuid;

macro_rules! import_columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, source, source_hash, source_bytes, options, state, rows_read,
                    rows_created, rows_updated, rows_unchanged, rows_rejected, rows_done,
                    bytes_done, message, created_at, updated_at FROM import ",
            $rest
        )
    };
}

// Ids are time-ordered, so by id is by age.
const GET_TEXT: &str = import_columns!("WHERE id = $1");
const LIST_TEXT: &str = import_columns!("ORDER BY id DESC LIMIT $1");
const LIST_BEFORE_TEXT: &str = import_columns!("WHERE id < $1 ORDER BY id DESC LIMIT $2");
const UNFINISHED_TEXT: &str =
    import_columns!("WHERE state IN ('pending', 'running') ORDER BY id LIMIT 1");
const RESUMABLE_TEXT: &str = import_columns!(
    "WHERE source_hash = $1 AND state IN ('pending', 'running', 'failed')
     ORDER BY id DESC LIMIT 1"
);

statements! {
    GET = (GET_TEXT);
    LIST = (LIST_TEXT);
    LIST_BEFORE = (LIST_BEFORE_TEXT);
    UNFINISHED = (UNFINISHED_TEXT);
    RESUMABLE = (RESUMABLE_TEXT);
}

#[derive(FromRow)]
struct ImportRow {
    id: Uuid,
    name: String,
    source: String,
    source_hash: String,
    source_bytes: i64,
    options: Json<ImportOptions>,
    state: String,
    rows_read: i64,
    rows_created: i64,
    rows_updated: i64,
    rows_unchanged: i64,
    rows_rejected: i64,
    rows_done: i64,
    bytes_done: i64,
    message: Option<String>,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<ImportRow> for Import {
    type Error = StoreError;

    fn try_from(row: ImportRow) -> Result<Self, StoreError> {
        // A CHECK keeps each at or above zero.
        let count = |n: i64| u64::try_from(n).unwrap_or_default();
        Ok(Self {
            id: ImportId(row.id),
            state: ImportState::parse(&row.state)
                .ok_or_else(|| not_ours(format!("an import's state is {:?}", row.state)))?,
            name: row.name,
            source: row.source,
            source_hash: row.source_hash,
            source_bytes: count(row.source_bytes),
            options: row.options.0,
            counts: ImportCounts {
                read: count(row.rows_read),
                created: count(row.rows_created),
                updated: count(row.rows_updated),
                unchanged: count(row.rows_unchanged),
                rejected: count(row.rows_rejected),
            },
            rows_done: count(row.rows_done),
            bytes_done: count(row.bytes_done),
            message: row.message,
            created_at: Micros(row.created_at),
            updated_at: Micros(row.updated_at),
        })
    }
}

#[async_trait]
impl Imports for SqlStore {
    async fn get(&self, id: ImportId) -> Result<Option<Import>, StoreError> {
        let row: Option<ImportRow> = on!(self, GET, |pool, text| sqlx::query_as(text)
            .bind(id.0)
            .fetch_optional(pool)
            .await)?;
        row.map(TryInto::try_into).transpose()
    }

    async fn list(&self, before: Option<ImportId>, limit: u32) -> Result<Vec<Import>, StoreError> {
        let limit = i64::from(limit);
        let rows: Vec<ImportRow> = match before {
            None => on!(self, LIST, |pool, text| sqlx::query_as(text)
                .bind(limit)
                .fetch_all(pool)
                .await)?,
            Some(before) => on!(self, LIST_BEFORE, |pool, text| sqlx::query_as(text)
                .bind(before.0)
                .bind(limit)
                .fetch_all(pool)
                .await)?,
        };
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn next_unfinished(&self) -> Result<Option<Import>, StoreError> {
        let row: Option<ImportRow> =
            on!(self, UNFINISHED, |pool, text| sqlx::query_as(text).fetch_optional(pool).await)?;
        row.map(TryInto::try_into).transpose()
    }

    async fn resumable(&self, source_hash: &str) -> Result<Option<Import>, StoreError> {
        let row: Option<ImportRow> = on!(self, RESUMABLE, |pool, text| sqlx::query_as(text)
            .bind(source_hash)
            .fetch_optional(pool)
            .await)?;
        row.map(TryInto::try_into).transpose()
    }
}
