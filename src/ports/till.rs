//! Payments as they are kept: what was asked of a provider, what it said, and what is due.
//!
//! A step is written down before it is asked, and what a provider says is learnt in one transaction
//! with what it means for the order, so no crash parts the two.

use super::{StoreError, orders::OrderNow};
use crate::domain::{
    id::{OrderId, PaymentIntentId},
    payment::{
        Asked, Circumstances, Due, NotAllowed, NotOurs, Payment, PaymentIntent, ProviderRecord,
        Step, due,
    },
    time::Micros,
};
use async_trait::async_trait;
use uuid::Uuid;

/// Something that is to be kept of a payment.
#[derive(Debug, Clone)]
pub struct PaymentWrite {
    pub intent: PaymentIntentId,
    pub act: PaymentAct,
    /// Who, as the audit log names them.
    pub by: String,
    pub at: Micros,
    /// When to look at it next, unless nothing is left to be done.
    pub again: Micros,
    /// Whether the shop takes the money itself once the order is confirmed.
    pub collects: bool,
    /// Whoever learns something does what is due then at once: the order is confirmed and the next
    /// step written down along with it, a capture under this id.
    pub goes_on: Option<Uuid>,
}

impl PaymentWrite {
    /// When somebody is to look at the payment again, once this is kept. `None`: nothing is left to
    /// be done until the order or the provider's word moves.
    pub fn next_look(&self, order: &OrderNow, payment: &Payment) -> Option<Micros> {
        // Whoever waits for a verdict looks again when the time for it is over.
        let waits = order.held_until.filter(|until| *until > self.at);
        // Only whether something is due counts here, not under which key.
        match self.due(order, payment, self.intent.0) {
            Due::Nothing => waits,
            Due::Confirm | Due::Ask(_) => {
                Some(waits.map_or(self.again, |until| until.min(self.again)))
            }
        }
    }

    /// What is to be done of the payment once this is kept, a capture under the id `fresh`.
    pub fn due(&self, order: &OrderNow, payment: &Payment, fresh: Uuid) -> Due {
        let late = order.held_until.is_some_and(|until| until <= self.at);
        due(&order.state, payment, Circumstances { late, collects: self.collects, fresh })
    }
}

#[derive(Debug, Clone)]
pub enum PaymentAct {
    /// It will be asked now.
    Ask(Step),
    /// The provider said this; what it refused to do is `withdrawn`.
    Learn { record: ProviderRecord, withdrawn: Option<Step> },
    /// There was no answer, or none that says more.
    Wait,
}

/// A payment with its order, as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentNow {
    pub intent: PaymentIntent,
    pub payment: Payment,
    pub order: OrderNow,
    pub created_at: Micros,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentKept {
    /// `asked`: how the step stands that was to be asked. `next`: a step that was written down
    /// because the write goes on, and is to be asked now.
    Done { now: Box<PaymentNow>, asked: Option<Asked>, next: Option<Step> },
    /// The step may not be asked; nothing was changed.
    NotAllowed(NotAllowed),
    /// The record is none of this intent's; nothing was changed.
    NotOurs(NotOurs),
}

#[async_trait]
pub trait Till: Send + Sync {
    /// Up to `limit` payments that somebody is to look at, the longest due first.
    async fn due(&self, now: Micros, limit: u32) -> Result<Vec<PaymentNow>, StoreError>;

    async fn payment(&self, intent: PaymentIntentId) -> Result<Option<PaymentNow>, StoreError>;

    /// The intent of an order.
    async fn of_order(&self, order: OrderId) -> Result<Option<PaymentNow>, StoreError>;
}
