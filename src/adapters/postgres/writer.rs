//! Commits batches of writes; see `ports::writer` and the folder's page.

use super::{
    batch::{self, execute, query},
    error::{pool_error, store_error},
    texts::*,
};
use crate::{
    domain::time::Micros,
    ports::{
        StoreError,
        clock::Ids,
        imports::{Import, ImportCounts},
        overrides::PoolOverride,
        writer::{ImportCheckpoint, ProductBatch, Write, Writer, Written},
    },
};
use async_trait::async_trait;
use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime,
    Transaction,
    tokio_postgres::{Config, Error, NoTls, Row},
};
use std::{sync::Arc, time::Duration};

/// Below a worker's lease, so that whoever takes over never meets the old one's transaction.
const SESSION: &str = "-c statement_timeout=30s -c idle_in_transaction_session_timeout=5s \
                       -c lock_timeout=10s -c jit=off";
/// Where nodes that LISTEN hear of new events, whichever adapter gave them their places.
const CHANNEL: &str = "stoa_outbox";
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
        } else if done.is_ok() && writes.iter().any(|write| matches!(write, Write::Products(_))) {
            notify(&client).await;
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
    client.batch_execute(STAGE).await?;
    for text in ALL {
        client.prepare_cached(text).await?;
    }
    Ok(())
}

/// Apart from the transaction that wrote: NOTIFY takes a database-wide lock at commit. Lost, it
/// costs a listener one poll.
async fn notify(client: &Object) {
    let notified = async {
        let statement = client.prepare_cached(NOTIFY).await?;
        client.execute(&statement, &[&CHANNEL]).await
    };
    if let Err(error) = notified.await {
        tracing::warn!(%error, "could not notify the other nodes of new events");
    }
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
        Write::Products(batch) => products(tx, batch, ids, again).await,
        Write::CreateImport(import) => create_import(tx, import).await,
        Write::EndImport { id, state, message, at } => {
            let state = state.as_str();
            let ended = execute(tx, END_IMPORT, [&id.0, &state, message, &at.0]).await?;
            Ok(if ended == 0 { Written::Absent } else { Written::Done })
        }
        Write::SetOverride(wanted) => {
            let old = get_override(tx, &wanted.pool, &wanted.node).await?;
            let workers = wanted.workers.map(i64::from);
            let until = wanted.until.map(|until| until.0);
            let PoolOverride { pool, node, paused, by, at, .. } = wanted;
            execute(tx, PUT_OVERRIDE, [pool, node, &workers, paused, by, &at.0, &until]).await?;
            keep_change(tx, wanted, old.as_ref(), Some(wanted)).await
        }
        Write::RevertOverride { pool, node, by, at } => {
            let Some(old) = get_override(tx, pool, node).await? else {
                return Ok(Written::Absent);
            };
            execute(tx, DROP_OVERRIDE, [pool, node]).await?;
            let change = PoolOverride { by: by.clone(), at: *at, ..old.clone() };
            keep_change(tx, &change, Some(&old), None).await
        }
    }
}

async fn products(
    tx: &mut Transaction<'_>,
    batch: &ProductBatch,
    ids: &dyn Ids,
    again: bool,
) -> Result<Written, Error> {
    query(tx, LOCK_SITE, [&batch.scope.site.0]).await?;
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
        return batch::put(tx, batch, ids, again).await;
    }
    let savepoint = tx.transaction().await?;
    let counts = batch::put(&savepoint, batch, ids, again).await?;
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

async fn create_import(tx: &Transaction<'_>, import: &Import) -> Result<Written, Error> {
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

async fn get_override(
    tx: &Transaction<'_>,
    pool: &str,
    node: &str,
) -> Result<Option<PoolOverride>, Error> {
    let rows = query(tx, GET_OVERRIDE, [&pool, &node]).await?;
    rows.first().map(pool_override).transpose()
}

fn pool_override(row: &Row) -> Result<PoolOverride, Error> {
    let workers: Option<i64> = row.try_get("workers")?;
    let until: Option<i64> = row.try_get("expires_at")?;
    Ok(PoolOverride {
        pool: row.try_get("pool")?,
        node: row.try_get("node")?,
        workers: workers.and_then(|n| u32::try_from(n).ok()),
        paused: row.try_get("paused")?,
        by: row.try_get("set_by")?,
        at: Micros(row.try_get("set_at")?),
        until: until.map(Micros),
    })
}

async fn keep_change(
    tx: &Transaction<'_>,
    change: &PoolOverride,
    old: Option<&PoolOverride>,
    new: Option<&PoolOverride>,
) -> Result<Written, Error> {
    let json = |value: Option<&PoolOverride>| value.and_then(|v| serde_json::to_string(v).ok());
    let (old, new) = (json(old), json(new));
    let PoolOverride { at, by, pool, node, .. } = change;
    execute(tx, KEEP_CHANGE, [&at.0, by, pool, node, &old, &new]).await?;
    Ok(Written::Done)
}
