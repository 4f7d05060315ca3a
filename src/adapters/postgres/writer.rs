//! Commits batches of writes; see `ports::writer` and the folder's page.

mod audit;
mod imports;
mod overrides;
mod products;

use super::error::{pool_error, store_error};
use crate::ports::{
    StoreError,
    clock::Ids,
    writer::{Write, Writer, Written},
};
use async_trait::async_trait;
use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime,
    Transaction,
    tokio_postgres::{Config, Error, NoTls},
};
use std::{sync::Arc, time::Duration};

/// Each concern's statements.
const TEXTS: &[&[&str]] = &[products::ALL, imports::ALL, overrides::ALL, audit::ALL];

/// Below a worker's lease, so that whoever takes over never meets the old one's transaction.
const SESSION: &str = "-c statement_timeout=30s -c idle_in_transaction_session_timeout=5s \
                       -c lock_timeout=10s -c jit=off";
const CONNECT: Duration = Duration::from_secs(5);

pub struct PostgresWriter {
    /// Of one connection: the pool is there to make it anew.
    pool: Pool,
    ids: Arc<dyn Ids>,
}

impl PostgresWriter {
    /// Connects and prepares every statement; the schema must be there already.
    pub async fn connect(url: &str, ids: Arc<dyn Ids>) -> Result<Self, StoreError> {
        let mut config: Config = url.parse().map_err(store_error)?;
        let options = match config.get_options() {
            Some(given) => format!("{SESSION} {given}"),
            None => SESSION.to_owned(),
        };
        config.options(options).application_name("stoa writer").connect_timeout(CONNECT);
        let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool = Pool::builder(Manager::from_config(config, NoTls, manager))
            .max_size(1)
            .create_timeout(Some(CONNECT))
            .wait_timeout(Some(CONNECT))
            .runtime(Runtime::Tokio1)
            .post_create(Hook::async_fn(|client: &mut ClientWrapper, _| {
                Box::pin(async { ready(client).await.map_err(HookError::Backend) })
            }))
            .build()
            .map_err(|e| StoreError::Refused(e.to_string()))?;
        let writer = Self { pool, ids };
        let ready = writer.client().await;
        ready.map(drop).map_err(|e| match e {
            StoreError::Refused(why) => StoreError::Corrupt(format!(
                "a statement does not fit the schema ({why}); run `stoa migrate --status`"
            )),
            other => other,
        })?;
        Ok(writer)
    }

    async fn client(&self) -> Result<Object, StoreError> {
        self.pool.get().await.map_err(pool_error)
    }

    async fn together(&self, writes: &[Write]) -> Result<Vec<Written>, StoreError> {
        let mut client = self.client().await?;
        let done = transact(&mut client, writes, &*self.ids).await;
        if matches!(done, Err(StoreError::Unavailable(_))) {
            // It may be dead and not know it yet: the next commit gets a new one.
            drop(Object::take(client));
        }
        done
    }
}

#[async_trait]
impl Writer for PostgresWriter {
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

/// Before its first transaction a connection has its staging table and every statement.
async fn ready(client: &ClientWrapper) -> Result<(), Error> {
    client.batch_execute(products::STAGE).await?;
    for concern in TEXTS {
        for text in *concern {
            client.prepare_cached(text).await?;
        }
    }
    Ok(())
}

/// All of them in one transaction, or none.
async fn transact(
    client: &mut Object,
    writes: &[Write],
    ids: &dyn Ids,
) -> Result<Vec<Written>, StoreError> {
    // Dropped on the way out, the transaction rolls back.
    let mut tx = client.transaction().await.map_err(store_error)?;
    let mut done = Vec::with_capacity(writes.len());
    let mut staged = false;
    for write in writes {
        let again = staged;
        staged |= matches!(write, Write::Products(_));
        done.push(apply(&mut tx, write, ids, again).await.map_err(store_error)?);
    }
    tx.commit().await.map_err(store_error)?;
    Ok(done)
}

async fn apply(
    tx: &mut Transaction<'_>,
    write: &Write,
    ids: &dyn Ids,
    again: bool,
) -> Result<Written, Error> {
    match write {
        Write::Products(batch) => imports::batch(tx, batch, ids, again).await,
        Write::CreateImport(import) => imports::create(tx, import).await,
        Write::EndImport { id, state, message, at } => {
            imports::end(tx, *id, *state, message.as_deref(), *at).await
        }
        Write::SetOverride(wanted) => overrides::set(tx, wanted).await,
        Write::RevertOverride { pool, node, by, at } => {
            overrides::revert(tx, pool, node, by, *at).await
        }
    }
}
