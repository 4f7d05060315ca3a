//! Mail is put there with its job, and done with.

use super::{audit, jobs};
use crate::{
    adapters::postgres::statement::{Param, execute, query, statements},
    domain::{
        id::{JobId, MailId, OrderId},
        order::OrderLetter,
        placing::Placing,
        time::Micros,
    },
    ports::{
        clock::Ids,
        jobs::JobAct,
        mail::{MailWrite, NewMail, SendMail},
        writer::Written,
    },
};
use deadpool_postgres::{Transaction, tokio_postgres::Error};
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
    MAILS_SENT =
        "UPDATE mail SET state = 'sent', body = NULL, failure = NULL, sent_at = s.at
         FROM unnest($1::uuid[], $2::bigint[]) s (id, at)
         WHERE mail.id = s.id AND mail.state = 'waiting'";
    /// One that tells of an order keeps what it needs to be tried again by hand.
    GIVEN_UP =
        "UPDATE mail SET state = 'failed',
             body = CASE WHEN order_id IS NULL THEN NULL ELSE body END
         WHERE id = ANY($1) AND state = 'waiting'";
    WANTED_AGAIN =
        "UPDATE mail SET state = 'waiting'
         WHERE id = $1 AND state = 'failed' AND body IS NOT NULL";
    RETRY_MAIL =
        "UPDATE mail SET state = 'waiting',
             until = CASE WHEN order_id IS NOT NULL AND until < $2 THEN $2 ELSE until END
         WHERE id = $1 AND state <> 'sent' AND body IS NOT NULL
         RETURNING until";
    SWEEP_MAIL =
        "DELETE FROM mail WHERE id IN (
             SELECT id FROM mail WHERE state <> 'waiting' AND created_at < $1
             ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)";
}

pub(super) async fn apply(tx: &Transaction<'_>, write: &MailWrite) -> Result<Written, Error> {
    match write {
        MailWrite::Retry { id, at, until, by } => {
            let rows = query(tx, RETRY_MAIL, [&id.0, &until.0]).await?;
            let Some(row) = rows.first() else { return Ok(Written::Absent) };
            let (job, until) = (JobId(id.0), Micros(row.try_get(0)?));
            if !jobs::act_on(tx, JobAct::Retry, job, *at, Some(until)).await? {
                // It is under way; or it is forgotten, and put anew.
                jobs::send(tx, &[SendMail::job(*id, *at, until)]).await?;
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
    execute(tx, PUT_MAIL, [&id.0, kind, recipient, subject, &body.0, &at.0, &until.0]).await?;
    jobs::send(tx, &[SendMail::job(*id, *at, *until)]).await.map(drop)
}

/// Confirms these orders, in the transaction that places them.
pub(super) async fn confirm<'a>(
    tx: &Transaction<'_>,
    placed: impl Iterator<Item = &'a Placing>,
    ids: &dyn Ids,
) -> Result<(), Error> {
    let placed: Vec<_> = placed.filter(|placing| !placing.order.email.is_empty()).collect();
    if placed.is_empty() {
        return Ok(());
    }
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
    execute(tx, PUT_PLACED, params).await?;
    let sending = mails.iter().zip(at.iter().zip(&until));
    let sending =
        sending.map(|(id, (at, until))| SendMail::job(MailId(*id), Micros(*at), Micros(*until)));
    jobs::send(tx, &sending.collect::<Vec<_>>()).await.map(drop)
}

/// Tells an order's buyer of its move, in the transaction that makes it.
pub(super) async fn tell(
    tx: &Transaction<'_>,
    order: OrderId,
    letter: OrderLetter,
    at: Micros,
    ids: &dyn Ids,
) -> Result<(), Error> {
    let (id, kind, until) = (ids.next(), letter.as_str(), at.plus(OrderLetter::LASTS));
    let params: [Param<'_>; 5] = [&id, &kind, &at.0, &until.0, &order.0];
    if execute(tx, PUT_MOVED, params).await? > 0 {
        jobs::send(tx, &[SendMail::job(MailId(id), at, until)]).await?;
    }
    Ok(())
}

/// With their jobs' end: what they said is forgotten.
pub(super) async fn sent(tx: &Transaction<'_>, mails: &[(MailId, Micros)]) -> Result<(), Error> {
    let (ids, at): (Vec<_>, Vec<_>) = mails.iter().map(|(id, at)| (id.0, at.0)).unzip();
    execute(tx, MAILS_SENT, [&ids, &at]).await.map(drop)
}

/// With their jobs, of which not all need be a mail's.
pub(super) async fn given_up(tx: &Transaction<'_>, jobs: &[Uuid]) -> Result<(), Error> {
    execute(tx, GIVEN_UP, [&jobs]).await.map(drop)
}

/// With its job, if that is a mail's.
pub(super) async fn wanted_again(tx: &Transaction<'_>, job: Uuid) -> Result<(), Error> {
    execute(tx, WANTED_AGAIN, [&job]).await.map(drop)
}
