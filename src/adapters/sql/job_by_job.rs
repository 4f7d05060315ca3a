//! Jobs done the plain way: one claimed by a statement, done, and ended with its effect by one
//! transaction, then the next. What `stoa bench jobs` sets the shop beside.
//!
//! It keeps the promises that a queue in a database must keep: what one has claimed no other takes,
//! an end counts only for the newest attempt, and the effect goes in with the end. The rows and their
//! indexes are the shop's own.

use super::{
    Location,
    error::{not_ours, store_error},
    plain_pools::PlainPools,
    texts::statements,
};
use crate::{
    domain::{id::JobId, time::Micros},
    ports::{
        StoreError,
        clock::{Clock, Ids},
        jobs::{Echo, NewJob, Probe, Topic},
    },
};
use sqlx_macros::FromRow;
use std::sync::Arc;
use uuid::Uuid;

statements! {
    PUT = {
        sqlite:
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < $1)
             INSERT INTO job (id, topic, version, body, queue, priority, state, attempt, failures,
                 losses, sent_at, due_at, rank_at, blocked)
             SELECT randomblob(16), $2, 1, '{}', 'default', 3, 'ready', 0, 0, 0, $3, $3, $3, 0 FROM n",
        postgres:
            "INSERT INTO job (id, topic, version, body, queue, priority, state, attempt, failures,
                 losses, sent_at, due_at, rank_at, blocked)
             SELECT gen_random_uuid(), $2, 1, '{}', 'default', 3, 'ready', 0, 0, 0, $3, $3, $3, FALSE
             FROM generate_series(1, $1)",
    };
    CLAIM = {
        sqlite:
            "UPDATE job SET state = 'running', attempt = attempt + 1, worker = $1, started_at = $2
             WHERE id = (SELECT id FROM job WHERE queue = 'default' AND state = 'ready'
                             AND losses = 0
                         ORDER BY rank_at LIMIT 1)
             RETURNING id, topic, attempt",
        postgres:
            "UPDATE job SET state = 'running', attempt = attempt + 1, worker = $1, started_at = $2
             WHERE id = (SELECT id FROM job WHERE queue = 'default' AND state = 'ready'
                             AND losses = 0
                         ORDER BY rank_at LIMIT 1 FOR UPDATE SKIP LOCKED)
             RETURNING id, topic, attempt",
    };
    EFFECT = {
        sqlite:
            "INSERT INTO job (id, topic, version, body, queue, priority, state, attempt, failures,
                 losses, sent_at, due_at, rank_at, blocked)
             VALUES ($1, $2, 1, $3, 'default', 3, 'ready', 0, 0, 0, $4, $4, $4, 0)",
        postgres:
            "INSERT INTO job (id, topic, version, body, queue, priority, state, attempt, failures,
                 losses, sent_at, due_at, rank_at, blocked)
             VALUES ($1, $2, 1, $3::jsonb, 'default', 3, 'ready', 0, 0, 0, $4, $4, $4, FALSE)",
    };
    END =
        "UPDATE job SET state = 'succeeded', worker = NULL, ended_at = $3
         WHERE id = $1 AND attempt = $2 AND state = 'running'";
    DONE = "SELECT count(*) FROM job WHERE topic = $1 AND state = 'succeeded'";
}

/// Works over connections of its own on a database where nobody else does.
pub struct JobByJob {
    pools: PlainPools,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    worker: Uuid,
}

#[derive(FromRow)]
struct Claimed {
    id: Uuid,
    topic: String,
    attempt: i64,
}

/// The body is the same for both databases, whose pools are types of their own.
macro_rules! each {
    ($queue:ident, |$pool:ident, $text:ident| $body:expr) => {
        match &$queue.pools {
            PlainPools::Sqlite($pool) => with!($pool, sqlite, $text, $body),
            PlainPools::Postgres($pool) => with!($pool, postgres, $text, $body),
        }
    };
}

macro_rules! with {
    ($pool:ident, $database:ident, $text:ident, $body:expr) => {{
        let $text = |sql: super::texts::Sql| sql.$database;
        $body
    }};
}

impl JobByJob {
    /// With so many connections; SQLite has one writer, whatever is asked for.
    pub async fn open(
        location: &Location,
        connections: u32,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, StoreError> {
        let pools = PlainPools::open(location, connections).await?;
        let worker = ids.next();
        Ok(Self { pools, clock, ids, worker })
    }

    /// How many jobs can be in hand at once.
    pub fn connections(&self) -> u32 {
        self.pools.connections()
    }

    /// So many that leave an echo.
    pub async fn put(&self, jobs: u32) -> Result<(), StoreError> {
        let (jobs, at) = (i64::from(jobs), self.clock.now().0);
        each!(self, |pool, text| {
            let put = sqlx::query(text(PUT)).bind(jobs).bind(Probe::TOPIC).bind(at);
            put.execute(pool).await.map(drop).map_err(store_error)
        })
    }

    /// The next one, from claim to end. False: there is none.
    pub async fn work(&self) -> Result<bool, StoreError> {
        let at = self.clock.now().0;
        each!(self, |pool, text| {
            let claim = sqlx::query_as(text(CLAIM)).bind(self.worker).bind(at);
            let claimed: Option<Claimed> = claim.fetch_optional(pool).await.map_err(store_error)?;
            let Some(job) = claimed else { return Ok(false) };
            let mut tx = pool.begin().await.map_err(store_error)?;
            if job.topic == Probe::TOPIC {
                let echo = NewJob::of(JobId(self.ids.next()), &Echo { of: 0 }, Micros(at));
                let effect = sqlx::query(text(EFFECT)).bind(echo.id.0).bind(&echo.topic);
                let effect = effect.bind(&echo.body).bind(at);
                effect.execute(&mut *tx).await.map_err(store_error)?;
            }
            let end = sqlx::query(text(END)).bind(job.id).bind(job.attempt).bind(at);
            if end.execute(&mut *tx).await.map_err(store_error)?.rows_affected() != 1 {
                return Err(not_ours("a job was taken from whoever had it in hand"));
            }
            tx.commit().await.map_err(store_error)?;
            Ok(true)
        })
    }

    /// Probes and echoes that are done.
    pub async fn done(&self) -> Result<(u64, u64), StoreError> {
        let count = async |topic: &str| -> Result<u64, StoreError> {
            each!(self, |pool, text| {
                let count = sqlx::query_scalar::<_, i64>(text(DONE)).bind(topic);
                count.fetch_one(pool).await.map(i64::unsigned_abs).map_err(store_error)
            })
        };
        Ok((count(Probe::TOPIC).await?, count(Echo::TOPIC).await?))
    }

    pub async fn close(&self) {
        self.pools.close().await;
    }
}
