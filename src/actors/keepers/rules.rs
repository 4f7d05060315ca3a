//! A shop's commercial rules: asked by everybody, set by staff.
//!
//! Promise: asking never waits for a database, and what is answered is what staff set less than a
//! second ago, on every node: rules, customers' groups and what price lists say of products are in
//! memory ([`RuleShelf`]) and follow the log. A change is answered once it is committed. Nothing
//! here is lost when a process dies; a node reads it all before it serves. While the database is
//! away the rules stay as they were known.
//!
//! Without any rules everybody pays products' own prices, without tax, and sending costs nothing.

mod kept;
mod shelf;
mod staff;

pub(crate) use shelf::{RuleShelf, Told};
pub(crate) use staff::RulesError;

use super::{
    carts::{PriceStamp, Prices},
    writer::{StoreHandle, WriteError, unexpected},
};
use crate::{
    domain::{
        cart::compare::Standing,
        coupon::{Coupon, CouponCode, CouponRefusal, CouponUser, CouponUses},
        document::ProductDocument,
        id::PriceListId,
        money::{Currency, Money},
        price::{Audience, Buyer, PriceSet},
        principal::Principal,
        rulebook::Rulebook,
        scope::Site,
        tax::TaxMode,
        time::Micros,
    },
    ports::{
        StoreError,
        clock::Clock,
        rules::{RuleAct, RuleWrite, RuleWritten, Rules as Rows},
        writer::{Write, Written},
    },
};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

pub(crate) struct RulesParts {
    pub(crate) shelf: RuleShelf,
    pub(crate) rows: Arc<dyn Rows>,
    pub(crate) store: StoreHandle,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) site: Site,
    /// Of products without a price of their own.
    pub(crate) currency: Currency,
    /// Whether products' own prices contain their tax.
    pub(crate) base_tax: TaxMode,
}

/// Asks and sets rules. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Rules {
    parts: Arc<RulesParts>,
}

impl Rules {
    pub(crate) fn new(parts: RulesParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// The rules as they are now; whoever computes something asks one book to its end.
    pub(crate) fn now(&self) -> Arc<Rulebook> {
        self.parts.shelf.book()
    }

    pub(crate) fn buyer(&self, who: &Principal) -> Buyer {
        let customer = who.customer();
        let group = customer.and_then(|customer| self.parts.shelf.group(customer));
        Buyer { customer, group, site: self.parts.site.clone() }
    }

    /// The lists that count for somebody, in a currency.
    pub(crate) fn price_set(&self, who: &Principal, currency: Currency) -> PriceSet {
        let (buyer, now) = (self.buyer(who), self.parts.clock.now());
        self.now().price_set(&buyer, currency, self.parts.base_tax, now)
    }

    /// Whether anything may cost somebody otherwise than its own price.
    pub(crate) fn has_lists_for(&self, who: &Principal) -> bool {
        let (buyer, now) = (self.buyer(who), self.parts.clock.now());
        self.now().has_lists_for(&buyer, now)
    }

    /// Another number whenever lists may say something else to everybody; 0 while none is for them.
    pub(crate) fn for_everybody(&self) -> u64 {
        let now = self.parts.clock.now();
        self.parts.shelf.kept().at(now, |changes| {
            let (book, site) = (self.now(), self.parts.site.clone());
            let (lists, until) = book.lists_of(&Audience::Site { site }, now);
            let mut hasher = DefaultHasher::new();
            (changes, &lists).hash(&mut hasher);
            let number = if lists.is_empty() { 0 } else { hasher.finish().max(1) };
            (number, until.unwrap_or(Micros(i64::MAX)))
        })
    }

    /// What a code takes off goods of `subtotal`, or why it takes nothing. Reads the database only
    /// for a coupon with limits; what is read there binds nobody until the order is placed.
    pub(crate) async fn coupon(
        &self,
        code: &str,
        subtotal: Money,
        user: Option<CouponUser>,
    ) -> Result<Result<(Coupon, Money), CouponRefusal>, StoreError> {
        let book = self.now();
        let coupon = CouponCode::new(code).ok().and_then(|code| book.coupon(&code));
        let Some(coupon) = coupon else { return Ok(Err(CouponRefusal::Unknown)) };
        let limited = coupon.most_uses.or(coupon.most_uses_per_customer).is_some();
        let uses = match limited {
            true => self.parts.rows.coupon_uses(coupon.id, user).await?,
            false => CouponUses::default(),
        };
        let off = coupon.discount(subtotal, uses, self.parts.clock.now());
        Ok(off.map(|off| (coupon.clone(), off)))
    }
}

impl StoreHandle {
    /// Drops up to `most` entries of a price list that isn't there any more; says how many.
    pub(crate) async fn sweep_prices(
        &self,
        list: PriceListId,
        most: u32,
        clock: &dyn Clock,
    ) -> Result<u64, WriteError> {
        let act = RuleAct::SweepPrices { list, most };
        let write = RuleWrite { act, by: Principal::System.to_string(), at: clock.now() };
        match self.write(Write::Rules(write)).await? {
            Written::Rule(RuleWritten::Swept(entries)) => Ok(entries),
            other => Err(unexpected(&other)),
        }
    }
}

impl Prices for Rules {
    fn standing(&self, who: &Principal, document: Option<&ProductDocument>) -> Standing {
        let price = document.and_then(|document| document.price);
        let currency = price.map_or(self.parts.currency, |price| price.currency);
        let set = self.price_set(who, currency);
        let entries = document.map(|document| self.parts.shelf.prices(document.id, &set));
        Standing::of(document, &set, &entries.unwrap_or_default())
    }

    fn stamp(&self, who: &Principal) -> PriceStamp {
        // First: what changes meanwhile makes this stamp an old one.
        let changes = self.parts.shelf.changes();
        let set = self.price_set(who, self.parts.currency);
        PriceStamp { changes, set: set.hash() }
    }
}
