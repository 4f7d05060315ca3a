//! Mail looked at; see `ports::mail`. The writer puts it there, and its tries are its job's.

use super::{SqlStore, on, texts::statements};
use crate::{
    domain::{
        id::{MailId, OrderId},
        time::Micros,
    },
    ports::{
        StoreError,
        mail::{MailBody, MailQueue, MailState, QueuedMail, WaitingMail},
    },
};
use async_trait::async_trait;
use sqlx_macros::FromRow;
use uuid::Uuid;

statements! {
    WAITING = "SELECT id, kind, recipient, subject, body, order_id, created_at FROM mail
               WHERE id = $1 AND state = 'waiting' AND body IS NOT NULL";
    /// What became of its job may be forgotten before the mail is.
    LIST = "SELECT m.id, m.kind, m.recipient, m.order_id, coalesce(j.attempt, m.attempts) AS attempts,
                m.created_at, coalesce(j.due_at, m.due_at) AS due_at, m.sent_at,
                coalesce(j.error, m.failure) AS failure
            FROM mail m LEFT JOIN job j ON j.id = m.id
            WHERE m.state = $1 ORDER BY m.created_at DESC, m.id DESC LIMIT $2";
    COUNT = "SELECT count(*) FROM mail WHERE state = $1";
}

#[derive(FromRow)]
struct WaitingRow {
    id: Uuid,
    kind: String,
    recipient: String,
    subject: String,
    body: String,
    order_id: Option<Uuid>,
    created_at: i64,
}

impl From<WaitingRow> for WaitingMail {
    fn from(row: WaitingRow) -> Self {
        Self {
            id: MailId(row.id),
            kind: row.kind,
            recipient: row.recipient,
            subject: row.subject,
            body: MailBody(row.body),
            order: row.order_id.map(OrderId),
            created_at: Micros(row.created_at),
        }
    }
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
    async fn waiting(&self, id: MailId) -> Result<Option<WaitingMail>, StoreError> {
        let row: Option<WaitingRow> = on!(self, WAITING, |pool, text| sqlx::query_as(text)
            .bind(id.0)
            .fetch_optional(pool)
            .await)?;
        Ok(row.map(Into::into))
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
