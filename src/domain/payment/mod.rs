//! Money that a shop asks a provider for, step by step, and what the provider says of it.
//!
//! A provider says *facts*, each with the id of the step it answers: in an answer, in a look-up
//! or in a webhook, late, twice and in any order. [`Payment`] keeps them as a set and reads its
//! state from the whole of it, so the same facts end in the same state whatever way they came.

mod books;
mod card;
mod intent;
mod step;
mod terms;
#[cfg(test)]
mod tests;
mod till;

pub use books::{Gap, NotOurs, Payment, PaymentState};
pub use card::{Card, CardError};
pub use intent::{Decline, MethodToken, PaymentIntent, PaymentMethod};
pub use step::{Asked, NotAllowed, Step};
pub use terms::InvoiceTerms;
pub use till::{Circumstances, Due, due};

use crate::domain::{
    id::{CaptureId, PaymentIntentId, RefundId},
    money::Currency,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Something that happened at the provider. It stays true: what undoes it is another fact.
///
/// Amounts are in minor units of the intent's currency and more than nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// The amount is set aside for us; nothing was taken yet.
    Authorised {
        minor: i64,
    },
    /// It never will be under this intent.
    Declined {
        why: Decline,
    },
    Captured {
        id: CaptureId,
        minor: i64,
    },
    Refunded {
        id: RefundId,
        minor: i64,
    },
    /// What was set aside and not captured was let go, as we asked.
    Voided,
    /// It was let go because we waited too long.
    Expired,
}

/// What a provider says of one intent: all it knows, or the part that an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderRecord {
    pub intent: PaymentIntentId,
    pub currency: Currency,
    pub facts: BTreeSet<Fact>,
}
