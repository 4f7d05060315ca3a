//! Commits batches of writes; see `ports::writer` and the folder's page.

mod accounts;
mod audit;
mod autoscale;
mod carts;
mod coupons;
mod customers;
mod imports;
mod jobs;
mod mail;
mod maintenance;
mod once;
mod order_moves;
mod orders;
mod overrides;
mod payments;
mod product;
mod products;
mod quotes;
mod rules;
mod schedules;
mod sessions;
mod stock;
mod webhooks;

use super::error::{pool_error, store_error};
use crate::ports::{
    StoreError,
    clock::Ids,
    writer::{Batch, Write, Writer, Written, leading_carts, leading_moves},
};
use async_trait::async_trait;
use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime,
    Transaction,
    tokio_postgres::{Config, Error, NoTls, error::SqlState},
};
use std::{sync::Arc, time::Duration};

/// Each concern's statements.
const TEXTS: &[&[&str]] = &[
    product::ALL,
    products::ALL,
    imports::ALL,
    overrides::ALL,
    autoscale::ALL,
    audit::ALL,
    once::ALL,
    rules::ALL,
    quotes::ALL,
    coupons::ALL,
    sessions::ALL,
    accounts::ALL,
    customers::ALL,
    jobs::ALL,
    jobs::acts::ALL,
    jobs::claims::ALL,
    jobs::puts::ALL,
    jobs::shares::ALL,
    schedules::ALL,
    maintenance::ALL,
    mail::ALL,
    carts::ALL,
    orders::ALL,
    order_moves::ALL,
    payments::ALL,
    stock::ALL,
    webhooks::ALL,
];

/// Below a worker's lease, so that whoever takes over never meets the old one's transaction. Every
/// text goes by an index: a plan that was made while its table was small would read all of it for as
/// long as the connection lasts, once it is large.
const SESSION: &str = "-c statement_timeout=30s -c idle_in_transaction_session_timeout=5s \
                       -c lock_timeout=10s -c jit=off -c enable_seqscan=off";
/// How often a transaction is tried that other nodes' were in the way of.
const TRIES: u32 = 4;
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

    async fn together(&self, writes: &[Write]) -> Result<Vec<Written>, Failure> {
        let mut client = self.client().await?;
        let done = transact(&mut client, writes, &*self.ids).await;
        if matches!(done, Err(Failure::Store(StoreError::Unavailable(_)))) {
            // It may be dead and not know it yet: the next commit gets a new one.
            drop(Object::take(client));
        } else if done.is_ok() && writes.iter().any(|write| matches!(write, Write::Products(_))) {
            products::notify(&client).await;
        }
        done
    }

    /// As [`Self::together`], again while only another node was in the way.
    async fn tried(&self, writes: &[Write]) -> Result<Vec<Written>, Failure> {
        let mut tried = 1;
        loop {
            match self.together(writes).await {
                Err(Failure::Again(_)) if tried < TRIES => tried += 1,
                ended => return ended,
            }
        }
    }
}

/// Why nothing of a transaction was committed.
#[derive(Debug)]
enum Failure {
    Store(StoreError),
    /// Another node was in the way and has ended: it may go better now.
    Again(StoreError),
    /// Another node holds a name and doesn't end.
    Held,
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let in_the_way = [SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE];
        match error.code().is_some_and(|code| in_the_way.contains(code)) {
            true => Self::Again(store_error(error)),
            false => Self::Store(store_error(error)),
        }
    }
}

impl Failure {
    /// What whoever asked for one write is told.
    fn told(self) -> Result<Written, StoreError> {
        match self {
            Self::Store(error) | Self::Again(error) => Err(error),
            Self::Held => Ok(Written::InFlight),
        }
    }
}

