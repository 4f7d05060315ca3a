//! What is asked of payment providers and what they say, as rows; see `ports::till`. The order's row
//! is locked first, as by everybody who moves it.

use super::Failure;
use crate::{
    adapters::postgres::statement::{execute, query, statements},
    domain::{
        id::{OrderId, PaymentIntentId},
        money::Money,
        payment::{Fact, MethodToken, Payment, PaymentIntent, PaymentMethod, Step},
        time::Micros,
    },
    ports::{
        StoreError,
        writer::{Books, MoveDesk},
    },
};
use deadpool_postgres::{
    Transaction,
    tokio_postgres::{Error, Row},
};
use std::collections::HashMap;
use uuid::Uuid;

statements! {
    INTENTS =
        "SELECT id, order_id, provider, token, amount_minor, currency
         FROM payment_intent WHERE id = ANY($1)";
    TIMES = "SELECT id, created_at, due_at FROM payment_intent WHERE id = ANY($1)";
    STEPS = "SELECT intent_id, step FROM payment_step WHERE intent_id = ANY($1)";
    FACTS = "SELECT intent_id, fact FROM payment_fact WHERE intent_id = ANY($1)";
    PUT_STEPS =
        "INSERT INTO payment_step (intent_id, step, by_whom, at)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[])
         ON CONFLICT (intent_id, step) DO UPDATE SET by_whom = excluded.by_whom, at = excluded.at";
    DROP_STEPS =
        "DELETE FROM payment_step s USING unnest($1::uuid[], $2::text[]) d (intent_id, step)
         WHERE s.intent_id = d.intent_id AND s.step = d.step";
    PUT_FACTS =
        "INSERT INTO payment_fact (intent_id, fact, at)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[]) ON CONFLICT DO NOTHING";
}

/// Those of these that there are. Nothing of it ever changes.
pub(super) async fn intents(
    tx: &Transaction<'_>,
    intents: &[PaymentIntentId],
) -> Result<Vec<PaymentIntent>, Failure> {
    if intents.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = intents.iter().map(|intent| intent.0).collect();
    let rows = query(tx, INTENTS, [&ids]).await?;
    rows.iter().map(intent).collect()
}

/// What is known of these payments. Their orders are locked.
pub(super) async fn books(
    tx: &Transaction<'_>,
    intents: Vec<PaymentIntent>,
) -> Result<Vec<Books>, Failure> {
    if intents.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = intents.iter().map(|intent| intent.id.0).collect();
    let (times, steps, facts) = tokio::try_join!(
        biased;
        query(tx, TIMES, [&ids]),
        query(tx, STEPS, [&ids]),
        query(tx, FACTS, [&ids]),
    )?;
    let times = times.iter().map(|row| {
        let due_at: Option<i64> = row.try_get(2)?;
        Ok((row.try_get(0)?, (Micros(row.try_get(1)?), due_at.map(Micros))))
    });
    let times = times.collect::<Result<HashMap<Uuid, _>, Error>>()?;
    let (mut steps, mut facts) = (by_intent::<Step>(&steps)?, by_intent::<Fact>(&facts)?);
    let book = |intent: PaymentIntent| {
        let (created_at, due_at) = *times.get(&intent.id.0)?;
        let steps = steps.remove(&intent.id.0).unwrap_or_default();
        let facts = facts.remove(&intent.id.0).unwrap_or_default();
        let payment = Payment::from_rows(intent.id, intent.amount, steps, facts);
        Some(Books { intent, payment, created_at, due_at })
    };
    Ok(intents.into_iter().filter_map(book).collect())
}

pub(super) async fn put(tx: &Transaction<'_>, desk: &MoveDesk) -> Result<(), Failure> {
    let (gone, steps) = lines(desk.withdrawn())?;
    if !gone.is_empty() {
        execute(tx, DROP_STEPS, [&gone, &steps]).await?;
    }
    let (asked, steps) = lines(desk.asked().map(|(intent, step, ..)| (intent, step)))?;
    if !asked.is_empty() {
        let (by, at): (Vec<_>, Vec<_>) = desk.asked().map(|(.., by, at)| (by, at.0)).unzip();
        execute(tx, PUT_STEPS, [&asked, &steps, &by, &at]).await?;
    }
    let (said, facts) = lines(desk.facts().map(|(intent, fact, _)| (intent, fact)))?;
    if !said.is_empty() {
        let at: Vec<_> = desk.facts().map(|(.., at)| at.0).collect();
        execute(tx, PUT_FACTS, [&said, &facts, &at]).await?;
    }
    Ok(())
}

fn lines<'a, T: serde::Serialize + 'a>(
    rows: impl Iterator<Item = (PaymentIntentId, &'a T)>,
) -> Result<(Vec<Uuid>, Vec<String>), Failure> {
    let texts = rows.map(|(intent, value)| Ok((intent.0, text(value)?)));
    Ok(texts.collect::<Result<Vec<_>, Failure>>()?.into_iter().unzip())
}

fn by_intent<T: serde::de::DeserializeOwned>(
    rows: &[Row],
) -> Result<HashMap<Uuid, Vec<T>>, Failure> {
    let mut all: HashMap<Uuid, Vec<T>> = HashMap::new();
    for row in rows {
        all.entry(row.try_get(0)?).or_default().push(parsed(row)?);
    }
    Ok(all)
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

fn text(value: &impl serde::Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string(value);
    text.map_err(|error| StoreError::Refused(format!("a payment can't be kept: {error}")).into())
}

fn parsed<T: serde::de::DeserializeOwned>(row: &Row) -> Result<T, Failure> {
    let text: &str = row.try_get(1)?;
    serde_json::from_str(text)
        .map_err(|error| StoreError::Corrupt(format!("what is known of a payment: {error}")).into())
}
