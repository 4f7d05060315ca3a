//! The rules in this node's memory, as they were at a place in the log.

use super::kept::Kept;
use crate::{
    actors::reconcilers::Progress,
    domain::{
        event::Position,
        id::{CustomerGroupId, CustomerId, PriceListId, ProductId},
        price::{PriceEntry, PriceSet, PriceTable},
        rule::Rule,
        rulebook::Rulebook,
        tax::TaxError,
    },
    ports::{StoreError, outbox::Outbox, rules::Rules},
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
};

/// Rows read in one go.
const PAGE: u32 = 10_000;

/// Shared by who asks and the follower, who alone changes it. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct RuleShelf {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    book: RwLock<Arc<Rulebook>>,
    prices: RwLock<PriceTable>,
    /// Of those who are in one.
    groups: RwLock<HashMap<CustomerId, CustomerGroupId>>,
    /// Rises behind each change of the above.
    changes: AtomicU64,
    /// Of lists and what they say, whoever is in a group.
    kept: Kept,
    progress: Progress,
}

impl RuleShelf {
    pub(crate) fn book(&self) -> Arc<Rulebook> {
        read(&self.shared.book).clone()
    }

    /// What the lists of a set say of a product.
    pub(super) fn prices(&self, product: ProductId, set: &PriceSet) -> Vec<PriceEntry> {
        match set.lists().len() {
            0 => Vec::new(),
            _ => read(&self.shared.prices).for_set(product, set),
        }
    }

    pub(super) fn group(&self, customer: CustomerId) -> Option<CustomerGroupId> {
        read(&self.shared.groups).get(&customer).copied()
    }

    /// Another number: something may be otherwise.
    pub(super) fn changes(&self) -> u64 {
        self.shared.changes.load(Ordering::Acquire)
    }

    /// What stands for what lists say to everybody.
    pub(super) fn kept(&self) -> &Kept {
        &self.shared.kept
    }

    /// Where in the log it stands.
    pub(crate) fn progress(&self) -> &Progress {
        &self.shared.progress
    }

    /// Reads everything. What comes in meanwhile is behind the place that is answered.
    pub(crate) async fn load(
        &self,
        rows: &dyn Rules,
        outbox: &dyn Outbox,
    ) -> Result<Position, StoreError> {
        let at = outbox.head().await?;
        let book = book(rows).await?;
        let mut prices = PriceTable::new();
        let mut page = rows.prices_after(None, PAGE).await?;
        while let Some(last) = page.last().cloned() {
            prices.extend(&page);
            page = rows.prices_after(Some(&last), PAGE).await?;
        }
        let mut groups = HashMap::new();
        let mut page = rows.groups_after(None, PAGE).await?;
        while let Some((last, _)) = page.last().copied() {
            groups.extend(page);
            page = rows.groups_after(Some(last), PAGE).await?;
        }
        *write(&self.shared.book) = Arc::new(book);
        *write(&self.shared.prices) = prices;
        *write(&self.shared.groups) = groups;
        self.shared.kept.forget();
        self.stands_at(at);
        Ok(at)
    }

    /// Reads what events told of.
    pub(crate) async fn catch_up(
        &self,
        rows: &dyn Rules,
        told: &Told,
        at: Position,
    ) -> Result<(), StoreError> {
        let Told { rules, products, customers } = told;
        if *rules {
            let book = book(rows).await?;
            let gone = &self.book().lists() - &book.lists();
            *write(&self.shared.book) = Arc::new(book);
            if !gone.is_empty() {
                write(&self.shared.prices).forget(&gone);
            }
        }
        if !products.is_empty() {
            let products: Vec<_> = products.iter().copied().collect();
            let entries = rows.prices(&products).await?;
            write(&self.shared.prices).replace(&products, &entries);
        }
        if *rules || !products.is_empty() {
            self.shared.kept.forget();
        }
        if !customers.is_empty() {
            let customers: Vec<_> = customers.iter().copied().collect();
            let found = rows.groups_of(&customers).await?;
            let mut groups = write(&self.shared.groups);
            for customer in &customers {
                groups.remove(customer);
            }
            groups.extend(found);
        }
        self.stands_at(at);
        Ok(())
    }

    /// Lists that say something and are not there any more.
    pub(crate) fn left_behind(&self) -> BTreeSet<PriceListId> {
        &read(&self.shared.prices).lists() - &self.book().lists()
    }

    fn stands_at(&self, at: Position) {
        self.shared.changes.fetch_add(1, Ordering::Release);
        self.shared.progress.stands_at(Some(at));
    }
}

/// What some events are about.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) rules: bool,
    pub(crate) products: BTreeSet<ProductId>,
    pub(crate) customers: BTreeSet<CustomerId>,
}

impl Told {
    pub(crate) fn is_nothing(&self) -> bool {
        !self.rules && self.products.is_empty() && self.customers.is_empty()
    }
}

async fn book(rows: &dyn Rules) -> Result<Rulebook, StoreError> {
    let rules: Vec<Rule> = rows.all().await?.into_iter().map(|stored| stored.rule).collect();
    let damaged = |error: TaxError| StoreError::Corrupt(error.to_string());
    Rulebook::new(rules).map_err(damaged)
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
