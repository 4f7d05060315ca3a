//! Stock, read back; see `ports::stock`. The writer moves it.

use super::{SqlStore, error::not_ours, on, texts::statements};
use crate::{
    domain::{
        id::{OrderId, StockItemId, WarehouseId},
        scope::{Scope, Site},
        sku::Sku,
        stock::{LowStock, Movement, MovementKind, StockRecord, WarehouseLevel},
        time::Micros,
    },
    ports::{
        StoreError,
        stock::{Drift, Stock, Warehouse},
    },
};
use async_trait::async_trait;
use sqlx_macros::FromRow;
use uuid::Uuid;

statements! {
    /// One row a level, in the order they are drawn on; one without a level where there is none.
    RECORD =
        "SELECT p.id AS product_id, i.id AS item_id, i.threshold, i.back_order, i.version,
                w.code, l.on_hand, l.reserved, l.owed,
                (SELECT count(*) FROM sku_stock_item u
                 WHERE u.product_id = p.id AND (u.item_id <> p.id OR u.quantity <> 1)) AS parts
         FROM product p LEFT JOIN sku_stock_item u ON u.product_id = p.id AND u.item_id = p.id
         LEFT JOIN stock_item i ON i.id = u.item_id
         LEFT JOIN stock_level l ON l.item_id = i.id
         LEFT JOIN warehouse w ON w.id = l.warehouse_id
         WHERE p.sku = $2 AND p.site = $1 ORDER BY w.priority, w.code";
    MOVEMENTS =
        "SELECT id, item_id, warehouse_id, kind, on_hand, promised, order_id, by_whom, note, at
         FROM stock_movement WHERE item_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    WAREHOUSES = "SELECT id, site, code, name, priority FROM warehouse WHERE site = $1
                  ORDER BY priority, code";
    LOW =
        "SELECT p.sku, t.name, x.free - i.threshold AS available
         FROM (SELECT item_id, CAST(SUM(on_hand - reserved) AS BIGINT) AS free FROM stock_level
               GROUP BY item_id) x
         JOIN stock_item i ON i.id = x.item_id
         JOIN product p ON p.id = i.id AND p.site = $1 AND p.status = 'active'
         JOIN product_text t ON t.product_id = p.id AND t.locale = $2
         WHERE x.free - i.threshold <= $3
         ORDER BY x.free - i.threshold, p.sku LIMIT $4";
    /// Each level beside what its movements and its reservations come to.
    DRIFT =
        "SELECT l.item_id, w.code, l.on_hand, l.reserved + l.owed AS promised,
                CAST(COALESCE(m.on_hand, 0) AS BIGINT) AS moved,
                CAST(COALESCE(r.quantity, 0) AS BIGINT) AS reservations
         FROM stock_level l JOIN warehouse w ON w.id = l.warehouse_id
         LEFT JOIN (SELECT item_id, warehouse_id, SUM(on_hand) AS on_hand, SUM(promised) AS promised
                    FROM stock_movement GROUP BY item_id, warehouse_id) m
             ON m.item_id = l.item_id AND m.warehouse_id = l.warehouse_id
         LEFT JOIN (SELECT item_id, warehouse_id, SUM(quantity) AS quantity FROM reservation
                    GROUP BY item_id, warehouse_id) r
             ON r.item_id = l.item_id AND r.warehouse_id = l.warehouse_id
         WHERE l.on_hand <> COALESCE(m.on_hand, 0)
             OR l.reserved + l.owed <> COALESCE(r.quantity, 0)
             OR l.reserved + l.owed <> COALESCE(m.promised, 0)
         ORDER BY l.item_id, w.code LIMIT $1";
}

#[derive(FromRow)]
struct RecordRow {
    product_id: Uuid,
    item_id: Option<Uuid>,
    threshold: Option<i64>,
    back_order: Option<bool>,
    version: Option<i64>,
    code: Option<String>,
    on_hand: Option<i64>,
    reserved: Option<i64>,
    owed: Option<i64>,
    parts: i64,
}

#[derive(FromRow)]
struct MovementRow {
    id: Uuid,
    item_id: Uuid,
    warehouse_id: Uuid,
    kind: String,
    on_hand: i64,
    promised: i64,
    order_id: Option<Uuid>,
    by_whom: String,
    note: String,
    at: i64,
}

#[derive(FromRow)]
struct WarehouseRow {
    id: Uuid,
    site: String,
    code: String,
    name: String,
    priority: i32,
}

