//! What was answered under a name; see `ports::once`. The writer keeps the rows.

use super::{SqlStore, error::not_ours, on, texts::statements};
use crate::{
    domain::once::{BodyHash, Kept, KeptAnswer, OnceName},
    ports::{StoreError, once::KeptAnswers},
};
use async_trait::async_trait;
use sqlx::types::Json;
use sqlx_macros::FromRow;

statements! {
    FIND = "SELECT body_hash, status, headers, body FROM idempotency WHERE name = $1";
}

#[derive(FromRow)]
struct KeptRow {
    body_hash: Vec<u8>,
    status: i32,
    headers: Json<Vec<(String, String)>>,
    body: String,
}

#[async_trait]
impl KeptAnswers for SqlStore {
    async fn find(&self, name: OnceName) -> Result<Option<Kept>, StoreError> {
        let row: Option<KeptRow> = on!(self, FIND, |pool, text| {
            sqlx::query_as(text).bind(name.0.as_slice()).fetch_optional(pool).await
        })?;
        let Some(row) = row else { return Ok(None) };
        let body = row.body_hash.try_into().map_err(|_| not_ours("the hash of a kept body"))?;
        let status = u16::try_from(row.status).map_err(not_ours)?;
        let answer = KeptAnswer { status, headers: row.headers.0, body: row.body };
        Ok(Some(Kept { body: BodyHash(body), answer }))
    }
}
