//! An order moved on, with its goods; the ends of holds. An order's row is locked before its
//! levels are, so what the log tells of it comes in the order it was committed.

use super::{Failure, audit, coupons, mail, stock};
use crate::{
    adapters::postgres::statement::{Param, execute, query, statements},
    domain::{
        id::{OrderId, StockItemId, WarehouseId},
        order::{OrderLetter, OrderNumber, OrderState, OrderStatus, StockEffect, apply},
        stock::{Reserve, StockError},
        time::Micros,
    },
    ports::{
        StoreError,
        clock::Ids,
        orders::{OrderMoved, OrderNow, OrderWrite},
        writer::Written,
    },
};
use deadpool_postgres::{
    Transaction,
    tokio_postgres::{Error, Row},
};
use std::collections::BTreeSet;
use uuid::Uuid;

statements! {
    LOCK =
        "SELECT id, number, status, payment, fulfilment, version, held_until, updated_at
         FROM sales_order WHERE id = $1 FOR UPDATE";
    MOVE =
        "UPDATE sales_order SET status = $2, payment = $3, fulfilment = $4, version = $5,
             held_until = $6, updated_at = $7 WHERE id = $1";
    KEEP_STEP =
        "INSERT INTO sales_order_step (order_id, version, at, by_whom, action, note, status,
             payment, fulfilment) VALUES ($1, $2, $3, $4, $5::text::jsonb, $6, $7, $8, $9)";
    PAYMENT_IS_DUE = "UPDATE payment_intent SET due_at = $2 WHERE order_id = $1";
    RESERVATIONS =
        "SELECT item_id, warehouse_id, quantity FROM reservation WHERE order_id = $1
         ORDER BY item_id, warehouse_id";
    DROP_RESERVATIONS = "DELETE FROM reservation WHERE order_id = $1";
    KEEP_SHIPPED =
        "INSERT INTO shipped_item (order_id, item_id, warehouse_id, quantity)
         SELECT order_id, item_id, warehouse_id, quantity FROM reservation WHERE order_id = $1";
    SHIPPED =
        "SELECT item_id, warehouse_id, quantity FROM shipped_item WHERE order_id = $1
         ORDER BY item_id, warehouse_id";
    /// An order whose payment was asked for is ended by the answer; one that another node is at,
    /// by that node.
    ENDING =
        "SELECT id FROM sales_order
         WHERE held_until <= $1 AND payment <> 'unknown'
         ORDER BY held_until LIMIT $2 FOR UPDATE SKIP LOCKED";
}

fn order_now(row: &Row) -> Result<OrderNow, Failure> {
    let (status, payment, fulfilment) =
        (row.try_get("status")?, row.try_get("payment")?, row.try_get("fulfilment")?);
    let state = OrderState::parse(status, payment, fulfilment).ok_or_else(|| {
        let told = format!("the state of an order: {status}, {payment}, {fulfilment}");
        StoreError::Corrupt(told)
    })?;
    let held_until: Option<i64> = row.try_get("held_until")?;
    Ok(OrderNow {
        id: OrderId(row.try_get("id")?),
        number: OrderNumber(row.try_get("number")?),
        state,
        version: row.try_get("version")?,
        held_until: held_until.map(Micros),
        updated_at: Micros(row.try_get("updated_at")?),
    })
}

