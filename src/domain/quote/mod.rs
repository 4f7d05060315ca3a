//! A quote: a customer asks what products cost that have no price for everybody, the shop offers
//! prices until some day, and the customer takes them or not.
//!
//! What was asked for is copied into it, as an order's lines are. [`Quote::apply`] is the one table
//! that moves it. A taken offer becomes a price list of the customer's own, so that what was agreed
//! is bought like anything else: from the quoted quantity on, while the list holds.

use crate::domain::{
    id::{CustomerId, PriceListId, ProductId, QuoteId},
    money::Money,
    price::{Audience, PriceEdit, PriceEntry, PriceList},
    quantity::{Precision, Quantity},
    rule::AssignedList,
    schedule::Schedule,
    sku::Sku,
    tax::TaxMode,
    time::Micros,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, time::Duration};

/// Lines of one quote.
pub const MOST_LINES: usize = 200;
/// Characters of what either side says.
pub const MOST_WORDS: usize = 2_000;
/// An offer holds no longer than that.
pub const MOST_DAYS: u64 = 366;
/// Whoever takes an offer on its last day has so long to order.
const TO_ORDER: Duration = Duration::from_secs(14 * 24 * 60 * 60);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuoteStatus {
    /// The shop has to answer.
    Requested,
    /// The customer has.
    Offered,
    Accepted,
    /// By the customer.
    Declined,
    /// By the shop, which has nothing to offer.
    Refused,
    /// By the customer, before there was an offer.
    Withdrawn,
    /// The offer's time is over. No row says so.
    Expired,
}

impl QuoteStatus {
    pub const ALL: &[Self] = &[
        Self::Requested,
        Self::Offered,
        Self::Accepted,
        Self::Declined,
        Self::Refused,
        Self::Withdrawn,
        Self::Expired,
    ];
    /// Those that a row may have.
    pub const KEPT: &[&str] =
        &["requested", "offered", "accepted", "declined", "refused", "withdrawn"];

    /// As it stands in a row and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Offered => "offered",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    pub id: QuoteId,
    pub customer: CustomerId,
    /// Who, as the audit log names them.
    pub asked_by: String,
    pub email: String,
    pub status: QuoteStatus,
    /// Rises with each change.
    pub version: i64,
    pub body: QuoteBody,
    /// Of an offer: not included.
    pub valid_until: Option<Micros>,
    pub created_at: Micros,
    pub updated_at: Micros,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteBody {
    pub lines: Vec<QuoteLine>,
    /// What the customer said; may be empty.
    pub wish: String,
    /// What the shop said; may be empty.
    pub answer: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteLine {
    pub product: ProductId,
    pub sku: Sku,
    pub name: String,
    pub unit: String,
    pub precision: Precision,
    pub quantity: Quantity,
    /// For one unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered: Option<Money>,
}

impl QuoteLine {
    pub fn quantity_text(&self) -> String {
        self.quantity.text(self.precision)
    }
}

/// What somebody does with a quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuoteAct {
    /// A price for each line, in their order.
    Offer {
        prices: Vec<Money>,
        answer: String,
        valid_until: Micros,
    },
    Refuse {
        answer: String,
    },
    Accept,
    Decline,
    Withdraw,
}

impl QuoteAct {
    /// As the audit log names it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Offer { .. } => "quote.offer",
            Self::Refuse { .. } => "quote.refuse",
            Self::Accept => "quote.accept",
            Self::Decline => "quote.decline",
            Self::Withdraw => "quote.withdraw",
        }
    }
}

/// Why nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuoteRefusal {
    #[error("a quote that is {} can't be changed so", .0.as_str())]
    NotNow(QuoteStatus),
    #[error("the offer's time is over: ask again")]
    Expired,
    #[error("say a price for each of its {lines} lines")]
    Prices { lines: usize },
    #[error("all prices of an offer are in one currency")]
    Currencies,
    #[error("a price is above nothing")]
    NoPrice,
    #[error("an offer holds until a time to come, {MOST_DAYS} days from now at most")]
    Until,
    #[error("say it in {MOST_WORDS} characters at most")]
    TooLong,
}

