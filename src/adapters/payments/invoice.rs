//! Payment by invoice: authorised at once within the customer's credit, captured when a person
//! sees the money on the shop's account and marks it paid.
//!
//! Nothing outside moves, so nothing is kept here: what the order's own payment rows say is true,
//! and every answer follows from them. A call whose answer was lost is simply made again.

use crate::{
    domain::{
        id::{CaptureId, PaymentIntentId, RefundId},
        money::Money,
        payment::{
            Asked, Decline, Fact, InvoiceTerms, Payment, PaymentIntent, ProviderRecord, Step,
        },
    },
    ports::{
        StoreError,
        invoices::InvoiceBooks,
        payments::{Collects, PaymentError, PaymentProvider, ProviderEvent, WebhookError},
    },
};
use async_trait::async_trait;
use http::HeaderMap;
use std::sync::Arc;

pub struct Invoice {
    books: Arc<dyn InvoiceBooks>,
}

impl Invoice {
    pub fn new(books: Arc<dyn InvoiceBooks>) -> Self {
        Self { books }
    }

    /// Money is owed for an order that is in the books, or not at all.
    async fn payment(&self, intent: PaymentIntentId) -> Result<Payment, PaymentError> {
        let payment = self.books.payment(intent).await.map_err(unavailable)?;
        payment.ok_or_else(|| PaymentError::Refused(format!("no order has the intent {intent}")))
    }

    async fn step(
        &self,
        intent: PaymentIntentId,
        amount: Money,
        step: Step,
        fact: Fact,
    ) -> Result<ProviderRecord, PaymentError> {
        let mut payment = self.payment(intent).await?;
        let mut record = payment.record();
        if amount.currency != record.currency {
            let told = format!("the amount is in {}, not in {}", amount.currency, record.currency);
            return Err(PaymentError::Refused(told));
        }
        // Whether it was written down before or not, its bounds hold.
        payment.withdraw(&step);
        match payment.ask(step) {
            Ok(Asked::Now | Asked::Before) => {
                record.facts.insert(fact);
                Ok(record)
            }
            Ok(Asked::Done) => Ok(record),
            Err(_) if matches!(step, Step::Capture { .. }) && payment.was_let_go() => {
                Err(PaymentError::Declined { why: Decline::GivenUp, record })
            }
            Err(error) => Err(PaymentError::Refused(error.to_string())),
        }
    }
}

#[async_trait]
impl PaymentProvider for Invoice {
    fn name(&self) -> &'static str {
        InvoiceTerms::PROVIDER
    }

    fn collects(&self) -> Collects {
        Collects::ByHand
    }

    async fn authorise(&self, intent: &PaymentIntent) -> Result<ProviderRecord, PaymentError> {
        let Some(terms) = InvoiceTerms::read(&intent.method.token) else {
            return Err(PaymentError::Refused("the token names no customer and terms".to_owned()));
        };
        let mut payment = self.payment(intent.id).await?;
        if payment.amount() != intent.amount {
            let told = "the books have another amount for this intent";
            return Err(PaymentError::Refused(told.to_owned()));
        }
        let mut record = payment.record();
        payment.withdraw(&Step::Authorise);
        match payment.ask(Step::Authorise) {
            Ok(Asked::Done) if payment.authorised() > 0 => return Ok(record),
            Ok(Asked::Now | Asked::Before) => {}
            Ok(Asked::Done) | Err(_) => {
                let why = payment.declined().unwrap_or(Decline::GivenUp);
                return Err(PaymentError::Declined { why, record });
            }
        }
        let Money { minor, currency } = intent.amount;
        let credit = self.books.credit(terms.customer, currency).await.map_err(unavailable)?;
        if credit.limit.is_some_and(|limit| credit.owed > limit) {
            let why = Decline::OverCreditLimit;
            record.facts.insert(Fact::Declined { why });
            return Err(PaymentError::Declined { why, record });
        }
        record.facts.insert(Fact::Authorised { minor });
        Ok(record)
    }

    async fn capture(
        &self,
        intent: PaymentIntentId,
        capture: CaptureId,
        amount: Money,
    ) -> Result<ProviderRecord, PaymentError> {
        let (id, minor) = (capture, amount.minor);
        self.step(intent, amount, Step::Capture { id, minor }, Fact::Captured { id, minor }).await
    }

    async fn refund(
        &self,
        intent: PaymentIntentId,
        refund: RefundId,
        amount: Money,
    ) -> Result<ProviderRecord, PaymentError> {
        let (id, minor) = (refund, amount.minor);
        self.step(intent, amount, Step::Refund { id, minor }, Fact::Refunded { id, minor }).await
    }

    async fn void(&self, intent: &PaymentIntent) -> Result<ProviderRecord, PaymentError> {
        self.step(intent.id, intent.amount, Step::Void, Fact::Voided).await
    }

    async fn look_up(
        &self,
        intent: PaymentIntentId,
    ) -> Result<Option<ProviderRecord>, PaymentError> {
        let payment = self.books.payment(intent).await.map_err(unavailable)?;
        let known = payment.filter(|payment| !payment.facts().is_empty());
        Ok(known.map(|payment| payment.record()))
    }

    fn read_webhook(
        &self,
        _headers: &HeaderMap,
        _body: &[u8],
    ) -> Result<ProviderEvent, WebhookError> {
        Err(WebhookError::Unexpected)
    }
}

/// Reading changes nothing, so nothing happened.
fn unavailable(error: StoreError) -> PaymentError {
    PaymentError::Unavailable(error.to_string())
}
