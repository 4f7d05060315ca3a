//! What can be asked of carts, and what is answered.

use super::{Cart, CartKind, CartLine, CartOwner, MOST_AT_ONCE, MOST_LINES, MOST_LISTS, Offer};
use crate::domain::{
    cart_sums::SumsError,
    id::{CartId, SessionId},
    line::LineError,
    money::Currency,
    quantity::{Quantity, QuantityError},
    sku::{Sku, SkuError},
    time::Micros,
};

/// One change, on behalf of one buyer: another's cart is to them as one that isn't there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartWrite {
    pub owner: CartOwner,
    pub at: Micros,
    pub act: CartAct,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CartAct {
    /// Makes a list.
    Create {
        id: CartId,
        name: String,
        note: Option<String>,
    },
    Edit {
        target: CartTarget,
        /// Refused when the cart's version is another one.
        expect: Option<i64>,
        edit: CartEdit,
    },
    Delete {
        id: CartId,
        expect: Option<i64>,
    },
    /// Takes over what a guest gathered before they logged in; once done there is nothing left to
    /// take, so it may be asked again.
    TakeOver {
        from: SessionId,
    },
}

/// Which cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CartTarget {
    Id(CartId),
    /// The open one of this kind; made under the id given when there is none.
    Kind {
        kind: CartKind,
        new: CartId,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CartEdit {
    /// All of them, or none; when `partial`, all that can be made.
    Lines { changes: Vec<LineChange>, partial: bool },
    /// A line with its quantity goes over to another cart of the same buyer.
    Move { sku: Sku, to: CartTarget },
    /// Each that is given. Making a list active makes the active one a list.
    Describe { name: Option<String>, note: Option<Option<String>>, kind: Option<CartKind> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineChange {
    /// To what is there.
    Add {
        offer: Offer,
        quantity: Quantity,
        note: Option<String>,
    },
    Set {
        offer: Offer,
        quantity: Quantity,
    },
    Note {
        sku: Sku,
        note: Option<String>,
    },
    Remove {
        sku: Sku,
    },
    /// The buyer has seen what it costs now and how much there is.
    See {
        offer: Offer,
    },
}

impl LineChange {
    pub fn sku(&self) -> &Sku {
        match self {
            Self::Add { offer, .. } | Self::Set { offer, .. } | Self::See { offer } => &offer.sku,
            Self::Note { sku, .. } | Self::Remove { sku } => sku,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CartAnswer {
    Done(Box<Edited>),
    /// So many carts were the guest's.
    TakenOver {
        carts: usize,
    },
    Refused(CartRefusal),
}

/// What an edit left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    pub cart: Cart,
    /// Each line that was touched, as it is now.
    pub lines: Vec<CartLine>,
    /// Each line that was touched and is gone.
    pub gone: Vec<Sku>,
    /// Of a partial edit: what was left out.
    pub left_out: Vec<RowRefusal>,
}

/// Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CartRefusal {
    #[error("there is no such cart")]
    Absent,
    #[error("the cart has changed since: it is at version {version}")]
    Changed { version: i64 },
    #[error("an order was made of this cart; it changes no more")]
    Ordered,
    #[error("a buyer has at most {MOST_LISTS} lists")]
    TooManyLists,
    #[error("one edit changes at most {MOST_AT_ONCE} lines")]
    TooManyAtOnce,
    #[error("the cart for later stays what it is")]
    NotThisKind,
    #[error("some lines can't be changed that way")]
    Rows(Vec<RowRefusal>),
}

/// Which of an edit's changes could not be made, counted from 0, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowRefusal {
    pub row: usize,
    /// `None`: what was written is none.
    pub sku: Option<Sku>,
    pub why: LineRefusal,
}

/// Why a line can't be what somebody wants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineRefusal {
    #[error(transparent)]
    Sku(#[from] SkuError),
    #[error(transparent)]
    Quantity(#[from] QuantityError),
    #[error("there is no product with this SKU")]
    Unknown,
    #[error("this product is no longer sold")]
    NotSold,
    #[error("choose one of its variants: {}", some(.0))]
    HasVariants(Vec<Sku>),
    #[error("its price is on request: ask for a quote")]
    OnRequest,
    #[error("the cart has no such line")]
    NoSuchLine,
    #[error("a cart has at most {MOST_LINES} lines")]
    TooManyLines,
    #[error("how it is counted has changed: remove it and add it again")]
    Uneven,
    #[error("it is sold in {has}, and what is in the cart in {cart}")]
    OtherCurrency { has: Currency, cart: Currency },
    #[error(transparent)]
    Line(LineError),
    #[error(transparent)]
    Sums(#[from] SumsError),
    #[error("a note has at most {} characters", super::MOST_NOTE)]
    NoteTooLong,
}

impl From<LineError> for LineRefusal {
    fn from(error: LineError) -> Self {
        match error {
            LineError::Quantity(error) => Self::Quantity(error),
            error => Self::Line(error),
        }
    }
}

/// A few of them, as a sentence has room for.
fn some(skus: &[Sku]) -> String {
    const MOST: usize = 5;
    let mut text = skus.iter().take(MOST).map(Sku::as_str).collect::<Vec<_>>().join(", ");
    if skus.len() > MOST {
        text.push_str(", …");
    }
    text
}
