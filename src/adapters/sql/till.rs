//! Payments, read back; see `ports::till` and `ports::invoices`. The writer keeps the rows.

use super::{SqlStore, error::not_ours, lists::IdList, on, texts::statements};
use crate::{
    domain::{
        id::{CustomerId, OrderId, PaymentIntentId},
        money::{Currency, Money},
        order::{OrderNumber, OrderState},
        payment::{Fact, InvoiceTerms, MethodToken, Payment, PaymentIntent, PaymentMethod, Step},
        time::Micros,
    },
    ports::{
        StoreError,
        invoices::{Credit, InvoiceBooks},
        orders::OrderNow,
        till::{PaymentNow, Till},
    },
};
use async_trait::async_trait;
use serde::de::DeserializeOwned;
use sqlx_macros::FromRow;
use std::collections::HashMap;
use uuid::Uuid;

macro_rules! payment_columns {
    ($rest:literal) => {
        concat!(
            "SELECT i.id, i.order_id, i.provider, i.token, i.amount_minor, i.currency,
                    i.created_at, o.number, o.status, o.payment, o.fulfilment, o.version,
                    o.held_until, o.updated_at
             FROM payment_intent i JOIN sales_order o ON o.id = i.order_id ",
            $rest
        )
    };
}

const BY_ID_TEXT: &str = payment_columns!("WHERE i.id = $1");
const BY_ORDER_TEXT: &str = payment_columns!("WHERE i.order_id = $1");
const DUE_TEXT: &str = payment_columns!("WHERE i.due_at <= $1 ORDER BY i.due_at LIMIT $2");

statements! {
    BY_ID = (BY_ID_TEXT);
    BY_ORDER = (BY_ORDER_TEXT);
    DUE = (DUE_TEXT);
    STEPS = ["SELECT intent_id, step FROM payment_step WHERE intent_id", [ids "$1"]];
    FACTS = ["SELECT intent_id, fact FROM payment_fact WHERE intent_id", [ids "$1"]];
    OWED =
        "SELECT CAST(coalesce(sum(i.amount_minor), 0) AS BIGINT)
         FROM sales_order o JOIN payment_intent i ON i.order_id = o.id
         WHERE o.customer_id = $1 AND i.provider = $2 AND i.currency = $3
             AND o.payment IN ('pending', 'unknown', 'authorised', 'partly_captured')";
}

#[derive(FromRow)]
struct PaymentRow {
    id: Uuid,
    order_id: Uuid,
    provider: String,
    token: String,
    amount_minor: i64,
    currency: String,
    created_at: i64,
    number: i64,
    status: String,
    payment: String,
    fulfilment: String,
    version: i64,
    held_until: Option<i64>,
    updated_at: i64,
}

impl SqlStore {
    /// With what was asked and said of them, in the order they came.
    async fn with_books(&self, rows: Vec<PaymentRow>) -> Result<Vec<PaymentNow>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let ids = IdList(rows.iter().map(|row| row.id).collect());
        let steps: Vec<(Uuid, String)> = on!(self, STEPS, |pool, text| {
            sqlx::query_as(text).bind(ids.clone()).fetch_all(pool).await
        })?;
        let facts: Vec<(Uuid, String)> = on!(self, FACTS, |pool, text| {
            sqlx::query_as(text).bind(ids.clone()).fetch_all(pool).await
        })?;
        let (mut steps, mut facts) = (by_intent::<Step>(steps)?, by_intent::<Fact>(facts)?);
        let with = |row: PaymentRow| {
            let steps = steps.remove(&row.id).unwrap_or_default();
            let facts = facts.remove(&row.id).unwrap_or_default();
            row.payment(steps, facts)
        };
        rows.into_iter().map(with).collect()
    }
}

impl PaymentRow {
    fn payment(self, steps: Vec<Step>, facts: Vec<Fact>) -> Result<PaymentNow, StoreError> {
        let currency: Currency = self.currency.parse().map_err(not_ours)?;
        let intent = PaymentIntent {
            id: PaymentIntentId(self.id),
            order: OrderId(self.order_id),
            amount: Money { minor: self.amount_minor, currency },
            method: PaymentMethod { provider: self.provider, token: MethodToken::new(self.token) },
        };
        let state = OrderState::parse(&self.status, &self.payment, &self.fulfilment);
        let order = OrderNow {
            id: intent.order,
            number: OrderNumber(self.number),
            state: state.ok_or_else(|| not_ours("the state of a payment's order"))?,
            version: self.version,
            held_until: self.held_until.map(Micros),
            updated_at: Micros(self.updated_at),
        };
        let payment = Payment::from_rows(intent.id, intent.amount, steps, facts);
        Ok(PaymentNow { intent, payment, order, created_at: Micros(self.created_at) })
    }
}

fn by_intent<T: DeserializeOwned>(
    rows: Vec<(Uuid, String)>,
) -> Result<HashMap<Uuid, Vec<T>>, StoreError> {
    let mut all: HashMap<Uuid, Vec<T>> = HashMap::new();
    for (intent, text) in rows {
        all.entry(intent).or_default().push(serde_json::from_str(&text).map_err(not_ours)?);
    }
    Ok(all)
}

#[async_trait]
impl Till for SqlStore {
    async fn due(&self, now: Micros, limit: u32) -> Result<Vec<PaymentNow>, StoreError> {
        let rows = on!(self, DUE, |pool, text| {
            sqlx::query_as(text).bind(now.0).bind(i64::from(limit)).fetch_all(pool).await
        })?;
        self.with_books(rows).await
    }

    async fn payment(&self, intent: PaymentIntentId) -> Result<Option<PaymentNow>, StoreError> {
        let rows = on!(self, BY_ID, |pool, text| {
            sqlx::query_as(text).bind(intent.0).fetch_all(pool).await
        })?;
        Ok(self.with_books(rows).await?.pop())
    }

    async fn of_order(&self, order: OrderId) -> Result<Option<PaymentNow>, StoreError> {
        let rows = on!(self, BY_ORDER, |pool, text| {
            sqlx::query_as(text).bind(order.0).fetch_all(pool).await
        })?;
        Ok(self.with_books(rows).await?.pop())
    }
}

#[async_trait]
impl InvoiceBooks for SqlStore {
    async fn payment(&self, intent: PaymentIntentId) -> Result<Option<Payment>, StoreError> {
        Ok(Till::payment(self, intent).await?.map(|now| now.payment))
    }

    async fn credit(&self, customer: CustomerId, currency: Currency) -> Result<Credit, StoreError> {
        let owed: i64 = on!(self, OWED, |pool, text| {
            sqlx::query_scalar(text)
                .bind(customer.0)
                .bind(InvoiceTerms::PROVIDER)
                .bind(currency.code())
                .fetch_one(pool)
                .await
        })?;
        Ok(Credit { limit: None, owed })
    }
}
