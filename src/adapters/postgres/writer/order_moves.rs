//! Orders moved on, with their goods and what is kept of their payments; the ends of holds. The
//! orders' rows are locked before levels are, so what the log tells of one comes in the order it was
//! committed.

use super::{Failure, audit, coupons, mail, payments, stock};
use crate::{
    adapters::postgres::statement::{Param, execute, query, statements},
    domain::{
        id::{OrderId, StockItemId, WarehouseId},
        order::{OrderNumber, OrderState, StockEffect},
        payment::Step,
        stock::{Reserve, StockError},
        time::Micros,
    },
    ports::{
        StoreError,
        clock::Ids,
        orders::{OrderNow, OrderWrite},
        till::PaymentWrite,
        writer::{MOST_MOVES, MoveDesk, Write, Written},
    },
};
use deadpool_postgres::{
    Transaction,
    tokio_postgres::{Error, Row},
};
use std::collections::BTreeSet;

statements! {
    /// By everybody in one order.
    LOCK =
        "SELECT id, number, status, payment, fulfilment, version, held_until, updated_at
         FROM sales_order WHERE id = ANY($1) ORDER BY id FOR UPDATE";
    MOVE =
        "UPDATE sales_order o SET status = m.status, payment = m.payment,
             fulfilment = m.fulfilment, version = m.version, held_until = m.held_until,
             updated_at = m.at
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[],
                 $7::bigint[])
             m (id, status, payment, fulfilment, version, held_until, at)
         WHERE o.id = m.id";
    KEEP_HISTORY =
        "INSERT INTO sales_order_step (order_id, version, at, by_whom, action, note, status,
             payment, fulfilment)
         SELECT id, version, at, by_whom, action::jsonb, note, status, payment, fulfilment
         FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[],
                 $7::text[], $8::text[], $9::text[])
             s (id, version, at, by_whom, action, note, status, payment, fulfilment)";
    TELL =
        "INSERT INTO outbox (kind, subject, at)
         SELECT kind, id, at FROM unnest($1::text[], $2::uuid[], $3::bigint[]) WITH ORDINALITY
             n (kind, id, at, place) ORDER BY place";
    SET_DUE =
        "UPDATE payment_intent i SET due_at = d.at
         FROM unnest($1::uuid[], $2::bigint[]) d (order_id, at) WHERE i.order_id = d.order_id";
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

/// Orders and payments moved together, in the order they were asked for.
pub(super) async fn make(
    tx: &Transaction<'_>,
    writes: &[&Write],
    ids: &dyn Ids,
) -> Result<Vec<Written>, Failure> {
    let (mut orders, intents) = MoveDesk::wanted(writes.iter().copied());
    let intents = payments::intents(tx, &intents).await?;
    orders.extend(intents.iter().map(|intent| intent.order));
    let locked = lock(tx, &orders).await?;
    let books = payments::books(tx, intents).await?;
    let mut desk = MoveDesk::default().with_orders(locked).with_payments(books);
    let mut made = Vec::with_capacity(writes.len());
    for write in writes {
        made.push(match write {
            Write::Order(write) => act(tx, &mut desk, write, ids).await?,
            Write::Payment(write) => match desk.keep(write) {
                Ok((moved, asked)) => {
                    act(tx, &mut desk, &moved, ids).await?;
                    let next = go_on(tx, &mut desk, write, ids).await?;
                    let kept = desk.kept(write, asked, next);
                    kept.ok_or_else(|| StoreError::Corrupt("a payment's order is gone".to_owned()))?
                }
                Err(answer) => answer,
            },
            _ => return Err(StoreError::Refused("this moves no order".to_owned()).into()),
        });
    }
    put(tx, &desk).await?;
    Ok(made)
}

/// What else a payment's write does, up to a step that is to be asked.
async fn go_on(
    tx: &Transaction<'_>,
    desk: &mut MoveDesk,
    write: &PaymentWrite,
    ids: &dyn Ids,
) -> Result<Option<Step>, Failure> {
    for _ in 1..MOST_MOVES {
        let Some((moved, step)) = desk.go_on(write) else { break };
        act(tx, desk, &moved, ids).await?;
        if step.is_some() {
            return Ok(step);
        }
    }
    Ok(None)
}

async fn lock(tx: &Transaction<'_>, orders: &[OrderId]) -> Result<Vec<OrderNow>, Failure> {
    let orders: Vec<_> = orders.iter().map(|order| order.0).collect();
    let rows = query(tx, LOCK, [&orders]).await?;
    rows.iter().map(order_now).collect()
}

