//! A batch of orders, decided before anything is written.
//!
//! A batch does exactly what its orders would do one at a time, in the order they came: each gets
//! all it asks for or nothing, and what one was granted the next can't have. Demand is summed per
//! stock item over all lines first, so two lines, or two bundles, that draw on one item are never
//! checked against the same units twice.
//!
//! Nothing here reads a store: whoever asks hands in products and stock as they are, locked, and
//! writes what was granted.

use crate::domain::{
    coupon::{CouponCode, CouponDesk, CouponRefusal, CouponUser, CouponWish},
    id::{CartId, OrderId, ProductId, StockItemId},
    money::Money,
    order::{Order, OrderLine},
    payment::PaymentMethod,
    price::PriceSource,
    secret::Secret,
    sku::Sku,
    stock::{Reserve, Shelves},
    tax::TaxCategory,
};
use std::collections::{BTreeMap, HashMap};

/// An order to be placed, computed from what the shop showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placing {
    /// Its number is given as it is placed.
    pub order: Order,
    /// SHA-256 of the token by which a guest may look at it.
    pub access: [u8; 32],
    /// That token, for the mail that confirms the order; `None`: who placed it logs in.
    pub token: Option<Secret>,
    pub method: PaymentMethod,
    /// Of its cart: another one by now has other lines than were shown.
    pub cart_version: Option<i64>,
}

/// A product as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductNow {
    pub sku: Sku,
    pub active: bool,
    pub price: Option<Money>,
    pub tax_category: TaxCategory,
}

/// What is known of everything that a batch asks for.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub products: HashMap<ProductId, ProductNow>,
    pub shelves: Shelves,
    /// Which of the batch's carts were ordered before.
    pub ordered: HashMap<CartId, OrderId>,
    /// The versions of those that are open.
    pub carts: HashMap<CartId, i64>,
    /// The coupons that the batch means to use.
    pub coupons: CouponDesk,
}

/// A line that there isn't enough for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Short {
    pub sku: Sku,
    /// Steps that could still be had.
    pub left: i64,
}

/// A line that is not as it was shown any more: at the same price it bears another tax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    pub sku: Sku,
    pub was: Money,
    /// `None`: it isn't sold any more, or its price is on request.
    pub now: Option<Money>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// With its number.
    Order(Box<Order>),
    /// Each line that is short, in the order of the lines. Nothing was set aside.
    SoldOut(Vec<Short>),
    Changed(Vec<Changed>),
    /// The cart was ordered before.
    Ordered(OrderId),
    /// The cart has other lines by now, or is gone.
    CartMoved,
    /// Its coupon takes off nothing now, or something else than was shown.
    Coupon(Option<CouponRefusal>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Write it, with these reservations, by item and warehouse.
    Granted(Vec<Reserve>),
    /// Each line that is short, in the order of the lines.
    SoldOut(Vec<Short>),
    Changed(Vec<Changed>),
    /// The cart was ordered before: no cart becomes two orders.
    Ordered(OrderId),
    /// The cart has other lines by now, or is gone.
    CartMoved,
    /// Its coupon takes off nothing now, or something else than was shown.
    Coupon(Option<CouponRefusal>),
}

/// What stays of a batch: the verdicts in the order of the placings, and the stock afterwards.
#[derive(Debug)]
pub struct Decided {
    pub verdicts: Vec<Verdict>,
    pub shelves: Shelves,
    /// With the uses to be written.
    pub coupons: CouponDesk,
}

impl Placing {
    /// The coupon it means to use, and who counts as its user.
    pub fn coupon(&self) -> Option<(&CouponCode, CouponUser)> {
        let order = &self.order;
        let code = order.coupon.as_ref()?;
        Some((code, CouponUser::of(order.customer, &order.email)))
    }
}

