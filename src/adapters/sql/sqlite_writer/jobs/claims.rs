//! Jobs are handed out: those that came due are made ready, and the first of the queue's order taken.

use super::shares;
use crate::{
    adapters::sql::{sqlite_writer::products::Hex, texts::statements},
    domain::{id::JobId, job::Shares, time::Micros},
    ports::jobs::{ClaimedJob, JobClaim, JobsWritten},
};
use sqlx::{SqliteConnection, types::Json};
use sqlx_macros::FromRow;
use uuid::Uuid;

/// Made ready at a claim at most; more than a claim takes, and few enough for one commit.
const READIED: i64 = 1_000;

/// Of the queue, while it is handed out.
macro_rules! claim {
    ($which:literal) => {
        concat!(
            "UPDATE job SET state = 'running', attempt = attempt + 1, worker = $2, started_at = $3,
                 fold_key = NULL
             WHERE id IN (
                 SELECT id FROM job WHERE queue = $1 AND state = 'ready'
                     AND (expires_at IS NULL OR expires_at > $3)
                     AND NOT EXISTS (SELECT 1 FROM job_queue WHERE queue = $1 AND paused = 1)
                     AND NOT EXISTS (SELECT 1 FROM maintenance WHERE one = 1 AND pauses = 1
                         AND ends_at > $3)
                     AND ",
            $which,
            ")
             RETURNING id, topic, version, body, attempt, failures, losses, sent_at, expires_at,
                 rank_at"
        )
    };
}

statements! {
    /// Whether it is there, and what claims of the queue are to mind.
    WORKER = { sqlite:
        "SELECT coalesce(q.mode, 'strict') AS mode, coalesce(q.weights, '{}') AS weights,
             EXISTS (SELECT 1 FROM job_rate) AS limited
         FROM job_worker w LEFT JOIN job_queue q ON q.queue = $2 WHERE w.id = $1" };
    COME_DUE = { sqlite:
        "UPDATE job SET state = 'ready' WHERE id IN (
             SELECT id FROM job
             WHERE queue = $1 AND state = 'scheduled' AND blocked = 0 AND due_at <= $2
             ORDER BY due_at LIMIT $3)" };
    CLAIM = { sqlite: (claim!("losses = 0 ORDER BY rank_at LIMIT $4")) };
    CLAIM_SUSPECTS = { sqlite: (claim!("losses > 0 ORDER BY rank_at LIMIT $4")) };
    CLAIM_THESE = { sqlite: (claim!("id IN (SELECT unhex(value) FROM json_each($4))")) };
}

#[derive(FromRow)]
struct MindRow {
    mode: String,
    weights: String,
    limited: bool,
}

#[derive(FromRow)]
struct ClaimedRow {
    id: Uuid,
    topic: String,
    version: i64,
    body: String,
    attempt: i64,
    failures: i64,
    losses: i64,
    sent_at: i64,
    expires_at: Option<i64>,
    rank_at: i64,
}

impl From<ClaimedRow> for ClaimedJob {
    fn from(row: ClaimedRow) -> Self {
        let count = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            id: JobId(row.id),
            topic: row.topic,
            version: row.version,
            body: row.body,
            attempt: count(row.attempt),
            failures: count(row.failures),
            losses: count(row.losses),
            sent_at: Micros(row.sent_at),
            expires_at: row.expires_at.map(Micros),
        }
    }
}

pub(super) async fn claim(
    conn: &mut SqliteConnection,
    wish: &JobClaim,
) -> Result<JobsWritten, sqlx::Error> {
    let JobClaim { worker, queue, at, most, suspects } = *wish;
    let mind = sqlx::query_as(WORKER.sqlite).bind(worker.0).bind(queue.as_str());
    let Some(mind): Option<MindRow> = mind.fetch_optional(&mut *conn).await? else {
        return Ok(JobsWritten::Buried);
    };
    let due = sqlx::query(COME_DUE.sqlite).bind(queue.as_str()).bind(at.0).bind(READIED);
    due.execute(&mut *conn).await?;
    let sharing = wish.sharing(&mind.mode, &mind.weights);
    if let Some(shares) = shares::shares(conn, wish, sharing, mind.limited).await? {
        return claim_shared(conn, wish, &shares).await;
    }
    let text = if suspects { CLAIM_SUSPECTS } else { CLAIM };
    let claim = sqlx::query_as(text.sqlite).bind(queue.as_str()).bind(worker.0);
    let mut rows: Vec<ClaimedRow> = claim.bind(at.0).bind(i64::from(most)).fetch_all(conn).await?;
    rows.sort_by_key(|row| row.rank_at);
    Ok(JobsWritten::Claimed(rows.into_iter().map(Into::into).collect()))
}

/// In the order in which the topics share the queue.
async fn claim_shared(
    conn: &mut SqliteConnection,
    wish: &JobClaim,
    shares: &Shares,
) -> Result<JobsWritten, sqlx::Error> {
    let next = shares::next(conn, wish, shares).await?;
    let ids: Vec<_> = next.iter().map(|id| Hex(id.0)).collect();
    let claim = sqlx::query_as(CLAIM_THESE.sqlite).bind(wish.queue.as_str()).bind(wish.worker.0);
    let rows: Vec<ClaimedRow> = claim.bind(wish.at.0).bind(Json(ids)).fetch_all(&mut *conn).await?;
    let claimed = ClaimedJob::in_order(rows.into_iter().map(Into::into), &next);
    shares::spend(conn, shares, &ClaimedJob::by_topic(&claimed), wish.at).await?;
    Ok(JobsWritten::Claimed(claimed))
}
