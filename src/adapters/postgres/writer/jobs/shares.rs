//! How a queue's topics share it, and how many of a topic may be begun in a time: set by operators,
//! and minded by claims where there is something to mind. Such claims go one after the other, over
//! all nodes: each is to see what the one before it took.

use crate::{
    adapters::postgres::{
        statement::{execute, query, statements},
        writer::audit,
    },
    domain::{
        id::JobId,
        job::{Head, Mode, Queue, Rate, Shares, Sharing, Spent},
        time::Micros,
    },
    ports::jobs::{JobClaim, queue_shared, topic_limited},
};
use deadpool_postgres::{
    Transaction,
    tokio_postgres::{Error, Row},
};
use std::collections::HashMap;

statements! {
    /// "jobs" in ASCII, among this database's.
    ONE_BY_ONE = "SELECT pg_advisory_xact_lock(1785684595, 0)";
    IN_HAND =
        "SELECT topic, count(*) FROM job WHERE worker IS NOT NULL AND queue = $1 GROUP BY topic";
    RATES =
        "SELECT topic, jobs, seconds, spent_to FROM job_rate r
         WHERE $2 OR EXISTS (SELECT 1 FROM job j WHERE j.queue = $1 AND j.topic = r.topic
                                 AND j.state = 'ready' AND j.losses = 0)";
    /// The first of each topic of the queue, found by a step from each to the next.
    HEADS =
        "WITH RECURSIVE topic (name) AS (
             SELECT min(topic) FROM job WHERE queue = $1 AND state = 'ready' AND losses = 0
             UNION ALL
             SELECT (SELECT min(j.topic) FROM job j WHERE j.queue = $1 AND j.state = 'ready'
                         AND j.losses = 0 AND j.topic > t.name)
             FROM topic t WHERE t.name IS NOT NULL)
         SELECT h.id, t.name, h.rank_at FROM topic t CROSS JOIN LATERAL (
             SELECT j.id, j.rank_at FROM job j
             WHERE j.queue = $1 AND j.topic = t.name AND j.state = 'ready' AND j.losses = 0
                 AND (j.expires_at IS NULL OR j.expires_at > $2)
             ORDER BY j.rank_at LIMIT $3) h";
    SUSPECTS =
        "SELECT id, topic, rank_at FROM job
         WHERE queue = $1 AND state = 'ready' AND losses > 0
             AND (expires_at IS NULL OR expires_at > $2)
         ORDER BY rank_at LIMIT $3";
    SPEND = "UPDATE job_rate SET spent_to = $2 WHERE topic = $1";
    SHARING = "SELECT mode, weights::text FROM job_queue WHERE queue = $1 FOR UPDATE";
    SHARE =
        "INSERT INTO job_queue (queue, paused, set_by, set_at, mode, weights)
         VALUES ($1, FALSE, $4, $5, $2, $3::text::jsonb)
         ON CONFLICT (queue) DO UPDATE SET mode = $2, weights = $3::text::jsonb";
    RATE = "SELECT jobs, seconds FROM job_rate WHERE topic = $1 FOR UPDATE";
    LIMIT =
        "INSERT INTO job_rate AS r (topic, jobs, seconds, spent_to, set_by, set_at)
         VALUES ($1, $2, $3, $5, $4, $5)
         ON CONFLICT (topic) DO UPDATE SET jobs = $2, seconds = $3, set_by = $4, set_at = $5,
             spent_to = least(r.spent_to, $5)";
    UNLIMIT = "DELETE FROM job_rate WHERE topic = $1";
}

