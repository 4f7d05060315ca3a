//! The one writer of an embedded shop; see `ports::writer`.
//!
//! It owns its connection and commits what it is handed as one `BEGIN IMMEDIATE` transaction,
//! synced to the disk before anybody is answered. When it dies in between, nothing was written;
//! a full disk or a busy file is answered as such, and the next commit starts afresh.

mod accounts;
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
mod rows;
mod rules;
mod schedules;
mod sessions;
mod stock;
mod webhooks;

use super::{error::store_error, in_words, texts::Sql, writer_options};
use crate::ports::{
    StoreError,
    clock::Ids,
    writer::{Batch, Write, Writer, Written, leading_carts, leading_moves},
};
use async_trait::async_trait;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Each concern's statements, as a check prepares them.
pub(super) const ALL: &[&[(&str, Sql)]] = &[
    product::ALL,
    products::ALL,
    imports::ALL,
    overrides::ALL,
    autoscale::ALL,
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

pub struct SqliteWriter {
    path: PathBuf,
    /// `None` after a failure that may have left it inside a transaction.
    conn: Option<SqliteConnection>,
    ids: Arc<dyn Ids>,
}

impl SqliteWriter {
    pub(super) async fn open(path: &Path, ids: Arc<dyn Ids>) -> Result<Self, StoreError> {
        let conn = writer_options(path).create_if_missing(false).connect().await;
        let conn = conn.map_err(|e| in_words(path, e))?;
        Ok(Self { path: path.to_owned(), conn: Some(conn), ids })
    }

    async fn connection(&mut self) -> Result<SqliteConnection, StoreError> {
        match self.conn.take() {
            Some(conn) => Ok(conn),
            None => {
                let options = writer_options(&self.path).create_if_missing(false);
                options.connect().await.map_err(|e| in_words(&self.path, e))
            }
        }
    }

    /// All of them in one transaction, or none.
    async fn together(&mut self, writes: &[Write]) -> Result<Vec<Written>, StoreError> {
        // Taken out while it works: dropped half-way, or in a state nobody knows, it isn't put
        // back, and SQLite undoes what a closed connection leaves.
        let mut conn = self.connection().await?;
        let mut tx = match conn.begin_with("BEGIN IMMEDIATE").await {
            Ok(tx) => tx,
            Err(error) => return Err(store_error(error)),
        };
        let done = match all(&mut tx, writes, &*self.ids).await {
            Ok(done) => done,
            Err(error) => {
                if tx.rollback().await.is_ok() {
                    self.conn = Some(conn);
                }
                return Err(store_error(error));
            }
        };
        tx.commit().await.map_err(store_error)?;
        self.conn = Some(conn);
        Ok(done)
    }
}

#[async_trait]
impl Writer for SqliteWriter {
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

/// Inside the transaction: each write that is not answered from what was kept.
async fn all(
    conn: &mut SqliteConnection,
    writes: &[Write],
    ids: &dyn Ids,
) -> Result<Vec<Written>, sqlx::Error> {
    let mut batch = Batch::new(writes);
    let names = batch.names();
    if !names.is_empty() {
        batch.known(&once::kept(conn, &names).await?);
    }
    let (placings, others) = batch.todo();
    if !placings.is_empty() {
        let (places, placings): (Vec<_>, Vec<_>) = placings.into_iter().unzip();
        for (place, placed) in places.into_iter().zip(orders::place(conn, &placings, ids).await?) {
            batch.made(place, Written::Placed(placed));
        }
    }
    let mut rest = others.as_slice();
    while let [(place, write), others @ ..] = rest {
        let moves = leading_moves(rest);
        if moves > 0 {
            let (moves, others) = rest.split_at(moves);
            let writes: Vec<_> = moves.iter().map(|(_, write)| *write).collect();
            let made = order_moves::make(conn, &writes, ids).await?;
            for ((place, _), answer) in moves.iter().zip(made) {
                batch.made(*place, answer);
            }
            rest = others;
            continue;
        }
        let run = leading_carts(rest);
        if run.is_empty() {
            batch.made(*place, apply(conn, write, ids).await?);
            rest = others;
            continue;
        }
        let (edits, others) = rest.split_at(run.len());
        for ((place, _), answer) in edits.iter().zip(carts::edit(conn, &run).await?) {
            batch.made(*place, Written::Cart(answer));
        }
        rest = others;
    }
    let answers = batch.answers();
    if !answers.is_empty() {
        once::keep(conn, &answers).await?;
    }
    batch.finish().ok_or_else(|| sqlx::Error::Protocol("a write was passed over".into()))
}

async fn apply(
    conn: &mut SqliteConnection,
    write: &Write,
    ids: &dyn Ids,
) -> Result<Written, sqlx::Error> {
    match write {
        Write::Once(_) => Err(sqlx::Error::Protocol("a name inside a name".into())),
        Write::Place(placing) => {
            let mut placed = orders::place(conn, &[placing], ids).await?;
            Ok(Written::Placed(placed.swap_remove(0)))
        }
        Write::Order(_) | Write::Payment(_) => {
            Err(sqlx::Error::Protocol("orders are moved together".into()))
        }
        Write::EndHolds { now, most } => order_moves::end_holds(conn, *now, *most, ids).await,
        Write::Stock(write) => stock::edit(conn, write, ids).await,
        Write::PutWarehouse(warehouse) => stock::put_warehouse(conn, warehouse).await,
        Write::ForgetAnswers { older_than, most } => once::forget(conn, *older_than, *most).await,
        Write::Carts(_) => Err(sqlx::Error::Protocol("carts are edited together".into())),
        Write::SweepCarts { older_than, most } => carts::sweep(conn, *older_than, *most).await,
        Write::Product(write) => product::put(conn, write, ids).await,
        Write::Products(batch) => imports::batch(conn, batch, ids).await,
        Write::CreateImport(import) => imports::create(conn, import).await,
        Write::EndImport { id, state, message, at } => {
            imports::end(conn, *id, *state, message.as_deref(), *at).await
        }
        Write::SetOverride(wanted) => overrides::set(conn, wanted).await,
        Write::RevertOverride { pool, node, by, at } => {
            overrides::revert(conn, pool, node, by, *at).await
        }
        Write::Autoscale(write) => autoscale::apply(conn, write).await,
        Write::Rules(write) => rules::act(conn, write).await,
        Write::Quote(write) => quotes::keep(conn, write).await,
        Write::Sessions(write) => {
            let written = sessions::apply(conn, write).await?;
            if let Some(along) = write.carts_along() {
                carts::edit(conn, &[&along]).await?;
            }
            Ok(written)
        }
        Write::Accounts(write) => accounts::apply(conn, write).await,
        Write::Mail(write) => mail::apply(conn, write).await,
        Write::Jobs(write) => jobs::apply(conn, write).await,
        Write::Schedules(write) => schedules::apply(conn, write).await,
        Write::Maintenance(write) => maintenance::apply(conn, write).await,
        Write::Webhooks(write) => webhooks::apply(conn, write).await,
    }
}
