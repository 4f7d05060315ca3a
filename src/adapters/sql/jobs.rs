//! The queue looked at; see `ports::jobs`. The writer fills and empties it.

mod rows;

use super::{
    Pools, SqlStore,
    error::not_ours,
    on,
    texts::{Sql, pattern, statements},
};
use crate::{
    domain::{
        id::JobId,
        job::{Family, JobState, Queue, Rate, Sharing, Within},
        time::Micros,
    },
    ports::{
        StoreError,
        jobs::{JobFilter, JobNow, Jobs, QueueDue, QueueNow, TopicRate, Worker},
    },
};
use async_trait::async_trait;
use rows::{JobRow, WorkerRow};
use sqlx_macros::FromRow;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Of one job, as JSON text where that differs; then what picks them.
macro_rules! columns {
    ($body:literal, $rest:literal) => {
        concat!(
            "SELECT id, topic, version, ",
            $body,
            " AS body, queue, priority, state, attempt, failures, losses, sent_at, due_at,
                 expires_at, lane, blocked, worker, started_at, ended_at,
                 cancel_at IS NOT NULL AND ended_at IS NULL AS cancelling, error, root,
                 CASE WHEN told_attempt = attempt AND state <> 'succeeded'
                      THEN steps_done END AS steps_done, steps_all,
                 (SELECT a.root FROM job_after a WHERE a.job = job.id) AS after
             FROM job ",
            $rest
        )
    };
}

/// The same for both.
macro_rules! of_jobs {
    ($rest:literal) => {
        Sql { sqlite: columns!("body", $rest), postgres: columns!("body::text", $rest) }
    };
}

const BY_ID_TEXT: Sql = of_jobs!("WHERE id = $1");
/// A page of those; what stands at a place of their body (`$7`) is one of two values.
macro_rules! page_of_jobs {
    ($picks:literal) => {
        Sql {
            sqlite: concat!(
                columns!("body", $picks),
                " AND ($7 IS NULL OR body -> $7 IN ($8, $9)) ORDER BY id DESC LIMIT $6"
            ),
            postgres: concat!(
                columns!("body::text", $picks),
                " AND ($7::text IS NULL
                      OR body #> ARRAY(SELECT jsonb_array_elements_text($7::text::jsonb))
                             IN ($8::text::jsonb, $9::text::jsonb))
                  ORDER BY id DESC LIMIT $6"
            ),
        }
    };
}

const LIST_TEXT: Sql = page_of_jobs!(
    "WHERE id < $1 AND ($2 = '' OR state = $2) AND ($3 = '' OR queue = $3)
         AND ($4 = '' OR topic = $4) AND ($5 = '' OR error LIKE $5 ESCAPE '!')"
);
/// Few among many: by an index of their own.
const TROUBLE_TEXT: Sql = page_of_jobs!(
    "WHERE id < $1 AND state = $2 AND state IN ('failed', 'dead', 'cancelled')
         AND ($3 = '' OR queue = $3) AND ($4 = '' OR topic = $4)
         AND ($5 = '' OR error LIKE $5 ESCAPE '!')"
);
/// Of one family.
const CHILDREN_TEXT: Sql = page_of_jobs!(
    "WHERE id < $1 AND ($2 = '' OR state = $2) AND ($3 = '' OR queue = $3)
         AND ($4 = '' OR topic = $4) AND ($5 = '' OR error LIKE $5 ESCAPE '!')
         AND root = $10 AND root IS NOT NULL"
);

