//! The queue of mail, looked at; see `ports::mail`. The writer fills and empties it.

use super::{SqlStore, on, texts::statements};
use crate::{
    domain::time::Micros,
    ports::{StoreError, mail::MailQueue},
};
use async_trait::async_trait;

statements! {
    NEXT_DUE = "SELECT min(due_at) FROM mail WHERE state = 'waiting'";
    COUNT = "SELECT count(*) FROM mail WHERE state = $1";
}

#[async_trait]
impl MailQueue for SqlStore {
    async fn next_due(&self) -> Result<Option<Micros>, StoreError> {
        let due: Option<i64> =
            on!(self, NEXT_DUE, |pool, text| sqlx::query_scalar(text).fetch_one(pool).await)?;
        Ok(due.map(Micros))
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
}
