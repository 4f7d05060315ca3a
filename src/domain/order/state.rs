//! Where an order is, and what may happen to it next.
//!
//! An order has three states that move apart: what became of the order, of its payment
//! ([`PaymentState`]) and of its goods. [`apply`] is the one table that moves them; whatever
//! changes an order asks it, inside the transaction that writes the change.

use crate::domain::payment::PaymentState;
use serde::{Deserialize, Serialize};

macro_rules! texts {
    ($name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$doc])* $variant),*
        }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant),*];
            pub const NAMES: &[&str] = &[$($text),*];

            /// As it stands in a row and in the API.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text)
            }
        }
    };
}

texts!(OrderStatus {
    /// Placed, its goods held for a while: it waits for its payment.
    Pending = "pending",
    /// It will be sent.
    Confirmed = "confirmed",
    /// Somebody is packing it.
    Processing = "processing",
    Shipped = "shipped",
    Completed = "completed",
    Cancelled = "cancelled",
    /// Its money went, or goes, back.
    Refunded = "refunded",
});

texts!(FulfilmentStatus {
    Unfulfilled = "unfulfilled",
    Shipped = "shipped",
    Delivered = "delivered",
    /// Back in the warehouse.
    Returned = "returned",
});

/// All three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OrderState {
    pub status: OrderStatus,
    pub payment: PaymentState,
    pub fulfilment: FulfilmentStatus,
}

impl OrderState {
    pub const PLACED: Self = Self {
        status: OrderStatus::Pending,
        payment: PaymentState::Pending,
        fulfilment: FulfilmentStatus::Unfulfilled,
    };

    /// As a row has it.
    pub fn parse(status: &str, payment: &str, fulfilment: &str) -> Option<Self> {
        Some(Self {
            status: OrderStatus::parse(status)?,
            payment: PaymentState::parse(payment)?,
            fulfilment: FulfilmentStatus::parse(fulfilment)?,
        })
    }

    /// Whether its goods are still set aside for it.
    pub fn holds_stock(&self) -> bool {
        use OrderStatus::{Confirmed, Pending, Processing};
        matches!(self.status, Pending | Confirmed | Processing)
    }
}

/// What somebody wants of an order, or what happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// It will be sent, paid or not.
    Confirm,
    /// Somebody begins to pack it.
    Process,
    Ship,
    /// It has arrived.
    Complete,
    Cancel,
    /// Its money is to go back; `restock` says that its goods came back too.
    Refund {
        restock: bool,
    },
    /// What is known of its payment now.
    PaymentIs {
        state: PaymentState,
    },
    /// The time for which its goods were held is over.
    HoldEnds,
}

impl Action {
    /// What a person may want of an order, in the order it goes its way.
    pub const BY_HAND: &[Self] = &[
        Self::Confirm,
        Self::Process,
        Self::Ship,
        Self::Complete,
        Self::Cancel,
        Self::Refund { restock: false },
    ];

    /// What was tried, for whoever is refused: `cancel`.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Process => "process",
            Self::Ship => "ship",
            Self::Complete => "complete",
            Self::Cancel | Self::HoldEnds => "cancel",
            Self::Refund { .. } => "refund",
            Self::PaymentIs { .. } => "settle",
        }
    }
}

/// What an action does to the goods that are set aside for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StockEffect {
    /// They can be bought by others again.
    Release,
    /// They have left the warehouse.
    Consume,
    /// They are back.
    Restock,
}

/// What is to be asked of the payment provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoneyWish {
    /// Take what was set aside.
    Capture,
    /// Let go what was set aside, or may yet be.
    Void,
    /// Give back what was taken.
    Refund,
}

/// What the log tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderNews {
    Confirmed,
    TakenUp,
    Shipped,
    Completed,
    Cancelled,
    Refunded,
    /// Of the payment alone.
    PaymentChanged,
}

/// A move that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    pub state: OrderState,
    pub stock: Option<StockEffect>,
    pub money: Option<MoneyWish>,
    pub news: OrderNews,
}

/// Why nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("an order that is {} can't be {}", .status.as_str(), past(.verb))]
    NotNow { verb: &'static str, status: OrderStatus },
    /// An answer of the provider is still to come: try again when it is there.
    #[error("its payment is under way: wait for the provider's answer")]
    PaymentUnderWay,
    #[error("nothing was paid, so nothing can be given back")]
    NothingPaid,
    /// It is so already.
    #[error("nothing has changed")]
    Already,
}

fn past(verb: &str) -> &'static str {
    match verb {
        "confirm" => "confirmed",
        "process" => "taken up",
        "ship" => "shipped",
        "complete" => "completed",
        "cancel" => "cancelled",
        "refund" => "refunded",
        _ => "changed",
    }
}

