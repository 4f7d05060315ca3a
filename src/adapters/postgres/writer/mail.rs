//! Mail is put into the queue, tried, and done with.

use super::audit;
use crate::{
    adapters::postgres::statement::{Param, execute, query, statements},
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
use deadpool_postgres::{
    Transaction,
    tokio_postgres::{Error, Row},
};
use uuid::Uuid;

statements! {
    PUT_MAIL =
        "INSERT INTO mail (id, kind, recipient, subject, body, state, attempts, due_at, until,
             created_at)
         VALUES ($1, $2, $3, $4, $5, 'waiting', 0, $6, $7, $6)";
    PUT_PLACED =
        "INSERT INTO mail (id, kind, recipient, subject, body, state, attempts, due_at, until,
             created_at, order_id)
         SELECT id, $1, recipient, '', token, 'waiting', 0, at, until, at, order_id
         FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::uuid[])
             m (id, recipient, token, at, until, order_id)";
    PUT_MOVED =
        "INSERT INTO mail (id, kind, recipient, subject, body, state, attempts, due_at, until,
             created_at, order_id)
         SELECT $1, $2, email, '', '', 'waiting', 0, $3, $4, $3, id
         FROM sales_order WHERE id = $5 AND email NOT IN ('', 'erased')";
    CLAIM_MAIL =
        "UPDATE mail SET attempts = attempts + 1, due_at = $2
         WHERE id IN (SELECT id FROM mail WHERE state = 'waiting' AND due_at <= $1
                      ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
         RETURNING id, kind, recipient, subject, body, order_id, attempts, until, created_at";
    RELEASE_MAIL = "UPDATE mail SET due_at = $1 WHERE state = 'waiting' AND due_at > $1";
    MAIL_SENT =
        "UPDATE mail SET state = 'sent', body = NULL, failure = NULL, sent_at = $2
         WHERE id = $1 AND state = 'waiting'";
    MAIL_RETRIED = "UPDATE mail SET due_at = $2, failure = $3 WHERE id = $1 AND state = 'waiting'";
    MAIL_FAILED =
        "UPDATE mail SET state = 'failed', failure = $2,
             body = CASE WHEN order_id IS NULL THEN NULL ELSE body END
         WHERE id = $1 AND state = 'waiting'";
    RETRY_MAIL =
        "UPDATE mail SET state = 'waiting', due_at = $2,
             until = CASE WHEN order_id IS NOT NULL AND until < $3 THEN $3 ELSE until END
         WHERE id = $1 AND state <> 'sent' AND body IS NOT NULL";
    SWEEP_MAIL =
        "DELETE FROM mail WHERE id IN (
             SELECT id FROM mail WHERE state <> 'waiting' AND created_at < $1
             ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)";
}

fn waiting(row: &Row) -> Result<WaitingMail, Error> {
    let body: Option<String> = row.try_get("body")?;
    let attempts: i64 = row.try_get("attempts")?;
    Ok(WaitingMail {
        id: MailId(row.try_get("id")?),
        kind: row.try_get("kind")?,
        recipient: row.try_get("recipient")?,
        subject: row.try_get("subject")?,
        // A CHECK keeps it while it waits.
        body: MailBody(body.unwrap_or_default()),
        order: row.try_get::<_, Option<Uuid>>("order_id")?.map(OrderId),
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        created_at: Micros(row.try_get("created_at")?),
        until: Micros(row.try_get("until")?),
    })
}

pub(super) async fn apply(tx: &Transaction<'_>, write: &MailWrite) -> Result<Written, Error> {
    match write {
        MailWrite::Claim { now, until, most } => {
            let most = i64::from(*most);
            let rows = query(tx, CLAIM_MAIL, [&now.0, &until.0, &most]).await?;
            Ok(Written::Claimed(rows.iter().map(waiting).collect::<Result<_, _>>()?))
        }
        MailWrite::Release { now } => {
            execute(tx, RELEASE_MAIL, [&now.0]).await?;
            Ok(Written::Done)
        }
        MailWrite::Sent { id, at } => {
            execute(tx, MAIL_SENT, [&id.0, &at.0]).await?;
            Ok(Written::Done)
        }
        MailWrite::Failed { id, again_at: Some(again), failure } => {
            execute(tx, MAIL_RETRIED, [&id.0, &again.0, failure]).await?;
            Ok(Written::Done)
        }
        MailWrite::Failed { id, again_at: None, failure } => {
            execute(tx, MAIL_FAILED, [&id.0, failure]).await?;
            Ok(Written::Done)
        }
        MailWrite::Retry { id, at, until, by } => {
            if execute(tx, RETRY_MAIL, [&id.0, &at.0, &until.0]).await? == 0 {
                return Ok(Written::Absent);
            }
            audit::append(tx, &write.told(*id, *at, by)).await?;
            Ok(Written::Done)
        }
        MailWrite::Sweep { older_than, most } => {
            let most = i64::from(*most);
            Ok(Written::Swept(execute(tx, SWEEP_MAIL, [&older_than.0, &most]).await?))
        }
    }
}

/// In the transaction of what it tells of.
pub(super) async fn put(tx: &Transaction<'_>, mail: &NewMail) -> Result<(), Error> {
    let NewMail { id, kind, recipient, subject, body, at, until } = mail;
    execute(tx, PUT_MAIL, [&id.0, kind, recipient, subject, &body.0, &at.0, &until.0])
        .await
        .map(drop)
}

/// Confirms these orders, in the transaction that places them.
pub(super) async fn confirm<'a>(
    tx: &Transaction<'_>,
    placed: impl Iterator<Item = &'a Placing>,
    ids: &dyn Ids,
) -> Result<(), Error> {
    let placed: Vec<_> = placed.filter(|placing| !placing.order.email.is_empty()).collect();
    let orders = || placed.iter().map(|placing| &placing.order);
    let kind = OrderLetter::Placed.as_str();
    let mails: Vec<_> = orders().map(|_| ids.next()).collect();
    let recipients: Vec<_> = orders().map(|order| order.email.as_str()).collect();
    let tokens: Vec<_> =
        placed.iter().map(|one| one.token.as_ref().map_or("", |token| token.expose())).collect();
    let at: Vec<_> = orders().map(|order| order.placed_at.0).collect();
    let until: Vec<_> = orders().map(|order| order.placed_at.plus(OrderLetter::LASTS).0).collect();
    let of: Vec<_> = orders().map(|order| order.id.0).collect();
    let params: [Param<'_>; 7] = [&kind, &mails, &recipients, &tokens, &at, &until, &of];
    execute(tx, PUT_PLACED, params).await.map(drop)
}

/// Tells an order's buyer of its move, in the transaction that makes it.
pub(super) async fn tell(
    tx: &Transaction<'_>,
    order: OrderId,
    letter: OrderLetter,
    at: Micros,
    ids: &dyn Ids,
) -> Result<(), Error> {
    let (id, kind, until) = (ids.next(), letter.as_str(), at.plus(OrderLetter::LASTS).0);
    let params: [Param<'_>; 5] = [&id, &kind, &at.0, &until, &order.0];
    execute(tx, PUT_MOVED, params).await.map(drop)
}
