//! Payments, read back; see `ports::till` and `ports::invoices`. The writer keeps the rows.

use super::{SqlStore, error::not_ours, on, texts::statements};
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

statements! {
    BY_ID = (BY_ID_TEXT);
    BY_ORDER = (BY_ORDER_TEXT);
    STEPS = "SELECT step FROM payment_step WHERE intent_id = $1";
    FACTS = "SELECT fact FROM payment_fact WHERE intent_id = $1";
    DUE = "SELECT id FROM payment_intent WHERE due_at <= $1 ORDER BY due_at LIMIT $2";
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
    async fn with_books(&self, row: Option<PaymentRow>) -> Result<Option<PaymentNow>, StoreError> {
        let Some(row) = row else { return Ok(None) };
        let steps: Vec<String> = on!(self, STEPS, |pool, text| {
            sqlx::query_scalar(text).bind(row.id).fetch_all(pool).await
        })?;
        let facts: Vec<String> = on!(self, FACTS, |pool, text| {
            sqlx::query_scalar(text).bind(row.id).fetch_all(pool).await
        })?;
        let currency: Currency = row.currency.parse().map_err(not_ours)?;
        let intent = PaymentIntent {
            id: PaymentIntentId(row.id),
            order: OrderId(row.order_id),
            amount: Money { minor: row.amount_minor, currency },
            method: PaymentMethod { provider: row.provider, token: MethodToken::new(row.token) },
        };
        let (steps, facts) = (parsed::<Step>(&steps)?, parsed::<Fact>(&facts)?);
        let state = OrderState::parse(&row.status, &row.payment, &row.fulfilment);
        let order = OrderNow {
            id: intent.order,
            number: OrderNumber(row.number),
            state: state.ok_or_else(|| not_ours("the state of a payment's order"))?,
            version: row.version,
            held_until: row.held_until.map(Micros),
            updated_at: Micros(row.updated_at),
        };
        let payment = Payment::from_rows(intent.id, intent.amount, steps, facts);
        Ok(Some(PaymentNow { intent, payment, order, created_at: Micros(row.created_at) }))
    }
}

fn parsed<T: DeserializeOwned>(texts: &[String]) -> Result<Vec<T>, StoreError> {
    texts.iter().map(|text| serde_json::from_str(text).map_err(not_ours)).collect()
}

#[async_trait]
impl Till for SqlStore {
    async fn due(&self, now: Micros, limit: u32) -> Result<Vec<PaymentIntentId>, StoreError> {
        let ids: Vec<Uuid> = on!(self, DUE, |pool, text| {
            sqlx::query_scalar(text).bind(now.0).bind(i64::from(limit)).fetch_all(pool).await
        })?;
        Ok(ids.into_iter().map(PaymentIntentId).collect())
    }

    async fn payment(&self, intent: PaymentIntentId) -> Result<Option<PaymentNow>, StoreError> {
        let row = on!(self, BY_ID, |pool, text| {
            sqlx::query_as(text).bind(intent.0).fetch_optional(pool).await
        })?;
        self.with_books(row).await
    }

    async fn of_order(&self, order: OrderId) -> Result<Option<PaymentNow>, StoreError> {
        let row = on!(self, BY_ORDER, |pool, text| {
            sqlx::query_as(text).bind(order.0).fetch_optional(pool).await
        })?;
        self.with_books(row).await
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
