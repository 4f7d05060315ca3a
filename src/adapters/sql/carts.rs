//! Carts, read back; see `ports::carts`. The writer makes and edits them.

use super::{Pools, SqlStore, error::store_error, lists::TextList, on, texts::statements};
use crate::{
    domain::{
        cart::{Cart, CartKind, CartLine, CartOwner},
        cart_sums::CartSums,
        id::CartId,
        price::UnitPrice,
        sku::Sku,
    },
    ports::{
        StoreError,
        carts::{Carts, StoredCart, StoredLine},
    },
};
use async_trait::async_trait;
use sqlx::types::Json;
use sqlx_macros::FromRow;
use uuid::Uuid;

macro_rules! cart_columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, owner_kind, owner_id, kind, state, name, note, version, sums, next_place,
                    created_at, updated_at FROM cart ",
            $rest
        )
    };
}
macro_rules! line_columns {
    ($rest:literal) => {
        concat!(
            "SELECT l.cart_id, l.place, l.sku, l.product_id, l.quantity, l.precision, l.price,
                    l.tax_category, l.band, l.note, l.added_at, l.updated_at ",
            $rest
        )
    };
}
pub(super) use {cart_columns, line_columns};

const CART_TEXT: &str = cart_columns!("WHERE id = $1");
const OF_KIND_TEXT: &str =
    cart_columns!("WHERE owner_id = $1 AND kind = $2 AND state = 'open' ORDER BY id LIMIT 1");
const OPEN_TEXT: &str = cart_columns!("WHERE owner_id = $1 AND state = 'open'");
const LINES_TEXT: &str = line_columns!(
    "FROM cart_line l WHERE l.cart_id = $1 AND l.place > $2 ORDER BY l.place LIMIT $3"
);
const ALL_LINES_TEXT: &str =
    line_columns!("FROM cart_line l WHERE l.cart_id = $1 ORDER BY l.place");

statements! {
    CART = (CART_TEXT);
    OF_KIND = (OF_KIND_TEXT);
    OPEN = (OPEN_TEXT);
    LINES = (LINES_TEXT);
    SOME = [
        "SELECT l.cart_id, l.place, l.sku, l.product_id, l.quantity, l.precision, l.price,
                l.tax_category, l.band, l.note, l.added_at, l.updated_at
         FROM cart_line l WHERE l.cart_id = $1 AND l.sku", [texts "$2"], " ORDER BY l.place"
    ];
    ALL_LINES = (ALL_LINES_TEXT);
}

#[derive(FromRow)]
pub(super) struct CartRow {
    id: Uuid,
    owner_kind: String,
    owner_id: Uuid,
    kind: String,
    state: String,
    name: String,
    note: Option<String>,
    version: i64,
    sums: Json<CartSums>,
    next_place: i64,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<CartRow> for Cart {
    type Error = StoreError;

    fn try_from(row: CartRow) -> Result<Self, StoreError> {
        let stored = StoredCart {
            id: row.id,
            owner_kind: row.owner_kind,
            owner_id: row.owner_id,
            kind: row.kind,
            state: row.state,
            name: row.name,
            note: row.note,
            version: row.version,
            sums: row.sums.0,
            next_place: row.next_place,
            created_at: row.created_at,
            updated_at: row.updated_at,
        };
        stored.try_into()
    }
}

#[derive(FromRow)]
pub(super) struct LineRow {
    pub(super) cart_id: Uuid,
    place: i64,
    sku: String,
    product_id: Uuid,
    quantity: i64,
    precision: i32,
    price: Json<UnitPrice>,
    tax_category: String,
    band: String,
    note: Option<String>,
    added_at: i64,
    updated_at: i64,
}

impl TryFrom<LineRow> for CartLine {
    type Error = StoreError;

