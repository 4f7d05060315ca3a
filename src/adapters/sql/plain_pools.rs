//! Connections of a bench's own, over which work is done one by one.

use super::{BUSY, Location, error::store_error, in_words, writer_options};
use crate::ports::StoreError;
use sqlx::{
    PgPool, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::SqlitePoolOptions,
};
use std::time::Duration;

pub(super) enum PlainPools {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl PlainPools {
    /// With so many connections; SQLite has one writer, whatever is asked for.
    pub(super) async fn open(location: &Location, connections: u32) -> Result<Self, StoreError> {
        Ok(match location {
            Location::Sqlite(path) => {
                let options = writer_options(path).create_if_missing(false);
                let pool = SqlitePoolOptions::new().max_connections(1).acquire_timeout(BUSY);
                let pool = pool.test_before_acquire(false).connect_with(options).await;
                Self::Sqlite(pool.map_err(|error| in_words(path, error))?)
            }
            Location::Postgres(url) => {
                let options: PgConnectOptions = url.parse().map_err(store_error)?;
                let pool = PgPoolOptions::new().max_connections(connections);
                let pool = pool.acquire_timeout(Duration::from_secs(30)).test_before_acquire(false);
                Self::Postgres(pool.connect_with(options).await.map_err(store_error)?)
            }
        })
    }

    pub(super) fn connections(&self) -> u32 {
        match self {
            Self::Sqlite(pool) => pool.options().get_max_connections(),
            Self::Postgres(pool) => pool.options().get_max_connections(),
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}
