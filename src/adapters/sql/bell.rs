//! Processes on one PostgreSQL wake each other by its notifications; see `ports::bell`.

use super::{Pools, SqlStore, error::store_error, texts::statements};
use crate::ports::{
    StoreError,
    bell::{Bell, Ear},
};
use async_trait::async_trait;
use sqlx::{
    PgPool,
    postgres::{PgListener, PgPoolOptions},
};
use std::time::Duration;
use uuid::Uuid;

/// Where processes that run jobs hear of each other.
const CHANNEL: &str = "stoa_jobs";
const CONNECT: Duration = Duration::from_secs(5);

statements! {
    /// By itself: at the commit of a transaction that writes, it would make all others wait.
    RING = { postgres: "SELECT pg_notify($1, $2)" };
}

/// One process' bell.
pub struct PostgresBell {
    pool: PgPool,
    /// By which it knows what it rang itself.
    name: String,
}

struct PostgresEar {
    listener: PgListener,
    name: String,
}

impl SqlStore {
    /// `None`: no other process writes to this database by itself. `process`: this one.
    pub fn bell(&self, process: Uuid) -> Option<PostgresBell> {
        match &self.pools {
            Pools::Sqlite { .. } => None,
            Pools::Postgres(pool) => {
                Some(PostgresBell { pool: pool.clone(), name: process.to_string() })
            }
        }
    }
}

#[async_trait]
impl Bell for PostgresBell {
    async fn ring(&self) -> Result<(), StoreError> {
        let ring = sqlx::query(RING.postgres).bind(CHANNEL).bind(&self.name);
        ring.execute(&self.pool).await.map(drop).map_err(store_error)
    }

    async fn listen(&self) -> Result<Box<dyn Ear>, StoreError> {
        // On a connection beside those that answer.
        let options = PgPoolOptions::new().max_connections(1).acquire_timeout(CONNECT);
        let options = options.max_lifetime(None).idle_timeout(None);
        let pool = options.connect_lazy_with((*self.pool.connect_options()).clone());
        let mut listener = PgListener::connect_with(&pool).await.map_err(store_error)?;
        listener.listen(CHANNEL).await.map_err(store_error)?;
        Ok(Box::new(PostgresEar { listener, name: self.name.clone() }))
    }
}

#[async_trait]
impl Ear for PostgresEar {
    async fn heard(&mut self) -> Result<(), StoreError> {
        loop {
            match self.listener.try_recv().await.map_err(store_error)? {
                Some(rung) if rung.payload() == self.name => {}
                // Nothing: the connection was lost and is made anew.
                Some(_) | None => return Ok(()),
            }
        }
    }
}
