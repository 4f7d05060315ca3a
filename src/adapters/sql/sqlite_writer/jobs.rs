//! Jobs are put into the queue, claimed, and ended with what they did; see `ports::jobs`.
//!
//! Each statement is set-based and goes by an index of the rows it is about: a claim reads as many
//! rows as it takes, however many jobs are over, scheduled or in other hands.

pub(super) mod acts;
pub(super) mod claims;
pub(super) mod progress;
pub(super) mod puts;
pub(super) mod shares;

pub(super) use acts::act_on;
pub(super) use puts::put;

use super::{mail, products::Hex, rows, webhooks};
use crate::{
    adapters::sql::{audit, texts::statements},
    domain::{
        id::{JobId, WorkerId},
        job::{JobState, MOST_LOSSES},
        time::Micros,
    },
    ports::{
        jobs::{Effect, Ended, JobWrite, JobsWritten, NewWorker, queue_paused},
        writer::Written,
    },
};
use sqlx::{SqliteConnection, types::Json};
use sqlx_macros::FromRow;
use uuid::Uuid;

statements! {
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
    LET_GO = { sqlite:
        "UPDATE job SET state = CASE WHEN cancel_at IS NULL THEN 'scheduled' ELSE 'cancelled' END,
             worker = NULL, ended_at = CASE WHEN cancel_at IS NULL THEN NULL ELSE $2 END
         WHERE worker = $1 AND (id, attempt) NOT IN (
             SELECT unhex(value->>0), value->>1 FROM json_each($3))
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

pub(super) async fn apply(
    conn: &mut SqliteConnection,
    write: &JobWrite,
) -> Result<Written, sqlx::Error> {
    Ok(Written::Jobs(match write {
        JobWrite::Send(jobs) => JobsWritten::Sent(puts::send(conn, jobs).await?),
        JobWrite::Join(worker) => join(conn, worker).await?,
        JobWrite::Beat { worker, at } => beat(conn, *worker, *at).await?,
        JobWrite::Progress(told) => JobsWritten::Moved(progress::tell(conn, told).await?),
        JobWrite::Leave { worker, at } => {
            let count = let_go(conn, *worker, &[], *at).await?;
            sqlx::query(LEAVE.sqlite).bind(worker.0).execute(conn).await?;
            JobsWritten::Moved(count)
        }
        JobWrite::Bury { lost, at } => {
            let lost: Vec<_> = lost.iter().map(|(worker, beat)| (Hex(worker.0), beat)).collect();
            let bury = sqlx::query_scalar(BURY.sqlite).bind(Json(lost));
            let buried: Vec<Uuid> = bury.fetch_all(&mut *conn).await?;
            JobsWritten::Moved(lose(conn, buried, *at).await?)
        }
        JobWrite::Claim(wish) => claims::claim(conn, wish).await?,
        JobWrite::End { ended, at } => JobsWritten::Ended(end(conn, ended, *at).await?),
        JobWrite::HandBack { jobs, at } => {
            let jobs: Vec<_> = jobs.iter().map(|(id, attempt)| (Hex(id.0), attempt)).collect();
            let back = sqlx::query_as(HAND_BACK.sqlite).bind(Json(jobs)).bind(at.0);
            let rows = back.fetch_all(&mut *conn).await?;
            JobsWritten::Moved(moved(conn, rows).await?)
        }
        JobWrite::LetGo { worker, held, at } => {
            JobsWritten::Moved(let_go(conn, *worker, held, *at).await?)
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
        JobWrite::Release { at } => JobsWritten::Moved(puts::release(conn, *at).await?),
        JobWrite::Share { queue, sharing, by, at } => {
            JobsWritten::Moved(shares::share(conn, *queue, sharing, by, *at).await?)
        }
        JobWrite::Limit { topic, rate, by, at } => {
            JobsWritten::Moved(shares::limit(conn, topic, *rate, by, *at).await?)
        }
        JobWrite::Act(acts) => JobsWritten::Acted(acts::act(conn, acts).await?),
        JobWrite::Edit(edit) => JobsWritten::Acted(acts::edit(conn, edit).await?),
        JobWrite::Forget { succeeded, others, most } => {
            let forget = sqlx::query(FORGET.sqlite).bind(succeeded.0).bind(others.0);
            let forgotten = forget.bind(i64::from(*most)).execute(conn).await?;
            JobsWritten::Moved(forgotten.rows_affected())
        }
    }))
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

/// Whatever ended leaves its lane to the next, and what it was to hand over is given up with it.
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
        webhooks::given_up(conn, &gone).await?;
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

async fn let_go(
    conn: &mut SqliteConnection,
    worker: WorkerId,
    held: &[(JobId, u32)],
    at: Micros,
) -> Result<u64, sqlx::Error> {
    let held: Vec<_> = held.iter().map(|(id, attempt)| (Hex(id.0), attempt)).collect();
    let back = sqlx::query_as(LET_GO.sqlite).bind(worker.0).bind(at.0).bind(Json(held));
    let rows = back.fetch_all(&mut *conn).await?;
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
        mail::sent(conn, &sent).await?;
    }
    webhooks::tried(conn, &tried).await?;
    put(conn, &jobs).await?;
    puts::put_children(conn, children).await?;
    Ok(matched)
}

#[cfg(test)]
mod tests {
    use super::{
        acts::{CANCEL_ROOT, RETRY_ROOT},
        claims::{CLAIM, CLAIM_SUSPECTS, CLAIM_THESE, COME_DUE},
        shares::{HEADS, IN_HAND, RATES, SUSPECTS},
        *,
    };
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
        let maintenance = include_str!("../../../../migrations/sqlite/0019_maintenance.sql");
        conn.execute(maintenance).await.unwrap();
        let suspects = include_str!("../../../../migrations/sqlite/0020_job_suspects.sql");
        conn.execute(suspects).await.unwrap();
        let sharing = include_str!("../../../../migrations/sqlite/0022_job_sharing.sql");
        conn.execute(sharing).await.unwrap();
        for (statement, index) in [
            (CLAIM, "job_ready"),
            (CLAIM_SUSPECTS, "job_suspects"),
            (CLAIM_THESE, "PRIMARY KEY"),
            (HEADS, "job_topic (queue=? AND topic=?)"),
            (HEADS, "job_topic (queue=? AND topic>?)"),
            (SUSPECTS, "job_suspects"),
            (RATES, "job_topic"),
            (IN_HAND, "job_in_hand"),
            (COME_DUE, "job_due"),
            (EXPIRE, "job_expiry"),
            (FORGET, "job_over"),
            (FORGET, "job_family"),
            (CANCEL_ROOT, "job_family"),
            (RETRY_ROOT, "job_family"),
            (LOSE, "job_in_hand"),
            (LET_GO, "job_in_hand"),
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
