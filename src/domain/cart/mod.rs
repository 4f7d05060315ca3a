//! A cart: what a buyer means to buy, and what they were told of it when they last looked.
//!
//! A buyer has one *active* cart, which "add to cart" fills, one for *later*, and lists of their
//! own naming. A line is one product: adding it again adds to its quantity. Each line keeps the
//! price and stock band its buyer last saw, and the cart's sum is made of those, so nothing in it
//! moves behind their back: what has changed since is shown ([`compare`]) and stays shown until
//! they take it ([`LineChange::See`]).
//!
//! The sum moves with each line that moves, so an edit costs the same in a cart of ten lines and of
//! ten thousand. Edits are decided by the [`Desk`], which reads no store.

mod amount;
pub mod compare;
mod desk;
mod edit;
pub mod paste;

pub use amount::{Amount, QuantityError};
pub use desk::{Desk, Plan, Unknown};
pub use edit::{
    CartAct, CartAnswer, CartEdit, CartRefusal, CartTarget, CartWrite, Edited, LineChange,
    LineRefusal, RowRefusal,
};

use crate::domain::{
    id::{CartId, ProductId, SessionId, UserId},
    money::{Currency, Money},
    principal::Principal,
    sku::Sku,
    stock::StockBand,
    time::Micros,
};
use std::time::Duration;
use uuid::Uuid;

/// How long a guest's cart is kept after its last change, and an ordered one after its order.
pub const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
pub const MOST_LINES: u32 = 10_000;
/// Lists of one buyer, beside the active cart and the one for later.
pub const MOST_LISTS: usize = 20;
/// Lines that one edit may change.
pub const MOST_AT_ONCE: usize = 2_000;
/// In characters.
pub const MOST_NAME: usize = 80;
pub const MOST_NOTE: usize = 1_000;

/// Whose a cart is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CartOwner {
    Guest(SessionId),
    User(UserId),
}

impl CartOwner {
    /// `None` for who buys nothing here.
    pub fn of(principal: &Principal) -> Option<Self> {
        match principal {
            Principal::Guest { session } => Some(Self::Guest(*session)),
            Principal::Buyer { user, .. } | Principal::Staff { user, .. } => {
                Some(Self::User(*user))
            }
            Principal::Operator | Principal::System => None,
        }
    }

    pub fn from_parts(kind: &str, id: Uuid) -> Option<Self> {
        match kind {
            "guest" => Some(Self::Guest(SessionId(id))),
            "user" => Some(Self::User(UserId(id))),
            _ => None,
        }
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Self::Guest(_) => "guest",
            Self::User(_) => "user",
        }
    }

    pub fn id(&self) -> Uuid {
        match self {
            Self::Guest(session) => session.0,
            Self::User(user) => user.0,
        }
    }
}

/// What a cart is for. There is one open [`Self::Active`] and one open [`Self::Later`] a buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CartKind {
    List,
    Later,
    Active,
}

impl CartKind {
    pub const ALL: &'static [Self] = &[Self::List, Self::Later, Self::Active];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Later => "later",
            Self::Active => "active",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }

    /// What one is called until its buyer says otherwise.
    pub fn name(self) -> &'static str {
        match self {
            Self::List => "List",
            Self::Later => "Saved for later",
            Self::Active => "Cart",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CartState {
    Open,
    /// An order was made of it; it changes no more.
    Ordered,
}

impl CartState {
    pub const ALL: &'static [Self] = &[Self::Open, Self::Ordered];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Ordered => "ordered",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.as_str() == text)
    }
}

/// A cart without its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cart {
    pub id: CartId,
    pub owner: CartOwner,
    pub kind: CartKind,
    pub state: CartState,
    pub name: String,
    pub note: Option<String>,
    /// Rises with each change, its lines' included.
    pub version: i64,
    /// Of all its lines; `None` while there are none.
    pub currency: Option<Currency>,
    pub lines: u32,
    /// What its lines come to at the prices its buyer last saw, in minor units.
    pub subtotal: i64,
    /// The place its next line gets: they stand in the order in which they came.
    pub next_place: i64,
    pub created_at: Micros,
    pub updated_at: Micros,
}

impl Cart {
    pub fn subtotal(&self) -> Option<Money> {
        self.currency.map(|currency| Money { minor: self.subtotal, currency })
    }
}

/// One product in a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartLine {
    pub sku: Sku,
    pub product: ProductId,
    pub place: i64,
    pub quantity: Amount,
    /// For one unit, in the cart's currency: what the buyer last saw.
    pub price: i64,
    /// What the buyer last saw.
    pub band: StockBand,
    pub note: Option<String>,
    pub added_at: Micros,
    pub updated_at: Micros,
}

impl CartLine {
    /// What it comes to at the price its buyer last saw; the [`Desk`] lets in none that has no sum.
    pub fn total(&self) -> i64 {
        self.quantity.times(self.price).unwrap_or(i64::MAX)
    }
}

/// A unit price from some quantity on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    pub from: Amount,
    pub minor: i64,
}

/// What a product is sold for to one buyer, now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub product: ProductId,
    pub sku: Sku,
    pub precision: u8,
    pub currency: Currency,
    /// For one unit, below all tiers.
    pub minor: i64,
    /// Rising by quantity.
    pub tiers: Vec<Tier>,
    pub band: StockBand,
}

impl Offer {
    /// For one unit when so much is bought.
    pub fn price_at(&self, quantity: Amount) -> i64 {
        let reached = |tier: &&Tier| {
            let precision = quantity.precision().max(tier.from.precision());
            let steps = |q: Amount| q.with_precision(precision).map(Amount::steps);
            steps(tier.from) <= steps(quantity)
        };
        self.tiers.iter().rfind(reached).map_or(self.minor, |tier| tier.minor)
    }

    /// Whether this is what the line's buyer last saw.
    pub fn is_seen(&self, line: &CartLine) -> bool {
        self.price_at(line.quantity) == line.price && self.band == line.band
    }
}
