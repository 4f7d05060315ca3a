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

pub mod compare;
mod desk;
mod edit;
pub mod paste;
#[cfg(test)]
pub(crate) mod testing;

pub use desk::{Desk, Plan, Unknown};
pub use edit::{
    CartAct, CartAnswer, CartEdit, CartRefusal, CartTarget, CartWrite, Edited, LineChange,
    LineRefusal, RowRefusal,
};

use crate::domain::{
    cart_sums::CartSums,
    id::{CartId, ProductId, SessionId, UserId},
    line::PricedLine,
    money::{Currency, Money},
    price::{Ladder, UnitPrice},
    principal::Principal,
    quantity::{OrderLimits, Precision, Quantity, QuantityError},
    sku::Sku,
    stock::StockBand,
    tax::TaxCategory,
    time::Micros,
};
use std::time::Duration;
use uuid::Uuid;

/// How long a guest's cart is kept after its last change, and an ordered one after its order.
pub const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
pub const MOST_LINES: u64 = 10_000;
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
    /// Of its lines at the prices its buyer last saw, all in one currency.
    pub sums: CartSums,
    /// The place its next line gets: they stand in the order in which they came.
    pub next_place: i64,
    pub created_at: Micros,
    pub updated_at: Micros,
}

impl Cart {
    pub fn lines(&self) -> u64 {
        self.sums.lines()
    }

    /// Of all its lines; `None` while there are none.
    pub fn currency(&self) -> Option<Currency> {
        self.sums.groups().first().map(|group| group.currency)
    }

    /// What its lines come to at the prices its buyer last saw.
    pub fn subtotal(&self) -> Option<Money> {
        self.sums.subtotal(self.currency()?).ok()
    }
}

/// One product in a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartLine {
    pub sku: Sku,
    pub product: ProductId,
    pub place: i64,
    /// How many, at the price the buyer last saw.
    pub priced: PricedLine,
    /// What the buyer last saw.
    pub band: StockBand,
    pub note: Option<String>,
    pub added_at: Micros,
    pub updated_at: Micros,
}

impl CartLine {
    pub fn quantity_text(&self) -> String {
        self.priced.quantity().text(self.priced.precision())
    }
}

/// What a product is sold for to one buyer, now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub product: ProductId,
    pub sku: Sku,
    pub precision: Precision,
    pub ladder: Ladder,
    pub tax_category: TaxCategory,
    pub limits: OrderLimits,
    pub band: StockBand,
}

impl Offer {
    /// What so many cost, if they can be had.
    pub fn priced(&self, quantity: Quantity) -> Result<PricedLine, LineRefusal> {
        self.limits.check(quantity, self.precision)?;
        let price = *self.ladder.at(quantity).ok_or(LineRefusal::OnRequest)?;
        Ok(PricedLine::new(quantity, self.precision, price, self.tax_category.clone())?)
    }

    /// A line's quantity in the steps the product is sold in now.
    pub fn quantity_of(&self, line: &CartLine) -> Option<Quantity> {
        in_precision(line.priced.quantity(), line.priced.precision(), self.precision)
    }

    /// What the product costs now at a line's quantity.
    pub fn price_of(&self, line: &CartLine) -> Option<&UnitPrice> {
        self.ladder.at(self.quantity_of(line)?)
    }

    /// Whether this is what the line's buyer last saw.
    pub fn is_seen(&self, line: &CartLine) -> bool {
        let priced = &line.priced;
        let still = |quantity| self.ladder.still_says(priced.price(), quantity);
        self.quantity_of(line).is_some_and(still)
            && self.tax_category == *priced.tax_category()
            && self.band == line.band
    }
}

/// The same quantity in other steps; `None` when it doesn't come out even.
fn in_precision(quantity: Quantity, from: Precision, to: Precision) -> Option<Quantity> {
    let (from, to) = (from.steps_per_unit(), to.steps_per_unit());
    let steps = if to >= from {
        quantity.steps().checked_mul(to / from)?
    } else {
        let coarser = from / to;
        (quantity.steps() % coarser == 0).then_some(quantity.steps() / coarser)?
    };
    Quantity::of_steps(steps).ok()
}

/// Two quantities of one product together.
fn together(a: Quantity, b: Quantity, precision: Precision) -> Result<Quantity, QuantityError> {
    a.checked_add(b)?.within(precision)
}
