//! A whole SQLite database as a copy of one moment, and a copy taken into use.
//!
//! Copying is reading: the writer goes on meanwhile, and a copy that breaks off is a file that
//! nobody takes for a database's whole.

use super::{Pools, SqlStore, error::store_error, file_options};
use crate::ports::{StoreError, clock::Ids};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use std::path::Path;

/// What a copy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyMark {
    /// The last event of the log that is in it.
    pub offset: i64,
    pub products: u64,
}

impl SqlStore {
    /// Writes the database as it is at one moment to `path`, which must not be there yet. `None`
    /// on PostgreSQL, which has tools of its own for this.
    pub async fn copy_into(&self, path: &Path) -> Result<Option<CopyMark>, StoreError> {
        let Pools::Sqlite { path: source, .. } = &self.pools else { return Ok(None) };
        let mut conn = open(source).await?;
        let target = path.to_str().ok_or_else(|| {
            StoreError::Refused(format!("{} is not a name in UTF-8", path.display()))
        })?;
        let copy = sqlx::query("VACUUM INTO $1").bind(target);
        copy.execute(&mut conn).await.map_err(store_error)?;
        conn.close().await.map_err(store_error)?;
        let mut conn = open(path).await?;
        let mark = mark(&mut conn).await.map_err(store_error)?;
        conn.close().await.map_err(store_error)?;
        Ok(Some(mark))
    }
}

/// Makes a copy the database of a shop: reads all of it for damage, and gives it a new epoch, so
/// that whoever followed the log of the original starts over instead of passing over what the copy
/// has never seen.
pub async fn adopt_copy(path: &Path, ids: &dyn Ids) -> Result<CopyMark, StoreError> {
    let mut conn = open(path).await?;
    let found: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_all(&mut conn)
        .await
        .map_err(store_error)?;
    if found != ["ok"] {
        return Err(StoreError::Corrupt(found.join("; ")));
    }
    let astray = sqlx::query("PRAGMA foreign_key_check").fetch_optional(&mut conn).await;
    if astray.map_err(store_error)?.is_some() {
        return Err(StoreError::Corrupt("a row names another that is not there".into()));
    }
    let renew = sqlx::query("UPDATE meta SET epoch = $1").bind(ids.next());
    if renew.execute(&mut conn).await.map_err(store_error)?.rows_affected() != 1 {
        return Err(StoreError::Corrupt("it doesn't say which database it is".into()));
    }
    let mark = mark(&mut conn).await.map_err(store_error)?;
    conn.close().await.map_err(store_error)?;
    Ok(mark)
}

/// In whatever journal mode the file is: a copy has no log beside it.
async fn open(path: &Path) -> Result<SqliteConnection, StoreError> {
    let options = file_options(path).create_if_missing(false);
    options.connect().await.map_err(|error| super::in_words(path, error))
}

/// The highest offset ever given, which pruning leaves behind.
async fn mark(conn: &mut SqliteConnection) -> Result<CopyMark, sqlx::Error> {
    let offset = "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0)";
    let offset: i64 = sqlx::query_scalar(offset).fetch_one(&mut *conn).await?;
    let products: i64 =
        sqlx::query_scalar("SELECT count(*) FROM product").fetch_one(&mut *conn).await?;
    Ok(CopyMark { offset, products: u64::try_from(products).unwrap_or_default() })
}
