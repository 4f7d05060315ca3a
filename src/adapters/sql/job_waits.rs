//! How long queues make their jobs wait; see `ports::jobs`.

use super::{SqlStore, on, texts::statements};
use crate::{
    domain::{job::Queue, time::Micros},
    ports::{StoreError, jobs::Waits},
};
use async_trait::async_trait;
use sqlx_macros::FromRow;

statements! {
    /// Two steps along an index each: the first that is ready, and the first that has come due and
    /// that no claim has made ready. Suspects wait for another pool.
    WAITING_SINCE = {
        sqlite:
            "SELECT q.value AS queue,
                 (SELECT due_at FROM job WHERE queue = q.value AND state = 'ready'
                      AND losses = 0 ORDER BY rank_at LIMIT 1) AS ready_at,
                 (SELECT due_at FROM job WHERE queue = q.value AND state = 'scheduled'
                      AND blocked = 0 AND losses = 0 ORDER BY due_at LIMIT 1) AS due_at
             FROM json_each($1) q
             WHERE NOT EXISTS (SELECT 1 FROM job_queue p WHERE p.queue = q.value AND p.paused = 1)
                 AND NOT EXISTS (SELECT 1 FROM maintenance WHERE one = 1 AND pauses = 1
                     AND ends_at > $2)",
        postgres:
            "SELECT q.queue,
                 (SELECT j.due_at FROM job j WHERE j.queue = q.queue AND state = 'ready'
                      AND losses = 0 ORDER BY j.rank_at LIMIT 1) AS ready_at,
                 (SELECT j.due_at FROM job j WHERE j.queue = q.queue AND state = 'scheduled'
                      AND NOT blocked AND losses = 0 ORDER BY j.due_at LIMIT 1) AS due_at
             FROM (SELECT jsonb_array_elements_text($1) AS queue) q
             WHERE NOT EXISTS (SELECT 1 FROM job_queue p WHERE p.queue = q.queue AND p.paused)
                 AND NOT EXISTS (SELECT 1 FROM maintenance WHERE one = 1 AND pauses
                     AND ends_at > $2)",
    };
}

#[derive(FromRow)]
struct WaitRow {
    queue: String,
    ready_at: Option<i64>,
    due_at: Option<i64>,
}

#[async_trait]
impl Waits for SqlStore {
    async fn waiting_since(
        &self,
        queues: &[Queue],
        now: Micros,
    ) -> Result<Vec<(Queue, Micros)>, StoreError> {
        let names: Vec<_> = queues.iter().map(|queue| queue.as_str()).collect();
        let rows: Vec<WaitRow> = on!(self, WAITING_SINCE, |pool, text| sqlx::query_as(text)
            .bind(sqlx::types::Json(names))
            .bind(now.0)
            .fetch_all(pool)
            .await)?;
        let since = rows.into_iter().filter_map(|row| {
            let first = row.ready_at.into_iter().chain(row.due_at).min()?;
            (first <= now.0).then_some((Queue::parse(&row.queue)?, Micros(first)))
        });
        Ok(since.collect())
    }
}
