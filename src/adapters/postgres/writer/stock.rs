//! Stock as it is and as it is moved: read whole and locked into [`Shelves`], written as
//! differences. Levels are locked by item and warehouse, so two nodes never wait for each other.

use super::{Failure, audit};
use crate::{
    adapters::postgres::statement::{Param, execute, query, statements},
    domain::{
        audit::Change,
        event::EventKind,
        id::{ProductId, StockItemId, WarehouseId},
        stock::{Edited, ItemStock, LevelStock, Movement, Shelves, StockRecord},
        time::Micros,
    },
    ports::{
        StoreError,
        clock::Ids,
        stock::{StockWrite, StockWritten, Warehouse},
        writer::Written,
    },
};
use deadpool_postgres::{
    Transaction,
    tokio_postgres::{Error, Row},
};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

statements! {
    /// Of each item in each warehouse.
    LOCK_LEVELS =
        "SELECT l.item_id, l.warehouse_id, l.on_hand, l.reserved, l.owed, i.threshold,
             i.back_order, w.priority, w.code
         FROM stock_level l JOIN stock_item i ON i.id = l.item_id
         JOIN warehouse w ON w.id = l.warehouse_id
         WHERE l.item_id = ANY($1) ORDER BY l.item_id, l.warehouse_id FOR UPDATE OF l";
    /// The same, of items that are not moved.
    LEVELS =
        "SELECT l.item_id, l.warehouse_id, l.on_hand, l.reserved, l.owed, i.threshold,
             i.back_order, w.priority, w.code
         FROM stock_level l JOIN stock_item i ON i.id = l.item_id
         JOIN warehouse w ON w.id = l.warehouse_id WHERE l.item_id = ANY($1)";
    /// All that the products consume which consume any of these items.
    CONSUMERS =
        "SELECT product_id, item_id, quantity FROM sku_stock_item
         WHERE product_id IN (SELECT product_id FROM sku_stock_item WHERE item_id = ANY($1))";
    /// Nothing is moved beyond what is there, whoever believed so.
    MOVE_LEVELS =
        "UPDATE stock_level l SET on_hand = l.on_hand + m.on_hand,
             reserved = l.reserved + m.reserved, owed = l.owed + m.owed, updated_at = $6
         FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[])
             m (item, warehouse, on_hand, reserved, owed)
         WHERE l.item_id = m.item AND l.warehouse_id = m.warehouse
             AND l.reserved + m.reserved <= l.on_hand + m.on_hand";
    KEEP_MOVEMENTS =
        "INSERT INTO stock_movement (item_id, id, warehouse_id, kind, on_hand, promised, order_id,
             by_whom, note, at)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[],
             $6::bigint[], $7::uuid[], $8::text[], $9::text[], $10::bigint[])";
    TOUCH_ITEMS = "UPDATE stock_item SET version = version + 1 WHERE id = ANY($1)";
    TELL =
        "INSERT INTO outbox (kind, subject, at)
         SELECT $1, id, $3 FROM unnest($2::uuid[]) WITH ORDINALITY s (id, n) ORDER BY n";
    /// Two edits of one product go one after the other, also where there is no item yet.
    LOCK_PRODUCT = "SELECT id FROM product WHERE sku = $2 AND site = $1 FOR UPDATE";
    USES = "SELECT item_id, quantity FROM sku_stock_item WHERE product_id = $1";
    LOCK_ITEM = "SELECT version FROM stock_item WHERE id = $1 FOR UPDATE";
    PUT_ITEM = "INSERT INTO stock_item (id, site, created_at) VALUES ($1, $2, $3)";
    PUT_USE =
        "INSERT INTO sku_stock_item (product_id, item_id, quantity) VALUES ($1, $1, 1)";
    SET_ITEM =
        "UPDATE stock_item SET threshold = $2, back_order = $3, version = $4 WHERE id = $1";
    WAREHOUSES = "SELECT id, code FROM warehouse WHERE site = $1 ORDER BY priority, code";
    PUT_LEVEL =
        "INSERT INTO stock_level (item_id, warehouse_id, on_hand, updated_at)
         VALUES ($1, $2, 0, $3) ON CONFLICT (item_id, warehouse_id) DO NOTHING";
    PUT_WAREHOUSE =
        "INSERT INTO warehouse (id, site, code, name, priority) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (site, code) DO UPDATE SET name = excluded.name,
             priority = excluded.priority";
    PUT_SITE = "INSERT INTO site (code) VALUES ($1) ON CONFLICT DO NOTHING";
}