/// Decides in the order given, which is that of arrival.
pub fn decide(placings: &[&Placing], known: Known) -> Decided {
    let Known { products, mut shelves, mut ordered, carts, mut coupons } = known;
    let mut verdicts = Vec::with_capacity(placings.len());
    for placing in placings {
        let order = &placing.order;
        let verdict = match order.cart {
            Some(cart) if let Some(before) = ordered.get(&cart) => Verdict::Ordered(*before),
            Some(cart) if carts.get(&cart).copied() != placing.cart_version => Verdict::CartMoved,
            _ => one(placing, &products, &mut shelves, &mut coupons),
        };
        if let (Verdict::Granted(_), Some(cart)) = (&verdict, order.cart) {
            ordered.insert(cart, order.id);
        }
        verdicts.push(verdict);
    }
    Decided { verdicts, shelves, coupons }
}

fn one(
    placing: &Placing,
    products: &HashMap<ProductId, ProductNow>,
    shelves: &mut Shelves,
    coupons: &mut CouponDesk,
) -> Verdict {
    let order = &placing.order;
    let changed: Vec<_> =
        order.lines.iter().filter_map(|line| changed(line, products.get(&line.product))).collect();
    if !changed.is_empty() {
        return Verdict::Changed(changed);
    }
    let demand = demand(&order.lines, shelves);
    let short: Vec<StockItemId> = demand
        .iter()
        .filter(|(item, wanted)| shelves.item(**item).is_none_or(|stock| !stock.has(**wanted)))
        .map(|(item, _)| *item)
        .collect();
    if !short.is_empty() {
        return Verdict::SoldOut(shorts(&order.lines, shelves, &short));
    }
    // Last, as it is used by asking.
    if let Some(refused) = use_coupon(placing, coupons) {
        return refused;
    }
    let mut reserves = Vec::with_capacity(demand.len());
    for (item, wanted) in demand {
        shelves.take(item, wanted, &mut reserves);
    }
    Verdict::Granted(reserves)
}

/// Counts a use of the order's coupon, if it has one and that takes off what was shown.
fn use_coupon(placing: &Placing, coupons: &mut CouponDesk) -> Option<Verdict> {
    let (code, user) = placing.coupon()?;
    let Order { id: order, summary, placed_at: at, .. } = &placing.order;
    let subtotal = summary.money(summary.subtotal);
    let wish = CouponWish { code, order: *order, user, subtotal, at: *at };
    match coupons.check(&wish) {
        Ok(off) if off.minor != summary.discount => Some(Verdict::Coupon(None)),
        Ok(_) => coupons.take(wish).err().map(|why| Verdict::Coupon(Some(why))),
        Err(why) => Some(Verdict::Coupon(Some(why))),
    }
}

/// How many of each item all lines together consume, by item. Saturating: what doesn't fit a
/// number isn't there either.
fn demand(lines: &[OrderLine], shelves: &Shelves) -> BTreeMap<StockItemId, i64> {
    let mut demand = BTreeMap::new();
    for line in lines {
        for (item, each) in shelves.uses(line.product) {
            let wanted = line.priced.quantity().steps().saturating_mul(*each);
            let sum: &mut i64 = demand.entry(*item).or_default();
            *sum = sum.saturating_add(wanted);
        }
    }
    demand
}

fn shorts(lines: &[OrderLine], shelves: &Shelves, short: &[StockItemId]) -> Vec<Short> {
    let mut shorts: Vec<Short> = Vec::new();
    for line in lines {
        let uses = shelves.uses(line.product);
        let is_short = uses.iter().any(|(item, _)| short.contains(item));
        if is_short && !shorts.iter().any(|known| known.sku == line.sku) {
            let left = shelves.available(line.product).unwrap_or(0).max(0);
            shorts.push(Short { sku: line.sku.clone(), left });
        }
    }
    shorts
}

fn changed(line: &OrderLine, now: Option<&ProductNow>) -> Option<Changed> {
    let price = line.priced.price();
    let sold = now.filter(|product| product.active);
    let as_taxed = |product: &&ProductNow| product.tax_category == *line.priced.tax_category();
    let sold_so = sold.filter(as_taxed);
    let same = match price.source {
        PriceSource::Base => sold_so.is_some_and(|product| product.price == Some(price.amount)),
        // A list's price is its own; that the product is sold, and taxed so, is all that is asked.
        PriceSource::List { .. } => sold_so.is_some(),
    };
    (!same).then(|| Changed {
        sku: line.sku.clone(),
        was: price.amount,
        now: sold.and_then(|product| product.price),
    })
}

#[cfg(test)]
mod tests;
