//! What operators do to jobs, one after the other, and to the families of those that are roots.

use super::{moved, read, unblock};
use crate::{
    adapters::postgres::{
        statement::{execute, query, statements},
        writer::{audit, mail, webhooks},
    },
    domain::{id::JobId, time::Micros},
    ports::jobs::{JobAct, JobActs, JobEdit},
};
use deadpool_postgres::{Transaction, tokio_postgres::Error};

statements! {
    RETRY =
        "UPDATE job SET state = 'scheduled', blocked = lane IS NOT NULL, failures = 0, losses = 0,
             due_at = $2, rank_at = rank_at - due_at + $2, ended_at = NULL, cancel_at = NULL,
             fold_key = NULL,
             expires_at = CASE WHEN $3::bigint IS NOT NULL THEN $3
                               WHEN expires_at <= $2 THEN NULL ELSE expires_at END
         WHERE id = $1 AND state NOT IN ('running', 'succeeded')
             AND (unique_key IS NULL OR ended_at IS NULL OR NOT EXISTS (
                 SELECT 1 FROM job o WHERE o.unique_key = job.unique_key
                     AND o.state IN ('scheduled', 'ready', 'running')))
         RETURNING id, state, lane";
    CANCEL =
        "UPDATE job SET cancel_at = $2, blocked = FALSE,
             state = CASE state WHEN 'running' THEN 'running' ELSE 'cancelled' END,
             ended_at = CASE state WHEN 'running' THEN NULL ELSE $2::bigint END
         WHERE id = $1 AND state IN ('scheduled', 'ready', 'running') AND cancel_at IS NULL
         RETURNING id, state, lane";
    DISCARD = "DELETE FROM job WHERE id = $1 AND state <> 'running' RETURNING id, state, lane";
    MOVE =
        "UPDATE job SET queue = $2
         WHERE id = $1 AND state IN ('scheduled', 'ready') AND queue <> $2
         RETURNING id, state, lane";
    /// Of a root that has ended, or was asked to, where there is more to cancel of its family.
    CANCEL_ROOT =
        "UPDATE job SET cancel_at = $2 WHERE id = $1 AND EXISTS (
             SELECT 1 FROM job c WHERE c.root = $1 AND c.root IS NOT NULL
                 AND c.state IN ('scheduled', 'ready', 'running') AND c.cancel_at IS NULL)";
    /// Of a root that has ended well itself, where others of its family did not.
    RETRY_ROOT =
        "UPDATE job SET cancel_at = NULL WHERE id = $1 AND state = 'succeeded' AND EXISTS (
             SELECT 1 FROM job c WHERE c.root = $1 AND c.root IS NOT NULL
                 AND c.state IN ('failed', 'dead', 'cancelled'))";
    OVER =
        "SELECT body::text FROM job WHERE id = $1 AND attempt = $2
             AND state IN ('failed', 'dead', 'cancelled') FOR UPDATE";
    EDIT = "UPDATE job SET body = $2::text::jsonb WHERE id = $1";
}

/// One after the other: whether one can be retried may depend on the one before it.
pub(super) async fn act(tx: &Transaction<'_>, acts: &JobActs) -> Result<Vec<JobId>, Error> {
    let mut done = Vec::new();
    for id in &acts.jobs {
        if act_on(tx, acts.act, *id, acts.at, None).await? {
            audit::append(tx, &acts.told(*id)).await?;
            done.push(*id);
        }
    }
    Ok(done)
}

/// Tried anew with another body, or left as it is where it can't be.
pub(super) async fn edit(tx: &Transaction<'_>, edit: &JobEdit) -> Result<Vec<JobId>, Error> {
    let over = query(tx, OVER, [&edit.id.0, &i64::from(edit.attempt)]).await?;
    let Some(row) = over.first() else { return Ok(Vec::new()) };
    let old: String = row.try_get(0)?;
    if !act_on(tx, JobAct::Retry, edit.id, edit.at, None).await? {
        return Ok(Vec::new());
    }
    execute(tx, EDIT, [&edit.id.0, &edit.body]).await?;
    audit::append(tx, &edit.told(&old)).await?;
    Ok(vec![edit.id])
}

/// `until`: when it is retried, the time from which on it is too late.
pub(in crate::adapters::postgres::writer) async fn act_on(
    tx: &Transaction<'_>,
    act: JobAct,
    id: JobId,
    at: Micros,
    until: Option<Micros>,
) -> Result<bool, Error> {
    let rows = match act {
        JobAct::Retry => query(tx, RETRY, [&id.0, &at.0, &until.map(|until| until.0)]).await?,
        JobAct::Cancel => query(tx, CANCEL, [&id.0, &at.0]).await?,
        JobAct::Discard => query(tx, DISCARD, [&id.0]).await?,
        JobAct::Move(to) => query(tx, MOVE, [&id.0, &to.as_str()]).await?,
    };
    let rows = read(&rows)?;
    let Some(row) = rows.first() else { return act_on_root(tx, act, id, at).await };
    match act {
        JobAct::Cancel => drop(moved(tx, rows).await?),
        JobAct::Retry => {
            unblock(tx, &row.lane.iter().cloned().collect()).await?;
            mail::wanted_again(tx, row.id).await?;
            webhooks::wanted_again(tx, row.id).await?;
        }
        JobAct::Discard => {
            unblock(tx, &row.lane.iter().cloned().collect()).await?;
            mail::given_up(tx, &[row.id]).await?;
            webhooks::given_up(tx, &[row.id]).await?;
        }
        // Its place in a lane is the same in whatever queue.
        JobAct::Move(_) => {}
    }
    Ok(true)
}

/// A root that is over itself, on behalf of its family.
async fn act_on_root(
    tx: &Transaction<'_>,
    act: JobAct,
    id: JobId,
    at: Micros,
) -> Result<bool, Error> {
    let marked = match act {
        JobAct::Retry => execute(tx, RETRY_ROOT, [&id.0]).await?,
        JobAct::Cancel => execute(tx, CANCEL_ROOT, [&id.0, &at.0]).await?,
        JobAct::Discard | JobAct::Move(_) => 0,
    };
    Ok(marked > 0)
}
