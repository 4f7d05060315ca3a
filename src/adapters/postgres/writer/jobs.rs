//! Jobs are put into the queue, claimed, and ended with what they did; see `ports::jobs`.
//!
//! Each statement is set-based and goes by an index of the rows it is about: a claim reads as many
//! rows as it takes, however many jobs are over, scheduled or in other hands. Rows in another
//! node's transaction are passed over where anybody's will do (`SKIP LOCKED`). Who puts a job into
//! a lane, and who takes one out, waits for the other: else the next of the lane is seen by neither.

pub(super) mod acts;
pub(super) mod claims;
pub(super) mod progress;
pub(super) mod puts;
pub(super) mod shares;

pub(super) use acts::act_on;
pub(super) use puts::send;

use super::{audit, mail, webhooks};
use crate::{
    adapters::postgres::statement::{Param, execute, query, statements},
    domain::{
        id::{JobId, WorkerId},
        job::{JobState, MOST_LOSSES},
        time::Micros,
    },
    ports::{
        jobs::{Effect, Ended, JobWrite, JobsWritten, NewWorker, queue_paused},
        webhooks::Tried,
        writer::Written,
    },
};
use deadpool_postgres::{
    Transaction,
    tokio_postgres::{Error, Row},
};
use std::collections::BTreeSet;
use uuid::Uuid;

