//! Quotes: what customers asked the price of, and what they were offered.

use super::{StoreError, mail::NewMail, rules::RuleWrite};
use crate::domain::{
    audit::Change,
    id::{CustomerId, QuoteId},
    quote::{Quote, QuoteStatus},
};
use async_trait::async_trait;

/// A quote as it is to be kept, with what goes along in the same transaction.
#[derive(Debug, Clone)]
pub struct QuoteWrite {
    pub quote: Quote,
    /// Only if it still is this version; `None`: it is new.
    pub was: Option<i64>,
    /// Prices that were agreed on. One that can't be set refuses the whole.
    pub rules: Vec<RuleWrite>,
    pub mails: Vec<NewMail>,
    /// For the audit log.
    pub told: Change,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuoteWritten {
    Kept(Box<Quote>),
    /// It is another version by now; nothing was changed.
    Stale,
}

/// Which quotes of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QuoteFilter {
    pub customer: Option<CustomerId>,
    /// As rows have it: an offer whose time is over is still one.
    pub status: Option<QuoteStatus>,
}

#[async_trait]
pub trait Quotes: Send + Sync {
    async fn quote(&self, id: QuoteId) -> Result<Option<Quote>, StoreError>;

    /// Up to `limit` before one, the newest first.
    async fn quotes(
        &self,
        filter: QuoteFilter,
        before: Option<QuoteId>,
        limit: u32,
    ) -> Result<Vec<Quote>, StoreError>;
}
