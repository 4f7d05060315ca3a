//! A quote is kept, with the prices that were agreed on and the mail that tells of it.

use super::{Failure, audit, mail, rules};
use crate::{
    adapters::postgres::statement::{Param, execute, statements},
    ports::{
        StoreError,
        quotes::{QuoteWrite, QuoteWritten},
        rules::RuleWritten,
        writer::Written,
    },
};
use deadpool_postgres::Transaction;

statements! {
    PUT_QUOTE =
        "INSERT INTO quote (id, customer_id, asked_by, email, status, version, body, valid_until,
             created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7::text::jsonb, $8, $9, $10)";
    MOVE_QUOTE =
        "UPDATE quote SET status = $2, version = $3, body = $4::text::jsonb, valid_until = $5,
             updated_at = $6
         WHERE id = $1 AND version = $7";
}

pub(super) async fn keep(tx: &Transaction<'_>, write: &QuoteWrite) -> Result<Written, Failure> {
    let quote = &write.quote;
    let status = quote.status.as_str();
    // Serialising what is made of texts and numbers can't fail.
    let body = serde_json::to_string(&quote.body).unwrap_or_default();
    let until = quote.valid_until.map(|at| at.0);
    let kept = match write.was {
        None => {
            let params: [Param<'_>; 10] = [
                &quote.id.0,
                &quote.customer.0,
                &quote.asked_by,
                &quote.email,
                &status,
                &quote.version,
                &body,
                &until,
                &quote.created_at.0,
                &quote.updated_at.0,
            ];
            execute(tx, PUT_QUOTE, params).await?
        }
        Some(was) => {
            let params: [Param<'_>; 7] =
                [&quote.id.0, &status, &quote.version, &body, &until, &quote.updated_at.0, &was];
            execute(tx, MOVE_QUOTE, params).await?
        }
    };
    if kept == 0 {
        return Ok(Written::Quote(QuoteWritten::Stale));
    }
    for rule in &write.rules {
        match rules::act(tx, rule).await? {
            Written::Rule(RuleWritten::Put(_) | RuleWritten::Prices(_)) => {}
            other => {
                let told = format!("what was agreed on can't be priced: {other:?}");
                return Err(StoreError::Refused(told).into());
            }
        }
    }
    for new in &write.mails {
        mail::put(tx, new).await?;
    }
    audit::append(tx, &write.told).await?;
    Ok(Written::Quote(QuoteWritten::Kept(Box::new(quote.clone()))))
}