statements! {
    CHILDREN = { sqlite: (CHILDREN_TEXT.sqlite), postgres: (CHILDREN_TEXT.postgres) };
    /// Each root's children are counted along its part of their index.
    FAMILIES = {
        sqlite:
            "SELECT root, state, count(*) AS jobs FROM job
             WHERE root IS NOT NULL AND root IN (SELECT unhex(value) FROM json_each($1))
             GROUP BY root, state",
        postgres:
            "SELECT r.root, f.state, f.jobs
             FROM (SELECT DISTINCT jsonb_array_elements_text($1)::uuid AS root) r
             CROSS JOIN LATERAL (
                 SELECT j.state, count(*) AS jobs FROM job j
                 WHERE j.root = r.root AND j.root IS NOT NULL GROUP BY j.state) f",
    };
    BY_ID = { sqlite: (BY_ID_TEXT.sqlite), postgres: (BY_ID_TEXT.postgres) };
    LIST = { sqlite: (LIST_TEXT.sqlite), postgres: (LIST_TEXT.postgres) };
    TROUBLE = { sqlite: (TROUBLE_TEXT.sqlite), postgres: (TROUBLE_TEXT.postgres) };
    TURNED = {
        sqlite: "SELECT queue, paused, set_by, set_at, mode, weights FROM job_queue",
        postgres: "SELECT queue, paused, set_by, set_at, mode, weights::text FROM job_queue",
    };
    RATES = "SELECT topic, jobs, seconds, set_by, set_at FROM job_rate ORDER BY topic";
    COUNTS =
        "SELECT queue, state, count(*) AS jobs, min(due_at) AS due_at FROM job
         WHERE state = 'ready' AND losses = 0 GROUP BY queue, state
         UNION ALL
         SELECT queue, state, count(*), min(due_at) FROM job
         WHERE state = 'ready' AND losses > 0 GROUP BY queue, state
         UNION ALL
         SELECT queue, state, count(*), min(due_at) FROM job
         WHERE state = 'scheduled' GROUP BY queue, state
         UNION ALL
         SELECT queue, state, count(*), min(due_at) FROM job
         WHERE worker IS NOT NULL GROUP BY queue, state
         UNION ALL
         SELECT queue, state, count(*), min(due_at) FROM job
         WHERE state IN ('failed', 'dead', 'cancelled') GROUP BY queue, state";
    NEXT_DUE = {
        sqlite:
            "SELECT q.value AS queue,
                 EXISTS (SELECT 1 FROM job WHERE queue = q.value AND state = 'ready'
                     AND losses = 0) AS ready,
                 EXISTS (SELECT 1 FROM job WHERE queue = q.value AND state = 'ready'
                     AND losses > 0) AS suspects,
                 (SELECT min(due_at) FROM job WHERE queue = q.value
                     AND state = 'scheduled' AND blocked = 0) AS next_at
             FROM json_each($1) q
             WHERE NOT EXISTS (SELECT 1 FROM job_queue p WHERE p.queue = q.value AND p.paused = 1)
                 AND NOT EXISTS (SELECT 1 FROM maintenance WHERE one = 1 AND pauses = 1
                     AND ends_at > $2)",
        postgres:
            "SELECT q.queue,
                 EXISTS (SELECT 1 FROM job j WHERE j.queue = q.queue AND state = 'ready'
                     AND losses = 0) AS ready,
                 EXISTS (SELECT 1 FROM job j WHERE j.queue = q.queue AND state = 'ready'
                     AND losses > 0) AS suspects,
                 (SELECT min(due_at) FROM job j WHERE j.queue = q.queue
                     AND state = 'scheduled' AND NOT blocked) AS next_at
             FROM (SELECT jsonb_array_elements_text($1) AS queue) q
             WHERE NOT EXISTS (SELECT 1 FROM job_queue p WHERE p.queue = q.queue AND p.paused)
                 AND NOT EXISTS (SELECT 1 FROM maintenance WHERE one = 1 AND pauses
                     AND ends_at > $2)",
    };
    RELEASED =
        "SELECT EXISTS (SELECT 1 FROM job_after a
             WHERE NOT EXISTS (SELECT 1 FROM job r WHERE r.id = a.root
                     AND r.state IN ('scheduled', 'ready', 'running'))
                 AND NOT EXISTS (SELECT 1 FROM job c WHERE c.root = a.root AND c.root IS NOT NULL
                     AND c.state IN ('scheduled', 'ready', 'running')))";
    NEXT_EXPIRY =
        "SELECT min(expires_at) FROM job
         WHERE expires_at IS NOT NULL AND state IN ('scheduled', 'ready')";
    WORKERS =
        "SELECT id, name, beat, joined_at, seen_at,
             (SELECT count(*) FROM job j WHERE j.worker = w.id AND j.worker IS NOT NULL) AS jobs
         FROM job_worker w ORDER BY joined_at, id";
}

