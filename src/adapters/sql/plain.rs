//! The same rows written again with nothing else done: what `stoa bench import` sets itself beside.
//!
//! Into empty tables of the same columns and indexes, without their references to others: on
//! PostgreSQL by COPY from memory, on SQLite by one INSERT from table to table. Nothing of the shop
//! is changed.

use super::{
    Pools, SqlStore,
    error::{not_ours, store_error},
    housekeeping,
};
use crate::ports::StoreError;
use bytes::Bytes;
use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Connection, PgPool, Row, SqliteConnection};
use std::{path::Path, time::Duration};
use tokio::time::Instant;

/// What a product of an import is, all of it.
const TABLES: [&str; 2] = ["product", "product_text"];
/// Bytes that are sent at once, as an import does.
const PIECE: usize = 64 * 1024;

impl SqlStore {
    /// How long it takes to write all products once more. `scratch` is a file that isn't there, on
    /// SQLite; on PostgreSQL the tables stand beside those of this database, once.
    pub async fn write_again(&self, scratch: &Path) -> Result<Duration, StoreError> {
        match &self.pools {
            Pools::Sqlite { path, .. } => {
                let mut conn = housekeeping(path).await?;
                let took = on_sqlite(&mut conn, scratch).await;
                conn.close().await.map_err(store_error)?;
                took
            }
            Pools::Postgres(pool) => on_postgres(pool).await.map_err(store_error),
        }
    }

    /// Makes an empty database on the server that this one is on, or removes it again. Its name is
    /// the caller's own, not somebody's input.
    pub async fn scratch(&self, name: &str, make: bool) -> Result<(), StoreError> {
        let Pools::Postgres(pool) = &self.pools else {
            return Err(not_ours("only PostgreSQL has several databases"));
        };
        let text = match make {
            true => format!("CREATE DATABASE \"{name}\""),
            false => format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)"),
        };
        sqlx::raw_sql(AssertSqlSafe(text)).execute(pool).await.map_err(store_error).map(drop)
    }
}

async fn on_sqlite(conn: &mut SqliteConnection, scratch: &Path) -> Result<Duration, StoreError> {
    let name = scratch.to_str();
    let name = name.ok_or_else(|| not_ours(format!("{} is not UTF-8", scratch.display())))?;
    let written = async {
        sqlx::query("ATTACH $1 AS again").bind(name).execute(&mut *conn).await?;
        // A file that is attached has settings of its own; those of the shop's are kept to.
        sqlx::raw_sql(
            "PRAGMA again.journal_mode = wal; PRAGMA again.synchronous = full;
             PRAGMA again.cache_size = -32768; PRAGMA foreign_keys = off",
        )
        .execute(&mut *conn)
        .await?;
        for table in TABLES {
            let made = sqlx::query(
                "SELECT sql FROM sqlite_schema WHERE tbl_name = $1 AND sql IS NOT NULL
                 AND type IN ('table', 'index') ORDER BY type DESC",
            );
            for row in made.bind(table).fetch_all(&mut *conn).await? {
                let text: String = row.try_get(0)?;
                let made = ["CREATE TABLE ", "CREATE UNIQUE INDEX ", "CREATE INDEX "];
                let Some(made) = made.into_iter().find(|made| text.starts_with(made)) else {
                    continue;
                };
                let text = text.replacen(made, &format!("{made}again."), 1);
                sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *conn).await?;
            }
        }
        let begun = Instant::now();
        let mut tx = conn.begin().await?;
        for table in TABLES {
            let copy = format!("INSERT INTO again.{table} SELECT * FROM main.{table}");
            sqlx::raw_sql(AssertSqlSafe(copy)).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(begun.elapsed())
    };
    written.await.map_err(store_error)
}

async fn on_postgres(pool: &PgPool) -> Result<Duration, sqlx::Error> {
    let mut conn = pool.acquire().await?;
    let mut rows = Vec::new();
    for table in TABLES {
        let make = format!("CREATE TABLE again_{table} (LIKE {table} INCLUDING ALL)");
        sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut *conn).await?;
        let read = format!("COPY {table} TO STDOUT");
        let pieces: Vec<Bytes> = conn.copy_out_raw(&read).await?.try_collect().await?;
        rows.push((format!("COPY again_{table} FROM STDIN"), pieces.concat()));
    }
    let begun = Instant::now();
    let mut tx = conn.begin().await?;
    for (copy, rows) in rows {
        let mut sink = tx.copy_in_raw(&copy).await?;
        for piece in rows.chunks(PIECE) {
            sink.send(piece).await?;
        }
        sink.finish().await?;
    }
    tx.commit().await?;
    Ok(begun.elapsed())
}
