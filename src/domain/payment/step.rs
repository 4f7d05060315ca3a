//! What is asked of a provider, and how the asking stands.

use super::PaymentState;
use crate::domain::id::{CaptureId, RefundId};
use serde::{Deserialize, Serialize};

/// Something we ask of the provider. It is written down before it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    Authorise,
    Capture { id: CaptureId, minor: i64 },
    Refund { id: RefundId, minor: i64 },
    Void,
}

/// How a step stands once it was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Now,
    /// It was before, and its answer isn't known: ask again, with the same key.
    Before,
    /// It has happened.
    Done,
}

/// Why a step may not be asked; nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    #[error("a payment that is {} can't be asked for this", .0.as_str())]
    Now(PaymentState),
    #[error("an amount must be more than nothing")]
    Nothing,
    #[error("{asked} is more than the {left} that is left, in minor units")]
    TooMuch { asked: i64, left: i64 },
    #[error("its key was used for another amount")]
    KeyReused,
    #[error("an answer is still missing: ask the provider first")]
    Unanswered,
}
