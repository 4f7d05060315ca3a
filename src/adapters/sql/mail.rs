//! The queue of mail, looked at; see `ports::mail`. The writer fills and empties it.

use super::{SqlStore, on, texts::statements};
use crate::{
    domain::{
        id::{MailId, OrderId},
        time::Micros,
    },
    ports::{
        StoreError,
        mail::{MailQueue, MailState, QueuedMail},
    },
};
use async_trait::async_trait;
use sqlx_macros::FromRow;
use uuid::Uuid;

statements! {
    NEXT_DUE = "SELECT min(due_at) FROM mail WHERE state = 'waiting'";
    LIST = "SELECT id, kind, recipient, order_id, attempts, created_at, due_at, sent_at, failure
            FROM mail WHERE state = $1 ORDER BY created_at DESC, id DESC LIMIT $2";
    COUNT = "SELECT count(*) FROM mail WHERE state = $1";
}

#[derive(FromRow)]
struct QueuedRow {
    id: Uuid,
    kind: String,
    recipient: String,
    order_id: Option<Uuid>,
    attempts: i64,
    created_at: i64,
    due_at: i64,
    sent_at: Option<i64>,
    failure: Option<String>,
}

impl From<QueuedRow> for QueuedMail {
    fn from(row: QueuedRow) -> Self {
        Self {
            id: MailId(row.id),
            kind: row.kind,
            recipient: row.recipient,
            order: row.order_id.map(OrderId),
            attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
            created_at: Micros(row.created_at),
            due_at: Micros(row.due_at),
            sent_at: row.sent_at.map(Micros),
            failure: row.failure,
        }
    }
}

#[async_trait]
impl MailQueue for SqlStore {
    async fn next_due(&self) -> Result<Option<Micros>, StoreError> {
        let due: Option<i64> =
            on!(self, NEXT_DUE, |pool, text| sqlx::query_scalar(text).fetch_one(pool).await)?;
        Ok(due.map(Micros))
    }

    async fn counts(&self) -> Result<(u64, u64), StoreError> {
        let mut counts = [0; 2];
        for (count, state) in counts.iter_mut().zip(["waiting", "failed"]) {
            let rows: i64 = on!(self, COUNT, |pool, text| sqlx::query_scalar(text)
                .bind(state)
                .fetch_one(pool)
                .await)?;
            *count = u64::try_from(rows).unwrap_or_default();
        }
        Ok((counts[0], counts[1]))
    }

    async fn queued(&self, state: MailState, limit: u32) -> Result<Vec<QueuedMail>, StoreError> {
        let rows: Vec<QueuedRow> = on!(self, LIST, |pool, text| sqlx::query_as(text)
            .bind(state.as_str())
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await)?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}