    fn try_from(row: LineRow) -> Result<Self, StoreError> {
        let stored = StoredLine {
            place: row.place,
            sku: row.sku,
            product_id: row.product_id,
            quantity: row.quantity,
            precision: row.precision,
            price: row.price.0,
            tax_category: row.tax_category,
            band: row.band,
            note: row.note,
            added_at: row.added_at,
            updated_at: row.updated_at,
        };
        stored.try_into()
    }
}

fn all<R, T>(rows: Vec<R>) -> Result<Vec<T>, StoreError>
where
    T: TryFrom<R, Error = StoreError>,
{
    rows.into_iter().map(T::try_from).collect()
}

/// One of another owner is none.
fn owned(row: Option<CartRow>, owner: CartOwner) -> Result<Option<Cart>, StoreError> {
    let cart = row.map(Cart::try_from).transpose()?;
    Ok(cart.filter(|cart| cart.owner == owner))
}

#[async_trait]
impl Carts for SqlStore {
    async fn cart(&self, owner: CartOwner, id: CartId) -> Result<Option<Cart>, StoreError> {
        let row: Option<CartRow> = on!(self, CART, |pool, text| sqlx::query_as(text)
            .bind(id.0)
            .fetch_optional(pool)
            .await)?;
        owned(row, owner)
    }

    async fn of_kind(&self, owner: CartOwner, kind: CartKind) -> Result<Option<Cart>, StoreError> {
        let row: Option<CartRow> = on!(self, OF_KIND, |pool, text| sqlx::query_as(text)
            .bind(owner.id())
            .bind(kind.as_str())
            .fetch_optional(pool)
            .await)?;
        owned(row, owner)
    }

    async fn open(&self, owner: CartOwner) -> Result<Vec<Cart>, StoreError> {
        let rows: Vec<CartRow> = on!(self, OPEN, |pool, text| sqlx::query_as(text)
            .bind(owner.id())
            .fetch_all(pool)
            .await)?;
        let mut carts: Vec<Cart> = all(rows)?;
        carts.retain(|cart| cart.owner == owner);
        carts.sort_by_key(|cart| (std::cmp::Reverse(cart.kind), cart.id));
        Ok(carts)
    }

    async fn lines(
        &self,
        cart: CartId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<CartLine>, StoreError> {
        let rows: Vec<LineRow> = on!(self, LINES, |pool, text| sqlx::query_as(text)
            .bind(cart.0)
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await)?;
        all(rows)
    }

    async fn some(&self, cart: CartId, skus: &[Sku]) -> Result<Vec<CartLine>, StoreError> {
        let skus = TextList(skus.iter().map(ToString::to_string).collect());
        let rows: Vec<LineRow> = on!(self, SOME, |pool, text| sqlx::query_as(text)
            .bind(cart.0)
            .bind(&skus)
            .fetch_all(pool)
            .await)?;
        all(rows)
    }

    async fn whole(
        &self,
        owner: CartOwner,
        id: CartId,
    ) -> Result<Option<(Cart, Vec<CartLine>)>, StoreError> {
        // One snapshot for both statements.
        let begin = match &self.pools {
            Pools::Sqlite { .. } => "BEGIN",
            Pools::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        let read: Result<(Option<CartRow>, Vec<LineRow>), sqlx::Error> = match &self.pools {
            Pools::Sqlite { readers, .. } => {
                let mut tx = readers.begin_with(begin).await.map_err(store_error)?;
                let cart = sqlx::query_as(CART.sqlite).bind(id.0).fetch_optional(&mut *tx);
                let cart = cart.await.map_err(store_error)?;
                let lines = sqlx::query_as(ALL_LINES.sqlite).bind(id.0).fetch_all(&mut *tx);
                lines.await.map(|lines| (cart, lines))
            }
            Pools::Postgres(pool) => {
                let mut tx = pool.begin_with(begin).await.map_err(store_error)?;
                let cart = sqlx::query_as(CART.postgres).bind(id.0).fetch_optional(&mut *tx);
                let cart = cart.await.map_err(store_error)?;
                let lines = sqlx::query_as(ALL_LINES.postgres).bind(id.0).fetch_all(&mut *tx);
                lines.await.map(|lines| (cart, lines))
            }
        };
        let (cart, lines) = read.map_err(store_error)?;
        match owned(cart, owner)? {
            Some(cart) => Ok(Some((cart, all(lines)?))),
            None => Ok(None),
        }
    }
}