#[derive(FromRow)]
struct DueRow {
    queue: String,
    ready: bool,
    suspects: bool,
    next_at: Option<i64>,
}

#[derive(FromRow)]
struct FamilyRow {
    root: Uuid,
    state: String,
    jobs: i64,
}

#[derive(FromRow)]
struct CountRow {
    queue: String,
    state: String,
    jobs: i64,
    due_at: Option<i64>,
}

#[derive(FromRow)]
struct TurnedRow {
    queue: String,
    paused: bool,
    set_by: String,
    set_at: i64,
    mode: String,
    weights: String,
}

#[derive(FromRow)]
struct RateRow {
    topic: String,
    jobs: i64,
    seconds: i64,
    set_by: String,
    set_at: i64,
}

impl TryFrom<RateRow> for TopicRate {
    type Error = StoreError;

    fn try_from(row: RateRow) -> Result<Self, StoreError> {
        let rate = Rate::of_row(row.jobs, row.seconds);
        Ok(Self {
            topic: row.topic,
            rate: rate.ok_or_else(|| not_ours("a topic's rate is none that we know"))?,
            set_by: row.set_by,
            set_at: Micros(row.set_at),
        })
    }
}

impl SqlStore {
    /// A place in a body, as each database names one.
    fn place(&self, body: &Within) -> String {
        match &self.pools {
            Pools::Sqlite { .. } => {
                body.steps().iter().fold("$".to_owned(), |path, step| {
                    match step.bytes().all(|byte| byte.is_ascii_digit()) {
                        true => format!("{path}[{step}]"),
                        false => format!("{path}.\"{step}\""),
                    }
                })
            }
            Pools::Postgres(_) => serde_json::json!(body.steps()).to_string(),
        }
    }
}

#[async_trait]
impl Jobs for SqlStore {
    async fn next_due(&self, queues: &[Queue], now: Micros) -> Result<Vec<QueueDue>, StoreError> {
        let names: Vec<_> = queues.iter().map(|queue| queue.as_str()).collect();
        let rows: Vec<DueRow> = on!(self, NEXT_DUE, |pool, text| sqlx::query_as(text)
            .bind(sqlx::types::Json(names))
            .bind(now.0)
            .fetch_all(pool)
            .await)?;
        let due = rows.into_iter().filter_map(|row| {
            let DueRow { queue, ready, suspects, next_at } = row;
            let queue = Queue::parse(&queue)?;
            Some(QueueDue { queue, ready, suspects, next_at: next_at.map(Micros) })
        });
        Ok(due.collect())
    }

    async fn are_released(&self) -> Result<bool, StoreError> {
        on!(self, RELEASED, |pool, text| sqlx::query_scalar(text).fetch_one(pool).await)
    }

    async fn next_expiry(&self) -> Result<Option<Micros>, StoreError> {
        let next: Option<i64> =
            on!(self, NEXT_EXPIRY, |pool, text| sqlx::query_scalar(text).fetch_one(pool).await)?;
        Ok(next.map(Micros))
    }

