//! What a shop's own books say of payment by invoice.
//!
//! Payment by invoice moves no money outside: the order's payment rows are all there is to know
//! of it. Its provider reads them here and keeps nothing itself.

use super::StoreError;
use crate::domain::{
    id::{CustomerId, PaymentIntentId},
    money::Currency,
    payment::Payment,
};
use async_trait::async_trait;

/// How much a customer may owe, in minor units of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credit {
    /// `None`: any amount.
    pub limit: Option<i64>,
    /// The amounts of all intents by invoice that are neither declined, let go nor paid, those
    /// included that have no verdict yet. So two orders placed at once each see the other, and
    /// never both fit where only one does.
    pub owed: i64,
}

/// The two calls read what is committed, and see what the caller committed before.
#[async_trait]
pub trait InvoiceBooks: Send + Sync {
    /// `None`: no order has such an intent.
    async fn payment(&self, intent: PaymentIntentId) -> Result<Option<Payment>, StoreError>;

    async fn credit(&self, customer: CustomerId, currency: Currency) -> Result<Credit, StoreError>;
}
