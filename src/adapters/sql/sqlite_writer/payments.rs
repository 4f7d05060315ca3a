//! What is asked of payment providers and what they say, with what it means for the order; see
//! `ports::till`.

use super::order_moves;
use crate::{
    adapters::sql::texts::statements,
    domain::{
        id::{OrderId, PaymentIntentId},
        money::Money,
        order::Action,
        payment::{Asked, Fact, MethodToken, Payment, PaymentIntent, PaymentMethod, Step},
        time::Micros,
    },
    ports::{
        clock::Ids,
        orders::{OrderMoved, OrderNow, OrderWrite},
        till::{PaymentAct, PaymentKept, PaymentNow, PaymentWrite},
        writer::Written,
    },
};
use sqlx::SqliteConnection;
use sqlx_macros::FromRow;
use uuid::Uuid;

statements! {
    INTENT = { sqlite:
        "SELECT id, order_id, provider, token, amount_minor, currency, created_at
         FROM payment_intent WHERE id = $1" };
    STEPS = { sqlite: "SELECT step FROM payment_step WHERE intent_id = $1" };
    FACTS = { sqlite: "SELECT fact FROM payment_fact WHERE intent_id = $1" };
    PUT_STEP = { sqlite:
        "INSERT INTO payment_step (intent_id, step, by_whom, at) VALUES ($1, $2, $3, $4)" };
    DROP_STEP = { sqlite: "DELETE FROM payment_step WHERE intent_id = $1 AND step = $2" };
    PUT_FACT = { sqlite:
        "INSERT INTO payment_fact (intent_id, fact, at) VALUES ($1, $2, $3)
         ON CONFLICT DO NOTHING" };
    SET_DUE = { sqlite: "UPDATE payment_intent SET due_at = $2 WHERE id = $1" };
}

#[derive(FromRow)]
struct IntentRow {
    id: Uuid,
    order_id: Uuid,
    provider: String,
    token: String,
    amount_minor: i64,
    currency: String,
    created_at: i64,
}

impl IntentRow {
    fn intent(self) -> Result<PaymentIntent, sqlx::Error> {
        let currency = self.currency.parse();
        let currency = currency
            .map_err(|error: crate::domain::money::MoneyError| sqlx::Error::Decode(error.into()))?;
        Ok(PaymentIntent {
            id: PaymentIntentId(self.id),
            order: OrderId(self.order_id),
            amount: Money { minor: self.amount_minor, currency },
            method: PaymentMethod { provider: self.provider, token: MethodToken::new(self.token) },
        })
    }
}

pub(super) async fn keep(
    conn: &mut SqliteConnection,
    write: &PaymentWrite,
    ids: &dyn Ids,
) -> Result<Written, sqlx::Error> {
    let row = sqlx::query_as(INTENT.sqlite).bind(write.intent.0).fetch_optional(&mut *conn).await?;
    let Some(row): Option<IntentRow> = row else { return Ok(Written::Absent) };
    let created_at = Micros(row.created_at);
    let intent = row.intent()?;
    let mut payment = read(conn, &intent).await?;
    let asked = match &write.act {
        PaymentAct::Ask(step) => match payment.ask(*step) {
            Ok(asked) => {
                put_step(conn, write, step, asked).await?;
                Some(asked)
            }
            Err(why) => return Ok(Written::Payment(PaymentKept::NotAllowed(why))),
        },
        PaymentAct::Learn { record, withdrawn } => {
            if let Err(why) = payment.learn(record) {
                return Ok(Written::Payment(PaymentKept::NotOurs(why)));
            }
            for fact in &record.facts {
                sqlx::query(PUT_FACT.sqlite)
                    .bind(intent.id.0)
                    .bind(text(fact)?)
                    .bind(write.at.0)
                    .execute(&mut *conn)
                    .await?;
            }
            if let Some(step) = withdrawn {
                payment.withdraw(step);
                let drop = sqlx::query(DROP_STEP.sqlite).bind(intent.id.0).bind(text(step)?);
                drop.execute(&mut *conn).await?;
            }
            None
        }
        PaymentAct::Wait => None,
    };
    let order = told(conn, write, &intent, &payment, ids).await?;
    let next = write.next_look(&order, &payment);
    let set = sqlx::query(SET_DUE.sqlite).bind(intent.id.0).bind(next.map(|at| at.0));
    set.execute(conn).await?;
    let now = Box::new(PaymentNow { intent, payment, order, created_at });
    Ok(Written::Payment(PaymentKept::Done { now, asked }))
}

async fn read(conn: &mut SqliteConnection, intent: &PaymentIntent) -> Result<Payment, sqlx::Error> {
    let steps: Vec<String> =
        sqlx::query_scalar(STEPS.sqlite).bind(intent.id.0).fetch_all(&mut *conn).await?;
    let facts: Vec<String> =
        sqlx::query_scalar(FACTS.sqlite).bind(intent.id.0).fetch_all(conn).await?;
    let steps = steps.iter().map(|step| parsed::<Step>(step)).collect::<Result<Vec<_>, _>>()?;
    let facts = facts.iter().map(|fact| parsed::<Fact>(fact)).collect::<Result<Vec<_>, _>>()?;
    Ok(Payment::from_rows(intent.id, intent.amount, steps, facts))
}

async fn put_step(
    conn: &mut SqliteConnection,
    write: &PaymentWrite,
    step: &Step,
    asked: Asked,
) -> Result<(), sqlx::Error> {
    if asked != Asked::Now {
        return Ok(());
    }
    sqlx::query(PUT_STEP.sqlite)
        .bind(write.intent.0)
        .bind(text(step)?)
        .bind(&write.by)
        .bind(write.at.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Moves the order to what its payment is now, if that is something else.
async fn told(
    conn: &mut SqliteConnection,
    write: &PaymentWrite,
    intent: &PaymentIntent,
    payment: &Payment,
    ids: &dyn Ids,
) -> Result<OrderNow, sqlx::Error> {
    let action = Action::PaymentIs { state: payment.state() };
    let (by, note) = (write.by.clone(), String::new());
    let moved =
        OrderWrite { order: intent.order, action, by, note, at: write.at, if_version: None };
    match order_moves::act(conn, &moved, ids).await? {
        Written::Order(
            OrderMoved::Moved(now)
            | OrderMoved::Refused { now, .. }
            | OrderMoved::Stock { now, .. }
            | OrderMoved::Stale(now),
        ) => Ok(now),
        _ => Err(sqlx::Error::Protocol("a payment's order is gone".into())),
    }
}

fn text(value: &impl serde::Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

fn parsed<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, sqlx::Error> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))
}