#[derive(FromRow)]
struct DriftRow {
    item_id: Uuid,
    code: String,
    on_hand: i64,
    promised: i64,
    moved: i64,
    reservations: i64,
}

impl TryFrom<MovementRow> for Movement {
    type Error = StoreError;

    fn try_from(row: MovementRow) -> Result<Self, StoreError> {
        let kind = MovementKind::parse(&row.kind);
        Ok(Self {
            kind: kind.ok_or_else(|| not_ours(format!("a stock movement is {:?}", row.kind)))?,
            id: row.id,
            item: StockItemId(row.item_id),
            warehouse: WarehouseId(row.warehouse_id),
            on_hand: row.on_hand,
            promised: row.promised,
            order: row.order_id.map(OrderId),
            by: row.by_whom,
            note: row.note,
            at: Micros(row.at),
        })
    }
}

#[async_trait]
impl Stock for SqlStore {
    async fn record(&self, site: &Site, sku: &Sku) -> Result<Option<StockRecord>, StoreError> {
        let rows: Vec<RecordRow> = on!(self, RECORD, |pool, text| {
            sqlx::query_as(text).bind(&site.0).bind(sku.as_str()).fetch_all(pool).await
        })?;
        let Some(first) = rows.first() else { return Ok(None) };
        let (bundle, item) = (first.parts > 0, first.item_id.map(StockItemId));
        let available = self.available(vec![first.product_id]).await?;
        let mut record = StockRecord {
            sku: sku.clone(),
            item: item.filter(|_| !bundle),
            bundle,
            available: available.get(&first.product_id).copied().flatten(),
            threshold: first.threshold.unwrap_or(0),
            back_order: first.back_order.unwrap_or(false),
            version: first.version.unwrap_or(0),
            levels: Vec::new(),
        };
        for row in rows.into_iter().filter(|_| !bundle) {
            let (Some(warehouse), Some(on_hand), Some(reserved), Some(owed)) =
                (row.code, row.on_hand, row.reserved, row.owed)
            else {
                continue;
            };
            record.levels.push(WarehouseLevel { warehouse, on_hand, reserved, owed });
        }
        Ok(Some(record))
    }

    async fn movements(
        &self,
        item: StockItemId,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Movement>, StoreError> {
        let before = before.unwrap_or(Uuid::max());
        let rows: Vec<MovementRow> = on!(self, MOVEMENTS, |pool, text| {
            let query = sqlx::query_as(text).bind(item.0).bind(before).bind(i64::from(limit));
            query.fetch_all(pool).await
        })?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn warehouses(&self, site: &Site) -> Result<Vec<Warehouse>, StoreError> {
        let rows: Vec<WarehouseRow> = on!(self, WAREHOUSES, |pool, text| {
            sqlx::query_as(text).bind(&site.0).fetch_all(pool).await
        })?;
        let warehouse = |row: WarehouseRow| Warehouse {
            id: WarehouseId(row.id),
            site: Site(row.site),
            code: row.code,
            name: row.name,
            priority: row.priority,
        };
        Ok(rows.into_iter().map(warehouse).collect())
    }

    async fn low(&self, scope: &Scope, few: i64, limit: u32) -> Result<Vec<LowStock>, StoreError> {
        let rows: Vec<(String, String, i64)> = on!(self, LOW, |pool, text| {
            let query = sqlx::query_as(text).bind(&scope.site.0).bind(&scope.locale.0);
            query.bind(few).bind(i64::from(limit)).fetch_all(pool).await
        })?;
        let low = |(sku, name, available): (String, String, i64)| {
            let sku = Sku::new(&sku).map_err(not_ours)?;
            Ok(LowStock { sku, name, available })
        };
        rows.into_iter().map(low).collect()
    }

    async fn drift(&self, limit: u32) -> Result<Vec<Drift>, StoreError> {
        let rows: Vec<DriftRow> = on!(self, DRIFT, |pool, text| {
            sqlx::query_as(text).bind(i64::from(limit)).fetch_all(pool).await
        })?;
        let drift = |row: DriftRow| Drift {
            item: StockItemId(row.item_id),
            warehouse: row.code,
            on_hand: row.on_hand,
            moved: row.moved,
            promised: row.promised,
            reservations: row.reservations,
        };
        Ok(rows.into_iter().map(drift).collect())
    }
}
