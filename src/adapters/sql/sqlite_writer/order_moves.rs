//! Orders moved on, with their goods and what is kept of their payments; the ends of holds.

use super::{coupons, mail, payments, products::Hex, rows, stock};
use crate::{
    adapters::sql::{audit, texts::statements},
    domain::{
        id::{OrderId, StockItemId, WarehouseId},
        order::{OrderNumber, OrderState, StockEffect},
        payment::Step,
        stock::{Reserve, StockError},
        time::Micros,
    },
    ports::{
        clock::Ids,
        orders::{OrderNow, OrderWrite},
        till::PaymentWrite,
        writer::{MOST_MOVES, MoveDesk, Write, Written},
    },
};
use sqlx::{SqliteConnection, types::Json};
use sqlx_macros::FromRow;
use std::collections::BTreeSet;
use uuid::Uuid;

statements! {
    NOW = { sqlite:
        "SELECT o.id, o.number, o.status, o.payment, o.fulfilment, o.version, o.held_until,
             o.updated_at
         FROM json_each($1) j CROSS JOIN sales_order o ON o.id = unhex(j.value)" };
    MOVE = { sqlite:
        "WITH m (id, status, payment, fulfilment, version, held_until, at)
             AS (VALUES (?, ?, ?, ?, ?, ?, ?))
         UPDATE sales_order AS o SET status = m.status, payment = m.payment,
             fulfilment = m.fulfilment, version = m.version, held_until = m.held_until,
             updated_at = m.at
         FROM m WHERE o.id = m.id" };
    KEEP_HISTORY = { sqlite:
        "INSERT INTO sales_order_step (order_id, version, at, by_whom, action, note, status,
             payment, fulfilment)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)" };
    TELL = { sqlite: "INSERT INTO outbox (kind, subject, at) VALUES (?, ?, ?)" };
    SET_DUE = { sqlite:
        "WITH d (order_id, at) AS (VALUES (?, ?))
         UPDATE payment_intent AS i SET due_at = d.at FROM d WHERE i.order_id = d.order_id" };
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

/// Orders and payments moved together, in the order they were asked for.
pub(super) async fn make(
    conn: &mut SqliteConnection,
    writes: &[&Write],
    ids: &dyn Ids,
) -> Result<Vec<Written>, sqlx::Error> {
    let (mut orders, intents) = MoveDesk::wanted(writes.iter().copied());
    let books = payments::books(conn, &intents).await?;
    orders.extend(books.iter().map(|books| books.intent.order));
    let orders = read(conn, &orders).await?;
    let mut desk = MoveDesk::default().with_orders(orders).with_payments(books);
    let mut made = Vec::with_capacity(writes.len());
    for write in writes {
        made.push(match write {
            Write::Order(write) => act(conn, &mut desk, write, ids).await?,
            Write::Payment(write) => match desk.keep(write) {
                Ok((moved, asked)) => {
                    act(conn, &mut desk, &moved, ids).await?;
                    let next = go_on(conn, &mut desk, write, ids).await?;
                    let kept = desk.kept(write, asked, next);
                    kept.ok_or_else(|| sqlx::Error::Protocol("a payment's order is gone".into()))?
                }
                Err(answer) => answer,
            },
            _ => return Err(sqlx::Error::Protocol("this moves no order".into())),
        });
    }
    put(conn, &desk).await?;
    Ok(made)
}

/// What else a payment's write does, up to a step that is to be asked.
async fn go_on(
    conn: &mut SqliteConnection,
    desk: &mut MoveDesk,
    write: &PaymentWrite,
    ids: &dyn Ids,
) -> Result<Option<Step>, sqlx::Error> {
    for _ in 1..MOST_MOVES {
        let Some((moved, step)) = desk.go_on(write) else { break };
        act(conn, desk, &moved, ids).await?;
        if step.is_some() {
            return Ok(step);
        }
    }
    Ok(None)
}

async fn read(
    conn: &mut SqliteConnection,
    orders: &[OrderId],
) -> Result<Vec<OrderNow>, sqlx::Error> {
    let orders = Json(orders.iter().map(|order| Hex(order.0)).collect::<Vec<_>>());
    let rows: Vec<NowRow> = sqlx::query_as(NOW.sqlite).bind(orders).fetch_all(conn).await?;
    rows.into_iter().map(OrderNow::try_from).collect()
}

async fn act(
    conn: &mut SqliteConnection,
    desk: &mut MoveDesk,
    write: &OrderWrite,
    ids: &dyn Ids,
) -> Result<Written, sqlx::Error> {
    let plan = match desk.plan(write) {
        Ok(plan) => plan,
        Err(answer) => return Ok(answer),
    };
    if let Some(effect) = plan.goods()
        && let Err(why) = move_stock(&mut *conn, write, effect, ids).await?
    {
        return Ok(plan.without_goods(why));
    }
    if plan.is_cancelled() {
        coupons::give_back(&mut *conn, write.order).await?;
    }
    if let Some(letter) = plan.letter() {
        mail::tell(&mut *conn, write.order, letter, write.at, ids).await?;
    }
    if let Some(told) = write.told(plan.before(), plan.next()) {
        audit::append(conn, &told).await?;
    }
    Ok(desk.make(write, &plan))
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

/// What the desk holds at the end.
async fn put(conn: &mut SqliteConnection, desk: &MoveDesk) -> Result<(), sqlx::Error> {
    let moved: Vec<_> = desk.moved().collect();
    rows::put(conn, MOVE, &moved, |values, now| {
        let OrderState { status, payment, fulfilment } = now.state;
        values.bind(now.id.0).bind(status.as_str()).bind(payment.as_str());
        values.bind(fulfilment.as_str()).bind(now.version).bind(now.held_until.map(|at| at.0));
        values.bind(now.updated_at.0);
    })
    .await?;
    rows::put(conn, KEEP_HISTORY, desk.history(), |values, (write, now)| {
        let OrderState { status, payment, fulfilment } = now.state;
        values.bind(now.id.0).bind(now.version).bind(write.at.0).bind(&write.by);
        values.bind(Json(write.action)).bind(&write.note).bind(status.as_str());
        values.bind(payment.as_str()).bind(fulfilment.as_str());
    })
    .await?;
    rows::put(conn, TELL, desk.news(), |values, (kind, order, at)| {
        values.bind(kind.as_str()).bind(order.0).bind(at.0);
    })
    .await?;
    payments::put(conn, desk).await?;
    let due: Vec<_> = desk.due().collect();
    let due = rows::put(conn, SET_DUE, &due, |values, (order, at)| {
        values.bind(order.0).bind(at.map(|at| at.0));
    });
    due.await.map(drop)
}

pub(super) async fn end_holds(
    conn: &mut SqliteConnection,
    now: Micros,
    most: u32,
    ids: &dyn Ids,
) -> Result<Written, sqlx::Error> {
    let ending = sqlx::query_scalar(ENDING.sqlite).bind(now.0).bind(most);
    let ending: Vec<Uuid> = ending.fetch_all(&mut *conn).await?;
    let orders: Vec<_> = ending.iter().copied().map(OrderId).collect();
    let mut desk = MoveDesk::default().with_orders(read(conn, &orders).await?);
    for order in orders {
        act(conn, &mut desk, &OrderWrite::hold_ends(order, now), ids).await?;
    }
    put(conn, &desk).await?;
    Ok(Written::Swept(ending.len() as u64))
}
