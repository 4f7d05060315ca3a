//! What is asked of payment providers and what they say, as rows; see `ports::till`.

use super::{products::Hex, rows};
use crate::{
    adapters::sql::texts::statements,
    domain::{
        id::{OrderId, PaymentIntentId},
        money::Money,
        payment::{Fact, MethodToken, Payment, PaymentIntent, PaymentMethod, Step},
        time::Micros,
    },
    ports::writer::{Books, MoveDesk},
};
use sqlx::{SqliteConnection, types::Json};
use sqlx_macros::FromRow;
use std::collections::HashMap;
use uuid::Uuid;

statements! {
    INTENTS = { sqlite:
        "SELECT i.id, i.order_id, i.provider, i.token, i.amount_minor, i.currency, i.created_at,
             i.due_at
         FROM json_each($1) j CROSS JOIN payment_intent i ON i.id = unhex(j.value)" };
    STEPS = { sqlite:
        "SELECT s.intent_id, s.step
         FROM json_each($1) j CROSS JOIN payment_step s ON s.intent_id = unhex(j.value)" };
    FACTS = { sqlite:
        "SELECT f.intent_id, f.fact
         FROM json_each($1) j CROSS JOIN payment_fact f ON f.intent_id = unhex(j.value)" };
    PUT_STEPS = { sqlite:
        "INSERT INTO payment_step (intent_id, step, by_whom, at)
         VALUES (?, ?, ?, ?)
         ON CONFLICT (intent_id, step) DO UPDATE SET by_whom = excluded.by_whom, at = excluded.at" };
    DROP_STEPS = { sqlite:
        "DELETE FROM payment_step WHERE (intent_id, step) IN
             (SELECT unhex(value->>0), value->>1 FROM json_each($1))" };
    PUT_FACTS = { sqlite:
        "INSERT INTO payment_fact (intent_id, fact, at)
         VALUES (?, ?, ?)
         ON CONFLICT DO NOTHING" };
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
    due_at: Option<i64>,
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

/// What is known of those of these payments that there are.
pub(super) async fn books(
    conn: &mut SqliteConnection,
    intents: &[PaymentIntentId],
) -> Result<Vec<Books>, sqlx::Error> {
    if intents.is_empty() {
        return Ok(Vec::new());
    }
    let ids = Json(intents.iter().map(|intent| Hex(intent.0)).collect::<Vec<_>>());
    let rows: Vec<IntentRow> =
        sqlx::query_as(INTENTS.sqlite).bind(&ids).fetch_all(&mut *conn).await?;
    let steps = sqlx::query_as(STEPS.sqlite).bind(&ids).fetch_all(&mut *conn).await?;
    let facts = sqlx::query_as(FACTS.sqlite).bind(&ids).fetch_all(conn).await?;
    let (mut steps, mut facts) = (by_intent::<Step>(steps)?, by_intent::<Fact>(facts)?);
    let book = |row: IntentRow| {
        let (created_at, due_at) = (Micros(row.created_at), row.due_at.map(Micros));
        let intent = row.intent()?;
        let steps = steps.remove(&intent.id.0).unwrap_or_default();
        let facts = facts.remove(&intent.id.0).unwrap_or_default();
        let payment = Payment::from_rows(intent.id, intent.amount, steps, facts);
        Ok(Books { intent, payment, created_at, due_at })
    };
    rows.into_iter().map(book).collect()
}

pub(super) async fn put(conn: &mut SqliteConnection, desk: &MoveDesk) -> Result<(), sqlx::Error> {
    let gone = desk.withdrawn().map(|(intent, step)| Ok((Hex(intent.0), text(step)?)));
    let gone = gone.collect::<Result<Vec<_>, sqlx::Error>>()?;
    if !gone.is_empty() {
        sqlx::query(DROP_STEPS.sqlite).bind(Json(gone)).execute(&mut *conn).await?;
    }
    let asked: Vec<_> = desk.asked().collect();
    rows::put(conn, PUT_STEPS, &asked, |values, (intent, step, by, at)| {
        values.bind(intent.0).bind(Json(step)).bind(*by).bind(at.0);
    })
    .await?;
    let said: Vec<_> = desk.facts().collect();
    let said = rows::put(conn, PUT_FACTS, &said, |values, (intent, fact, at)| {
        values.bind(intent.0).bind(Json(fact)).bind(at.0);
    });
    said.await.map(drop)
}

fn by_intent<T: serde::de::DeserializeOwned>(
    rows: Vec<(Uuid, String)>,
) -> Result<HashMap<Uuid, Vec<T>>, sqlx::Error> {
    let mut all: HashMap<Uuid, Vec<T>> = HashMap::new();
    for (intent, text) in rows {
        all.entry(intent).or_default().push(parsed(&text)?);
    }
    Ok(all)
}

fn text(value: &impl serde::Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

fn parsed<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, sqlx::Error> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))
}