pub(super) async fn act(
    tx: &Transaction<'_>,
    write: &OrderWrite,
    ids: &dyn Ids,
) -> Result<Written, Failure> {
    let now = query(tx, LOCK, [&write.order.0]).await?;
    let Some(now) = now.first().map(order_now).transpose()? else { return Ok(Written::Absent) };
    if write.if_version.is_some_and(|wanted| wanted != now.version) {
        return Ok(Written::Order(OrderMoved::Stale(now)));
    }
    let change = match apply(&now.state, write.action) {
        Ok(change) => change,
        Err(why) => return Ok(Written::Order(OrderMoved::Refused { why, now })),
    };
    if let Some(effect) = change.stock
        && let Err(why) = move_stock(tx, write, effect, ids).await?
    {
        return Ok(Written::Order(OrderMoved::Stock { why, now }));
    }
    let next = now.moved(change.state, write.at);
    if next.state.status == OrderStatus::Cancelled && now.state.status != next.state.status {
        coupons::give_back(tx, write.order).await?;
    }
    let told = write.told(&now, &next);
    tokio::try_join!(
        biased;
        put(tx, write, &next),
        stock::tell(tx, change.news.into(), [write.order.0], write.at),
        async {
            match change.money {
                Some(_) => execute(tx, PAYMENT_IS_DUE, [&write.order.0, &write.at.0]).await.map(drop),
                None => Ok(()),
            }
        },
        async {
            match OrderLetter::of(change.news) {
                Some(letter) => mail::tell(tx, write.order, letter, write.at, ids).await,
                None => Ok(()),
            }
        },
        async {
            match &told {
                Some(told) => audit::append(tx, told).await,
                None => Ok(()),
            }
        },
    )?;
    Ok(Written::Order(OrderMoved::Moved(next)))
}

/// An error inside: the goods can't be moved so, and nothing was written.
async fn move_stock(
    tx: &Transaction<'_>,
    write: &OrderWrite,
    effect: StockEffect,
    ids: &dyn Ids,
) -> Result<Result<(), StockError>, Failure> {
    let order = &write.order.0;
    let read = if effect == StockEffect::Restock { SHIPPED } else { RESERVATIONS };
    let rows = query(tx, read, [order]).await?;
    let reserves = rows.iter().map(reserve).collect::<Result<Vec<_>, _>>()?;
    let items: BTreeSet<_> = reserves.iter().map(|reserve| reserve.item).collect();
    let before = stock::shelves(tx, &items.into_iter().collect::<Vec<_>>()).await?;
    let mut after = before.clone();
    if let Err(why) = after.affect(effect, &reserves) {
        return Ok(Err(why));
    }
    if effect == StockEffect::Consume {
        execute(tx, KEEP_SHIPPED, [order]).await?;
    }
    if effect != StockEffect::Restock {
        execute(tx, DROP_RESERVATIONS, [order]).await?;
    }
    let movements: Vec<_> =
        reserves.iter().map(|reserve| write.movement(effect, reserve, ids.next())).collect();
    stock::put(tx, &before, &after, &movements, write.at).await?;
    Ok(Ok(()))
}

fn reserve(row: &Row) -> Result<Reserve, Error> {
    Ok(Reserve {
        item: StockItemId(row.try_get(0)?),
        warehouse: WarehouseId(row.try_get(1)?),
        quantity: row.try_get(2)?,
    })
}

async fn put(tx: &Transaction<'_>, write: &OrderWrite, next: &OrderNow) -> Result<(), Error> {
    let OrderState { status, payment, fulfilment } = next.state;
    let (status, payment, fulfilment) = (status.as_str(), payment.as_str(), fulfilment.as_str());
    let action = serde_json::to_string(&write.action).unwrap_or_default();
    let held_until = next.held_until.map(|at| at.0);
    let (id, version) = (&next.id.0, &next.version);
    let moved: [Param<'_>; 7] =
        [id, &status, &payment, &fulfilment, version, &held_until, &next.updated_at.0];
    let step: [Param<'_>; 9] =
        [id, version, &write.at.0, &write.by, &action, &write.note, &status, &payment, &fulfilment];
    tokio::try_join!(biased; execute(tx, MOVE, moved), execute(tx, KEEP_STEP, step))?;
    Ok(())
}

pub(super) async fn end_holds(
    tx: &Transaction<'_>,
    now: Micros,
    most: u32,
    ids: &dyn Ids,
) -> Result<Written, Failure> {
    let ending = query(tx, ENDING, [&now.0, &i64::from(most)]).await?;
    for row in &ending {
        let id: Uuid = row.try_get(0)?;
        act(tx, &OrderWrite::hold_ends(OrderId(id), now), ids).await?;
    }
    Ok(Written::Swept(ending.len() as u64))
}
