//! Carts as they are kept, read back; see `domain::cart`. The writer makes and edits them.

use super::StoreError;
use crate::domain::{
    cart::{Cart, CartKind, CartLine, CartOwner, CartState},
    cart_sums::CartSums,
    id::{CartId, ProductId},
    line::PricedLine,
    price::UnitPrice,
    quantity::{Precision, Quantity},
    sku::Sku,
    stock::StockBand,
    tax::TaxCategory,
    time::Micros,
};
use async_trait::async_trait;
use uuid::Uuid;

#[async_trait]
pub trait Carts: Send + Sync {
    /// A cart of this owner, ordered ones too; another's is `None`.
    async fn cart(&self, owner: CartOwner, id: CartId) -> Result<Option<Cart>, StoreError>;

    /// The open one of this kind, of which there is at most one unless they are lists.
    async fn of_kind(&self, owner: CartOwner, kind: CartKind) -> Result<Option<Cart>, StoreError>;

    /// All open ones: the active one first, then that for later, then lists by age.
    async fn open(&self, owner: CartOwner) -> Result<Vec<Cart>, StoreError>;

    /// Up to `limit` lines whose place is behind `after`, by place.
    async fn lines(
        &self,
        cart: CartId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<CartLine>, StoreError>;

    /// Those of these lines that are there, by place.
    async fn some(&self, cart: CartId, skus: &[Sku]) -> Result<Vec<CartLine>, StoreError>;

    /// A cart with all its lines as they were at one moment, so that its version stands for them.
    async fn whole(
        &self,
        owner: CartOwner,
        id: CartId,
    ) -> Result<Option<(Cart, Vec<CartLine>)>, StoreError>;
}

/// A cart's row, as either database gives it.
#[derive(Debug)]
pub struct StoredCart {
    pub id: Uuid,
    pub owner_kind: String,
    pub owner_id: Uuid,
    pub kind: String,
    pub state: String,
    pub name: String,
    pub note: Option<String>,
    pub version: i64,
    pub sums: CartSums,
    pub next_place: i64,
    pub created_at: i64,
    pub updated_at: i64,
}

impl TryFrom<StoredCart> for Cart {
    type Error = StoreError;

    fn try_from(row: StoredCart) -> Result<Self, StoreError> {
        let owner = CartOwner::from_parts(&row.owner_kind, row.owner_id);
        Ok(Self {
            id: CartId(row.id),
            owner: owner.ok_or_else(|| not_ours("owner", &row.owner_kind))?,
            kind: CartKind::parse(&row.kind).ok_or_else(|| not_ours("kind", &row.kind))?,
            state: CartState::parse(&row.state).ok_or_else(|| not_ours("state", &row.state))?,
            name: row.name,
            note: row.note,
            version: row.version,
            sums: row.sums,
            next_place: row.next_place,
            created_at: Micros(row.created_at),
            updated_at: Micros(row.updated_at),
        })
    }
}

/// A line's row, as either database gives it.
#[derive(Debug)]
pub struct StoredLine {
    pub place: i64,
    pub sku: String,
    pub product_id: Uuid,
    pub quantity: i64,
    pub precision: i32,
    pub price: UnitPrice,
    pub tax_category: String,
    pub band: String,
    pub note: Option<String>,
    pub added_at: i64,
    pub updated_at: i64,
}

impl TryFrom<StoredLine> for CartLine {
    type Error = StoreError;

    fn try_from(row: StoredLine) -> Result<Self, StoreError> {
        let quantity = Quantity::of_steps(row.quantity).ok();
        let precision = u8::try_from(row.precision).ok().and_then(|p| Precision::new(p).ok());
        let category = TaxCategory::new(&row.tax_category).ok();
        let priced = quantity
            .zip(precision)
            .zip(category)
            .and_then(|((q, p), category)| PricedLine::new(q, p, row.price, category).ok());
        Ok(Self {
            sku: Sku::new(&row.sku).map_err(|_| not_ours("SKU", &row.sku))?,
            product: ProductId(row.product_id),
            place: row.place,
            priced: priced.ok_or_else(|| not_ours("line of", &row.sku))?,
            band: StockBand::parse(&row.band).ok_or_else(|| not_ours("band", &row.band))?,
            note: row.note,
            added_at: Micros(row.added_at),
            updated_at: Micros(row.updated_at),
        })
    }
}

fn not_ours(what: &str, value: &str) -> StoreError {
    StoreError::Corrupt(format!("a cart's {what} is {value:?}"))
}
