//! What was answered under which name; see `ports::writer::Once`.
//!
//! Another node that is at the same name shows as its row is kept: the statement waits for that
//! node's end, and then this transaction is done again and finds the answer.

use super::Failure;
use crate::{
    adapters::postgres::statement::{execute, query, statements},
    domain::{
        once::{BodyHash, Kept, KeptAnswer, OnceName},
        time::Micros,
    },
    ports::{
        StoreError,
        writer::{Keep, Written},
    },
};
use deadpool_postgres::{
    Transaction,
    tokio_postgres::{Error, Row, error::SqlState},
};
use std::collections::HashMap;

/// How long another node is waited for; below the patience of whoever asked.
const WAIT_MS: &str = "2000";

statements! {
    KEPT =
        "SELECT name, body_hash, status, headers::text, body FROM idempotency WHERE name = ANY($1)";
    WAIT = "SELECT set_config('lock_timeout', $1, true)";
    /// In the order of the list, which is by name.
    KEEP =
        "INSERT INTO idempotency (name, body_hash, status, headers, body, at)
         SELECT name, body_hash, status, headers::jsonb, body, at
         FROM unnest($1::bytea[], $2::bytea[], $3::int[], $4::text[], $5::text[], $6::bigint[])
             WITH ORDINALITY k (name, body_hash, status, headers, body, at, n)
         ORDER BY n ON CONFLICT (name) DO NOTHING";
    FORGET =
        "DELETE FROM idempotency
         WHERE id IN (SELECT id FROM idempotency ORDER BY id LIMIT $2) AND at < $1";
}

pub(super) async fn kept(
    tx: &Transaction<'_>,
    names: &[OnceName],
) -> Result<HashMap<OnceName, Kept>, Failure> {
    let names: Vec<&[u8]> = names.iter().map(|name| name.0.as_slice()).collect();
    query(tx, KEPT, [&names]).await?.iter().map(of_row).collect()
}

fn of_row(row: &Row) -> Result<(OnceName, Kept), Failure> {
    // A CHECK holds their length.
    let half = |name: &str| -> Result<[u8; 16], Error> {
        Ok(row.try_get::<_, &[u8]>(name)?.try_into().unwrap_or_default())
    };
    let headers = serde_json::from_str(row.try_get("headers")?)
        .map_err(|error| StoreError::Corrupt(format!("a kept answer's headers: {error}")))?;
    let answer = KeptAnswer {
        status: u16::try_from(row.try_get::<_, i32>("status")?).unwrap_or_default(),
        headers,
        body: row.try_get("body")?,
    };
    Ok((OnceName(half("name")?), Kept { body: BodyHash(half("body_hash")?), answer }))
}

pub(super) async fn keep(tx: &Transaction<'_>, answers: &[Keep<'_>]) -> Result<(), Failure> {
    let names: Vec<&[u8]> = answers.iter().map(|keep| keep.name.0.as_slice()).collect();
    let bodies: Vec<&[u8]> = answers.iter().map(|keep| keep.body.0.as_slice()).collect();
    let status: Vec<i32> = answers.iter().map(|keep| keep.answer.status.into()).collect();
    let headers: Vec<String> = answers
        .iter()
        .map(|keep| serde_json::to_string(&keep.answer.headers).unwrap_or_default())
        .collect();
    let texts: Vec<&str> = answers.iter().map(|keep| keep.answer.body.as_str()).collect();
    let at: Vec<i64> = answers.iter().map(|keep| keep.at.0).collect();
    let kept = tokio::try_join!(
        biased;
        query(tx, WAIT, [&WAIT_MS]),
        execute(tx, KEEP, [&names, &bodies, &status, &headers, &texts, &at]),
    );
    match kept {
        Ok((_, kept)) if kept == answers.len() as u64 => Ok(()),
        Ok(_) => Err(Failure::Again(StoreError::Unavailable("another node answered it".into()))),
        Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => Err(Failure::Held),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn forget(
    tx: &Transaction<'_>,
    older_than: Micros,
    most: u32,
) -> Result<Written, Error> {
    let most = i64::from(most);
    Ok(Written::Swept(execute(tx, FORGET, [&older_than.0, &most]).await?))
}
