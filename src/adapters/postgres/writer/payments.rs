//! What is asked of payment providers and what they say, with what it means for the order; see
//! `ports::till`. The order's row is locked first, as by everybody who moves it.

use super::{Failure, order_moves};
use crate::{
    adapters::postgres::statement::{execute, query, statements},
    domain::{
        id::{OrderId, PaymentIntentId},
        money::Money,
        order::Action,
        payment::{Asked, Fact, MethodToken, Payment, PaymentIntent, PaymentMethod, Step},
        time::Micros,
    },
    ports::{
        StoreError,
        clock::Ids,
        orders::{OrderMoved, OrderNow, OrderWrite},
        till::{PaymentAct, PaymentKept, PaymentNow, PaymentWrite},
        writer::Written,
    },
};
use deadpool_postgres::{Transaction, tokio_postgres::Row};

statements! {
    LOCK_INTENT =
        "SELECT i.id, i.order_id, i.provider, i.token, i.amount_minor, i.currency, i.created_at
         FROM payment_intent i JOIN sales_order o ON o.id = i.order_id
         WHERE i.id = $1 FOR UPDATE OF o";
    STEPS = "SELECT step FROM payment_step WHERE intent_id = $1";
    FACTS = "SELECT fact FROM payment_fact WHERE intent_id = $1";
    PUT_STEP = "INSERT INTO payment_step (intent_id, step, by_whom, at) VALUES ($1, $2, $3, $4)";
    DROP_STEP = "DELETE FROM payment_step WHERE intent_id = $1 AND step = $2";
    PUT_FACTS =
        "INSERT INTO payment_fact (intent_id, fact, at)
         SELECT $1, fact, $3 FROM unnest($2::text[]) f (fact) ON CONFLICT DO NOTHING";
    SET_DUE = "UPDATE payment_intent SET due_at = $2 WHERE id = $1";
}

pub(super) async fn keep(
    tx: &Transaction<'_>,
    write: &PaymentWrite,
    ids: &dyn Ids,
) -> Result<Written, Failure> {
    let rows = query(tx, LOCK_INTENT, [&write.intent.0]).await?;
    let Some(row) = rows.first() else { return Ok(Written::Absent) };
    let (intent, created_at) = (intent(row)?, Micros(row.try_get(6)?));
    let mut payment = read(tx, &intent).await?;
    let asked = match &write.act {
        PaymentAct::Ask(step) => match payment.ask(*step) {
            Ok(asked) => {
                if asked == Asked::Now {
                    let step = text(step)?;
                    execute(tx, PUT_STEP, [&intent.id.0, &step, &write.by, &write.at.0]).await?;
                }
                Some(asked)
            }
            Err(why) => return Ok(Written::Payment(PaymentKept::NotAllowed(why))),
        },
        PaymentAct::Learn { record, withdrawn } => {
            if let Err(why) = payment.learn(record) {
                return Ok(Written::Payment(PaymentKept::NotOurs(why)));
            }
            let facts = record.facts.iter().map(text).collect::<Result<Vec<_>, _>>()?;
            execute(tx, PUT_FACTS, [&intent.id.0, &facts, &write.at.0]).await?;
            if let Some(step) = withdrawn {
                payment.withdraw(step);
                execute(tx, DROP_STEP, [&intent.id.0, &text(step)?]).await?;
            }
            None
        }
        PaymentAct::Wait => None,
    };
    let order = told(tx, write, &intent, &payment, ids).await?;
    let next = write.next_look(&order, &payment);
    execute(tx, SET_DUE, [&intent.id.0, &next.map(|at| at.0)]).await?;
    let now = Box::new(PaymentNow { intent, payment, order, created_at });
    Ok(Written::Payment(PaymentKept::Done { now, asked }))
}

fn intent(row: &Row) -> Result<PaymentIntent, Failure> {
    let currency: &str = row.try_get(5)?;
    let currency = currency.parse();
    let currency = currency.map_err(|error: crate::domain::money::MoneyError| {
        StoreError::Corrupt(format!("a payment's currency: {error}"))
    })?;
    Ok(PaymentIntent {
        id: PaymentIntentId(row.try_get(0)?),
        order: OrderId(row.try_get(1)?),
        amount: Money { minor: row.try_get(4)?, currency },
        method: PaymentMethod {
            provider: row.try_get(2)?,
            token: MethodToken::new(row.try_get::<_, String>(3)?),
        },
    })
}

async fn read(tx: &Transaction<'_>, intent: &PaymentIntent) -> Result<Payment, Failure> {
    let (steps, facts) = tokio::try_join!(
        biased;
        query(tx, STEPS, [&intent.id.0]),
        query(tx, FACTS, [&intent.id.0]),
    )?;
    let steps = steps.iter().map(parsed::<Step>).collect::<Result<Vec<_>, _>>()?;
    let facts = facts.iter().map(parsed::<Fact>).collect::<Result<Vec<_>, _>>()?;
    Ok(Payment::from_rows(intent.id, intent.amount, steps, facts))
}

/// Moves the order to what its payment is now, if that is something else.
async fn told(
    tx: &Transaction<'_>,
    write: &PaymentWrite,
    intent: &PaymentIntent,
    payment: &Payment,
    ids: &dyn Ids,
) -> Result<OrderNow, Failure> {
    let action = Action::PaymentIs { state: payment.state() };
    let (by, note) = (write.by.clone(), String::new());
    let moved =
        OrderWrite { order: intent.order, action, by, note, at: write.at, if_version: None };
    match order_moves::act(tx, &moved, ids).await? {
        Written::Order(
            OrderMoved::Moved(now)
            | OrderMoved::Refused { now, .. }
            | OrderMoved::Stock { now, .. }
            | OrderMoved::Stale(now),
        ) => Ok(now),
        _ => Err(StoreError::Corrupt("a payment's order is gone".to_owned()).into()),
    }
}

fn text(value: &impl serde::Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string(value);
    text.map_err(|error| StoreError::Refused(format!("a payment can't be kept: {error}")).into())
}

fn parsed<T: serde::de::DeserializeOwned>(row: &Row) -> Result<T, Failure> {
    let text: &str = row.try_get(0)?;
    serde_json::from_str(text)
        .map_err(|error| StoreError::Corrupt(format!("what is known of a payment: {error}")).into())
}
