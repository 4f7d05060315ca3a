//! Stock as it is and as it is moved: read whole into [`Shelves`], written as differences.

use super::{
    products::Hex,
    rows::{self, Values},
};
use crate::{
    adapters::sql::{audit, texts::statements},
    domain::{
        audit::Change,
        event::EventKind,
        id::{ProductId, StockItemId, WarehouseId},
        stock::{Edited, ItemStock, LevelMove, LevelStock, Movement, Shelves, StockRecord},
        time::Micros,
    },
    ports::{
        clock::Ids,
        stock::{StockWrite, StockWritten, Warehouse},
        writer::Written,
    },
};
use sqlx::{SqliteConnection, types::Json};
use sqlx_macros::FromRow;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

statements! {
    /// Of each item in each warehouse, in the order they are drawn on.
    LEVELS = { sqlite:
        "SELECT l.item_id, l.warehouse_id, l.on_hand, l.reserved, l.owed, i.threshold, i.back_order
         FROM json_each($1) j CROSS JOIN stock_level l ON l.item_id = unhex(j.value)
         CROSS JOIN stock_item i ON i.id = l.item_id
         CROSS JOIN warehouse w ON w.id = l.warehouse_id ORDER BY w.priority, w.code" };
    /// All that the products consume which consume any of these items.
    CONSUMERS = { sqlite:
        "SELECT u.product_id, u.item_id, u.quantity
         FROM (SELECT DISTINCT o.product_id FROM json_each($1) j
               CROSS JOIN sku_stock_item o ON o.item_id = unhex(j.value)) p
         CROSS JOIN sku_stock_item u ON u.product_id = p.product_id" };
    /// Nothing is moved beyond what is there, whoever believed so.
    MOVE_LEVELS = { sqlite:
        "WITH m (item, warehouse, on_hand, reserved, owed, at) AS (VALUES (?, ?, ?, ?, ?, ?))
         UPDATE stock_level AS l SET on_hand = l.on_hand + m.on_hand,
             reserved = l.reserved + m.reserved, owed = l.owed + m.owed, updated_at = m.at
         FROM m
         WHERE l.item_id = m.item AND l.warehouse_id = m.warehouse
             AND l.reserved + m.reserved <= l.on_hand + m.on_hand" };
    KEEP_MOVEMENTS = { sqlite:
        "INSERT INTO stock_movement (item_id, id, warehouse_id, kind, on_hand, promised, order_id,
             by_whom, note, at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" };
    TELL = { sqlite: "INSERT INTO outbox (kind, subject, at) VALUES (?, ?, ?)" };
    PRODUCT = { sqlite: "SELECT id FROM product WHERE sku = $2 AND site = $1" };
    USES = { sqlite: "SELECT item_id, quantity FROM sku_stock_item WHERE product_id = $1" };
    VERSION = { sqlite: "SELECT version FROM stock_item WHERE id = $1" };
    PUT_ITEM = { sqlite:
        "INSERT INTO stock_item (id, site, created_at) VALUES ($1, $2, $3)" };
    PUT_USE = { sqlite:
        "INSERT INTO sku_stock_item (product_id, item_id, quantity) VALUES ($1, $1, 1)" };
    SET_ITEM = { sqlite:
        "UPDATE stock_item SET threshold = $2, back_order = $3, version = $4 WHERE id = $1" };
    TOUCH_ITEMS = { sqlite:
        "UPDATE stock_item SET version = version + 1
         WHERE id IN (SELECT unhex(value) FROM json_each($1))" };
    WAREHOUSES = { sqlite: "SELECT id, code FROM warehouse WHERE site = $1
                            ORDER BY priority, code" };
    PUT_LEVEL = { sqlite:
        "INSERT INTO stock_level (item_id, warehouse_id, on_hand, updated_at)
         VALUES ($1, $2, 0, $3) ON CONFLICT (item_id, warehouse_id) DO NOTHING" };
    PUT_WAREHOUSE = { sqlite:
        "INSERT INTO warehouse (id, site, code, name, priority) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (site, code) DO UPDATE SET name = excluded.name,
             priority = excluded.priority" };
    PUT_SITE = { sqlite: "INSERT INTO site (code) VALUES ($1) ON CONFLICT DO NOTHING" };
}

#[derive(FromRow)]
struct LevelRow {
    item_id: Uuid,
    warehouse_id: Uuid,
    on_hand: i64,
    reserved: i64,
    owed: i64,
    threshold: i64,
    back_order: bool,
}

#[derive(FromRow)]
struct UseRow {
    product_id: Uuid,
    item_id: Uuid,
    quantity: i64,
}

/// These items, with every product that consumes one of them and what else those consume.
pub(super) async fn shelves(
    conn: &mut SqliteConnection,
    items: &[StockItemId],
) -> Result<Shelves, sqlx::Error> {
    let mut shelves = Shelves::new(levels(conn, items).await?);
    let uses: Vec<UseRow> =
        sqlx::query_as(CONSUMERS.sqlite).bind(Json(hexes(items))).fetch_all(&mut *conn).await?;
    for row in uses {
        shelves.consumes(ProductId(row.product_id), StockItemId(row.item_id), row.quantity);
    }
    let others = shelves.unknown_items();
    if !others.is_empty() {
        shelves.add(levels(conn, &others).await?);
    }
    Ok(shelves)
}

async fn levels(
    conn: &mut SqliteConnection,
    items: &[StockItemId],
) -> Result<HashMap<StockItemId, ItemStock>, sqlx::Error> {
    let rows: Vec<LevelRow> =
        sqlx::query_as(LEVELS.sqlite).bind(Json(hexes(items))).fetch_all(conn).await?;
    let mut items: HashMap<StockItemId, ItemStock> = HashMap::new();
    for row in rows {
        let item = items.entry(StockItemId(row.item_id)).or_default();
        item.threshold = row.threshold;
        item.back_order = row.back_order;
        item.levels.push(LevelStock {
            warehouse: WarehouseId(row.warehouse_id),
            on_hand: row.on_hand,
            reserved: row.reserved,
            owed: row.owed,
        });
    }
    Ok(items)
}

fn hexes(items: &[StockItemId]) -> Vec<Hex> {
    items.iter().map(|item| Hex(item.0)).collect()
}

/// Writes how the shelves differ from what they were, and what that was about; tells of products
/// whose band moved.
pub(super) async fn put(
    conn: &mut SqliteConnection,
    before: &Shelves,
    after: &Shelves,
    movements: &[Movement],
    at: Micros,
) -> Result<(), sqlx::Error> {
    let moves = after.moves_since(before);
    if !moves.is_empty() {
        let moved = rows::put(conn, MOVE_LEVELS, &moves, |values, m: &LevelMove| {
            values.bind(m.item.0).bind(m.warehouse.0).bind(m.on_hand).bind(m.reserved);
            values.bind(m.owed).bind(at.0);
        });
        let moved = moved.await?;
        if moved != moves.len() as u64 {
            return Err(sqlx::Error::Protocol("the stock is not what was read of it".into()));
        }
    }
    rows::put(conn, KEEP_MOVEMENTS, movements, movement_row).await?;
    let touched: BTreeSet<_> = moves.iter().filter(|m| m.on_hand != 0).map(|m| m.item).collect();
    if !touched.is_empty() {
        let touched: Vec<_> = touched.iter().map(|item| Hex(item.0)).collect();
        sqlx::query(TOUCH_ITEMS.sqlite).bind(Json(touched)).execute(&mut *conn).await?;
    }
    let bands = after.bands_moved(before);
    tell(conn, EventKind::ProductChanged, bands.iter().map(|product| product.0), at).await
}

fn movement_row(values: &mut Values, movement: &Movement) {
    let Movement { id, item, warehouse, kind, on_hand, promised, order, by, note, at } = movement;
    values.bind(item.0).bind(*id).bind(warehouse.0).bind(kind.as_str()).bind(*on_hand);
    values.bind(*promised).bind(order.map(|order| order.0)).bind(by).bind(note).bind(at.0);
}

/// One event for each subject, in their order.
pub(super) async fn tell(
    conn: &mut SqliteConnection,
    kind: EventKind,
    subjects: impl IntoIterator<Item = Uuid>,
    at: Micros,
) -> Result<(), sqlx::Error> {
    let subjects: Vec<_> = subjects.into_iter().collect();
    let told = rows::put(conn, TELL, &subjects, |values, subject| {
        values.bind(kind.as_str()).bind(*subject).bind(at.0);
    });
    told.await.map(drop)
}

/// Changes the own item of a product; makes it when nobody counted the product until now.
pub(super) async fn edit(
    conn: &mut SqliteConnection,
    write: &StockWrite,
    ids: &dyn Ids,
) -> Result<Written, sqlx::Error> {
    let StockWrite { site, sku, edit, by, note, at, if_version } = write;
    let product = sqlx::query_scalar(PRODUCT.sqlite).bind(&site.0).bind(sku.as_str());
    let Some(product): Option<Uuid> = product.fetch_optional(&mut *conn).await? else {
        return Ok(Written::Absent);
    };
    let uses: Vec<(Uuid, i64)> =
        sqlx::query_as(USES.sqlite).bind(product).fetch_all(&mut *conn).await?;
    if uses.iter().any(|use_| *use_ != (product, 1)) {
        return Ok(Written::Stock(StockWritten::Bundle));
    }
    let item = StockItemId(product);
    let version = sqlx::query_scalar(VERSION.sqlite).bind(product);
    let version: Option<i64> = version.fetch_optional(&mut *conn).await?;
    if let Some(wanted) = if_version
        && *wanted != version.unwrap_or(0)
    {
        return Ok(Written::Stock(StockWritten::Stale(version.unwrap_or(0))));
    }
    let codes: Vec<(Uuid, String)> =
        sqlx::query_as(WAREHOUSES.sqlite).bind(&site.0).fetch_all(&mut *conn).await?;
    let codes: Vec<_> = codes.into_iter().map(|(id, code)| (WarehouseId(id), code)).collect();
    let before = shelves(&mut *conn, &[item]).await?;
    let stock = before.item(item).cloned().unwrap_or_default();
    let edited = match edit.apply(&stock, &codes) {
        Ok(edited) => edited,
        Err(refused) => return Ok(Written::Stock(StockWritten::Refused(refused))),
    };

    if version.is_none() {
        let put = sqlx::query(PUT_ITEM.sqlite).bind(product).bind(&site.0).bind(at.0);
        put.execute(&mut *conn).await?;
    }
    let mut after = before.clone();
    if uses.is_empty() {
        sqlx::query(PUT_USE.sqlite).bind(product).execute(&mut *conn).await?;
        after.consumes(ProductId(product), item, 1);
    }
    after.add(HashMap::from([(item, edited.stock.clone())]));
    for level in &edited.stock.levels {
        let put = sqlx::query(PUT_LEVEL.sqlite).bind(product).bind(level.warehouse.0).bind(at.0);
        put.execute(&mut *conn).await?;
    }
    let movement = |(warehouse, on_hand): &(WarehouseId, i64)| Movement {
        id: ids.next(),
        item,
        warehouse: *warehouse,
        kind: edit.kind(),
        on_hand: *on_hand,
        promised: 0,
        order: None,
        by: by.clone(),
        note: note.clone(),
        at: *at,
    };
    let movements: Vec<_> = edited.counted.iter().map(movement).collect();
    put(&mut *conn, &before, &after, &movements, *at).await?;
    let Edited { stock: new, .. } = edited;
    let set = sqlx::query(SET_ITEM.sqlite).bind(product).bind(new.threshold).bind(new.back_order);
    set.bind(version.unwrap_or(0) + 1).execute(&mut *conn).await?;

    let record = |version, stock| StockRecord::of(sku.clone(), item, version, stock, &codes);
    let old = version.map(|version| record(version, &stock).told());
    let new = record(version.unwrap_or(0) + 1, &new);
    let change =
        Change::new(*at, by, "stock.edit", format!("stock:{sku}"), old.as_ref(), Some(&new.told()));
    audit::append(conn, &change).await?;
    Ok(Written::Stock(StockWritten::Done(new)))
}

pub(super) async fn put_warehouse(
    conn: &mut SqliteConnection,
    warehouse: &Warehouse,
) -> Result<Written, sqlx::Error> {
    let Warehouse { id, site, code, name, priority } = warehouse;
    sqlx::query(PUT_SITE.sqlite).bind(&site.0).execute(&mut *conn).await?;
    sqlx::query(PUT_WAREHOUSE.sqlite)
        .bind(id.0)
        .bind(&site.0)
        .bind(code)
        .bind(name)
        .bind(priority)
        .execute(conn)
        .await?;
    Ok(Written::Done)
}