statements! {
    /// Until the transaction's end, in an order that all keep to.
    LOCK_LANES =
        "SELECT pg_advisory_xact_lock(h) FROM (
             SELECT DISTINCT hashtextextended(lane, 1) AS h FROM unnest($1::text[]) l (lane)
             ORDER BY h) lanes";
    /// The first of each lane may run, once its time has come, where none else of it may.
    UNBLOCK =
        "UPDATE job SET blocked = FALSE WHERE blocked AND id IN (
             SELECT head.id FROM unnest($1::text[]) l (lane)
             CROSS JOIN LATERAL (
                 SELECT j.id FROM job j WHERE j.lane = l.lane
                     AND j.state IN ('scheduled', 'ready', 'running')
                 ORDER BY j.id LIMIT 1) head
             WHERE NOT EXISTS (SELECT 1 FROM job h WHERE h.lane = l.lane AND NOT h.blocked
                 AND h.state IN ('scheduled', 'ready', 'running')))";
    /// Until the transaction's end. Without statistics of the queue a planner takes it for short, and
    /// then gathers and sorts all that is ready rather than walk along the index: with 100,000 jobs
    /// ready a claim of 64 took 479 ms so, and 3 ms along the index.
    BY_INDEX = "SET LOCAL enable_bitmapscan = off";
    JOIN = "INSERT INTO job_worker (id, name, beat, joined_at, seen_at) VALUES ($1, $2, 0, $3, $3)";
    OTHERS = "DELETE FROM job_worker WHERE id <> $1 RETURNING id";
    BEAT = "UPDATE job_worker SET beat = beat + 1, seen_at = $2 WHERE id = $1";
    TO_CANCEL = "SELECT id FROM job WHERE worker = $1 AND cancel_at IS NOT NULL";
    LEAVE = "DELETE FROM job_worker WHERE id = $1";
    BURY =
        "DELETE FROM job_worker w USING unnest($1::uuid[], $2::bigint[]) l (id, beat)
         WHERE w.id = l.id AND w.beat = l.beat RETURNING w.id";
    /// At the first loss it keeps its place. Then it waits, each time for longer and by chance, so
    /// that one that kills its process meets others than those it met before.
    LOSE =
        "WITH lost AS MATERIALIZED (
             SELECT id, CASE losses WHEN 0 THEN due_at
                        ELSE $2 + (random() * (1000000::bigint << least(losses, 8)::int))::bigint END AS due_at
             FROM job WHERE worker = ANY($1) AND worker IS NOT NULL FOR UPDATE)
         UPDATE job SET
             state = CASE WHEN cancel_at IS NOT NULL THEN 'cancelled'
                          WHEN losses + 1 >= $3 THEN 'dead' ELSE 'scheduled' END,
             losses = losses + 1, worker = NULL, due_at = lost.due_at,
             rank_at = job.rank_at - job.due_at + lost.due_at,
             ended_at = CASE WHEN cancel_at IS NULL AND losses + 1 < $3 THEN NULL
                             ELSE $2::bigint END,
             error = 'the process that had it in hand died'
         FROM lost WHERE job.id = lost.id
         RETURNING job.id, job.state, job.lane";
    /// In key order, so that two nodes' ends don't wait for each other in a circle.
    END =
        "WITH e AS MATERIALIZED (
             SELECT j.id, u.state, u.failed, u.due_at, u.error, u.stuck
             FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[],
                      $6::text[], $8::bigint[]) u (id, attempt, state, failed, due_at, error,
                 stuck)
             JOIN job j ON j.id = u.id AND j.attempt = u.attempt AND j.state = 'running'
             ORDER BY j.id FOR UPDATE OF j)
         UPDATE job SET
             state = CASE WHEN e.state = 'scheduled' AND job.cancel_at IS NOT NULL
                          THEN 'cancelled' ELSE e.state END,
             failures = failures + e.failed, losses = losses + e.stuck,
             due_at = coalesce(e.due_at, job.due_at),
             rank_at = job.rank_at - job.due_at + coalesce(e.due_at, job.due_at),
             error = CASE e.state WHEN 'succeeded' THEN NULL ELSE coalesce(e.error, job.error) END,
             worker = NULL,
             ended_at = CASE WHEN e.state = 'scheduled' AND job.cancel_at IS NULL THEN NULL
                             ELSE $7::bigint END
         FROM e WHERE job.id = e.id
         RETURNING job.id, job.state, job.lane";
    HAND_BACK =
        "WITH e AS MATERIALIZED (
             SELECT j.id FROM unnest($1::uuid[], $2::bigint[]) u (id, attempt)
             JOIN job j ON j.id = u.id AND j.attempt = u.attempt AND j.state = 'running'
             ORDER BY j.id FOR UPDATE OF j)
         UPDATE job SET state = CASE WHEN cancel_at IS NULL THEN 'scheduled' ELSE 'cancelled' END,
             worker = NULL, ended_at = CASE WHEN cancel_at IS NULL THEN NULL ELSE $3::bigint END
         FROM e WHERE job.id = e.id
         RETURNING job.id, job.state, job.lane";
    LET_GO =
        "UPDATE job SET state = CASE WHEN cancel_at IS NULL THEN 'scheduled' ELSE 'cancelled' END,
             worker = NULL, ended_at = CASE WHEN cancel_at IS NULL THEN NULL ELSE $2::bigint END
         WHERE worker = $1 AND NOT EXISTS (
             SELECT 1 FROM unnest($3::uuid[], $4::bigint[]) h (id, attempt)
             WHERE h.id = job.id AND h.attempt = job.attempt)
         RETURNING id, state, lane";
    EXPIRE =
        "UPDATE job SET state = 'dead', blocked = FALSE, ended_at = $1,
             error = coalesce(error || '; then it was too late', 'it was too late to begin it')
         WHERE id IN (SELECT id FROM job WHERE expires_at IS NOT NULL AND expires_at <= $1
                          AND state IN ('scheduled', 'ready') ORDER BY expires_at LIMIT $2
                      FOR UPDATE SKIP LOCKED)
         RETURNING id, state, lane";
    PAUSE =
        "INSERT INTO job_queue AS q (queue, paused, set_by, set_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (queue) DO UPDATE SET paused = $2, set_by = $3, set_at = $4
         WHERE q.paused <> $2";
    /// A family goes together: its root once all of it is over, and then the others.
    FORGET =
        "DELETE FROM job WHERE id IN (
             SELECT id FROM job WHERE ended_at IS NOT NULL AND ended_at < $1
                 AND (state = 'succeeded' OR ended_at < $2)
                 AND (SELECT r.id FROM job r WHERE r.id = job.root) IS NULL
                 AND (SELECT c.id FROM job c WHERE c.root = job.id AND c.root IS NOT NULL
                          AND c.state IN ('scheduled', 'ready', 'running') LIMIT 1) IS NULL
             ORDER BY ended_at LIMIT $3 FOR UPDATE SKIP LOCKED)";
}

/// One that was moved.
struct Moved {
    id: Uuid,
    state: Option<JobState>,
    lane: Option<String>,
}

fn read(rows: &[Row]) -> Result<Vec<Moved>, Error> {
    rows.iter()
        .map(|row| {
            let state: &str = row.try_get(1)?;
            Ok(Moved { id: row.try_get(0)?, state: JobState::parse(state), lane: row.try_get(2)? })
        })
        .collect()
}

