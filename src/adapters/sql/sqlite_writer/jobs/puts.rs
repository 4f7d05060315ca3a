//! Jobs are put into the queue, in the transaction of what asks for them.

use super::{MovedRow, unblock};
use crate::{
    adapters::sql::{
        sqlite_writer::{products::Hex, rows},
        texts::statements,
    },
    domain::{
        id::JobId,
        job::{JobState, NEVER},
        time::Micros,
    },
    ports::jobs::NewJob,
};
use sqlx::{SqliteConnection, types::Json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

statements! {
    SEND = { sqlite:
        "INSERT INTO job (id, topic, version, body, queue, priority, state, attempt, failures,
             losses, sent_at, due_at, rank_at, expires_at, lane, blocked, unique_key, fold_key,
             root, ended_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING
         RETURNING id, state, lane" };
    /// Of families whose root somebody wanted cancelled.
    GIVEN_UP = { sqlite:
        "SELECT id FROM job WHERE id IN (SELECT unhex(value) FROM json_each($1))
             AND cancel_at IS NOT NULL" };
    WAIT = { sqlite: "INSERT INTO job_after (job, root) VALUES (?, ?) ON CONFLICT DO NOTHING" };
    /// Those whose time has come by other means are only forgotten.
    RELEASE = { sqlite:
        "UPDATE job SET due_at = $1, rank_at = rank_at - due_at + $1
         WHERE state = 'scheduled' AND due_at = $2 AND id IN (
             SELECT a.job FROM job_after a WHERE NOT EXISTS (SELECT 1 FROM job r WHERE r.id = a.root
                     AND r.state IN ('scheduled', 'ready', 'running'))
                 AND NOT EXISTS (SELECT 1 FROM job c WHERE c.root = a.root AND c.root IS NOT NULL
                     AND c.state IN ('scheduled', 'ready', 'running')))" };
    FORGET_WAITING = { sqlite:
        "DELETE FROM job_after WHERE NOT EXISTS (
             SELECT 1 FROM job j WHERE j.id = job_after.job AND j.due_at = $1
                 AND j.state = 'scheduled')" };
    ROOTS = { sqlite:
        "SELECT id, coalesce(root, id) AS root FROM job
         WHERE id IN (SELECT unhex(value) FROM json_each($1))" };
}

/// In the transaction of what asks for them.
pub(in crate::adapters::sql::sqlite_writer) async fn put(
    conn: &mut SqliteConnection,
    jobs: &[NewJob],
) -> Result<(), sqlx::Error> {
    send(conn, jobs).await.map(drop)
}

/// Says which of them were new.
pub(super) async fn send(
    conn: &mut SqliteConnection,
    jobs: &[NewJob],
) -> Result<Vec<JobId>, sqlx::Error> {
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
    let waits = |job: &&NewJob| job.after.is_some() && sent.contains(&job.id);
    let waiting: Vec<_> =
        jobs.iter().filter(waits).filter_map(|job| Some((job.id, job.after?))).collect();
    let wait = rows::put(conn, WAIT, &waiting, |values, (job, root)| {
        values.bind(job.0).bind(root.0);
    });
    wait.await?;
    Ok(sent)
}

/// Makes those due that waited for others, which are over by now.
pub(super) async fn release(conn: &mut SqliteConnection, at: Micros) -> Result<u64, sqlx::Error> {
    let release = sqlx::query(RELEASE.sqlite).bind(at.0).bind(NEVER.0);
    let released = release.execute(&mut *conn).await?.rows_affected();
    sqlx::query(FORGET_WAITING.sqlite).bind(NEVER.0).execute(conn).await?;
    Ok(released)
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
pub(super) async fn put_children(
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
