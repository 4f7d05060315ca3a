//! What happened, as the log tells it to its followers.

use crate::domain::{order::OrderNews, time::Micros};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The log's kinds. Past tense; a follower that doesn't know one passes over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A product's row, texts, stock band or place changed: subject is the product.
    ProductChanged,
    /// The category tree changed: subject is the category.
    CategoryChanged,
    /// Of all that follow, the subject is the order.
    OrderPlaced,
    OrderConfirmed,
    /// Somebody packs it.
    OrderTakenUp,
    OrderShipped,
    OrderCompleted,
    OrderCancelled,
    OrderRefunded,
    /// Its payment moved on, and nothing else did.
    OrderPaymentChanged,
    /// A price list, tax, way of shipping or coupon was set or dropped: subject is the rule.
    RuleChanged,
    /// What a price list says of a product changed: subject is the product.
    ListPriceChanged,
    /// Who somebody is to the shop changed, their group for one: subject is the customer.
    CustomerChanged,
}

impl EventKind {
    pub const ALL: &[Self] = &[
        Self::ProductChanged,
        Self::CategoryChanged,
        Self::OrderPlaced,
        Self::OrderConfirmed,
        Self::OrderTakenUp,
        Self::OrderShipped,
        Self::OrderCompleted,
        Self::OrderCancelled,
        Self::OrderRefunded,
        Self::OrderPaymentChanged,
        Self::RuleChanged,
        Self::ListPriceChanged,
        Self::CustomerChanged,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProductChanged => "product_changed",
            Self::CategoryChanged => "category_changed",
            Self::OrderPlaced => "order_placed",
            Self::OrderConfirmed => "order_confirmed",
            Self::OrderTakenUp => "order_taken_up",
            Self::OrderShipped => "order_shipped",
            Self::OrderCompleted => "order_completed",
            Self::OrderCancelled => "order_cancelled",
            Self::OrderRefunded => "order_refunded",
            Self::OrderPaymentChanged => "order_payment_changed",
            Self::RuleChanged => "rule_changed",
            Self::ListPriceChanged => "list_price_changed",
            Self::CustomerChanged => "customer_changed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }
}

impl From<OrderNews> for EventKind {
    fn from(news: OrderNews) -> Self {
        match news {
            OrderNews::Confirmed => Self::OrderConfirmed,
            OrderNews::TakenUp => Self::OrderTakenUp,
            OrderNews::Shipped => Self::OrderShipped,
            OrderNews::Completed => Self::OrderCompleted,
            OrderNews::Cancelled => Self::OrderCancelled,
            OrderNews::Refunded => Self::OrderRefunded,
            OrderNews::PaymentChanged => Self::OrderPaymentChanged,
        }
    }
}

/// One row of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The place in the log; rises by commit order, starts at 1.
    pub offset: i64,
    /// `None`: a kind of a newer version.
    pub kind: Option<EventKind>,
    pub subject: Uuid,
    pub at: Micros,
}

/// A follower's place: offsets of another epoch mean nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Drawn when the database was made, and anew when it is restored.
    pub epoch: Uuid,
    /// The last event that is in the follower's state; 0 for none.
    pub offset: i64,
}