pub(super) async fn apply(tx: &Transaction<'_>, write: &JobWrite) -> Result<Written, Error> {
    Ok(Written::Jobs(match write {
        JobWrite::Send(jobs) => JobsWritten::Sent(send(tx, jobs).await?),
        JobWrite::Join(worker) => join(tx, worker).await?,
        JobWrite::Beat { worker, at } => beat(tx, *worker, *at).await?,
        JobWrite::Progress(told) => JobsWritten::Moved(progress::tell(tx, told).await?),
        JobWrite::Leave { worker, at } => {
            let count = let_go(tx, *worker, &[], *at).await?;
            execute(tx, LEAVE, [&worker.0]).await?;
            JobsWritten::Moved(count)
        }
        JobWrite::Bury { lost, at } => {
            let (ids, beats): (Vec<_>, Vec<_>) = lost.iter().map(|(w, beat)| (w.0, *beat)).unzip();
            let buried = query(tx, BURY, [&ids, &beats]).await?;
            JobsWritten::Moved(lose(tx, &buried, *at).await?)
        }
        JobWrite::Claim(wish) => claims::claim(tx, wish).await?,
        JobWrite::End { ended, at } => JobsWritten::Ended(end(tx, ended, *at).await?),
        JobWrite::HandBack { jobs, at } => {
            let (ids, attempts): (Vec<_>, Vec<_>) =
                jobs.iter().map(|(id, attempt)| (id.0, i64::from(*attempt))).unzip();
            let back = query(tx, HAND_BACK, [&ids, &attempts, &at.0]).await?;
            JobsWritten::Moved(moved(tx, read(&back)?).await?)
        }
        JobWrite::LetGo { worker, held, at } => {
            JobsWritten::Moved(let_go(tx, *worker, held, *at).await?)
        }
        JobWrite::Expire { at, most } => {
            execute(tx, BY_INDEX, []).await?;
            let expired = query(tx, EXPIRE, [&at.0, &i64::from(*most)]).await?;
            JobsWritten::Moved(moved(tx, read(&expired)?).await?)
        }
        JobWrite::Pause { queue, paused, by, at } => {
            let changed = execute(tx, PAUSE, [&queue.as_str(), paused, by, &at.0]).await?;
            if changed > 0 {
                audit::append(tx, &queue_paused(*queue, *paused, by, *at)).await?;
            }
            JobsWritten::Moved(changed)
        }
        JobWrite::Release { at } => JobsWritten::Moved(puts::release(tx, *at).await?),
        JobWrite::Share { queue, sharing, by, at } => {
            JobsWritten::Moved(shares::share(tx, *queue, sharing, by, *at).await?)
        }
        JobWrite::Limit { topic, rate, by, at } => {
            JobsWritten::Moved(shares::limit(tx, topic, *rate, by, *at).await?)
        }
        JobWrite::Act(acts) => JobsWritten::Acted(acts::act(tx, acts).await?),
        JobWrite::Edit(edit) => JobsWritten::Acted(acts::edit(tx, edit).await?),
        JobWrite::Forget { succeeded, others, most } => {
            let most = i64::from(*most);
            execute(tx, BY_INDEX, []).await?;
            JobsWritten::Moved(execute(tx, FORGET, [&succeeded.0, &others.0, &most]).await?)
        }
    }))
}

async fn lock_lanes(tx: &Transaction<'_>, lanes: &[&str]) -> Result<(), Error> {
    match lanes.is_empty() {
        true => Ok(()),
        false => query(tx, LOCK_LANES, [&lanes]).await.map(drop),
    }
}

async fn unblock(tx: &Transaction<'_>, lanes: &BTreeSet<String>) -> Result<(), Error> {
    if lanes.is_empty() {
        return Ok(());
    }
    let lanes: Vec<&str> = lanes.iter().map(String::as_str).collect();
    lock_lanes(tx, &lanes).await?;
    execute(tx, UNBLOCK, [&lanes]).await.map(drop)
}

