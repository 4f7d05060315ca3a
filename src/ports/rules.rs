//! Commercial rules: set by staff, read whole by every node, followed through the log.

use super::StoreError;
use crate::domain::{
    audit::Change,
    coupon::{CouponUser, CouponUses},
    id::{CouponId, CustomerGroupId, CustomerId, PriceListId, ProductId},
    price::{PriceEdit, PriceEntry, PriceKey, PricePlan},
    rule::{Rule, RuleKind, StoredRule},
    time::Micros,
};
use async_trait::async_trait;
use serde::Serialize;
use uuid::Uuid;

/// A change of rules.
#[derive(Debug, Clone)]
pub struct RuleWrite {
    pub act: RuleAct,
    /// Who, as the audit log names them.
    pub by: String,
    pub at: Micros,
}

#[derive(Debug, Clone)]
pub enum RuleAct {
    /// Makes one or puts it in the other's place. `if_version`: only if it still is that one; 0,
    /// only if there is none.
    Put {
        rule: Box<Rule>,
        if_version: Option<i64>,
    },
    Drop {
        kind: RuleKind,
        id: Uuid,
        if_version: Option<i64>,
    },
    /// Changes what a price list says of products, if it still is as it was seen.
    Prices {
        list: PriceListId,
        edit: PriceEdit,
    },
    /// Drops up to `most` entries of a list that isn't there any more.
    SweepPrices {
        list: PriceListId,
        most: u32,
    },
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleWritten {
    Put(Box<StoredRule>),
    Dropped,
    /// So many entries were put or dropped; those that were so already are not counted.
    Prices(u64),
    Swept(u64),
    /// There is none.
    Absent,
    /// It is another version now; 0: there is none.
    Stale(i64),
    /// A price is otherwise by now than it was seen.
    PricesMoved,
    /// Another one of its kind has its name, code, or category and area.
    Taken,
    /// A price list with entries keeps its currency, as they would mean something else; and a
    /// dropped one is made anew only when those it had are gone.
    HasPrices,
    /// All lists together would have more entries than a node can keep.
    TooMany,
}

impl RuleWrite {
    /// For the audit log: put in place of `old`.
    pub fn put(&self, old: Option<&Rule>, new: &Rule) -> Change {
        let action = match new.kind() {
            RuleKind::PriceList => "price_list.put",
            RuleKind::Tax => "tax.put",
            RuleKind::Shipping => "shipping.put",
            RuleKind::Coupon => "coupon.put",
        };
        self.change(action, subject(new.kind(), new.id()), old, Some(new))
    }

    pub fn dropped(&self, old: &Rule) -> Change {
        let action = match old.kind() {
            RuleKind::PriceList => "price_list.drop",
            RuleKind::Tax => "tax.drop",
            RuleKind::Shipping => "shipping.drop",
            RuleKind::Coupon => "coupon.drop",
        };
        self.change(action, subject(old.kind(), old.id()), Some(old), None)
    }

    /// Each entry with what it was.
    pub fn priced(&self, list: PriceListId, plan: &PricePlan) -> Change {
        let subject = subject(RuleKind::PriceList, list.0);
        self.change("price_list.prices", subject, Some(&plan.before), Some(&plan.put))
    }

    fn change<T: Serialize + ?Sized>(
        &self,
        action: &'static str,
        subject: String,
        old: Option<&T>,
        new: Option<&T>,
    ) -> Change {
        Change::new(self.at, &self.by, action, subject, old.as_ref(), new.as_ref())
    }
}

fn subject(kind: RuleKind, id: Uuid) -> String {
    format!("{}:{id}", kind.as_str())
}

#[async_trait]
pub trait Rules: Send + Sync {
    /// All of them, by kind and age.
    async fn all(&self) -> Result<Vec<StoredRule>, StoreError>;

    /// Those of a kind behind an id, in the order of their ids.
    async fn of_kind(
        &self,
        kind: RuleKind,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<StoredRule>, StoreError>;

    async fn rule(&self, kind: RuleKind, id: Uuid) -> Result<Option<StoredRule>, StoreError>;

    /// What any lists say of these.
    async fn prices(&self, products: &[ProductId]) -> Result<Vec<PriceEntry>, StoreError>;

    /// Entries of all lists behind one of them, by product, list, unit and quantity.
    async fn prices_after(
        &self,
        after: Option<&PriceEntry>,
        limit: u32,
    ) -> Result<Vec<PriceEntry>, StoreError>;

    /// Entries of one list, by product, unit and quantity.
    async fn prices_of(
        &self,
        list: PriceListId,
        after: Option<&PriceKey>,
        limit: u32,
    ) -> Result<Vec<PriceEntry>, StoreError>;

    /// Customers behind one who are in a group, in the order of their ids.
    async fn groups_after(
        &self,
        after: Option<CustomerId>,
        limit: u32,
    ) -> Result<Vec<(CustomerId, CustomerGroupId)>, StoreError>;

    /// Of these, those who are in a group.
    async fn groups_of(
        &self,
        customers: &[CustomerId],
    ) -> Result<Vec<(CustomerId, CustomerGroupId)>, StoreError>;

    /// How often a coupon was used. Binding is only what is read where the order is placed.
    async fn coupon_uses(
        &self,
        coupon: CouponId,
        user: Option<CouponUser>,
    ) -> Result<CouponUses, StoreError>;
}
