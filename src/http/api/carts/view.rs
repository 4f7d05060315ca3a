//! Carts as the API writes them.

use crate::{
    actors::keepers::carts::ShownLine,
    domain::{
        cart::{Cart, CartKind, CartLine, CartState, compare::Change},
        stock::StockBand,
    },
    views::{PriceView, StockView},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Serialize, ToSchema)]
pub(super) struct CartList {
    pub(super) items: Vec<CartView>,
}

/// A cart without its lines.
#[derive(Serialize, ToSchema)]
pub(super) struct CartView {
    id: Uuid,
    kind: CartKindView,
    /// An ordered one changes no more.
    state: CartStateView,
    name: String,
    #[schema(required)]
    note: Option<String>,
    /// Rises with each change, its lines' included; its `ETag` too.
    version: i64,
    /// How many products are in it.
    lines: u64,
    /// What its lines come to at the prices its buyer last saw; `null` without any.
    #[schema(required)]
    subtotal: Option<PriceView>,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    created_at: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    updated_at: String,
}

#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum CartKindView {
    /// What is bought from; one a shopper.
    Active,
    /// What was put aside; one a shopper.
    Later,
    List,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum CartStateView {
    Open,
    Ordered,
}

/// A line of a cart, as its buyer last saw it.
#[derive(Serialize, ToSchema)]
pub(super) struct CartLineView {
    sku: String,
    #[schema(example = "2.5")]
    quantity: String,
    /// For one unit at this quantity.
    unit_price: PriceView,
    total: PriceView,
    stock: StockView,
    #[schema(required)]
    note: Option<String>,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    added_at: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    updated_at: String,
}

/// A line with its product, and with what is otherwise than its buyer last saw it.
#[derive(Serialize, ToSchema)]
pub(super) struct ComparedLineView {
    #[serde(flatten)]
    line: CartLineView,
    /// `null`: there is no such product any more.
    #[schema(required)]
    product: Option<LineProductView>,
    changes: Vec<ChangeView>,
}

#[derive(Serialize, ToSchema)]
struct LineProductView {
    name: String,
    /// The part of its page's address that names it.
    slug: String,
    /// What one is called.
    unit: String,
}

/// One thing that has changed.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum ChangeView {
    /// For one unit.
    Price {
        was: PriceView,
        now: PriceView,
    },
    Stock {
        was: StockView,
        now: StockView,
    },
    /// It is taxed as products of another category are.
    Tax,
    /// It can't be bought any more; the line has to go.
    NotSold,
    /// Ask for a quote; the line has to go.
    OnRequest,
}

/// Some of a cart's lines, in the order in which they came.
#[derive(Serialize, ToSchema)]
pub(super) struct CartLines {
    /// The cart's version these are of.
    pub(super) version: i64,
    pub(super) items: Vec<ComparedLineView>,
    /// Hand it back as `after` for the next ones; `null` at the end.
    #[schema(required)]
    pub(super) next: Option<String>,
}

/// What has changed in a cart since its buyer last looked.
#[derive(Serialize, ToSchema)]
pub(super) struct CartChanges {
    /// How many lines have.
    pub(super) changed: usize,
    /// The first of them.
    pub(super) items: Vec<ComparedLineView>,
    /// Stands for `items` as they are here; take note of them with it.
    pub(super) token: String,
}

/// A cart and the line that was changed.
#[derive(Serialize, ToSchema)]
pub(super) struct EditedLine {
    pub(super) cart: CartView,
    /// `null` when it is gone.
    #[schema(required)]
    pub(super) line: Option<CartLineView>,
}

impl CartView {
    pub(super) fn of(cart: &Cart) -> Self {
        Self {
            id: cart.id.0,
            kind: cart.kind.into(),
            state: match cart.state {
                CartState::Open => CartStateView::Open,
                CartState::Ordered => CartStateView::Ordered,
            },
            name: cart.name.clone(),
            note: cart.note.clone(),
            version: cart.version,
            lines: cart.lines(),
            subtotal: cart.subtotal().as_ref().map(PriceView::from),
            created_at: cart.created_at.rfc3339(),
            updated_at: cart.updated_at.rfc3339(),
        }
    }
}

impl CartLineView {
    pub(super) fn of(line: &CartLine) -> Self {
        Self {
            sku: line.sku.to_string(),
            quantity: line.quantity_text(),
            unit_price: PriceView::from(&line.priced.price().amount),
            total: PriceView::from(&line.priced.amount()),
            stock: line.band.into(),
            note: line.note.clone(),
            added_at: line.added_at.rfc3339(),
            updated_at: line.updated_at.rfc3339(),
        }
    }
}

impl ComparedLineView {
    pub(super) fn of(shown: &ShownLine) -> Self {
        let product = shown.document.as_deref().map(|document| LineProductView {
            name: document.name.clone(),
            slug: document.slug.clone(),
            unit: document.unit.clone(),
        });
        let changes = shown.changes.iter().map(|change| ChangeView::of(*change)).collect();
        Self { line: CartLineView::of(&shown.line), product, changes }
    }
}

impl ChangeView {
    fn of(change: Change) -> Self {
        let band = |band: StockBand| StockView::from(band);
        match change {
            Change::Price { was, now } => {
                Self::Price { was: PriceView::from(&was), now: PriceView::from(&now) }
            }
            Change::Stock { was, now } => Self::Stock { was: band(was), now: band(now) },
            Change::Tax => Self::Tax,
            Change::NotSold => Self::NotSold,
            Change::OnRequest => Self::OnRequest,
        }
    }
}

impl From<CartKind> for CartKindView {
    fn from(kind: CartKind) -> Self {
        match kind {
            CartKind::Active => Self::Active,
            CartKind::Later => Self::Later,
            CartKind::List => Self::List,
        }
    }
}

impl From<CartKindView> for CartKind {
    fn from(kind: CartKindView) -> Self {
        match kind {
            CartKindView::Active => Self::Active,
            CartKindView::Later => Self::Later,
            CartKindView::List => Self::List,
        }
    }
}
