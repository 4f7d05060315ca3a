//! How a queue's topics share it, and how many of a topic may be begun in a time: set by operators,
//! and minded by claims where there is something to mind.

use crate::{
    adapters::sql::{audit, texts::statements},
    domain::{
        id::JobId,
        job::{Head, Mode, Queue, Rate, Shares, Sharing, Spent},
        time::Micros,
    },
    ports::jobs::{JobClaim, queue_shared, topic_limited},
};
use sqlx::SqliteConnection;
use sqlx_macros::FromRow;
use std::collections::HashMap;
use uuid::Uuid;

/// The first of each topic of the queue, found by a step from each to the next.
macro_rules! topics {
    ($rest:literal) => {
        concat!(
            "WITH RECURSIVE topic (name) AS (
                 SELECT min(topic) FROM job WHERE queue = $1 AND state = 'ready' AND losses = 0
                 UNION ALL
                 SELECT (SELECT min(topic) FROM job
                         WHERE queue = $1 AND state = 'ready' AND losses = 0 AND topic > t.name)
                 FROM topic t WHERE t.name IS NOT NULL) ",
            $rest
        )
    };
}

statements! {
    IN_HAND = { sqlite:
        "SELECT topic, count(*) AS jobs FROM job WHERE worker IS NOT NULL AND queue = $1
         GROUP BY topic" };
    RATES = { sqlite:
        "SELECT topic, jobs, seconds, spent_to FROM job_rate r
         WHERE $2 OR EXISTS (SELECT 1 FROM job WHERE queue = $1 AND topic = r.topic
                                 AND state = 'ready' AND losses = 0)" };
    HEADS = { sqlite: (topics!(
        "SELECT j.id, j.topic, j.rank_at FROM topic t JOIN job j ON j.id IN (
             SELECT h.id FROM job h
             WHERE h.queue = $1 AND h.topic = t.name AND h.state = 'ready' AND h.losses = 0
                 AND (h.expires_at IS NULL OR h.expires_at > $2)
             ORDER BY h.rank_at LIMIT $3)")) };
    SUSPECTS = { sqlite:
        "SELECT id, topic, rank_at FROM job
         WHERE queue = $1 AND state = 'ready' AND losses > 0
             AND (expires_at IS NULL OR expires_at > $2)
         ORDER BY rank_at LIMIT $3" };
    SPEND = { sqlite: "UPDATE job_rate SET spent_to = $2 WHERE topic = $1" };
    SHARING = { sqlite: "SELECT mode, weights FROM job_queue WHERE queue = $1" };
    SHARE = { sqlite:
        "INSERT INTO job_queue (queue, paused, set_by, set_at, mode, weights)
         VALUES ($1, 0, $4, $5, $2, $3)
         ON CONFLICT (queue) DO UPDATE SET mode = $2, weights = $3" };
    RATE = { sqlite: "SELECT jobs, seconds FROM job_rate WHERE topic = $1" };
    LIMIT = { sqlite:
        "INSERT INTO job_rate (topic, jobs, seconds, spent_to, set_by, set_at)
         VALUES ($1, $2, $3, $5, $4, $5)
         ON CONFLICT (topic) DO UPDATE SET jobs = $2, seconds = $3, set_by = $4, set_at = $5,
             spent_to = min(spent_to, $5)" };
    UNLIMIT = { sqlite: "DELETE FROM job_rate WHERE topic = $1" };
}

#[derive(FromRow)]
struct InHandRow {
    topic: String,
    jobs: i64,
}

#[derive(FromRow)]
struct SpentRow {
    topic: String,
    jobs: i64,
    seconds: i64,
    spent_to: i64,
}

#[derive(FromRow)]
struct HeadRow {
    id: Uuid,
    topic: String,
    rank_at: i64,
}

/// What this claim is to mind; `None`: nothing but the queue's order.
pub(super) async fn shares(
    conn: &mut SqliteConnection,
    wish: &JobClaim,
    sharing: Sharing,
    limited: bool,
) -> Result<Option<Shares>, sqlx::Error> {
    let mut shares = Shares { sharing, ..Shares::default() };
    if limited {
        let rates = sqlx::query_as(RATES.sqlite).bind(wish.queue.as_str()).bind(wish.suspects);
        let rates: Vec<SpentRow> = rates.fetch_all(&mut *conn).await?;
        let spent = |row: SpentRow| {
            let rate = Rate::of_row(row.jobs, row.seconds)?;
            Some((row.topic, Spent { rate, spent_to: Micros(row.spent_to) }))
        };
        shares.rates = rates.into_iter().filter_map(spent).collect();
    }
    if shares.sharing.mode == Mode::Strict {
        return Ok(Some(shares).filter(|shares| !shares.rates.is_empty()));
    }
    let in_hand = sqlx::query_as(IN_HAND.sqlite).bind(wish.queue.as_str());
    let in_hand: Vec<InHandRow> = in_hand.fetch_all(conn).await?;
    let count = |row: InHandRow| (row.topic, u64::try_from(row.jobs).unwrap_or_default());
    shares.in_hand = in_hand.into_iter().map(count).collect();
    Ok(Some(shares))
}

/// Who is next, in the order in which they are to be done.
pub(super) async fn next(
    conn: &mut SqliteConnection,
    wish: &JobClaim,
    shares: &Shares,
) -> Result<Vec<JobId>, sqlx::Error> {
    let text = if wish.suspects { SUSPECTS } else { HEADS };
    let heads = sqlx::query_as(text.sqlite).bind(wish.queue.as_str()).bind(wish.at.0);
    let rows: Vec<HeadRow> = heads.bind(i64::from(wish.most)).fetch_all(conn).await?;
    let head = |row: HeadRow| {
        let (id, rank_at) = (JobId(row.id), Micros(row.rank_at));
        Head { id, topic: row.topic, rank_at }
    };
    let heads = rows.into_iter().map(head).collect();
    Ok(shares.pick(heads, wish.at, wish.most as usize))
}

/// So many of each topic were begun.
pub(super) async fn spend(
    conn: &mut SqliteConnection,
    shares: &Shares,
    begun: &HashMap<String, u32>,
    at: Micros,
) -> Result<(), sqlx::Error> {
    for (topic, spent_to) in shares.spend(begun, at) {
        sqlx::query(SPEND.sqlite).bind(topic).bind(spent_to.0).execute(&mut *conn).await?;
    }
    Ok(())
}

pub(super) async fn share(
    conn: &mut SqliteConnection,
    queue: Queue,
    new: &Sharing,
    by: &str,
    at: Micros,
) -> Result<u64, sqlx::Error> {
    let old = sqlx::query_as(SHARING.sqlite).bind(queue.as_str());
    let old: Option<(String, String)> = old.fetch_optional(&mut *conn).await?;
    let old = old.and_then(|(mode, weights)| Sharing::of_row(&mode, &weights)).unwrap_or_default();
    if old == *new {
        return Ok(0);
    }
    let share = sqlx::query(SHARE.sqlite).bind(queue.as_str()).bind(new.mode.as_str());
    share.bind(new.weights_row()).bind(by).bind(at.0).execute(&mut *conn).await?;
    audit::append(conn, &queue_shared(queue, &old, new, by, at)).await?;
    Ok(1)
}

pub(super) async fn limit(
    conn: &mut SqliteConnection,
    topic: &str,
    new: Option<Rate>,
    by: &str,
    at: Micros,
) -> Result<u64, sqlx::Error> {
    let old = sqlx::query_as(RATE.sqlite).bind(topic).fetch_optional(&mut *conn).await?;
    let old = old.and_then(|(jobs, seconds)| Rate::of_row(jobs, seconds));
    if old == new {
        return Ok(0);
    }
    match new {
        Some(rate) => {
            let limit = sqlx::query(LIMIT.sqlite).bind(topic).bind(rate.jobs());
            limit.bind(rate.seconds()).bind(by).bind(at.0).execute(&mut *conn).await?;
        }
        None => {
            sqlx::query(UNLIMIT.sqlite).bind(topic).execute(&mut *conn).await?;
        }
    }
    audit::append(conn, &topic_limited(topic, old.as_ref(), new.as_ref(), by, at)).await?;
    Ok(1)
}