/// These items, locked, with every product that consumes one of them and what else those consume.
pub(super) async fn shelves(tx: &Transaction<'_>, items: &[StockItemId]) -> Result<Shelves, Error> {
    let items: Vec<Uuid> = items.iter().map(|item| item.0).collect();
    let (levels, uses) = tokio::try_join!(
        biased;
        query(tx, LOCK_LEVELS, [&items]),
        query(tx, CONSUMERS, [&items]),
    )?;
    let mut shelves = Shelves::new(by_item(&levels)?);
    for row in uses {
        let product = ProductId(row.try_get("product_id")?);
        shelves.consumes(product, StockItemId(row.try_get("item_id")?), row.try_get("quantity")?);
    }
    let others: Vec<Uuid> = shelves.unknown_items().iter().map(|item| item.0).collect();
    if !others.is_empty() {
        shelves.add(by_item(&query(tx, LEVELS, [&others]).await?)?);
    }
    Ok(shelves)
}

fn by_item(rows: &[Row]) -> Result<HashMap<StockItemId, ItemStock>, Error> {
    // Sorted here, as the rows come in the order they were locked in.
    let mut levels = Vec::with_capacity(rows.len());
    for row in rows {
        let (priority, code): (i32, &str) = (row.try_get("priority")?, row.try_get("code")?);
        levels.push((priority, code, row));
    }
    levels.sort_by_key(|(priority, code, _)| (*priority, *code));
    let mut items: HashMap<StockItemId, ItemStock> = HashMap::new();
    for (_, _, row) in levels {
        let item = items.entry(StockItemId(row.try_get("item_id")?)).or_default();
        item.threshold = row.try_get("threshold")?;
        item.back_order = row.try_get("back_order")?;
        item.levels.push(LevelStock {
            warehouse: WarehouseId(row.try_get("warehouse_id")?),
            on_hand: row.try_get("on_hand")?,
            reserved: row.try_get("reserved")?,
            owed: row.try_get("owed")?,
        });
    }
    Ok(items)
}

