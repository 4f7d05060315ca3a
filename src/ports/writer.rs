//! Every change of the database, as data.
//!
//! A writer actor owns a [`Writer`] with its connection and commits whatever is queued as one
//! transaction; each write's events are appended to the outbox in that same transaction.

mod batch;
mod moves;

pub use batch::{Batch, Keep, leading_carts};
pub use moves::{Books, MOST_MOVES, MoveDesk, Plan, leading_moves};

use super::{
    StoreError,
    accounts::AccountWrite,
    imports::{Import, ImportCounts},
    jobs::{JobWrite, JobsWritten},
    mail::MailWrite,
    maintenance::MaintenanceWrite,
    orders::{OrderMoved, OrderWrite},
    overrides::{AutoscaleWrite, PoolOverride},
    products::{ProductWrite, ProductWritten},
    quotes::{QuoteWrite, QuoteWritten},
    rules::{RuleWrite, RuleWritten},
    schedules::ScheduleWrite,
    sessions::{SessionWrite, TokenHash},
    stock::{StockWrite, StockWritten, Warehouse},
    till::{PaymentKept, PaymentWrite},
    webhooks::WebhookWrite,
};
use crate::domain::{
    cart::{CartAnswer, CartWrite},
    catalog_batch::ContentHash,
    id::ImportId,
    once::{BodyHash, KeptAnswer, OnceName},
    placing::{Placed, Placing},
    product::ProductDraft,
    scope::Scope,
    sku::Sku,
    time::Micros,
};
use async_trait::async_trait;
use std::{fmt, sync::Arc};

#[derive(Debug, Clone)]
pub enum Write {
    /// Makes a write once, however often it is asked.
    Once(Once),
    /// Places an order, or doesn't.
    Place(Box<Placing>),
    /// Moves an order on, with its goods.
    Order(OrderWrite),
    /// Keeps what is asked of a payment's provider, or what it said, with what that means.
    Payment(PaymentWrite),
    /// Cancels up to `most` pending orders whose goods are held no longer.
    EndHolds {
        now: Micros,
        most: u32,
    },
    /// Changes a product's stock.
    Stock(StockWrite),
    /// Makes a warehouse, or changes the one of this site and code; its id stays.
    PutWarehouse(Warehouse),
    /// Forgets up to `most` kept answers that are older, the oldest first.
    ForgetAnswers {
        older_than: Micros,
        most: u32,
    },
    /// Edits carts.
    Carts(CartWrite),
    /// Drops carts that were last changed before then, guests' and ordered ones, with up to `most`
    /// lines, and one at least; the oldest first.
    SweepCarts {
        older_than: Micros,
        most: u32,
    },
    /// Makes a product, or puts it in the place of what it was.
    Product(Box<ProductWrite>),
    /// Upserts products by SKU (see [`ProductBatch`]).
    Products(ProductBatch),
    /// Makes an import's row.
    CreateImport(Box<Import>),
    /// Sets an import's state and message; its counts and place only move with their batch.
    EndImport {
        id: ImportId,
        state: super::imports::ImportState,
        message: Option<String>,
        at: Micros,
    },
    /// Sets what an operator wants of a pool and keeps the change in the history.
    SetOverride(PoolOverride),
    /// Takes it back; the history keeps that too.
    RevertOverride {
        pool: String,
        node: String,
        by: String,
        at: Micros,
    },
    /// Lets a pool's size follow its queue, or not.
    Autoscale(AutoscaleWrite),
    /// Keeps a quote, with what goes along.
    Quote(Box<QuoteWrite>),
    /// Sets and drops commercial rules.
    Rules(RuleWrite),
    /// Opens, uses and ends sessions.
    Sessions(SessionWrite),
    /// Customers and who logs in for them.
    Accounts(AccountWrite),
    Mail(MailWrite),
    /// Work that waits, and whoever does it.
    Jobs(JobWrite),
    /// Jobs that are put again and again.
    Schedules(ScheduleWrite),
    /// The shop is closed for a while, or opened.
    Maintenance(MaintenanceWrite),
    /// Who is told of what happens.
    Webhooks(WebhookWrite),
}

/// A write under the name its client gave it. The answer that the client gets is kept in the
/// write's own transaction, so whoever asks again is told the same, also after a crash.
#[derive(Clone)]
pub struct Once {
    pub name: OnceName,
    pub body: BodyHash,
    pub at: Micros,
    /// None of the kinds that are about names themselves.
    pub write: Box<Write>,
    pub answer: Answering,
}

/// What the client is told of a write. `None`: not for good (ask again), so it isn't kept.
pub type Answering = Arc<dyn Fn(&Written) -> Option<KeptAnswer> + Send + Sync>;

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, body, at, write, answer: _ } = self;
        let mut fields = f.debug_struct("Once");
        fields.field("name", name).field("body", body).field("at", at).field("write", write);
        fields.finish_non_exhaustive()
    }
}

/// Some rows of a source and where the import stands once they are in.
#[derive(Debug, Clone)]
pub struct ProductBatch {
    pub scope: Scope,
    /// In source order; a SKU may come twice, the later one wins.
    pub products: Vec<ProductDraft>,
    /// Written in the same transaction, so a killed import resumes exactly here.
    pub checkpoint: Option<ImportCheckpoint>,
    /// What rows of batches before this one would have left there, had they not been tried only.
    pub supposed: Vec<(Sku, ContentHash)>,
    /// Only try it: products, categories, stock and their events are taken back (to a savepoint)
    /// once they are counted. The checkpoint with its counts is kept, so a dry run has progress
    /// and can be resumed like any other.
    pub dry_run: bool,
    pub at: Micros,
}

/// The batch is refused, with nothing changed, when the import's row does not stand at
/// `rows_before`: somebody else has carried it on.
#[derive(Debug, Clone)]
pub struct ImportCheckpoint {
    pub import: ImportId,
    pub rows_before: u64,
    pub rows_done: u64,
    pub bytes_done: u64,
    /// Rows of this batch that never became products.
    pub rejected: u64,
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// Made now. The answer is `None` when it was not for good.
    Answered {
        written: Box<Written>,
        answer: Option<KeptAnswer>,
    },
    /// Made before, or by another of the same commit.
    Replayed(KeptAnswer),
    /// The name stands for another body; nothing was done.
    OtherBody,
    /// Another node is at it; nothing was done. Ask again.
    InFlight,
    /// What became of an order that was to be placed.
    Placed(Placed),
    Order(OrderMoved),
    Payment(PaymentKept),
    Stock(StockWritten),
    Product(ProductWritten),
    /// So many rows had their time.
    Swept(u64),
    Cart(CartAnswer),
    Rule(RuleWritten),
    Quote(QuoteWritten),
    /// What a batch did: `read` counts its products, rejected ones included.
    Products(ImportCounts),
    Done,
    /// The import stands elsewhere than the batch believed.
    Superseded,
    /// These tokens are dead now.
    Ended(Vec<TokenHash>),
    /// Somebody else has that name or address.
    Taken,
    /// It would leave things in a state that they must not be in.
    Conflict,
    Jobs(JobsWritten),
    /// Nothing to revert, no such import.
    Absent,
}

#[async_trait]
pub trait Writer: Send {
    /// Commits all of them in one transaction and answers each, in order. When the transaction
    /// can't be committed whole, each is tried alone, so one bad write fails alone.
    async fn commit(&mut self, writes: Vec<Write>) -> Vec<Result<Written, StoreError>>;
}
