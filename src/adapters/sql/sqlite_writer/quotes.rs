//! A quote is kept, with the prices that were agreed on and the mail that tells of it.

use super::{mail, rules};
use crate::{
    adapters::sql::{audit, texts::statements},
    ports::{
        quotes::{QuoteWrite, QuoteWritten},
        rules::RuleWritten,
        writer::Written,
    },
};
use sqlx::{SqliteConnection, types::Json};

statements! {
    PUT_QUOTE = { sqlite:
        "INSERT INTO quote (id, customer_id, asked_by, email, status, version, body, valid_until,
             created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)" };
    MOVE_QUOTE = { sqlite:
        "UPDATE quote SET status = $2, version = $3, body = $4, valid_until = $5, updated_at = $6
         WHERE id = $1 AND version = $7" };
}

pub(super) async fn keep(
    conn: &mut SqliteConnection,
    write: &QuoteWrite,
) -> Result<Written, sqlx::Error> {
    let quote = &write.quote;
    let kept = match write.was {
        None => sqlx::query(PUT_QUOTE.sqlite)
            .bind(quote.id.0)
            .bind(quote.customer.0)
            .bind(&quote.asked_by)
            .bind(&quote.email)
            .bind(quote.status.as_str())
            .bind(quote.version)
            .bind(Json(&quote.body))
            .bind(quote.valid_until.map(|at| at.0))
            .bind(quote.created_at.0)
            .bind(quote.updated_at.0),
        Some(was) => sqlx::query(MOVE_QUOTE.sqlite)
            .bind(quote.id.0)
            .bind(quote.status.as_str())
            .bind(quote.version)
            .bind(Json(&quote.body))
            .bind(quote.valid_until.map(|at| at.0))
            .bind(quote.updated_at.0)
            .bind(was),
    };
    if kept.execute(&mut *conn).await?.rows_affected() == 0 {
        return Ok(Written::Quote(QuoteWritten::Stale));
    }
    for rule in &write.rules {
        match rules::act(conn, rule).await? {
            Written::Rule(RuleWritten::Put(_) | RuleWritten::Prices(_)) => {}
            other => {
                let told = format!("what was agreed on can't be priced: {other:?}");
                return Err(sqlx::Error::Protocol(told));
            }
        }
    }
    for new in &write.mails {
        mail::put(conn, new).await?;
    }
    audit::append(conn, &write.told).await?;
    Ok(Written::Quote(QuoteWritten::Kept(Box::new(quote.clone()))))
}
