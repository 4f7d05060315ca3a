//! Jobs are handed out: those that came due are made ready, and the first of the queue's order taken.

use super::{BY_INDEX, shares};
use crate::{
    adapters::postgres::statement::{execute, query, statements},
    domain::{id::JobId, job::Shares, time::Micros},
    ports::jobs::{ClaimedJob, JobClaim, JobsWritten},
};
use deadpool_postgres::{
    Transaction,
    tokio_postgres::{Error, Row},
};

/// Made ready at a claim at most; more than a claim takes, and few enough for one commit.
const READIED: i64 = 1_000;

/// Of the queue, while it is handed out. Materialized: run again by a join it would take more than it
/// may.
macro_rules! claim {
    ($which:literal) => {
        concat!(
            "WITH head AS MATERIALIZED (
                 SELECT id FROM job WHERE queue = $1 AND state = 'ready'
                     AND (expires_at IS NULL OR expires_at > $3)
                     AND NOT EXISTS (SELECT 1 FROM job_queue p WHERE p.queue = $1 AND p.paused)
                     AND NOT EXISTS (SELECT 1 FROM maintenance WHERE one = 1 AND pauses
                         AND ends_at > $3)
                     AND ",
            $which,
            " FOR UPDATE SKIP LOCKED)
             UPDATE job SET state = 'running', attempt = attempt + 1, worker = $2,
                 started_at = $3, fold_key = NULL
             FROM head WHERE job.id = head.id
             RETURNING job.id, topic, version, body::text, attempt, failures, losses, sent_at,
                 expires_at, rank_at"
        )
    };
}

statements! {
    /// Held until the claim is committed, so that no burial passes it by unseen. Heartbeats go on.
    /// With it, what claims of the queue are to mind.
    WORKER =
        "SELECT coalesce(q.mode, 'strict'), coalesce(q.weights::text, '{}'),
             EXISTS (SELECT 1 FROM job_rate)
         FROM job_worker w LEFT JOIN job_queue q ON q.queue = $2 WHERE w.id = $1
         FOR KEY SHARE OF w";
    COME_DUE =
        "UPDATE job SET state = 'ready' WHERE id IN (
             SELECT id FROM job
             WHERE queue = $1 AND state = 'scheduled' AND NOT blocked AND due_at <= $2
             ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)";
    CLAIM = claim!("losses = 0 ORDER BY rank_at LIMIT $4");
    CLAIM_SUSPECTS = claim!("losses > 0 ORDER BY rank_at LIMIT $4");
    CLAIM_THESE = claim!("id = ANY($4)");
}

fn claimed(row: &Row) -> Result<(i64, ClaimedJob), Error> {
    let count = |column| -> Result<u32, Error> {
        Ok(u32::try_from(row.try_get::<_, i64>(column)?).unwrap_or(u32::MAX))
    };
    let job = ClaimedJob {
        id: JobId(row.try_get("id")?),
        topic: row.try_get("topic")?,
        version: row.try_get("version")?,
        body: row.try_get("body")?,
        attempt: count("attempt")?,
        failures: count("failures")?,
        losses: count("losses")?,
        sent_at: Micros(row.try_get("sent_at")?),
        expires_at: row.try_get::<_, Option<i64>>("expires_at")?.map(Micros),
    };
    Ok((row.try_get("rank_at")?, job))
}

pub(super) async fn claim(tx: &Transaction<'_>, wish: &JobClaim) -> Result<JobsWritten, Error> {
    let JobClaim { worker, queue, at, most, suspects } = *wish;
    let (queue, most) = (queue.as_str(), i64::from(most));
    let mind = query(tx, WORKER, [&worker.0, &queue]).await?;
    let Some(mind) = mind.first() else { return Ok(JobsWritten::Buried) };
    let sharing = wish.sharing(mind.try_get(0)?, mind.try_get(1)?);
    let limited: bool = mind.try_get(2)?;
    execute(tx, BY_INDEX, []).await?;
    execute(tx, COME_DUE, [&queue, &at.0, &READIED]).await?;
    if let Some(shares) = shares::shares(tx, wish, sharing, limited).await? {
        return claim_shared(tx, wish, &shares).await;
    }
    let text = if suspects { CLAIM_SUSPECTS } else { CLAIM };
    let rows = query(tx, text, [&queue, &worker.0, &at.0, &most]).await?;
    let mut jobs = rows.iter().map(claimed).collect::<Result<Vec<_>, _>>()?;
    jobs.sort_by_key(|(rank, _)| *rank);
    Ok(JobsWritten::Claimed(jobs.into_iter().map(|(_, job)| job).collect()))
}

/// In the order in which the topics share the queue.
async fn claim_shared(
    tx: &Transaction<'_>,
    wish: &JobClaim,
    shares: &Shares,
) -> Result<JobsWritten, Error> {
    let next = shares::next(tx, wish, shares).await?;
    let ids: Vec<_> = next.iter().map(|id| id.0).collect();
    let queue = wish.queue.as_str();
    let rows = query(tx, CLAIM_THESE, [&queue, &wish.worker.0, &wish.at.0, &ids]).await?;
    let jobs = rows.iter().map(claimed).collect::<Result<Vec<_>, _>>()?;
    let jobs = ClaimedJob::in_order(jobs.into_iter().map(|(_, job)| job), &next);
    shares::spend(tx, shares, &ClaimedJob::by_topic(&jobs), wish.at).await?;
    Ok(JobsWritten::Claimed(jobs))
}