/// What this claim is to mind; `None`: nothing but the queue's order.
pub(super) async fn shares(
    tx: &Transaction<'_>,
    wish: &JobClaim,
    sharing: Sharing,
    limited: bool,
) -> Result<Option<Shares>, Error> {
    // A rate that none of the queue's jobs has is nothing to wait for each other for.
    let strict = sharing.mode == Mode::Strict;
    if strict && (!limited || rates(tx, wish).await?.is_empty()) {
        return Ok(None);
    }
    query(tx, ONE_BY_ONE, []).await?;
    let mut shares = Shares { sharing, ..Shares::default() };
    if limited {
        shares.rates = rates(tx, wish).await?;
    }
    if strict {
        return Ok(Some(shares));
    }
    let queue = wish.queue.as_str();
    for row in query(tx, IN_HAND, [&queue]).await? {
        let jobs: i64 = row.try_get(1)?;
        shares.in_hand.insert(row.try_get(0)?, u64::try_from(jobs).unwrap_or_default());
    }
    Ok(Some(shares))
}

/// Of the topics that may be claimed, as they are spent at this moment.
async fn rates(tx: &Transaction<'_>, wish: &JobClaim) -> Result<HashMap<String, Spent>, Error> {
    let mut rates = HashMap::new();
    for row in query(tx, RATES, [&wish.queue.as_str(), &wish.suspects]).await? {
        let spent_to = Micros(row.try_get(3)?);
        if let Some(rate) = Rate::of_row(row.try_get(1)?, row.try_get(2)?) {
            rates.insert(row.try_get(0)?, Spent { rate, spent_to });
        }
    }
    Ok(rates)
}

/// Who is next, in the order in which they are to be done.
pub(super) async fn next(
    tx: &Transaction<'_>,
    wish: &JobClaim,
    shares: &Shares,
) -> Result<Vec<JobId>, Error> {
    let text = if wish.suspects { SUSPECTS } else { HEADS };
    let params = (wish.queue.as_str(), i64::from(wish.most));
    let rows = query(tx, text, [&params.0, &wish.at.0, &params.1]).await?;
    let heads = rows.iter().map(head).collect::<Result<Vec<_>, _>>()?;
    Ok(shares.pick(heads, wish.at, wish.most as usize))
}

fn head(row: &Row) -> Result<Head, Error> {
    let (id, rank_at) = (JobId(row.try_get(0)?), Micros(row.try_get(2)?));
    Ok(Head { id, topic: row.try_get(1)?, rank_at })
}

/// So many of each topic were begun.
pub(super) async fn spend(
    tx: &Transaction<'_>,
    shares: &Shares,
    begun: &HashMap<String, u32>,
    at: Micros,
) -> Result<(), Error> {
    for (topic, spent_to) in shares.spend(begun, at) {
        execute(tx, SPEND, [&topic, &spent_to.0]).await?;
    }
    Ok(())
}

pub(super) async fn share(
    tx: &Transaction<'_>,
    queue: Queue,
    new: &Sharing,
    by: &str,
    at: Micros,
) -> Result<u64, Error> {
    let name = queue.as_str();
    let old = match query(tx, SHARING, [&name]).await?.first() {
        Some(row) => Sharing::of_row(row.try_get(0)?, row.try_get(1)?).unwrap_or_default(),
        None => Sharing::default(),
    };
    if old == *new {
        return Ok(0);
    }
    let (mode, weights) = (new.mode.as_str(), new.weights_row());
    execute(tx, SHARE, [&name, &mode, &weights, &by, &at.0]).await?;
    audit::append(tx, &queue_shared(queue, &old, new, by, at)).await?;
    Ok(1)
}

pub(super) async fn limit(
    tx: &Transaction<'_>,
    topic: &str,
    new: Option<Rate>,
    by: &str,
    at: Micros,
) -> Result<u64, Error> {
    let old = match query(tx, RATE, [&topic]).await?.first() {
        Some(row) => Rate::of_row(row.try_get(0)?, row.try_get(1)?),
        None => None,
    };
    if old == new {
        return Ok(0);
    }
    match new {
        Some(rate) => {
            let (jobs, seconds) = (rate.jobs(), rate.seconds());
            execute(tx, LIMIT, [&topic, &jobs, &seconds, &by, &at.0]).await?
        }
        None => execute(tx, UNLIMIT, [&topic]).await?,
    };
    audit::append(tx, &topic_limited(topic, old.as_ref(), new.as_ref(), by, at)).await?;
    Ok(1)
}
