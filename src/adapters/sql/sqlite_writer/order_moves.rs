//! An order moved on, with its goods; the ends of holds.

use super::{coupons, mail, stock};
use crate::{
    adapters::sql::{audit, texts::statements},
    domain::{
        id::{OrderId, StockItemId, WarehouseId},
        order::{OrderLetter, OrderNumber, OrderState, OrderStatus, StockEffect, apply},
        stock::{Reserve, StockError},
        time::Micros,
    },
    ports::{
        clock::Ids,
        orders::{OrderMoved, OrderNow, OrderWrite},
        writer::Written,
    },
};
use sqlx::{SqliteConnection, types::Json};
use sqlx_macros::FromRow;
use std::collections::BTreeSet;
use uuid::Uuid;

statements! {
    NOW = { sqlite:
        "SELECT id, number, status, payment, fulfilment, version, held_until, updated_at
         FROM sales_order WHERE id = $1" };
    MOVE = { sqlite:
        "UPDATE sales_order SET status = $2, payment = $3, fulfilment = $4, version = $5,
             held_until = $6, updated_at = $7 WHERE id = $1" };
    KEEP_STEP = { sqlite:
        "INSERT INTO sales_order_step (order_id, version, at, by_whom, action, note, status,
             payment, fulfilment) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)" };
    PAYMENT_IS_DUE = { sqlite: "UPDATE payment_intent SET due_at = $2 WHERE order_id = $1" };
    RESERVATIONS = { sqlite:
        "SELECT item_id, warehouse_id, quantity FROM reservation WHERE order_id = $1
         ORDER BY item_id, warehouse_id" };
    DROP_RESERVATIONS = { sqlite: "DELETE FROM reservation WHERE order_id = $1" };
    KEEP_SHIPPED = { sqlite:
        "INSERT INTO shipped_item (order_id, item_id, warehouse_id, quantity)
         SELECT order_id, item_id, warehouse_id, quantity FROM reservation WHERE order_id = $1" };
    SHIPPED = { sqlite:
        "SELECT item_id, warehouse_id, quantity FROM shipped_item WHERE order_id = $1
         ORDER BY item_id, warehouse_id" };
    /// An order whose payment was asked for is ended by the answer.
    ENDING = { sqlite:
        "SELECT id FROM sales_order
         WHERE held_until <= $1 AND payment <> 'unknown'
         ORDER BY held_until LIMIT $2" };
}

#[derive(FromRow)]
struct NowRow {
    id: Uuid,
    number: i64,
    status: String,
    payment: String,
    fulfilment: String,
    version: i64,
    held_until: Option<i64>,
    updated_at: i64,
}

impl TryFrom<NowRow> for OrderNow {
    type Error = sqlx::Error;

    fn try_from(row: NowRow) -> Result<Self, sqlx::Error> {
        let state = OrderState::parse(&row.status, &row.payment, &row.fulfilment);
        let state = state.ok_or_else(|| {
            let NowRow { number, status, payment, fulfilment, .. } = &row;
            let told = format!("the state of order {number}: {status}, {payment}, {fulfilment}");
            sqlx::Error::Decode(told.into())
        })?;
        Ok(Self {
            id: OrderId(row.id),
            number: OrderNumber(row.number),
            state,
            version: row.version,
            held_until: row.held_until.map(Micros),
            updated_at: Micros(row.updated_at),
        })
    }
}

pub(super) async fn act(
    conn: &mut SqliteConnection,
    write: &OrderWrite,
    ids: &dyn Ids,
) -> Result<Written, sqlx::Error> {
    let now = sqlx::query_as(NOW.sqlite).bind(write.order.0).fetch_optional(&mut *conn).await?;
    let now: Option<NowRow> = now;
    let Some(now) = now.map(OrderNow::try_from).transpose()? else { return Ok(Written::Absent) };
    if write.if_version.is_some_and(|wanted| wanted != now.version) {
        return Ok(Written::Order(OrderMoved::Stale(now)));
    }
    let change = match apply(&now.state, write.action) {
        Ok(change) => change,
        Err(why) => return Ok(Written::Order(OrderMoved::Refused { why, now })),
    };
    if let Some(effect) = change.stock
        && let Err(why) = move_stock(&mut *conn, write, effect, ids).await?
    {
        return Ok(Written::Order(OrderMoved::Stock { why, now }));
    }
    let next = now.moved(change.state, write.at);
    put(&mut *conn, write, &next).await?;
    if next.state.status == OrderStatus::Cancelled && now.state.status != next.state.status {
        coupons::give_back(&mut *conn, write.order).await?;
    }
    if change.money.is_some() {
        let due = sqlx::query(PAYMENT_IS_DUE.sqlite).bind(write.order.0).bind(write.at.0);
        due.execute(&mut *conn).await?;
    }
    stock::tell(&mut *conn, change.news.into(), [write.order.0], write.at).await?;
    if let Some(letter) = OrderLetter::of(change.news) {
        mail::tell(&mut *conn, write.order, letter, write.at, ids).await?;
    }
    if let Some(told) = write.told(&now, &next) {
        audit::append(conn, &told).await?;
    }
    Ok(Written::Order(OrderMoved::Moved(next)))
}

/// An error inside: the goods can't be moved so, and nothing was written.
async fn move_stock(
    conn: &mut SqliteConnection,
    write: &OrderWrite,
    effect: StockEffect,
    ids: &dyn Ids,
) -> Result<Result<(), StockError>, sqlx::Error> {
    let read = if effect == StockEffect::Restock { SHIPPED } else { RESERVATIONS };
    let rows: Vec<(Uuid, Uuid, i64)> =
        sqlx::query_as(read.sqlite).bind(write.order.0).fetch_all(&mut *conn).await?;
    let reserve = |(item, warehouse, quantity)| Reserve {
        item: StockItemId(item),
        warehouse: WarehouseId(warehouse),
        quantity,
    };
    let reserves: Vec<Reserve> = rows.into_iter().map(reserve).collect();
    let items: BTreeSet<_> = reserves.iter().map(|reserve| reserve.item).collect();
    let before = stock::shelves(&mut *conn, &items.into_iter().collect::<Vec<_>>()).await?;
    let mut after = before.clone();
    if let Err(why) = after.affect(effect, &reserves) {
        return Ok(Err(why));
    }
    if effect == StockEffect::Consume {
        sqlx::query(KEEP_SHIPPED.sqlite).bind(write.order.0).execute(&mut *conn).await?;
    }
    if effect != StockEffect::Restock {
        sqlx::query(DROP_RESERVATIONS.sqlite).bind(write.order.0).execute(&mut *conn).await?;
    }
    let movements: Vec<_> =
        reserves.iter().map(|reserve| write.movement(effect, reserve, ids.next())).collect();
    stock::put(conn, &before, &after, &movements, write.at).await?;
    Ok(Ok(()))
}

async fn put(
    conn: &mut SqliteConnection,
    write: &OrderWrite,
    next: &OrderNow,
) -> Result<(), sqlx::Error> {
    let OrderState { status, payment, fulfilment } = next.state;
    sqlx::query(MOVE.sqlite)
        .bind(next.id.0)
        .bind(status.as_str())
        .bind(payment.as_str())
        .bind(fulfilment.as_str())
        .bind(next.version)
        .bind(next.held_until.map(|at| at.0))
        .bind(next.updated_at.0)
        .execute(&mut *conn)
        .await?;
    sqlx::query(KEEP_STEP.sqlite)
        .bind(next.id.0)
        .bind(next.version)
        .bind(write.at.0)
        .bind(&write.by)
        .bind(Json(write.action))
        .bind(&write.note)
        .bind(status.as_str())
        .bind(payment.as_str())
        .bind(fulfilment.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn end_holds(
    conn: &mut SqliteConnection,
    now: Micros,
    most: u32,
    ids: &dyn Ids,
) -> Result<Written, sqlx::Error> {
    let ending = sqlx::query_scalar(ENDING.sqlite).bind(now.0).bind(most);
    let ending: Vec<Uuid> = ending.fetch_all(&mut *conn).await?;
    for id in &ending {
        act(&mut *conn, &OrderWrite::hold_ends(OrderId(*id), now), ids).await?;
    }
    Ok(Written::Swept(ending.len() as u64))
}