impl Quote {
    /// What people call it, short enough to be said.
    pub fn label(&self) -> String {
        let text = self.id.to_string();
        text[text.len() - 8..].to_uppercase()
    }

    /// By that time, an offer whose own is over is none.
    pub fn status_at(&self, now: Micros) -> QuoteStatus {
        let over = self.valid_until.is_some_and(|until| until <= now);
        match self.status {
            QuoteStatus::Offered if over => QuoteStatus::Expired,
            status => status,
        }
    }

    /// It after that.
    pub fn apply(&self, act: &QuoteAct, at: Micros) -> Result<Self, QuoteRefusal> {
        use QuoteStatus::{Accepted, Declined, Expired, Offered, Refused, Requested, Withdrawn};
        let status = self.status_at(at);
        let mut next = Self { version: self.version + 1, updated_at: at, ..self.clone() };
        next.status = match (act, status) {
            (QuoteAct::Offer { prices, answer, valid_until }, Requested | Offered | Expired) => {
                next.offer(prices, at, *valid_until)?;
                next.body.answer.clone_from(answer);
                Offered
            }
            (QuoteAct::Refuse { answer }, Requested | Offered | Expired) => {
                next.body.answer.clone_from(answer);
                next.valid_until = None;
                Refused
            }
            (QuoteAct::Accept, Offered) => Accepted,
            (QuoteAct::Accept | QuoteAct::Decline, Expired) => return Err(QuoteRefusal::Expired),
            (QuoteAct::Decline, Offered) => Declined,
            (QuoteAct::Withdraw, Requested) => Withdrawn,
            _ => return Err(QuoteRefusal::NotNow(status)),
        };
        match next.body.answer.chars().count() > MOST_WORDS {
            true => Err(QuoteRefusal::TooLong),
            false => Ok(next),
        }
    }

    fn offer(&mut self, prices: &[Money], at: Micros, until: Micros) -> Result<(), QuoteRefusal> {
        let lines = self.body.lines.len();
        if prices.len() != lines {
            return Err(QuoteRefusal::Prices { lines });
        }
        if prices.windows(2).any(|two| two[0].currency != two[1].currency) {
            return Err(QuoteRefusal::Currencies);
        }
        if prices.iter().any(|price| price.minor <= 0) {
            return Err(QuoteRefusal::NoPrice);
        }
        let most = at.plus(Duration::from_secs(MOST_DAYS * 24 * 60 * 60));
        if until <= at || until > most {
            return Err(QuoteRefusal::Until);
        }
        for (line, price) in self.body.lines.iter_mut().zip(prices) {
            line.offered = Some(*price);
        }
        self.valid_until = Some(until);
        Ok(())
    }

    /// The price list that an offer becomes when it is taken at that time.
    pub fn agreed(
        &self,
        list: PriceListId,
        tax: TaxMode,
        at: Micros,
    ) -> Option<(AssignedList, PriceEdit)> {
        let currency = self.body.lines.first()?.offered?.currency;
        let until = self.valid_until.map(|until| until.max(at.plus(TO_ORDER)));
        let entry = |line: &QuoteLine| {
            Some(PriceEntry {
                list,
                product: line.product,
                unit: line.unit.clone(),
                min_quantity: line.quantity,
                amount: line.offered?.minor,
            })
        };
        let put = self.body.lines.iter().map(entry).collect::<Option<Vec<_>>>()?;
        let list = PriceList {
            id: list,
            name: format!("Quote {}", self.label()),
            currency,
            active: true,
            priority: 0,
            tax,
            schedule: Schedule { from: None, until },
        };
        let audiences = BTreeSet::from([Audience::Customer { customer: self.customer }]);
        Some((AssignedList { list, audiences }, PriceEdit { put, ..PriceEdit::default() }))
    }
}

#[cfg(test)]
mod tests;