    async fn workers(&self) -> Result<Vec<Worker>, StoreError> {
        let rows: Vec<WorkerRow> =
            on!(self, WORKERS, |pool, text| sqlx::query_as(text).fetch_all(pool).await)?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    async fn queues(&self) -> Result<Vec<QueueNow>, StoreError> {
        let counts: Vec<CountRow> =
            on!(self, COUNTS, |pool, text| sqlx::query_as(text).fetch_all(pool).await)?;
        let turned: Vec<TurnedRow> =
            on!(self, TURNED, |pool, text| sqlx::query_as(text).fetch_all(pool).await)?;
        let now = |queue: &Queue| {
            let of = |states: &[JobState]| {
                let is_it = |row: &&CountRow| {
                    let state = JobState::parse(&row.state);
                    row.queue == queue.as_str() && state.is_some_and(|s| states.contains(&s))
                };
                let jobs: i64 = counts.iter().filter(is_it).map(|row| row.jobs).sum();
                u64::try_from(jobs).unwrap_or_default()
            };
            let waits = |row: &&CountRow| row.queue == queue.as_str() && row.state == "ready";
            let oldest = counts.iter().filter(waits).filter_map(|row| row.due_at).min();
            let turned = turned.iter().find(|row| row.queue == queue.as_str());
            let paused = turned.filter(|row| row.paused);
            let shared = turned.map(|row| {
                let sharing = Sharing::of_row(&row.mode, &row.weights);
                sharing.ok_or_else(|| not_ours("a queue is shared in no way we know"))
            });
            Ok(QueueNow {
                queue: *queue,
                scheduled: of(&[JobState::Scheduled]),
                ready: of(&[JobState::Ready]),
                running: of(&[JobState::Running]),
                given_up: of(&[JobState::Failed, JobState::Dead]),
                oldest_due_at: oldest.map(Micros),
                paused: paused.map(|row| (row.set_by.clone(), Micros(row.set_at))),
                sharing: shared.transpose()?.unwrap_or_default(),
            })
        };
        Queue::ALL.iter().map(now).collect()
    }

    async fn rates(&self) -> Result<Vec<TopicRate>, StoreError> {
        let rows: Vec<RateRow> =
            on!(self, RATES, |pool, text| sqlx::query_as(text).fetch_all(pool).await)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn families(&self, roots: &[JobId]) -> Result<BTreeMap<JobId, Family>, StoreError> {
        let ids: Vec<_> = roots.iter().map(|root| root.0.simple().to_string()).collect();
        let rows: Vec<FamilyRow> = on!(self, FAMILIES, |pool, text| sqlx::query_as(text)
            .bind(sqlx::types::Json(ids))
            .fetch_all(pool)
            .await)?;
        let mut families = BTreeMap::<_, Family>::new();
        for row in rows {
            let state = JobState::parse(&row.state);
            let state = state.ok_or_else(|| not_ours("a job is in no state we know"))?;
            let jobs = u64::try_from(row.jobs).unwrap_or_default();
            families.entry(JobId(row.root)).or_default().add(state, jobs);
        }
        Ok(families)
    }

    async fn job(&self, id: JobId) -> Result<Option<JobNow>, StoreError> {
        let row: Option<JobRow> = on!(self, BY_ID, |pool, text| sqlx::query_as(text)
            .bind(id.0)
            .fetch_optional(pool)
            .await)?;
        row.map(JobNow::try_from).transpose()
    }

    async fn jobs(
        &self,
        filter: &JobFilter,
        after: Option<JobId>,
        limit: u32,
    ) -> Result<Vec<JobNow>, StoreError> {
        let trouble = [JobState::Failed, JobState::Dead, JobState::Cancelled];
        let few = filter.state.is_some_and(|state| trouble.contains(&state));
        let list = match (filter.root, few) {
            (Some(_), _) => CHILDREN,
            (None, true) => TROUBLE,
            (None, false) => LIST,
        };
        let error = pattern(filter.error.as_deref().unwrap_or_default());
        let place = filter.body.as_ref().map(|body| self.place(body));
        let wanted = filter.body.as_ref().map(|body| body.wanted().map(|one| one.to_string()));
        let wanted = wanted.unwrap_or_default();
        let rows: Vec<JobRow> = on!(self, list, |pool, text| {
            let query = sqlx::query_as(text)
                .bind(after.map_or(Uuid::max(), |id| id.0))
                .bind(filter.state.map_or("", JobState::as_str))
                .bind(filter.queue.map_or("", Queue::as_str))
                .bind(filter.topic.as_deref().unwrap_or_default())
                .bind(&error)
                .bind(i64::from(limit))
                .bind(&place)
                .bind(&wanted[0])
                .bind(&wanted[1]);
            let query = match filter.root {
                Some(root) => query.bind(root.0),
                None => query,
            };
            query.fetch_all(pool).await
        })?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}