/// Where an action brings an order that is in `state`.
pub fn apply(state: &OrderState, action: Action) -> Result<Change, Refusal> {
    use OrderStatus::{Cancelled, Completed, Confirmed, Pending, Processing, Refunded, Shipped};
    let not_now = Err(Refusal::NotNow { verb: action.verb(), status: state.status });
    let moved = |status: OrderStatus, news: OrderNews| Change {
        state: OrderState { status, ..*state },
        stock: None,
        money: None,
        news,
    };
    match (action, state.status) {
        (Action::Confirm, Pending) => match state.payment {
            PaymentState::Unknown => Err(Refusal::PaymentUnderWay),
            _ => Ok(moved(Confirmed, OrderNews::Confirmed)),
        },
        (Action::Process, Confirmed) => Ok(moved(Processing, OrderNews::TakenUp)),
        (Action::Ship, Confirmed | Processing) => {
            let shipped = moved(Shipped, OrderNews::Shipped);
            let fulfilment = FulfilmentStatus::Shipped;
            let stock = Some(StockEffect::Consume);
            Ok(Change { state: OrderState { fulfilment, ..shipped.state }, stock, ..shipped })
        }
        (Action::Complete, Shipped) => {
            let completed = moved(Completed, OrderNews::Completed);
            let fulfilment = FulfilmentStatus::Delivered;
            Ok(Change { state: OrderState { fulfilment, ..completed.state }, ..completed })
        }
        (Action::Cancel, Pending | Confirmed | Processing) => match state.payment {
            PaymentState::Unknown => Err(Refusal::PaymentUnderWay),
            _ => Ok(cancelled(state)),
        },
        (Action::HoldEnds, Pending) => match state.payment {
            // Whoever asked the provider ends it by the answer.
            PaymentState::Unknown => Err(Refusal::PaymentUnderWay),
            _ => Ok(cancelled(state)),
        },
        (Action::Refund { restock }, Confirmed | Processing | Shipped | Completed) => {
            if !has_taken(state.payment) {
                return Err(Refusal::NothingPaid);
            }
            let refunded = moved(Refunded, OrderNews::Refunded);
            let stock = match (state.holds_stock(), restock) {
                (true, _) => Some(StockEffect::Release),
                (false, true) => Some(StockEffect::Restock),
                (false, false) => None,
            };
            let fulfilment = match stock {
                Some(StockEffect::Restock) => FulfilmentStatus::Returned,
                _ => state.fulfilment,
            };
            let state = OrderState { fulfilment, ..refunded.state };
            Ok(Change { state, stock, money: Some(MoneyWish::Refund), ..refunded })
        }
        (Action::PaymentIs { state: payment }, _) if payment == state.payment => {
            Err(Refusal::Already)
        }
        (Action::PaymentIs { state: payment }, status) => {
            let now = OrderState { payment, ..*state };
            let told = Change {
                state: now,
                stock: None,
                money: None,
                ..moved(status, OrderNews::PaymentChanged)
            };
            Ok(match status {
                Pending if payment.is_good() => Change {
                    state: OrderState { status: Confirmed, ..now },
                    money: (payment == PaymentState::Authorised).then_some(MoneyWish::Capture),
                    news: OrderNews::Confirmed,
                    ..told
                },
                Pending if payment.has_verdict() => cancelled(&now),
                // Money that comes for an order that is off goes back.
                Cancelled => Change { money: off(payment), ..told },
                _ => told,
            })
        }
        (
            Action::Confirm
            | Action::Process
            | Action::Ship
            | Action::Complete
            | Action::Cancel
            | Action::HoldEnds
            | Action::Refund { .. },
            _,
        ) => not_now,
    }
}

fn cancelled(state: &OrderState) -> Change {
    Change {
        state: OrderState { status: OrderStatus::Cancelled, ..*state },
        stock: Some(StockEffect::Release),
        money: off(state.payment),
        news: OrderNews::Cancelled,
    }
}

/// How the money of an order that is off is got rid of.
fn off(payment: PaymentState) -> Option<MoneyWish> {
    match payment {
        PaymentState::Pending | PaymentState::Unknown | PaymentState::Authorised => {
            Some(MoneyWish::Void)
        }
        payment if has_taken(payment) => Some(MoneyWish::Refund),
        _ => None,
    }
}

/// Whether there is money to be given back.
fn has_taken(payment: PaymentState) -> bool {
    use PaymentState::{Captured, PartlyCaptured, PartlyRefunded};
    matches!(payment, PartlyCaptured | Captured | PartlyRefunded)
}

#[cfg(test)]
mod tests;
