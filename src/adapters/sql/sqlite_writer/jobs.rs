//! Jobs are put into the queue, claimed, and ended with what they did; see `ports::jobs`.
//!
//! Each statement is set-based and goes by an index of the rows it is about: a claim reads as many
//! rows as it takes, however many jobs are over, scheduled or in other hands.

use super::{mail, products::Hex, rows};
use crate::{
    adapters::sql::{audit, texts::statements},
    domain::{
        id::{JobId, WorkerId},
        job::{JobState, MOST_LOSSES},
        time::Micros,
    },
    ports::{
        jobs::{
            ClaimedJob, Effect, Ended, JobAct, JobActs, JobWrite, JobsWritten, NewJob, NewWorker,
            queue_paused,
        },
        writer::Written,
    },
};
use sqlx::{SqliteConnection, types::Json};
use sqlx_macros::FromRow;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Made ready at a claim at most; more than a claim takes, and few enough for one commit.
const READIED: i64 = 1_000;

statements! {
    SEND = { sqlite:
        "INSERT INTO job (id, topic, version, body, queue, priority, state, attempt, failures,
             losses, sent_at, due_at, rank_at, expires_at, lane, blocked, unique_key, fold_key,
             root, ended_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING
         RETURNING id, state, lane" };
    /// The first of each lane may run, once its time has come, where none else of it may.
    UNBLOCK = { sqlite:
        "UPDATE job SET blocked = 0 WHERE blocked = 1 AND id IN (
             SELECT (SELECT j.id FROM job j WHERE j.lane = l.value AND j.lane IS NOT NULL
                         AND j.state IN ('scheduled', 'ready', 'running')
                     ORDER BY j.id LIMIT 1)
             FROM json_each($1) l
             WHERE NOT EXISTS (SELECT 1 FROM job h WHERE h.lane = l.value AND h.lane IS NOT NULL
                 AND h.blocked = 0 AND h.state IN ('scheduled', 'ready', 'running')))" };
    JOIN = { sqlite:
        "INSERT INTO job_worker (id, name, beat, joined_at, seen_at) VALUES ($1, $2, 0, $3, $3)" };
    OTHERS = { sqlite: "DELETE FROM job_worker WHERE id <> $1 RETURNING id" };
    BEAT = { sqlite:
        "UPDATE job_worker SET beat = beat + 1, seen_at = $2 WHERE id = $1" };
    TO_CANCEL = { sqlite:
        "SELECT id FROM job WHERE worker = $1 AND cancel_at IS NOT NULL" };
    LEAVE = { sqlite: "DELETE FROM job_worker WHERE id = $1" };
    BURY = { sqlite:
        "DELETE FROM job_worker WHERE (id, beat) IN (
             SELECT unhex(value->>0), value->>1 FROM json_each($1)) RETURNING id" };
    /// At the first loss it keeps its place. Then it waits, each time for longer and by chance, so
    /// that one that kills its process meets others than those it met before.
    LOSE = { sqlite:
        "WITH lost AS MATERIALIZED (
             SELECT id, CASE losses WHEN 0 THEN due_at
                        ELSE $2 + abs(random() % (1000000 << min(losses, 8))) END AS due_at
             FROM job WHERE worker IN (SELECT unhex(value) FROM json_each($1)))
         UPDATE job SET
             state = CASE WHEN cancel_at IS NOT NULL THEN 'cancelled'
                          WHEN losses + 1 >= $3 THEN 'dead' ELSE 'scheduled' END,
             losses = losses + 1, worker = NULL, due_at = lost.due_at,
             rank_at = job.rank_at - job.due_at + lost.due_at,
             ended_at = CASE WHEN cancel_at IS NULL AND losses + 1 < $3 THEN NULL ELSE $2 END,
             error = 'the process that had it in hand died'
         FROM lost WHERE job.id = lost.id
         RETURNING id, state, lane" };
    WORKER = { sqlite: "SELECT id FROM job_worker WHERE id = $1" };
    COME_DUE = { sqlite:
        "UPDATE job SET state = 'ready' WHERE id IN (
             SELECT id FROM job
             WHERE queue = $1 AND state = 'scheduled' AND blocked = 0 AND due_at <= $2
             ORDER BY due_at LIMIT $3)" };
    CLAIM = { sqlite:
        "UPDATE job SET state = 'running', attempt = attempt + 1, worker = $2, started_at = $3,
             fold_key = NULL
         WHERE id IN (
             SELECT id FROM job WHERE queue = $1 AND state = 'ready'
                 AND (expires_at IS NULL OR expires_at > $3) AND (losses = 0 OR $5)
                 AND NOT EXISTS (SELECT 1 FROM job_queue WHERE queue = $1 AND paused = 1)
             ORDER BY rank_at LIMIT $4)
         RETURNING id, topic, version, body, attempt, failures, losses, sent_at, expires_at,
             rank_at" };
    END = { sqlite:
        "WITH e (id, attempt, state, failed, due_at, error, stuck, at)
             AS (VALUES (?, ?, ?, ?, ?, ?, ?, ?))
         UPDATE job SET
             state = CASE WHEN e.state = 'scheduled' AND job.cancel_at IS NOT NULL
                          THEN 'cancelled' ELSE e.state END,
             failures = failures + e.failed, losses = losses + e.stuck,
             due_at = coalesce(e.due_at, job.due_at),
             rank_at = job.rank_at - job.due_at + coalesce(e.due_at, job.due_at),
             error = CASE e.state WHEN 'succeeded' THEN NULL ELSE coalesce(e.error, job.error) END,
             worker = NULL,
             ended_at = CASE WHEN e.state = 'scheduled' AND job.cancel_at IS NULL THEN NULL
                             ELSE e.at END
         FROM e
         WHERE job.id = e.id AND job.attempt = e.attempt AND job.state = 'running'
         RETURNING id, state, lane" };
    HAND_BACK = { sqlite:
        "UPDATE job SET state = CASE WHEN cancel_at IS NULL THEN 'scheduled' ELSE 'cancelled' END,
             worker = NULL, ended_at = CASE WHEN cancel_at IS NULL THEN NULL ELSE $2 END
         FROM (SELECT unhex(value->>0) AS id, value->>1 AS attempt FROM json_each($1)) e
         WHERE job.id = e.id AND job.attempt = e.attempt AND job.state = 'running'
         RETURNING id, state, lane" };
    HAND_ALL_BACK = { sqlite:
        "UPDATE job SET state = CASE WHEN cancel_at IS NULL THEN 'scheduled' ELSE 'cancelled' END,
             worker = NULL, ended_at = CASE WHEN cancel_at IS NULL THEN NULL ELSE $2 END
         WHERE worker = $1
         RETURNING id, state, lane" };
    EXPIRE = { sqlite:
        "UPDATE job SET state = 'dead', blocked = 0, ended_at = $1,
             error = coalesce(error || '; then it was too late', 'it was too late to begin it')
         WHERE id IN (SELECT id FROM job WHERE expires_at IS NOT NULL AND expires_at <= $1
                          AND state IN ('scheduled', 'ready') ORDER BY expires_at LIMIT $2)
         RETURNING id, state, lane" };
    PAUSE = { sqlite:
        "INSERT INTO job_queue (queue, paused, set_by, set_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (queue) DO UPDATE SET paused = $2, set_by = $3, set_at = $4
         WHERE paused <> $2" };
    RETRY = { sqlite:
        "UPDATE job SET state = 'scheduled', blocked = lane IS NOT NULL, failures = 0, losses = 0,
             due_at = $2, rank_at = rank_at - due_at + $2, ended_at = NULL, cancel_at = NULL,
             fold_key = NULL,
             expires_at = CASE WHEN $3 IS NOT NULL THEN $3
                               WHEN expires_at <= $2 THEN NULL ELSE expires_at END
         WHERE id = $1 AND state NOT IN ('running', 'succeeded')
             AND (unique_key IS NULL OR ended_at IS NULL OR NOT EXISTS (
                 SELECT 1 FROM job o WHERE o.unique_key = job.unique_key
                     AND o.unique_key IS NOT NULL AND o.state IN ('scheduled', 'ready', 'running')))
         RETURNING id, state, lane" };
    CANCEL = { sqlite:
        "UPDATE job SET cancel_at = $2, blocked = 0,
             state = CASE state WHEN 'running' THEN 'running' ELSE 'cancelled' END,
             ended_at = CASE state WHEN 'running' THEN NULL ELSE $2 END
         WHERE id = $1 AND state IN ('scheduled', 'ready', 'running') AND cancel_at IS NULL
         RETURNING id, state, lane" };
    DISCARD = { sqlite:
        "DELETE FROM job WHERE id = $1 AND state <> 'running' RETURNING id, state, lane" };
    /// Of families whose root somebody wanted cancelled.
    GIVEN_UP = { sqlite:
        "SELECT id FROM job WHERE id IN (SELECT unhex(value) FROM json_each($1))
             AND cancel_at IS NOT NULL" };
    ROOTS = { sqlite:
        "SELECT id, coalesce(root, id) AS root FROM job
         WHERE id IN (SELECT unhex(value) FROM json_each($1))" };
    /// Of a root that has ended, or was asked to, where there is more to cancel of its family.
    CANCEL_ROOT = { sqlite:
        "UPDATE job SET cancel_at = $2 WHERE id = $1 AND EXISTS (
             SELECT 1 FROM job c WHERE c.root = $1 AND c.root IS NOT NULL
                 AND c.state IN ('scheduled', 'ready', 'running') AND c.cancel_at IS NULL)" };
    /// Of a root that has ended well itself, where others of its family did not.
    RETRY_ROOT = { sqlite:
        "UPDATE job SET cancel_at = NULL WHERE id = $1 AND state = 'succeeded' AND EXISTS (
             SELECT 1 FROM job c WHERE c.root = $1 AND c.root IS NOT NULL
                 AND c.state IN ('failed', 'dead', 'cancelled'))" };
    /// A family goes together: its root once all of it is over, and then the others.
    FORGET = { sqlite:
        "DELETE FROM job WHERE id IN (
             SELECT id FROM job WHERE ended_at IS NOT NULL AND ended_at < $1
                 AND (state = 'succeeded' OR ended_at < $2)
                 AND (SELECT r.id FROM job r WHERE r.id = job.root) IS NULL
                 AND (SELECT c.id FROM job c WHERE c.root = job.id AND c.root IS NOT NULL
                          AND c.state IN ('scheduled', 'ready', 'running') LIMIT 1) IS NULL
             ORDER BY ended_at LIMIT $3)" };
}

/// One that was moved.
#[derive(FromRow)]
struct MovedRow {
    id: Uuid,
    state: String,
    lane: Option<String>,
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

pub(super) async fn apply(
    conn: &mut SqliteConnection,
    write: &JobWrite,
) -> Result<Written, sqlx::Error> {
    Ok(Written::Jobs(match write {
        JobWrite::Send(jobs) => JobsWritten::Sent(send(conn, jobs).await?),
        JobWrite::Join(worker) => join(conn, worker).await?,
        JobWrite::Beat { worker, at } => beat(conn, *worker, *at).await?,
        JobWrite::Leave { worker, at } => {
            let back = sqlx::query_as(HAND_ALL_BACK.sqlite).bind(worker.0).bind(at.0);
            let rows = back.fetch_all(&mut *conn).await?;
            let count = moved(conn, rows).await?;
            sqlx::query(LEAVE.sqlite).bind(worker.0).execute(conn).await?;
            JobsWritten::Moved(count)
        }
        JobWrite::Bury { lost, at } => {
            let lost: Vec<_> = lost.iter().map(|(worker, beat)| (Hex(worker.0), beat)).collect();
            let bury = sqlx::query_scalar(BURY.sqlite).bind(Json(lost));
            let buried: Vec<Uuid> = bury.fetch_all(&mut *conn).await?;
            JobsWritten::Moved(lose(conn, buried, *at).await?)
        }
        JobWrite::Claim { worker, queue, at, most, suspects } => {
            let there = sqlx::query_scalar::<_, Uuid>(WORKER.sqlite).bind(worker.0);
            if there.fetch_optional(&mut *conn).await?.is_none() {
                return Ok(Written::Jobs(JobsWritten::Buried));
            }
            let due = sqlx::query(COME_DUE.sqlite).bind(queue.as_str()).bind(at.0).bind(READIED);
            due.execute(&mut *conn).await?;
            let claim = sqlx::query_as(CLAIM.sqlite).bind(queue.as_str()).bind(worker.0);
            let claim = claim.bind(at.0).bind(i64::from(*most)).bind(*suspects);
            let mut rows: Vec<ClaimedRow> = claim.fetch_all(conn).await?;
            rows.sort_by_key(|row| row.rank_at);
            JobsWritten::Claimed(rows.into_iter().map(Into::into).collect())
        }
        JobWrite::End { ended, at } => JobsWritten::Ended(end(conn, ended, *at).await?),
        JobWrite::HandBack { jobs, at } => {
            let jobs: Vec<_> = jobs.iter().map(|(id, attempt)| (Hex(id.0), attempt)).collect();
            let back = sqlx::query_as(HAND_BACK.sqlite).bind(Json(jobs)).bind(at.0);
            let rows = back.fetch_all(&mut *conn).await?;
            JobsWritten::Moved(moved(conn, rows).await?)
        }
        JobWrite::Expire { at, most } => {
            let expire = sqlx::query_as(EXPIRE.sqlite).bind(at.0).bind(i64::from(*most));
            let rows = expire.fetch_all(&mut *conn).await?;
            JobsWritten::Moved(moved(conn, rows).await?)
        }
        JobWrite::Pause { queue, paused, by, at } => {
            let pause = sqlx::query(PAUSE.sqlite).bind(queue.as_str()).bind(*paused);
            let changed = pause.bind(by).bind(at.0).execute(&mut *conn).await?.rows_affected();
            if changed > 0 {
                audit::append(conn, &queue_paused(*queue, *paused, by, *at)).await?;
            }
            JobsWritten::Moved(changed)
        }
        JobWrite::Act(acts) => JobsWritten::Acted(act(conn, acts).await?),
        JobWrite::Forget { succeeded, others, most } => {
            let forget = sqlx::query(FORGET.sqlite).bind(succeeded.0).bind(others.0);
            let forgotten = forget.bind(i64::from(*most)).execute(conn).await?;
            JobsWritten::Moved(forgotten.rows_affected())
        }
    }))
}

/// In the transaction of what asks for them.
pub(super) async fn put(conn: &mut SqliteConnection, jobs: &[NewJob]) -> Result<(), sqlx::Error> {
    send(conn, jobs).await.map(drop)
}

/// Says which of them were new.
async fn send(conn: &mut SqliteConnection, jobs: &[NewJob]) -> Result<Vec<JobId>, sqlx::Error> {
    let given_up = given_up(conn, jobs).await?;
    let sent = rows::put_returning(conn, SEND, jobs, |values, job| {
        let (unique, fold) = job.keys();
        let ready = job.lane.is_none() && job.due_at <= job.at;
        let gone = job.root.is_some_and(|root| given_up.contains(&root.0));
        let state = match gone {
            true => JobState::Cancelled,
            false if ready => JobState::Ready,
            false => JobState::Scheduled,
        };
        values.bind(job.id.0).bind(&job.topic).bind(job.version).bind(&job.body);
        values.bind(job.queue.as_str()).bind(job.priority.level()).bind(state.as_str());
        values.bind(job.at.0).bind(job.due_at.0).bind(job.rank_at().0);
        values.bind(job.expires_at.map(|at| at.0)).bind(&job.lane);
        values.bind(job.lane.is_some() && !gone);
        values.bind(unique).bind(fold).bind(job.root.map(|root| root.0));
        values.bind(gone.then_some(job.at.0));
    });
    let sent: Vec<MovedRow> = sent.await?;
    let (sent, lanes): (Vec<_>, Vec<_>) =
        sent.into_iter().map(|row| (JobId(row.id), row.lane)).unzip();
    unblock(conn, lanes).await?;
    Ok(sent)
}

/// Roots of theirs that somebody wanted cancelled.
async fn given_up(
    conn: &mut SqliteConnection,
    jobs: &[NewJob],
) -> Result<BTreeSet<Uuid>, sqlx::Error> {
    let roots: BTreeSet<Uuid> = jobs.iter().filter_map(|job| job.root).map(|id| id.0).collect();
    if roots.is_empty() {
        return Ok(roots);
    }
    let roots: Vec<_> = roots.into_iter().map(Hex).collect();
    let given_up = sqlx::query_scalar(GIVEN_UP.sqlite).bind(Json(roots));
    let given_up: Vec<Uuid> = given_up.fetch_all(conn).await?;
    Ok(given_up.into_iter().collect())
}

/// Into the families of those that want them.
async fn put_children(
    conn: &mut SqliteConnection,
    children: Vec<(JobId, NewJob)>,
) -> Result<(), sqlx::Error> {
    let parents: BTreeSet<Uuid> = children.iter().map(|(parent, _)| parent.0).collect();
    if parents.is_empty() {
        return Ok(());
    }
    let parents: Vec<_> = parents.into_iter().map(Hex).collect();
    let roots = sqlx::query_as(ROOTS.sqlite).bind(Json(parents));
    let roots: Vec<(Uuid, Uuid)> = roots.fetch_all(&mut *conn).await?;
    let roots: BTreeMap<_, _> = roots.into_iter().collect();
    let child = |(parent, job): (JobId, NewJob)| NewJob {
        root: roots.get(&parent.0).copied().map(JobId),
        ..job
    };
    let jobs: Vec<_> = children.into_iter().map(child).collect();
    put(conn, &jobs).await
}

async fn unblock(
    conn: &mut SqliteConnection,
    lanes: Vec<Option<String>>,
) -> Result<(), sqlx::Error> {
    let lanes: Vec<String> = lanes.into_iter().flatten().collect();
    if lanes.is_empty() {
        return Ok(());
    }
    sqlx::query(UNBLOCK.sqlite).bind(Json(lanes)).execute(conn).await.map(drop)
}

/// Whatever ended leaves its lane to the next, and a mail is given up with its job.
async fn moved(conn: &mut SqliteConnection, rows: Vec<MovedRow>) -> Result<u64, sqlx::Error> {
    let (count, mut lanes, mut gone) = (rows.len() as u64, Vec::new(), Vec::new());
    for row in rows {
        let state = JobState::parse(&row.state);
        if state.is_some_and(JobState::is_over) {
            lanes.push(row.lane);
            if state != Some(JobState::Succeeded) {
                gone.push(row.id);
            }
        }
    }
    unblock(conn, lanes).await?;
    if !gone.is_empty() {
        mail::given_up(conn, gone).await?;
    }
    Ok(count)
}

async fn join(conn: &mut SqliteConnection, worker: &NewWorker) -> Result<JobsWritten, sqlx::Error> {
    let join = sqlx::query(JOIN.sqlite).bind(worker.id.0).bind(&worker.name).bind(worker.at.0);
    join.execute(&mut *conn).await?;
    if !worker.alone {
        return Ok(JobsWritten::Moved(0));
    }
    let others = sqlx::query_scalar(OTHERS.sqlite).bind(worker.id.0);
    let others: Vec<Uuid> = others.fetch_all(&mut *conn).await?;
    Ok(JobsWritten::Moved(lose(conn, others, worker.at).await?))
}

async fn lose(
    conn: &mut SqliteConnection,
    workers: Vec<Uuid>,
    at: Micros,
) -> Result<u64, sqlx::Error> {
    if workers.is_empty() {
        return Ok(0);
    }
    let workers: Vec<_> = workers.into_iter().map(Hex).collect();
    let lose = sqlx::query_as(LOSE.sqlite).bind(Json(workers)).bind(at.0);
    let rows = lose.bind(i64::from(MOST_LOSSES)).fetch_all(&mut *conn).await?;
    moved(conn, rows).await
}

async fn beat(
    conn: &mut SqliteConnection,
    worker: WorkerId,
    at: Micros,
) -> Result<JobsWritten, sqlx::Error> {
    let beat = sqlx::query(BEAT.sqlite).bind(worker.0).bind(at.0);
    if beat.execute(&mut *conn).await?.rows_affected() == 0 {
        return Ok(JobsWritten::Buried);
    }
    let cancel = sqlx::query_scalar(TO_CANCEL.sqlite).bind(worker.0);
    let ids: Vec<Uuid> = cancel.fetch_all(conn).await?;
    Ok(JobsWritten::Beating(ids.into_iter().map(JobId).collect()))
}

/// The fences first, then what the matched ones did.
async fn end(
    conn: &mut SqliteConnection,
    ended: &[Ended],
    at: Micros,
) -> Result<Vec<JobId>, sqlx::Error> {
    let rows = rows::put_returning(conn, END, ended, |values, one: &Ended| {
        let Ended { id, attempt, ending, stuck, .. } = one;
        values.bind(id.0).bind(*attempt).bind(ending.state().as_str());
        values.bind(i64::from(ending.is_failure())).bind(ending.due_at().map(|at| at.0));
        values.bind(ending.error()).bind(i64::from(*stuck)).bind(at.0);
    });
    let rows: Vec<MovedRow> = rows.await?;
    let matched: Vec<JobId> = rows.iter().map(|row| JobId(row.id)).collect();
    moved(conn, rows).await?;
    let (mut sent, mut jobs, mut children) = (Vec::new(), Vec::new(), Vec::new());
    for (of, effect) in effects(ended, &matched) {
        match effect {
            Effect::MailSent { id, at } => sent.push((*id, *at)),
            Effect::Send(job) => jobs.push(job.clone()),
            Effect::Child(job) => children.push((of, job.clone())),
        }
    }
    if !sent.is_empty() {
        mail::sent(conn, &sent).await?;
    }
    put(conn, &jobs).await?;
    put_children(conn, children).await?;
    Ok(matched)
}

fn effects<'a>(ended: &'a [Ended], matched: &[JobId]) -> impl Iterator<Item = (JobId, &'a Effect)> {
    let matched: std::collections::HashSet<_> = matched.iter().copied().collect();
    let counted = ended.iter().filter(move |one| matched.contains(&one.id));
    counted.flat_map(|one| one.effects.iter().map(|effect| (one.id, effect)))
}

/// One after the other: whether one can be retried may depend on the one before it.
async fn act(conn: &mut SqliteConnection, acts: &JobActs) -> Result<Vec<JobId>, sqlx::Error> {
    let mut done = Vec::new();
    for id in &acts.jobs {
        if act_on(conn, acts.act, *id, acts.at, None).await? {
            audit::append(conn, &acts.told(*id)).await?;
            done.push(*id);
        }
    }
    Ok(done)
}

/// `until`: when it is retried, the time from which on it is too late.
pub(super) async fn act_on(
    conn: &mut SqliteConnection,
    act: JobAct,
    id: JobId,
    at: Micros,
    until: Option<Micros>,
) -> Result<bool, sqlx::Error> {
    let row: Option<MovedRow> = match act {
        JobAct::Retry => {
            let retry = sqlx::query_as(RETRY.sqlite).bind(id.0).bind(at.0);
            retry.bind(until.map(|until| until.0)).fetch_optional(&mut *conn).await?
        }
        JobAct::Cancel => {
            let cancel = sqlx::query_as(CANCEL.sqlite).bind(id.0).bind(at.0);
            cancel.fetch_optional(&mut *conn).await?
        }
        JobAct::Discard => {
            sqlx::query_as(DISCARD.sqlite).bind(id.0).fetch_optional(&mut *conn).await?
        }
    };
    let Some(row) = row else { return act_on_root(conn, act, id, at).await };
    match act {
        JobAct::Retry => {
            unblock(conn, vec![row.lane]).await?;
            mail::wanted_again(conn, row.id).await?;
        }
        JobAct::Cancel => drop(moved(conn, vec![row]).await?),
        JobAct::Discard => {
            unblock(conn, vec![row.lane]).await?;
            mail::given_up(conn, vec![row.id]).await?;
        }
    }
    Ok(true)
}

/// A root that is over itself, on behalf of its family.
async fn act_on_root(
    conn: &mut SqliteConnection,
    act: JobAct,
    id: JobId,
    at: Micros,
) -> Result<bool, sqlx::Error> {
    let marked = match act {
        JobAct::Retry => sqlx::query(RETRY_ROOT.sqlite).bind(id.0).execute(conn).await?,
        JobAct::Cancel => {
            sqlx::query(CANCEL_ROOT.sqlite).bind(id.0).bind(at.0).execute(conn).await?
        }
        JobAct::Discard => return Ok(false),
    };
    Ok(marked.rows_affected() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::{AssertSqlSafe, Connection, Executor};

    /// As much of the older schema as the migration of jobs touches.
    const MAIL: &str = "CREATE TABLE mail (id, state, attempts, created_at, due_at, until, sent_at,
                            failure); CREATE INDEX mail_waiting ON mail (due_at)";

    #[tokio::test]
    async fn each_statement_goes_by_the_index_of_the_rows_it_is_about() {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        conn.execute(MAIL).await.unwrap();
        let jobs = include_str!("../../../../migrations/sqlite/0015_jobs.sql");
        conn.execute(jobs).await.unwrap();
        let families = include_str!("../../../../migrations/sqlite/0017_job_families.sql");
        conn.execute(families).await.unwrap();
        for (statement, index) in [
            (CLAIM, "job_ready"),
            (COME_DUE, "job_due"),
            (EXPIRE, "job_expiry"),
            (FORGET, "job_over"),
            (FORGET, "job_family"),
            (CANCEL_ROOT, "job_family"),
            (RETRY_ROOT, "job_family"),
            (LOSE, "job_in_hand"),
            (HAND_ALL_BACK, "job_in_hand"),
            (UNBLOCK, "job_lane"),
            (UNBLOCK, "job_head"),
            (END, "PRIMARY KEY"),
        ] {
            let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", statement.sqlite));
            let plan: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(explain).fetch_all(&mut conn).await.unwrap();
            let plan: Vec<_> = plan.into_iter().map(|line| line.3).collect();
            let told = plan.join("\n");
            assert!(told.contains(index), "{index} of\n{told}");
            assert!(!plan.iter().any(|line| line.starts_with("SCAN job")), "{told}");
            assert!(!told.contains("TEMP B-TREE FOR ORDER BY"), "it sorts what it finds:\n{told}");
        }
    }
}
