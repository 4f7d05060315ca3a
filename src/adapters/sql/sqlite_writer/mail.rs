//! Mail is put there with its job, and done with.

use super::{jobs, products::Hex, rows};
use crate::{
    adapters::sql::{audit, texts::statements},
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
use sqlx::{SqliteConnection, types::Json};
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
    MAILS_SENT = { sqlite:
        "UPDATE mail SET state = 'sent', body = NULL, failure = NULL, sent_at = s.at
         FROM (SELECT unhex(value->>0) AS id, value->>1 AS at FROM json_each($1)) s
         WHERE mail.id = s.id AND mail.state = 'waiting'" };
    /// One that tells of an order keeps what it needs to be tried again by hand.
    GIVEN_UP = { sqlite:
        "UPDATE mail SET state = 'failed',
             body = CASE WHEN order_id IS NULL THEN NULL ELSE body END
         WHERE id IN (SELECT unhex(value) FROM json_each($1)) AND state = 'waiting'" };
    WANTED_AGAIN = { sqlite:
        "UPDATE mail SET state = 'waiting'
         WHERE id = $1 AND state = 'failed' AND body IS NOT NULL" };
    RETRY_MAIL = { sqlite:
        "UPDATE mail SET state = 'waiting',
             until = CASE WHEN order_id IS NOT NULL AND until < $2 THEN $2 ELSE until END
         WHERE id = $1 AND state <> 'sent' AND body IS NOT NULL
         RETURNING until" };
    SWEEP_MAIL = { sqlite:
        "DELETE FROM mail WHERE id IN (
             SELECT id FROM mail WHERE state <> 'waiting' AND created_at < $1
             ORDER BY created_at LIMIT $2)" };
}

pub(super) async fn apply(
    conn: &mut SqliteConnection,
    write: &MailWrite,
) -> Result<Written, sqlx::Error> {
    match write {
        MailWrite::Retry { id, at, until, by } => {
            let retry = sqlx::query_scalar(RETRY_MAIL.sqlite).bind(id.0).bind(until.0);
            let until: Option<i64> = retry.fetch_optional(&mut *conn).await?;
            let Some(until) = until.map(Micros) else { return Ok(Written::Absent) };
            let job = JobId(id.0);
            if !jobs::act_on(conn, JobAct::Retry, job, *at, Some(until)).await? {
                // It is under way; or it is forgotten, and put anew.
                jobs::put(conn, &[SendMail::job(*id, *at, until)]).await?;
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
        .execute(&mut *conn)
        .await?;
    jobs::put(conn, &[SendMail::job(mail.id, mail.at, mail.until)]).await
}

/// Confirms these orders, in the transaction that places them.
pub(super) async fn confirm<'a>(
    conn: &mut SqliteConnection,
    placed: impl Iterator<Item = &'a Placing>,
    ids: &dyn Ids,
) -> Result<(), sqlx::Error> {
    let placed: Vec<_> = placed
        .filter(|placing| !placing.order.email.is_empty())
        .map(|placing| (placing, ids.next(), placing.order.placed_at.plus(OrderLetter::LASTS)))
        .collect();
    let put = rows::put(
        conn,
        PUT_PLACED,
        &placed,
        |values, (Placing { order, token, .. }, id, until)| {
            let at = order.placed_at;
            values.bind(*id).bind(OrderLetter::Placed.as_str()).bind(&order.email);
            values.bind(token.as_ref().map_or("", |token| token.expose())).bind(at.0);
            values.bind(until.0).bind(at.0).bind(order.id.0);
        },
    );
    put.await?;
    let sending = placed
        .iter()
        .map(|(placing, id, until)| SendMail::job(MailId(*id), placing.order.placed_at, *until));
    jobs::put(conn, &sending.collect::<Vec<_>>()).await
}

/// Tells an order's buyer of its move, in the transaction that makes it.
pub(super) async fn tell(
    conn: &mut SqliteConnection,
    order: OrderId,
    letter: OrderLetter,
    at: Micros,
    ids: &dyn Ids,
) -> Result<(), sqlx::Error> {
    let (id, until) = (ids.next(), at.plus(OrderLetter::LASTS));
    let put = sqlx::query(PUT_MOVED.sqlite).bind(id).bind(letter.as_str()).bind(at.0);
    let put = put.bind(until.0).bind(order.0).execute(&mut *conn).await?;
    if put.rows_affected() > 0 {
        jobs::put(conn, &[SendMail::job(MailId(id), at, until)]).await?;
    }
    Ok(())
}

/// With their jobs' end: what they said is forgotten.
pub(super) async fn sent(
    conn: &mut SqliteConnection,
    mails: &[(MailId, Micros)],
) -> Result<(), sqlx::Error> {
    let mails: Vec<_> = mails.iter().map(|(id, at)| (Hex(id.0), at.0)).collect();
    sqlx::query(MAILS_SENT.sqlite).bind(Json(mails)).execute(conn).await.map(drop)
}

/// With their jobs, of which not all need be a mail's.
pub(super) async fn given_up(
    conn: &mut SqliteConnection,
    jobs: Vec<Uuid>,
) -> Result<(), sqlx::Error> {
    let jobs: Vec<_> = jobs.into_iter().map(Hex).collect();
    sqlx::query(GIVEN_UP.sqlite).bind(Json(jobs)).execute(conn).await.map(drop)
}

/// With its job, if that is a mail's.
pub(super) async fn wanted_again(
    conn: &mut SqliteConnection,
    job: Uuid,
) -> Result<(), sqlx::Error> {
    sqlx::query(WANTED_AGAIN.sqlite).bind(job).execute(conn).await.map(drop)
}
