//! Orders placed the plain way: one transaction each, a statement for each row. What
//! `stoa bench order` sets the shop beside.
//!
//! It keeps the promises that a shop's database must keep: the key is looked up and kept, price and
//! stock are read in the transaction, stock is taken by a guarded update, and order, line,
//! reservation, payment, movement and event go in together. It writes the rows of a guest's order
//! of one line without tax and shipping, which is what the bench asks the shop for.

use super::{
    Location,
    error::{not_ours, store_error},
    plain_pools::PlainPools,
    texts::statements,
};
use crate::{
    domain::{event::EventKind, time::Micros},
    ports::{
        StoreError,
        clock::{Clock, Ids},
    },
};
use sqlx::{PgPool, SqlitePool, types::Json};
use sqlx_macros::FromRow;
use std::sync::Arc;
use uuid::Uuid;

statements! {
    KEPT = "SELECT body FROM idempotency WHERE name = $1";
    PRODUCT =
        "SELECT p.id, p.site, p.price_minor, p.currency, t.locale, t.name, p.unit
         FROM product p JOIN product_text t ON t.product_id = p.id
         WHERE p.sku = $1 AND p.status = 'active'";
    SHELF =
        "SELECT l.item_id, l.warehouse_id FROM sku_stock_item u
         JOIN stock_level l ON l.item_id = u.item_id WHERE u.product_id = $1";
    TAKE =
        "UPDATE stock_level SET reserved = reserved + 1, updated_at = $3
         WHERE item_id = $1 AND warehouse_id = $2 AND on_hand - reserved >= 1";
    ORDER =
        "INSERT INTO sales_order (id, site, locale, status, payment, fulfilment, version, placed_by,
             email, access_hash, currency, subtotal, discount, shipping, shipping_tax, tax,
             tax_on_top, total, taxes, ship_to, payment_id, provider, held_until, placed_at,
             updated_at)
         VALUES ($1, $2, $3, 'pending', 'pending', 'unfulfilled', 1, 'guest', $4, $5, $6, $7, 0, 0,
             0, 0, 0, $7, $8, $9, $10, 'test-cards', $11, $12, $12)";
    LINE =
        "INSERT INTO sales_order_line (order_id, position, product_id, sku, name, unit, quantity,
             precision, unit_minor, price_tax, price_from, tax_category, amount, discount, net, tax,
             gross)
         VALUES ($1, 0, $2, $3, $4, $5, 1, 0, $6, 'exclusive', 0, 'standard', $6, 0, $6, 0, $6)";
    RESERVATION =
        "INSERT INTO reservation (order_id, item_id, warehouse_id, quantity)
         VALUES ($1, $2, $3, 1)";
    INTENT =
        "INSERT INTO payment_intent (id, order_id, provider, token, amount_minor, currency,
             created_at, due_at)
         VALUES ($1, $2, 'test-cards', 'test-card:good', $3, $4, $5, $5)";
    MOVEMENT =
        "INSERT INTO stock_movement (item_id, id, warehouse_id, kind, on_hand, promised, order_id,
             by_whom, note, at)
         VALUES ($1, $2, $3, 'reserve', 0, 1, $4, 'guest', '', $5)";
    EVENT = "INSERT INTO outbox (kind, subject, at) VALUES ($1, $2, $3)";
    KEEP =
        "INSERT INTO idempotency (name, body_hash, status, headers, body, at)
         VALUES ($1, $2, 201, $3, $4, $5)";
}

