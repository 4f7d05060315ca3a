//! What operators do to jobs, one after the other, and to the families of those that are roots.

use super::{MovedRow, moved, unblock};
use crate::{
    adapters::sql::{
        audit,
        sqlite_writer::{mail, webhooks},
        texts::statements,
    },
    domain::{id::JobId, time::Micros},
    ports::jobs::{JobAct, JobActs, JobEdit},
};
use sqlx::SqliteConnection;

statements! {
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
    MOVE = { sqlite:
        "UPDATE job SET queue = $2
         WHERE id = $1 AND state IN ('scheduled', 'ready') AND queue <> $2
         RETURNING id, state, lane" };
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
    OVER = { sqlite:
        "SELECT body FROM job WHERE id = $1 AND attempt = $2
             AND state IN ('failed', 'dead', 'cancelled')" };
    EDIT = { sqlite: "UPDATE job SET body = $2 WHERE id = $1" };
}

/// One after the other: whether one can be retried may depend on the one before it.
pub(super) async fn act(
    conn: &mut SqliteConnection,
    acts: &JobActs,
) -> Result<Vec<JobId>, sqlx::Error> {
    let mut done = Vec::new();
    for id in &acts.jobs {
        if act_on(conn, acts.act, *id, acts.at, None).await? {
            audit::append(conn, &acts.told(*id)).await?;
            done.push(*id);
        }
    }
    Ok(done)
}

/// Tried anew with another body, or left as it is where it can't be.
pub(super) async fn edit(
    conn: &mut SqliteConnection,
    edit: &JobEdit,
) -> Result<Vec<JobId>, sqlx::Error> {
    let over = sqlx::query_scalar(OVER.sqlite).bind(edit.id.0).bind(edit.attempt);
    let Some(old): Option<String> = over.fetch_optional(&mut *conn).await? else {
        return Ok(Vec::new());
    };
    if !act_on(conn, JobAct::Retry, edit.id, edit.at, None).await? {
        return Ok(Vec::new());
    }
    sqlx::query(EDIT.sqlite).bind(edit.id.0).bind(&edit.body).execute(&mut *conn).await?;
    audit::append(conn, &edit.told(&old)).await?;
    Ok(vec![edit.id])
}

/// `until`: when it is retried, the time from which on it is too late.
pub(in crate::adapters::sql::sqlite_writer) async fn act_on(
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
        JobAct::Move(to) => {
            let put = sqlx::query_as(MOVE.sqlite).bind(id.0).bind(to.as_str());
            put.fetch_optional(&mut *conn).await?
        }
    };
    let Some(row) = row else { return act_on_root(conn, act, id, at).await };
    match act {
        JobAct::Retry => {
            unblock(conn, vec![row.lane]).await?;
            mail::wanted_again(conn, row.id).await?;
            webhooks::wanted_again(conn, row.id).await?;
        }
        JobAct::Cancel => drop(moved(conn, vec![row]).await?),
        JobAct::Discard => {
            unblock(conn, vec![row.lane]).await?;
            mail::given_up(conn, vec![row.id]).await?;
            webhooks::given_up(conn, &[row.id]).await?;
        }
        // Its place in a lane is the same in whatever queue.
        JobAct::Move(_) => {}
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
        JobAct::Discard | JobAct::Move(_) => return Ok(false),
    };
    Ok(marked.rows_affected() > 0)
}
