//! Quotes, read back; see `ports::quotes`. The writer makes the rows.

use super::{SqlStore, error::not_ours, on, texts::statements};
use crate::{
    domain::{
        id::{CustomerId, QuoteId},
        quote::{Quote, QuoteBody, QuoteStatus},
        time::Micros,
    },
    ports::{
        StoreError,
        quotes::{QuoteFilter, Quotes},
    },
};
use async_trait::async_trait;
use sqlx::types::Json;
use sqlx_macros::FromRow;
use uuid::Uuid;

macro_rules! quote_columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, customer_id, asked_by, email, status, version, body, valid_until,
                    created_at, updated_at FROM quote ",
            $rest
        )
    };
}

const GET_TEXT: &str = quote_columns!("WHERE id = $1");
const LIST_TEXT: &str = quote_columns!("WHERE id < $1 ORDER BY id DESC LIMIT $2");
const BY_CUSTOMER_TEXT: &str =
    quote_columns!("WHERE id < $1 AND customer_id = $3 ORDER BY id DESC LIMIT $2");
const BY_STATUS_TEXT: &str =
    quote_columns!("WHERE id < $1 AND status = $3 ORDER BY id DESC LIMIT $2");
const BY_BOTH_TEXT: &str =
    quote_columns!("WHERE id < $1 AND customer_id = $3 AND status = $4 ORDER BY id DESC LIMIT $2");

statements! {
    GET = (GET_TEXT);
    LIST = (LIST_TEXT);
    BY_CUSTOMER = (BY_CUSTOMER_TEXT);
    BY_STATUS = (BY_STATUS_TEXT);
    BY_BOTH = (BY_BOTH_TEXT);
}

#[derive(FromRow)]
struct QuoteRow {
    id: Uuid,
    customer_id: Uuid,
    asked_by: String,
    email: String,
    status: String,
    version: i64,
    body: Json<QuoteBody>,
    valid_until: Option<i64>,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<QuoteRow> for Quote {
    type Error = StoreError;

    fn try_from(row: QuoteRow) -> Result<Self, StoreError> {
        let status = QuoteStatus::parse(&row.status);
        Ok(Self {
            status: status.ok_or_else(|| not_ours("a quote's status is unknown"))?,
            id: QuoteId(row.id),
            customer: CustomerId(row.customer_id),
            asked_by: row.asked_by,
            email: row.email,
            version: row.version,
            body: row.body.0,
            valid_until: row.valid_until.map(Micros),
            created_at: Micros(row.created_at),
            updated_at: Micros(row.updated_at),
        })
    }
}

#[async_trait]
impl Quotes for SqlStore {
    async fn quote(&self, id: QuoteId) -> Result<Option<Quote>, StoreError> {
        let row: Option<QuoteRow> = on!(self, GET, |pool, text| sqlx::query_as(text)
            .bind(id.0)
            .fetch_optional(pool)
            .await)?;
        row.map(TryInto::try_into).transpose()
    }

    async fn quotes(
        &self,
        filter: QuoteFilter,
        before: Option<QuoteId>,
        limit: u32,
    ) -> Result<Vec<Quote>, StoreError> {
        let before = before.map_or(Uuid::max(), |id| id.0);
        let limit = i64::from(limit);
        let status = filter.status.map(QuoteStatus::as_str);
        let rows: Vec<QuoteRow> = match (filter.customer, status) {
            (None, None) => on!(self, LIST, |pool, text| sqlx::query_as(text)
                .bind(before)
                .bind(limit)
                .fetch_all(pool)
                .await)?,
            (Some(customer), None) => on!(self, BY_CUSTOMER, |pool, text| sqlx::query_as(text)
                .bind(before)
                .bind(limit)
                .bind(customer.0)
                .fetch_all(pool)
                .await)?,
            (None, Some(status)) => on!(self, BY_STATUS, |pool, text| sqlx::query_as(text)
                .bind(before)
                .bind(limit)
                .bind(status)
                .fetch_all(pool)
                .await)?,
            (Some(customer), Some(status)) => {
                on!(self, BY_BOTH, |pool, text| sqlx::query_as(text)
                    .bind(before)
                    .bind(limit)
                    .bind(customer.0)
                    .bind(status)
                    .fetch_all(pool)
                    .await)?
            }
        };
        rows.into_iter().map(TryInto::try_into).collect()
    }
}