/// Whatever ended leaves its lane to the next, and what it was to hand over is given up with it.
async fn moved(tx: &Transaction<'_>, rows: Vec<Moved>) -> Result<u64, Error> {
    let (count, mut lanes, mut gone) = (rows.len() as u64, BTreeSet::new(), Vec::new());
    for row in rows {
        if row.state.is_some_and(JobState::is_over) {
            lanes.extend(row.lane);
            if row.state != Some(JobState::Succeeded) {
                gone.push(row.id);
            }
        }
    }
    unblock(tx, &lanes).await?;
    if !gone.is_empty() {
        mail::given_up(tx, &gone).await?;
        webhooks::given_up(tx, &gone).await?;
    }
    Ok(count)
}

async fn join(tx: &Transaction<'_>, worker: &NewWorker) -> Result<JobsWritten, Error> {
    execute(tx, JOIN, [&worker.id.0, &worker.name, &worker.at.0]).await?;
    if !worker.alone {
        return Ok(JobsWritten::Moved(0));
    }
    let others = query(tx, OTHERS, [&worker.id.0]).await?;
    Ok(JobsWritten::Moved(lose(tx, &others, worker.at).await?))
}

async fn lose(tx: &Transaction<'_>, workers: &[Row], at: Micros) -> Result<u64, Error> {
    let workers = workers.iter().map(|row| row.try_get(0)).collect::<Result<Vec<Uuid>, _>>()?;
    if workers.is_empty() {
        return Ok(0);
    }
    let lost = query(tx, LOSE, [&workers, &at.0, &i64::from(MOST_LOSSES)]).await?;
    moved(tx, read(&lost)?).await
}

async fn let_go(
    tx: &Transaction<'_>,
    worker: WorkerId,
    held: &[(JobId, u32)],
    at: Micros,
) -> Result<u64, Error> {
    let (ids, attempts): (Vec<_>, Vec<_>) =
        held.iter().map(|(id, attempt)| (id.0, i64::from(*attempt))).unzip();
    let back = query(tx, LET_GO, [&worker.0, &at.0, &ids, &attempts]).await?;
    moved(tx, read(&back)?).await
}

async fn beat(tx: &Transaction<'_>, worker: WorkerId, at: Micros) -> Result<JobsWritten, Error> {
    if execute(tx, BEAT, [&worker.0, &at.0]).await? == 0 {
        return Ok(JobsWritten::Buried);
    }
    let rows = query(tx, TO_CANCEL, [&worker.0]).await?;
    let ids = rows.iter().map(|row| row.try_get(0).map(JobId)).collect::<Result<_, _>>()?;
    Ok(JobsWritten::Beating(ids))
}

/// The fences first, then what the matched ones did.
async fn end(tx: &Transaction<'_>, ended: &[Ended], at: Micros) -> Result<Vec<JobId>, Error> {
    webhooks::hold(tx, &Tried::all_in(ended)).await?;
    let ids: Vec<_> = ended.iter().map(|one| one.id.0).collect();
    let attempts: Vec<_> = ended.iter().map(|one| i64::from(one.attempt)).collect();
    let states: Vec<_> = ended.iter().map(|one| one.ending.state().as_str()).collect();
    let failed: Vec<_> = ended.iter().map(|one| i64::from(one.ending.is_failure())).collect();
    let due: Vec<_> = ended.iter().map(|one| one.ending.due_at().map(|at| at.0)).collect();
    let errors: Vec<_> = ended.iter().map(|one| one.ending.error()).collect();
    let stuck: Vec<_> = ended.iter().map(|one| i64::from(one.stuck)).collect();
    let params: [Param<'_>; 8] = [&ids, &attempts, &states, &failed, &due, &errors, &at.0, &stuck];
    let rows = read(&query(tx, END, params).await?)?;
    let matched: Vec<JobId> = rows.iter().map(|row| JobId(row.id)).collect();
    moved(tx, rows).await?;
    let (mut sent, mut tried) = (Vec::new(), Vec::new());
    let (mut jobs, mut children) = (Vec::new(), Vec::new());
    for (of, effect) in Ended::effects_of(ended, &matched) {
        match effect {
            Effect::MailSent { id, at } => sent.push((*id, *at)),
            Effect::WebhookTried(one) => tried.push(one),
            Effect::Send(job) => jobs.push(job.clone()),
            Effect::Child(job) => children.push((of, job.clone())),
        }
    }
    if !sent.is_empty() {
        mail::sent(tx, &sent).await?;
    }
    webhooks::tried(tx, &tried).await?;
    if !jobs.is_empty() {
        send(tx, &jobs).await?;
    }
    puts::put_children(tx, children).await?;
    Ok(matched)
}