/// Places orders over connections of its own; nobody else writes to its database meanwhile.
pub struct OneByOne {
    pools: PlainPools,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

#[derive(FromRow)]
struct Product {
    id: Uuid,
    site: String,
    price_minor: Option<i64>,
    currency: Option<String>,
    locale: String,
    name: String,
    unit: String,
}

/// What all rows of one order share.
struct Facts {
    order: Uuid,
    payment: Uuid,
    movement: Uuid,
    key: Vec<u8>,
    at: Micros,
}

/// How long goods are held, as the shop does by default.
const HELD: i64 = 15 * 60 * 1_000_000;

/// The body is the same for both databases, whose transactions are types of their own.
macro_rules! place {
    ($tx:ident, $text:ident, $facts:ident, $sku:ident) => {{
        let Facts { order, payment, movement, key, at } = $facts;
        let kept: Option<String> =
            sqlx::query_scalar(KEPT.$text).bind(&key).fetch_optional(&mut *$tx).await?;
        if kept.is_some() {
            return Ok(Ok(()));
        }
        let product = sqlx::query_as(PRODUCT.$text).bind($sku);
        let Some(product): Option<Product> = product.fetch_optional(&mut *$tx).await? else {
            return Ok(Err("there is no such product"));
        };
        let (Some(price), Some(currency)) = (product.price_minor, &product.currency) else {
            return Ok(Err("the product has no price"));
        };
        let shelf = sqlx::query_as(SHELF.$text).bind(product.id);
        let Some((item, warehouse)): Option<(Uuid, Uuid)> = shelf.fetch_optional(&mut *$tx).await?
        else {
            return Ok(Err("nobody counts the product"));
        };
        let take = sqlx::query(TAKE.$text).bind(item).bind(warehouse).bind(at.0);
        if take.execute(&mut *$tx).await?.rows_affected() == 0 {
            return Ok(Err("the product is sold out"));
        }
        let address = serde_json::json!({
            "name": "Ada", "street": "Way 1", "city": "Berlin", "postcode": "10115",
            "country": "DE",
        });
        sqlx::query(ORDER.$text)
            .bind(order)
            .bind(&product.site)
            .bind(&product.locale)
            .bind("ada@example.com")
            .bind([key.as_slice(), &key].concat())
            .bind(currency)
            .bind(price)
            .bind(Json(serde_json::json!([])))
            .bind(Json(address))
            .bind(payment)
            .bind(at.0 + HELD)
            .bind(at.0)
            .execute(&mut *$tx)
            .await?;
        sqlx::query(LINE.$text)
            .bind(order)
            .bind(product.id)
            .bind($sku)
            .bind(&product.name)
            .bind(&product.unit)
            .bind(price)
            .execute(&mut *$tx)
            .await?;
        let reserve = sqlx::query(RESERVATION.$text).bind(order).bind(item).bind(warehouse);
        reserve.execute(&mut *$tx).await?;
        let intent = sqlx::query(INTENT.$text).bind(payment).bind(order).bind(price);
        intent.bind(currency).bind(at.0).execute(&mut *$tx).await?;
        let moved = sqlx::query(MOVEMENT.$text).bind(item).bind(movement).bind(warehouse);
        moved.bind(order).bind(at.0).execute(&mut *$tx).await?;
        let event = sqlx::query(EVENT.$text).bind(EventKind::OrderPlaced.as_str());
        event.bind(order).bind(at.0).execute(&mut *$tx).await?;
        sqlx::query(KEEP.$text)
            .bind(&key)
            .bind(&key)
            .bind(Json(serde_json::json!([])))
            .bind(serde_json::json!({"id": order, "status": "pending"}).to_string())
            .bind(at.0)
            .execute(&mut *$tx)
            .await?;
        Ok(Ok(()))
    }};
}

impl OneByOne {
    /// With so many connections; SQLite has one writer, whatever is asked for.
    pub async fn open(
        location: &Location,
        connections: u32,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, StoreError> {
        let pools = PlainPools::open(location, connections).await?;
        Ok(Self { pools, clock, ids })
    }

    /// How many orders can be under way at once.
    pub fn connections(&self) -> u32 {
        self.pools.connections()
    }

    /// One unit of this product, ordered.
    pub async fn place(&self, sku: &str) -> Result<(), StoreError> {
        let (order, at) = (self.ids.next(), self.clock.now());
        let key = order.as_bytes().to_vec();
        let facts = Facts { order, payment: self.ids.next(), movement: self.ids.next(), key, at };
        let placed = match &self.pools {
            PlainPools::Sqlite(pool) => on_sqlite(pool, facts, sku).await,
            PlainPools::Postgres(pool) => on_postgres(pool, facts, sku).await,
        };
        placed.map_err(store_error)?.map_err(not_ours)
    }

    pub async fn close(&self) {
        self.pools.close().await;
    }
}

type PlacedPlainly = Result<Result<(), &'static str>, sqlx::Error>;

async fn on_sqlite(pool: &SqlitePool, facts: Facts, sku: &str) -> PlacedPlainly {
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    let placed = rows_on_sqlite(&mut tx, facts, sku).await?;
    tx.commit().await?;
    Ok(placed)
}

async fn rows_on_sqlite(tx: &mut sqlx::SqliteConnection, facts: Facts, sku: &str) -> PlacedPlainly {
    place!(tx, sqlite, facts, sku)
}

async fn on_postgres(pool: &PgPool, facts: Facts, sku: &str) -> PlacedPlainly {
    let mut tx = pool.begin().await?;
    let placed = rows_on_postgres(&mut tx, facts, sku).await?;
    tx.commit().await?;
    Ok(placed)
}

async fn rows_on_postgres(tx: &mut sqlx::PgConnection, facts: Facts, sku: &str) -> PlacedPlainly {
    place!(tx, postgres, facts, sku)
}