/// Writes how the shelves differ from what they were, and what that was about; tells of products
/// whose band moved.
pub(super) async fn put(
    tx: &Transaction<'_>,
    before: &Shelves,
    after: &Shelves,
    movements: &[Movement],
    at: Micros,
) -> Result<(), Failure> {
    let moves = after.moves_since(before);
    let touched: BTreeSet<_> = moves.iter().filter(|m| m.on_hand != 0).map(|m| m.item.0).collect();
    let touched: Vec<_> = touched.into_iter().collect();
    let bands = after.bands_moved(before);
    tokio::try_join!(
        biased;
        async {
            if moves.is_empty() {
                return Ok(());
            }
            let items: Vec<_> = moves.iter().map(|m| m.item.0).collect();
            let warehouses: Vec<_> = moves.iter().map(|m| m.warehouse.0).collect();
            let on_hand: Vec<_> = moves.iter().map(|m| m.on_hand).collect();
            let reserved: Vec<_> = moves.iter().map(|m| m.reserved).collect();
            let owed: Vec<_> = moves.iter().map(|m| m.owed).collect();
            let params: [Param<'_>; 6] = [&items, &warehouses, &on_hand, &reserved, &owed, &at.0];
            match execute(tx, MOVE_LEVELS, params).await? {
                moved if moved == moves.len() as u64 => Ok(()),
                _ => Err(Failure::from(StoreError::Refused(
                    "the stock is not what was read of it".into(),
                ))),
            }
        },
        async {
            match movements.is_empty() {
                true => Ok(()),
                false => Ok(keep(tx, movements).await?),
            }
        },
        async {
            if !touched.is_empty() {
                execute(tx, TOUCH_ITEMS, [&touched]).await?;
            }
            Ok(())
        },
        async {
            let bands = bands.iter().map(|product| product.0);
            Ok(tell(tx, EventKind::ProductChanged, bands, at).await?)
        },
    )?;
    Ok(())
}

async fn keep(tx: &Transaction<'_>, movements: &[Movement]) -> Result<(), Error> {
    let items: Vec<_> = movements.iter().map(|m| m.item.0).collect();
    let ids: Vec<_> = movements.iter().map(|m| m.id).collect();
    let warehouses: Vec<_> = movements.iter().map(|m| m.warehouse.0).collect();
    let kinds: Vec<_> = movements.iter().map(|m| m.kind.as_str()).collect();
    let on_hand: Vec<_> = movements.iter().map(|m| m.on_hand).collect();
    let promised: Vec<_> = movements.iter().map(|m| m.promised).collect();
    let orders: Vec<_> = movements.iter().map(|m| m.order.map(|order| order.0)).collect();
    let by: Vec<_> = movements.iter().map(|m| m.by.as_str()).collect();
    let notes: Vec<_> = movements.iter().map(|m| m.note.as_str()).collect();
    let at: Vec<_> = movements.iter().map(|m| m.at.0).collect();
    let params: [Param<'_>; 10] =
        [&items, &ids, &warehouses, &kinds, &on_hand, &promised, &orders, &by, &notes, &at];
    execute(tx, KEEP_MOVEMENTS, params).await.map(drop)
}

/// One event for each subject, in their order.
pub(super) async fn tell(
    tx: &Transaction<'_>,
    kind: EventKind,
    subjects: impl IntoIterator<Item = Uuid>,
    at: Micros,
) -> Result<(), Error> {
    let subjects: Vec<_> = subjects.into_iter().collect();
    match subjects.is_empty() {
        true => Ok(()),
        false => execute(tx, TELL, [&kind.as_str(), &subjects, &at.0]).await.map(drop),
    }
}

/// Changes the own item of a product; makes it when nobody counted the product until now.
pub(super) async fn edit(
    tx: &Transaction<'_>,
    write: &StockWrite,
    ids: &dyn Ids,
) -> Result<Written, Failure> {
    let StockWrite { site, sku, edit, by, note, at, if_version } = write;
    let product = query(tx, LOCK_PRODUCT, [&site.0, &sku.as_str()]).await?;
    let Some(product) = product.first().map(|row| row.try_get::<_, Uuid>(0)).transpose()? else {
        return Ok(Written::Absent);
    };
    let (uses, version, codes) = tokio::try_join!(
        biased;
        query(tx, USES, [&product]),
        query(tx, LOCK_ITEM, [&product]),
        query(tx, WAREHOUSES, [&site.0]),
    )?;
    for row in &uses {
        if (row.try_get::<_, Uuid>(0)?, row.try_get::<_, i64>(1)?) != (product, 1) {
            return Ok(Written::Stock(StockWritten::Bundle));
        }
    }
    let item = StockItemId(product);
    let version = version.first().map(|row| row.try_get::<_, i64>(0)).transpose()?;
    if let Some(wanted) = if_version
        && *wanted != version.unwrap_or(0)
    {
        return Ok(Written::Stock(StockWritten::Stale(version.unwrap_or(0))));
    }
    let code = |row: &Row| Ok((WarehouseId(row.try_get(0)?), row.try_get(1)?));
    let codes: Vec<(WarehouseId, String)> = codes.iter().map(code).collect::<Result<_, Error>>()?;
    let before = shelves(tx, &[item]).await?;
    let stock = before.item(item).cloned().unwrap_or_default();
    let edited = match edit.apply(&stock, &codes) {
        Ok(edited) => edited,
        Err(refused) => return Ok(Written::Stock(StockWritten::Refused(refused))),
    };

    if version.is_none() {
        execute(tx, PUT_ITEM, [&product, &site.0, &at.0]).await?;
    }
    let mut after = before.clone();
    if uses.is_empty() {
        execute(tx, PUT_USE, [&product]).await?;
        after.consumes(ProductId(product), item, 1);
    }
    after.add(HashMap::from([(item, edited.stock.clone())]));
    for level in &edited.stock.levels {
        execute(tx, PUT_LEVEL, [&product, &level.warehouse.0, &at.0]).await?;
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
    put(tx, &before, &after, &movements, *at).await?;
    let Edited { stock: new, .. } = edited;
    let next = version.unwrap_or(0) + 1;
    execute(tx, SET_ITEM, [&product, &new.threshold, &new.back_order, &next]).await?;

    let record = |version, stock| StockRecord::of(sku.clone(), item, version, stock, &codes);
    let old = version.map(|version| record(version, &stock).told());
    let new = record(next, &new);
    let change =
        Change::new(*at, by, "stock.edit", format!("stock:{sku}"), old.as_ref(), Some(&new.told()));
    audit::append(tx, &change).await?;
    Ok(Written::Stock(StockWritten::Done(new)))
}

pub(super) async fn put_warehouse(
    tx: &Transaction<'_>,
    warehouse: &Warehouse,
) -> Result<Written, Error> {
    let Warehouse { id, site, code, name, priority } = warehouse;
    tokio::try_join!(
        biased;
        execute(tx, PUT_SITE, [&site.0]),
        execute(tx, PUT_WAREHOUSE, [&id.0, &site.0, code, name, priority]),
    )?;
    Ok(Written::Done)
}
