//! Mail is put into the queue, tried, and done with.

use super::rows;
use crate::{
    adapters::sql::{audit, texts::statements},
    domain::{
        id::{MailId, OrderId},
        order::OrderLetter,
        placing::Placing,
        time::Micros,
    },
    ports::{
        clock::Ids,
        mail::{MailBody, MailWrite, NewMail, WaitingMail},
        writer::Written,
    },
};
use sqlx::SqliteConnection;
use sqlx_macros::FromRow;
use uuid::Uuid;

statements! {
    PUT_MAIL = { sqlite:
        "INSERT INTO mail (id, kind, recipient, subject, body, state, attempts, due_at, until,
             created_at)
         VALUES ($1, $2, $3, $4, $5, 'waiting', 0, $6, $7, $6)" };
    PUT_PLACED = { sqlite:
        "INSERT INTO mail (id, kind, recipient, subject, body, state, attempts, due_at, until,
             created_at, order_id)
         VALUES (?, ?, ?, '', ?, 'waiting', 0, ?, ?, ?, ?)" };
    PUT_MOVED = { sqlite:
        "INSERT INTO mail (id, kind, recipient, subject, body, state, attempts, due_at, until,
             created_at, order_id)
         SELECT $1, $2, email, '', '', 'waiting', 0, $3, $4, $3, id
         FROM sales_order WHERE id = $5 AND email NOT IN ('', 'erased')" };
    CLAIM_MAIL = { sqlite:
        "UPDATE mail SET attempts = attempts + 1, due_at = $2
         WHERE id IN (SELECT id FROM mail WHERE state = 'waiting' AND due_at <= $1
                      ORDER BY due_at LIMIT $3)
         RETURNING id, kind, recipient, subject, body, order_id, attempts, until, created_at" };
    RELEASE_MAIL = { sqlite:
        "UPDATE mail SET due_at = $1 WHERE state = 'waiting' AND due_at > $1" };
    MAIL_SENT = { sqlite:
        "UPDATE mail SET state = 'sent', body = NULL, failure = NULL, sent_at = $2
         WHERE id = $1 AND state = 'waiting'" };
    MAIL_RETRIED = { sqlite:
        "UPDATE mail SET due_at = $2, failure = $3 WHERE id = $1 AND state = 'waiting'" };
    MAIL_FAILED = { sqlite:
        "UPDATE mail SET state = 'failed', failure = $2,
             body = CASE WHEN order_id IS NULL THEN NULL ELSE body END
         WHERE id = $1 AND state = 'waiting'" };
    RETRY_MAIL = { sqlite:
        "UPDATE mail SET state = 'waiting', due_at = $2,
             until = CASE WHEN order_id IS NOT NULL AND until < $3 THEN $3 ELSE until END
         WHERE id = $1 AND state <> 'sent' AND body IS NOT NULL" };
    SWEEP_MAIL = { sqlite:
        "DELETE FROM mail WHERE id IN (
             SELECT id FROM mail WHERE state <> 'waiting' AND created_at < $1
             ORDER BY created_at LIMIT $2)" };
}

#[derive(FromRow)]
struct MailRow {
    id: Uuid,
    kind: String,
    recipient: String,
    subject: String,
    body: Option<String>,
    order_id: Option<Uuid>,
    attempts: i64,
    until: i64,
    created_at: i64,
}

impl From<MailRow> for WaitingMail {
    fn from(row: MailRow) -> Self {
        Self {
            id: MailId(row.id),
            kind: row.kind,
            recipient: row.recipient,
            subject: row.subject,
            // A CHECK keeps it while it waits.
            body: MailBody(row.body.unwrap_or_default()),
            order: row.order_id.map(OrderId),
            attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
            created_at: Micros(row.created_at),
            until: Micros(row.until),
        }
    }
}

pub(super) async fn apply(
    conn: &mut SqliteConnection,
    write: &MailWrite,
) -> Result<Written, sqlx::Error> {
    match write {
        MailWrite::Claim { now, until, most } => {
            let claim = sqlx::query_as(CLAIM_MAIL.sqlite).bind(now.0).bind(until.0);
            let rows: Vec<MailRow> = claim.bind(i64::from(*most)).fetch_all(conn).await?;
            Ok(Written::Claimed(rows.into_iter().map(Into::into).collect()))
        }
        MailWrite::Release { now } => {
            sqlx::query(RELEASE_MAIL.sqlite).bind(now.0).execute(conn).await?;
            Ok(Written::Done)
        }
        MailWrite::Sent { id, at } => {
            sqlx::query(MAIL_SENT.sqlite).bind(id.0).bind(at.0).execute(conn).await?;
            Ok(Written::Done)
        }
        MailWrite::Failed { id, again_at: Some(again), failure } => {
            let retry = sqlx::query(MAIL_RETRIED.sqlite).bind(id.0).bind(again.0).bind(failure);
            retry.execute(conn).await?;
            Ok(Written::Done)
        }
        MailWrite::Failed { id, again_at: None, failure } => {
            sqlx::query(MAIL_FAILED.sqlite).bind(id.0).bind(failure).execute(conn).await?;
            Ok(Written::Done)
        }
        MailWrite::Retry { id, at, until, by } => {
            let retry = sqlx::query(RETRY_MAIL.sqlite).bind(id.0).bind(at.0).bind(until.0);
            if retry.execute(&mut *conn).await?.rows_affected() == 0 {
                return Ok(Written::Absent);
            }
            audit::append(conn, &write.told(*id, *at, by)).await?;
            Ok(Written::Done)
        }
        MailWrite::Sweep { older_than, most } => {
            let sweep = sqlx::query(SWEEP_MAIL.sqlite).bind(older_than.0).bind(i64::from(*most));
            Ok(Written::Swept(sweep.execute(conn).await?.rows_affected()))
        }
    }
}

/// In the transaction of what it tells of.
pub(super) async fn put(conn: &mut SqliteConnection, mail: &NewMail) -> Result<(), sqlx::Error> {
    sqlx::query(PUT_MAIL.sqlite)
        .bind(mail.id.0)
        .bind(mail.kind)
        .bind(&mail.recipient)
        .bind(&mail.subject)
        .bind(&mail.body.0)
        .bind(mail.at.0)
        .bind(mail.until.0)
        .execute(conn)
        .await
        .map(drop)
}

/// Confirms these orders, in the transaction that places them.
pub(super) async fn confirm<'a>(
    conn: &mut SqliteConnection,
    placed: impl Iterator<Item = &'a Placing>,
    ids: &dyn Ids,
) -> Result<(), sqlx::Error> {
    let placed: Vec<_> = placed.filter(|placing| !placing.order.email.is_empty()).collect();
    let put = rows::put(conn, PUT_PLACED, &placed, |values, Placing { order, token, .. }| {
        let at = order.placed_at;
        values.bind(ids.next()).bind(OrderLetter::Placed.as_str()).bind(&order.email);
        values.bind(token.as_ref().map_or("", |token| token.expose())).bind(at.0);
        values.bind(at.plus(OrderLetter::LASTS).0).bind(at.0).bind(order.id.0);
    });
    put.await.map(drop)
}

/// Tells an order's buyer of its move, in the transaction that makes it.
pub(super) async fn tell(
    conn: &mut SqliteConnection,
    order: OrderId,
    letter: OrderLetter,
    at: Micros,
    ids: &dyn Ids,
) -> Result<(), sqlx::Error> {
    sqlx::query(PUT_MOVED.sqlite)
        .bind(ids.next())
        .bind(letter.as_str())
        .bind(at.0)
        .bind(at.plus(OrderLetter::LASTS).0)
        .bind(order.0)
        .execute(conn)
        .await
        .map(drop)
}
