//! Mail is put into the queue, tried, and done with.

use crate::{
    adapters::postgres::statement::{execute, query, statements},
    domain::{id::MailId, time::Micros},
    ports::{
        mail::{MailBody, MailWrite, NewMail, WaitingMail},
        writer::Written,
    },
};
use deadpool_postgres::{
    Transaction,
    tokio_postgres::{Error, Row},
};

statements! {
    PUT_MAIL =
        "INSERT INTO mail (id, kind, recipient, subject, body, state, attempts, due_at, until,
             created_at)
         VALUES ($1, $2, $3, $4, $5, 'waiting', 0, $6, $7, $6)";
    CLAIM_MAIL =
        "UPDATE mail SET attempts = attempts + 1, due_at = $2
         WHERE id IN (SELECT id FROM mail WHERE state = 'waiting' AND due_at <= $1
                      ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
         RETURNING id, kind, recipient, subject, body, attempts, until, created_at";
    MAIL_SENT =
        "UPDATE mail SET state = 'sent', body = NULL, failure = NULL, sent_at = $2
         WHERE id = $1 AND state = 'waiting'";
    MAIL_RETRIED = "UPDATE mail SET due_at = $2, failure = $3 WHERE id = $1 AND state = 'waiting'";
    MAIL_FAILED =
        "UPDATE mail SET state = 'failed', body = NULL, failure = $2
         WHERE id = $1 AND state = 'waiting'";
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