#[async_trait]
impl Writer for PostgresWriter {
    async fn commit(&mut self, writes: Vec<Write>) -> Vec<Result<Written, StoreError>> {
        match self.tried(&writes).await {
            Ok(done) => done.into_iter().map(Ok).collect(),
            // One of them was refused, or waits; which one shows when each is alone.
            Err(Failure::Store(StoreError::Refused(_)) | Failure::Held) if writes.len() > 1 => {
                let mut answers = Vec::with_capacity(writes.len());
                for write in &writes {
                    let alone = self.tried(std::slice::from_ref(write)).await;
                    answers.push(match alone {
                        Ok(mut done) => Ok(done.swap_remove(0)),
                        Err(failure) => failure.told(),
                    });
                }
                answers
            }
            Err(failure) => {
                let told = failure.told();
                writes.iter().map(|_| told.clone()).collect()
            }
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
) -> Result<Vec<Written>, Failure> {
    // Dropped on the way out, the transaction rolls back.
    let mut tx = client.transaction().await?;
    let mut batch = Batch::new(writes);
    let names = batch.names();
    if !names.is_empty() {
        batch.known(&once::kept(&tx, &names).await?);
    }
    let (placings, others) = batch.todo();
    if !placings.is_empty() {
        let (places, placings): (Vec<_>, Vec<_>) = placings.into_iter().unzip();
        for (place, placed) in places.into_iter().zip(orders::place(&tx, &placings, ids).await?) {
            batch.made(place, Written::Placed(placed));
        }
    }
    let mut staged = false;
    let mut rest = others.as_slice();
    while let [(place, write), others @ ..] = rest {
        let moves = leading_moves(rest);
        if moves > 0 {
            let (moves, others) = rest.split_at(moves);
            let writes: Vec<_> = moves.iter().map(|(_, write)| *write).collect();
            let made = order_moves::make(&tx, &writes, ids).await?;
            for ((place, _), answer) in moves.iter().zip(made) {
                batch.made(*place, answer);
            }
            rest = others;
            continue;
        }
        let run = leading_carts(rest);
        if run.is_empty() {
            let again = staged;
            staged |= matches!(write, Write::Products(_) | Write::Product(_));
            batch.made(*place, apply(&mut tx, write, ids, again).await?);
            rest = others;
            continue;
        }
        let (edits, others) = rest.split_at(run.len());
        for ((place, _), answer) in edits.iter().zip(carts::edit(&tx, &run).await?) {
            batch.made(*place, Written::Cart(answer));
        }
        rest = others;
    }
    let answers = batch.answers();
    if !answers.is_empty() {
        once::keep(&tx, &answers).await?;
    }
    let done =
        batch.finish().ok_or_else(|| StoreError::Refused("a write was passed over".into()))?;
    tx.commit().await?;
    Ok(done)
}

async fn apply(
    tx: &mut Transaction<'_>,
    write: &Write,
    ids: &dyn Ids,
    again: bool,
) -> Result<Written, Failure> {
    Ok(match write {
        Write::Once(_) => return Err(StoreError::Refused("a name inside a name".into()).into()),
        Write::Place(placing) => {
            Written::Placed(orders::place(tx, &[placing], ids).await?.swap_remove(0))
        }
        Write::Order(_) | Write::Payment(_) => {
            return Err(StoreError::Refused("orders are moved together".into()).into());
        }
        Write::EndHolds { now, most } => order_moves::end_holds(tx, *now, *most, ids).await?,
        Write::Stock(write) => stock::edit(tx, write, ids).await?,
        Write::PutWarehouse(warehouse) => stock::put_warehouse(tx, warehouse).await?,
        Write::ForgetAnswers { older_than, most } => once::forget(tx, *older_than, *most).await?,
        Write::Carts(_) => {
            return Err(StoreError::Refused("carts are edited together".into()).into());
        }
        Write::SweepCarts { older_than, most } => carts::sweep(tx, *older_than, *most).await?,
        Write::Product(write) => product::put(tx, write, ids, again).await?,
        Write::Products(batch) => imports::batch(tx, batch, ids, again).await?,
        Write::CreateImport(import) => imports::create(tx, import).await?,
        Write::EndImport { id, state, message, at } => {
            imports::end(tx, *id, *state, message.as_deref(), *at).await?
        }
        Write::SetOverride(wanted) => overrides::set(tx, wanted).await?,
        Write::RevertOverride { pool, node, by, at } => {
            overrides::revert(tx, pool, node, by, *at).await?
        }
        Write::Autoscale(write) => autoscale::apply(tx, write).await?,
        Write::Rules(write) => rules::act(tx, write).await?,
        Write::Quote(write) => quotes::keep(tx, write).await?,
        Write::Sessions(write) => {
            let written = sessions::apply(tx, write).await?;
            if let Some(along) = write.carts_along() {
                carts::edit(tx, &[&along]).await?;
            }
            written
        }
        Write::Accounts(write) => accounts::apply(tx, write).await?,
        Write::Mail(write) => mail::apply(tx, write).await?,
        Write::Jobs(write) => jobs::apply(tx, write).await?,
        Write::Schedules(write) => schedules::apply(tx, write).await?,
        Write::Maintenance(write) => maintenance::apply(tx, write).await?,
        Write::Webhooks(write) => webhooks::apply(tx, write).await?,
    })
}
