//! Endpoints and deliveries, read; see `ports::webhooks`. The writer makes the rows.

use super::{SqlStore, error::not_ours, on, texts::statements};
use crate::{
    domain::{
        event::{EventKind, Position},
        id::{DeliveryId, EndpointId, JobId},
        secret::Secret,
        time::Micros,
        webhook::Told,
    },
    ports::{
        StoreError,
        webhooks::{Delivery, DeliveryState, Endpoint, TryLine, Webhooks},
    },
};
use async_trait::async_trait;
use sqlx_macros::FromRow;
use uuid::Uuid;

macro_rules! endpoints {
    ($rest:literal) => {
        (concat!(
            "SELECT id, url, kinds, secret, old_secret, old_until, made_at, since, disabled_at,
                 disabled_why, failing_since FROM webhook_endpoint ",
            $rest
        ))
    };
}

macro_rules! deliveries {
    ($rest:literal) => {
        (concat!(
            "SELECT d.id, d.endpoint, d.kind, d.subject, d.event_at, d.epoch, d.place, d.state, d.job,
                 d.tries, d.made_at, d.ended_at,
                 CASE WHEN d.state = 'waiting' THEN j.due_at END AS next_at,
                 t.n, t.at, t.status, t.said, t.error
             FROM webhook_delivery d
                 LEFT JOIN job j ON j.id = d.job
                 LEFT JOIN webhook_try t ON t.delivery = d.id AND t.n = d.tries ",
            $rest
        ))
    };
}

const ENDPOINTS_TEXT: &str = endpoints!("ORDER BY id");
const ENDPOINT_TEXT: &str = endpoints!("WHERE id = $1");
const DELIVERY_TEXT: &str = deliveries!("WHERE d.id = $1");
const DELIVERIES_TEXT: &str = deliveries!(
    "WHERE d.endpoint = $1 AND d.id < $2 AND ($4 = '' OR d.state = $4)
     ORDER BY d.id DESC LIMIT $3"
);

statements! {
    ENDPOINTS = (ENDPOINTS_TEXT);
    ENDPOINT = (ENDPOINT_TEXT);
    FOLLOWED = "SELECT epoch, place FROM webhook_follower";
    DELIVERY = (DELIVERY_TEXT);
    DELIVERIES = (DELIVERIES_TEXT);
    TRIES = "SELECT n, at, status, said, error FROM webhook_try WHERE delivery = $1 ORDER BY n";
}

#[derive(FromRow)]
struct EndpointRow {
    id: Uuid,
    url: String,
    kinds: String,
    secret: String,
    old_secret: Option<String>,
    old_until: Option<i64>,
    made_at: i64,
    since: i64,
    disabled_at: Option<i64>,
    disabled_why: Option<String>,
    failing_since: Option<i64>,
}

impl TryFrom<EndpointRow> for Endpoint {
    type Error = StoreError;

    fn try_from(row: EndpointRow) -> Result<Self, StoreError> {
        let kind = |text| {
            let unknown = || not_ours(format!("an endpoint wants events of the kind {text}"));
            EventKind::parse(text).ok_or_else(unknown)
        };
        Ok(Self {
            id: EndpointId(row.id),
            url: row.url,
            kinds: row.kinds.split_whitespace().map(kind).collect::<Result<_, _>>()?,
            secret: Secret::new(row.secret),
            old_secret: row.old_secret.map(Secret::new).zip(row.old_until.map(Micros)),
            made_at: Micros(row.made_at),
            since: Micros(row.since),
            disabled: row.disabled_at.map(Micros).zip(row.disabled_why),
            failing_since: row.failing_since.map(Micros),
        })
    }
}

#[derive(FromRow)]
struct DeliveryRow {
    id: Uuid,
    endpoint: Uuid,
    kind: String,
    subject: Uuid,
    event_at: i64,
    epoch: Option<Uuid>,
    place: Option<i64>,
    state: String,
    job: Uuid,
    tries: i64,
    made_at: i64,
    ended_at: Option<i64>,
    next_at: Option<i64>,
    n: Option<i64>,
    at: Option<i64>,
    status: Option<i64>,
    said: Option<String>,
    error: Option<String>,
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = StoreError;

    fn try_from(row: DeliveryRow) -> Result<Self, StoreError> {
        let state = DeliveryState::parse(&row.state);
        let (status, said, error) = (row.status, row.said.unwrap_or_default(), row.error);
        let last = row.n.zip(row.at).map(|(n, at)| TryRow { n, at, status, said, error });
        Ok(Self {
            id: DeliveryId(row.id),
            endpoint: EndpointId(row.endpoint),
            told: Told {
                kind: row.kind,
                subject: row.subject,
                at: Micros(row.event_at),
                place: row.epoch.zip(row.place).map(|(epoch, offset)| Position { epoch, offset }),
            },
            state: state.ok_or_else(|| not_ours(format!("a delivery is {}", row.state)))?,
            job: JobId(row.job),
            tries: u32::try_from(row.tries).unwrap_or(u32::MAX),
            last_try: last.map(Into::into),
            next_at: row.next_at.map(Micros),
            made_at: Micros(row.made_at),
            ended_at: row.ended_at.map(Micros),
        })
    }
}

#[derive(FromRow)]
struct TryRow {
    n: i64,
    at: i64,
    status: Option<i64>,
    said: String,
    error: Option<String>,
}

impl From<TryRow> for TryLine {
    fn from(row: TryRow) -> Self {
        Self {
            n: u32::try_from(row.n).unwrap_or(u32::MAX),
            at: Micros(row.at),
            status: row.status.and_then(|status| u16::try_from(status).ok()),
            said: row.said,
            error: row.error,
        }
    }
}

#[async_trait]
impl Webhooks for SqlStore {
    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError> {
        let rows: Vec<EndpointRow> =
            on!(self, ENDPOINTS, |pool, text| sqlx::query_as(text).fetch_all(pool).await)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn endpoint(&self, id: EndpointId) -> Result<Option<Endpoint>, StoreError> {
        let row: Option<EndpointRow> = on!(self, ENDPOINT, |pool, text| sqlx::query_as(text)
            .bind(id.0)
            .fetch_optional(pool)
            .await)?;
        row.map(TryInto::try_into).transpose()
    }

    async fn followed(&self) -> Result<Option<Position>, StoreError> {
        let row: Option<(Uuid, i64)> =
            on!(self, FOLLOWED, |pool, text| sqlx::query_as(text).fetch_optional(pool).await)?;
        Ok(row.map(|(epoch, offset)| Position { epoch, offset }))
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        let row: Option<DeliveryRow> = on!(self, DELIVERY, |pool, text| sqlx::query_as(text)
            .bind(id.0)
            .fetch_optional(pool)
            .await)?;
        row.map(TryInto::try_into).transpose()
    }

    async fn deliveries(
        &self,
        endpoint: EndpointId,
        state: Option<DeliveryState>,
        after: Option<DeliveryId>,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let rows: Vec<DeliveryRow> = on!(self, DELIVERIES, |pool, text| sqlx::query_as(text)
            .bind(endpoint.0)
            .bind(after.map_or(Uuid::max(), |after| after.0))
            .bind(i64::from(limit))
            .bind(state.map_or("", DeliveryState::as_str))
            .fetch_all(pool)
            .await)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn tries(&self, delivery: DeliveryId) -> Result<Vec<TryLine>, StoreError> {
        let rows: Vec<TryRow> = on!(self, TRIES, |pool, text| sqlx::query_as(text)
            .bind(delivery.0)
            .fetch_all(pool)
            .await)?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}