async fn act(
    tx: &Transaction<'_>,
    desk: &mut MoveDesk,
    write: &OrderWrite,
    ids: &dyn Ids,
) -> Result<Written, Failure> {
    let plan = match desk.plan(write) {
        Ok(plan) => plan,
        Err(answer) => return Ok(answer),
    };
    if let Some(effect) = plan.goods()
        && let Err(why) = move_stock(tx, write, effect, ids).await?
    {
        return Ok(plan.without_goods(why));
    }
    if plan.is_cancelled() {
        coupons::give_back(tx, write.order).await?;
    }
    if let Some(letter) = plan.letter() {
        mail::tell(tx, write.order, letter, write.at, ids).await?;
    }
    if let Some(told) = write.told(plan.before(), plan.next()) {
        audit::append(tx, &told).await?;
    }
    Ok(desk.make(write, &plan))
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

/// What the desk holds at the end.
async fn put(tx: &Transaction<'_>, desk: &MoveDesk) -> Result<(), Failure> {
    tokio::try_join!(
        biased;
        async { Ok::<_, Failure>(put_orders(tx, desk).await?) },
        async { Ok(put_history(tx, desk).await?) },
        async { Ok(tell(tx, desk).await?) },
        payments::put(tx, desk),
        async { Ok(put_due(tx, desk).await?) },
    )?;
    Ok(())
}

async fn put_orders(tx: &Transaction<'_>, desk: &MoveDesk) -> Result<(), Error> {
    let ids: Vec<_> = desk.moved().map(|now| now.id.0).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let statuses: Vec<_> = desk.moved().map(|now| now.state.status.as_str()).collect();
    let payments: Vec<_> = desk.moved().map(|now| now.state.payment.as_str()).collect();
    let fulfilments: Vec<_> = desk.moved().map(|now| now.state.fulfilment.as_str()).collect();
    let versions: Vec<_> = desk.moved().map(|now| now.version).collect();
    let held: Vec<_> = desk.moved().map(|now| now.held_until.map(|at| at.0)).collect();
    let at: Vec<_> = desk.moved().map(|now| now.updated_at.0).collect();
    let params: [Param<'_>; 7] = [&ids, &statuses, &payments, &fulfilments, &versions, &held, &at];
    execute(tx, MOVE, params).await.map(drop)
}

async fn put_history(tx: &Transaction<'_>, desk: &MoveDesk) -> Result<(), Error> {
    let history = desk.history();
    if history.is_empty() {
        return Ok(());
    }
    let states = || history.iter().map(|(_, now)| now.state);
    let ids: Vec<_> = history.iter().map(|(_, now)| now.id.0).collect();
    let versions: Vec<_> = history.iter().map(|(_, now)| now.version).collect();
    let at: Vec<_> = history.iter().map(|(write, _)| write.at.0).collect();
    let by: Vec<_> = history.iter().map(|(write, _)| write.by.as_str()).collect();
    // Serialising what is made of texts and numbers can't fail.
    let action = |write: &OrderWrite| serde_json::to_string(&write.action).unwrap_or_default();
    let actions: Vec<_> = history.iter().map(|(write, _)| action(write)).collect();
    let notes: Vec<_> = history.iter().map(|(write, _)| write.note.as_str()).collect();
    let statuses: Vec<_> = states().map(|state| state.status.as_str()).collect();
    let payments: Vec<_> = states().map(|state| state.payment.as_str()).collect();
    let fulfilments: Vec<_> = states().map(|state| state.fulfilment.as_str()).collect();
    let params: [Param<'_>; 9] =
        [&ids, &versions, &at, &by, &actions, &notes, &statuses, &payments, &fulfilments];
    execute(tx, KEEP_HISTORY, params).await.map(drop)
}

async fn tell(tx: &Transaction<'_>, desk: &MoveDesk) -> Result<(), Error> {
    let news = desk.news();
    if news.is_empty() {
        return Ok(());
    }
    let kinds: Vec<_> = news.iter().map(|(kind, ..)| kind.as_str()).collect();
    let ids: Vec<_> = news.iter().map(|(_, order, _)| order.0).collect();
    let at: Vec<_> = news.iter().map(|(.., at)| at.0).collect();
    execute(tx, TELL, [&kinds, &ids, &at]).await.map(drop)
}

async fn put_due(tx: &Transaction<'_>, desk: &MoveDesk) -> Result<(), Error> {
    let (ids, at): (Vec<_>, Vec<_>) =
        desk.due().map(|(order, at)| (order.0, at.map(|at| at.0))).unzip();
    match ids.is_empty() {
        true => Ok(()),
        false => execute(tx, SET_DUE, [&ids, &at]).await.map(drop),
    }
}

pub(super) async fn end_holds(
    tx: &Transaction<'_>,
    now: Micros,
    most: u32,
    ids: &dyn Ids,
) -> Result<Written, Failure> {
    let ending = query(tx, ENDING, [&now.0, &i64::from(most)]).await?;
    let orders = ending.iter().map(|row| Ok(OrderId(row.try_get(0)?)));
    let orders = orders.collect::<Result<Vec<_>, Error>>()?;
    let mut desk = MoveDesk::default().with_orders(lock(tx, &orders).await?);
    for order in orders {
        act(tx, &mut desk, &OrderWrite::hold_ends(order, now), ids).await?;
    }
    put(tx, &desk).await?;
    Ok(Written::Swept(ending.len() as u64))
}
