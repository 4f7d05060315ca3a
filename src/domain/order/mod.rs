//! An order as it was placed, and where it is now.
//!
//! What was agreed is copied into it, down to names, prices and tax, so that no later change of
//! the catalogue changes it. Only its [`state`](OrderState) moves, by [`apply`].

mod letter;
mod state;

pub use letter::OrderLetter;
pub use state::{
    Action, Change, FulfilmentStatus, MoneyWish, OrderNews, OrderState, OrderStatus, Refusal,
    StockEffect, apply,
};

use crate::domain::{
    address::Address,
    coupon::CouponCode,
    id::{CartId, CustomerId, OrderId, PaymentIntentId, ProductId},
    line::PricedLine,
    money::Money,
    scope::Scope,
    shipping::ShippingQuote,
    sku::Sku,
    time::Micros,
    totals::{LineTotal, Summary},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What people call an order: rises from 1001, may have gaps.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct OrderNumber(pub i64);

impl OrderNumber {
    /// The one before the first.
    pub const NONE: Self = Self(1_000);
}

impl fmt::Display for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub id: OrderId,
    pub number: OrderNumber,
    pub scope: Scope,
    pub state: OrderState,
    /// Rises with each change of the order.
    pub version: i64,
    pub cart: Option<CartId>,
    /// `None`: a guest's.
    pub customer: Option<CustomerId>,
    /// Who placed it, as the audit log names them.
    pub placed_by: String,
    pub email: String,
    pub lines: Vec<OrderLine>,
    pub summary: Summary,
    pub coupon: Option<CouponCode>,
    pub shipping: Option<ShippingQuote>,
    pub ship_to: Address,
    /// `None`: the same.
    pub bill_to: Option<Address>,
    pub payment: PaymentIntentId,
    /// The payment provider's name.
    pub provider: String,
    /// Until then its goods are held while it is pending; `None`: for good.
    pub held_until: Option<Micros>,
    pub placed_at: Micros,
    pub updated_at: Micros,
}

/// Something of an order's, as it was when it was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderLine {
    pub product: ProductId,
    pub sku: Sku,
    pub name: String,
    pub unit: String,
    pub priced: PricedLine,
    pub total: LineTotal,
}

impl Order {
    pub fn total(&self) -> Money {
        self.summary.total()
    }
}

/// Something that happened to an order after it was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderStep {
    pub at: Micros,
    /// Who, as the audit log names them.
    pub by: String,
    pub action: Action,
    /// What they said about it; empty for nothing.
    pub note: String,
    pub state: OrderState,
}
