//! On whose behalf something is asked.

use crate::domain::id::{CustomerId, SessionId, UserId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who acts. It travels with every change and stands in the audit log; never a session's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Principal {
    /// A visitor who has not logged in, known by the session alone.
    Guest { session: SessionId },
    /// A buyer who has.
    Buyer { session: SessionId, user: UserId, customer: CustomerId },
    /// One of the shop's own people.
    Staff { session: SessionId, user: UserId },
    /// Whoever holds the data folder's socket or the administrator's token.
    Operator,
    /// The shop itself: a reconciler or a timer.
    System,
}

impl Principal {
    /// Whoever looks around without a session.
    pub const NOBODY: Self = Self::Guest { session: SessionId(uuid::Uuid::nil()) };

    pub fn session(&self) -> Option<SessionId> {
        match self {
            Self::Guest { session } | Self::Buyer { session, .. } | Self::Staff { session, .. } => {
                Some(*session)
            }
            Self::Operator | Self::System => None,
        }
    }

    /// The customer whose carts and orders these are; `None` for a guest and for the shop's own.
    pub fn customer(&self) -> Option<CustomerId> {
        match self {
            Self::Buyer { customer, .. } => Some(*customer),
            Self::Guest { .. } | Self::Staff { .. } | Self::Operator | Self::System => None,
        }
    }
}

impl fmt::Display for Principal {
    /// As the audit log and an idempotency key's scope name it: `guest:…`, `user:…`, `operator`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guest { session } => write!(f, "guest:{session}"),
            Self::Buyer { user, .. } | Self::Staff { user, .. } => write!(f, "user:{user}"),
            Self::Operator => f.write_str("operator"),
            Self::System => f.write_str("system"),
        }
    }
}
