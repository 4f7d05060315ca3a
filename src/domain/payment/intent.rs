//! What is asked for, and how it shall be paid.

use crate::domain::{
    id::{OrderId, PaymentIntentId},
    money::Money,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One wish to be paid for an order. It is written in the order's own transaction, before any
/// provider hears of it, and never changes; another try of the buyer's is another intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentIntent {
    /// Also the provider's idempotency key: asking twice authorises once.
    pub id: PaymentIntentId,
    pub order: OrderId,
    pub amount: Money,
    pub method: PaymentMethod,
}

/// Who is asked, and on which card or account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentMethod {
    /// The name of the provider, as it calls itself.
    pub provider: String,
    pub token: MethodToken,
}

/// What a provider gave for a card or an account. Only it can read it, and never we: it goes into
/// a row and back, and into no log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MethodToken(String);

impl MethodToken {
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    /// For the provider that gave it, and for its row.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MethodToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MethodToken(…)")
    }
}

/// Why a provider would not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decline {
    /// The bank gave no reason, as is usual.
    Refused,
    InsufficientFunds,
    ExpiredCard,
    /// More than the customer may owe by invoice.
    OverCreditLimit,
    /// We had given the intent up before.
    GivenUp,
    /// What was set aside lapsed before it was captured.
    Lapsed,
}

impl Decline {
    pub const ALL: [Self; 6] = [
        Self::Refused,
        Self::InsufficientFunds,
        Self::ExpiredCard,
        Self::OverCreditLimit,
        Self::GivenUp,
        Self::Lapsed,
    ];

    /// As it stands in a row and in the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::InsufficientFunds => "insufficient_funds",
            Self::ExpiredCard => "expired_card",
            Self::OverCreditLimit => "over_credit_limit",
            Self::GivenUp => "given_up",
            Self::Lapsed => "lapsed",
        }
    }

    /// For the buyer, with what helps.
    pub fn words(self) -> &'static str {
        match self {
            Self::Refused => "The bank declined this card. Use another one, or ask your bank.",
            Self::InsufficientFunds => "There is not enough money on this card. Use another one.",
            Self::ExpiredCard => "This card has expired. Use another one.",
            Self::OverCreditLimit => {
                "This order is more than your account may owe. Pay by card, or ask us."
            }
            Self::GivenUp => "The payment took too long and was called off. Nothing was charged.",
            Self::Lapsed => "The bank's approval has lapsed. Pay again to go on.",
        }
    }
}
