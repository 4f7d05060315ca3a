//! Jobs are put into the queue, in the transaction of what asks for them.

use super::{UNBLOCK, lock_lanes, read};
use crate::{
    adapters::postgres::statement::{Param, execute, query, statements},
    domain::{id::JobId, job::NEVER, time::Micros},
    ports::jobs::NewJob,
};
use deadpool_postgres::{Transaction, tokio_postgres::Error};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

statements! {
    SEND =
        "INSERT INTO job (id, topic, version, body, queue, priority, state, attempt, failures,
             losses, sent_at, due_at, rank_at, expires_at, lane, blocked, unique_key, fold_key,
             root, ended_at)
         SELECT id, topic, version, body::jsonb, queue, priority,
             CASE WHEN gone THEN 'cancelled'
                  WHEN lane IS NULL AND due_at <= sent_at THEN 'ready' ELSE 'scheduled' END,
             0, 0, 0, sent_at, due_at, rank_at, expires_at, lane, lane IS NOT NULL AND NOT gone,
             unique_key, fold_key, root, CASE WHEN gone THEN sent_at END
         FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[],
                  $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[],
                  $12::text[], $13::text[], $14::uuid[], $15::boolean[])
             j (id, topic, version, body, queue, priority, sent_at, due_at, rank_at, expires_at,
                lane, unique_key, fold_key, root, gone)
         ON CONFLICT DO NOTHING
         RETURNING id, state, lane";
    /// Who puts into a family and who cancels it wait for each other: else the one may miss what the
    /// other hasn't committed.
    HEADS =
        "SELECT id, cancel_at IS NOT NULL FROM job WHERE id = ANY($1) ORDER BY id FOR SHARE";
    WAIT =
        "INSERT INTO job_after (job, root) SELECT * FROM unnest($1::uuid[], $2::uuid[])
         ON CONFLICT DO NOTHING";
    /// Those whose time has come by other means are only forgotten.
    RELEASE =
        "UPDATE job SET due_at = $1, rank_at = rank_at - due_at + $1
         WHERE state = 'scheduled' AND due_at = $2 AND id IN (
             SELECT a.job FROM job_after a WHERE NOT EXISTS (SELECT 1 FROM job r WHERE r.id = a.root
                     AND r.state IN ('scheduled', 'ready', 'running'))
                 AND NOT EXISTS (SELECT 1 FROM job c WHERE c.root = a.root AND c.root IS NOT NULL
                     AND c.state IN ('scheduled', 'ready', 'running')))";
    FORGET_WAITING =
        "DELETE FROM job_after WHERE NOT EXISTS (
             SELECT 1 FROM job j WHERE j.id = job_after.job AND j.due_at = $1
                 AND j.state = 'scheduled')";
    ROOTS =
        "SELECT id, coalesce(root, id) FROM job WHERE id = ANY($1)";
}

/// In the transaction of what asks for them. Those that were put.
pub(in crate::adapters::postgres::writer) async fn send(
    tx: &Transaction<'_>,
    jobs: &[NewJob],
) -> Result<Vec<JobId>, Error> {
    let lanes: Vec<&str> = jobs.iter().filter_map(|job| job.lane.as_deref()).collect();
    lock_lanes(tx, &lanes).await?;
    let given_up = given_up(tx, jobs).await?;
    let ids: Vec<_> = jobs.iter().map(|job| job.id.0).collect();
    let topics: Vec<_> = jobs.iter().map(|job| job.topic.as_str()).collect();
    let versions: Vec<_> = jobs.iter().map(|job| i64::from(job.version)).collect();
    let bodies: Vec<_> = jobs.iter().map(|job| job.body.as_str()).collect();
    let queues: Vec<_> = jobs.iter().map(|job| job.queue.as_str()).collect();
    let priorities: Vec<_> = jobs.iter().map(|job| i64::from(job.priority.level())).collect();
    let sent: Vec<_> = jobs.iter().map(|job| job.at.0).collect();
    let due: Vec<_> = jobs.iter().map(|job| job.due_at.0).collect();
    let ranks: Vec<_> = jobs.iter().map(|job| job.rank_at().0).collect();
    let expire: Vec<_> = jobs.iter().map(|job| job.expires_at.map(|at| at.0)).collect();
    let in_lanes: Vec<_> = jobs.iter().map(|job| job.lane.as_deref()).collect();
    let (unique, fold): (Vec<_>, Vec<_>) = jobs.iter().map(NewJob::keys).unzip();
    let roots: Vec<_> = jobs.iter().map(|job| job.root.map(|root| root.0)).collect();
    let gone: Vec<_> =
        roots.iter().map(|root| root.is_some_and(|root| given_up.contains(&root))).collect();
    let params: [Param<'_>; 15] = [
        &ids,
        &topics,
        &versions,
        &bodies,
        &queues,
        &priorities,
        &sent,
        &due,
        &ranks,
        &expire,
        &in_lanes,
        &unique,
        &fold,
        &roots,
        &gone,
    ];
    let put = read(&query(tx, SEND, params).await?)?;
    if !lanes.is_empty() {
        execute(tx, UNBLOCK, [&lanes]).await?;
    }
    let put: Vec<_> = put.into_iter().map(|row| JobId(row.id)).collect();
    let waits = |job: &&NewJob| job.after.is_some() && put.contains(&job.id);
    let (waiting, roots): (Vec<_>, Vec<_>) =
        jobs.iter().filter(waits).filter_map(|job| Some((job.id.0, job.after?.0))).unzip();
    if !waiting.is_empty() {
        execute(tx, WAIT, [&waiting, &roots]).await?;
    }
    Ok(put)
}

/// Makes those due that waited for others, which are over by now.
pub(super) async fn release(tx: &Transaction<'_>, at: Micros) -> Result<u64, Error> {
    let released = execute(tx, RELEASE, [&at.0, &NEVER.0]).await?;
    execute(tx, FORGET_WAITING, [&NEVER.0]).await?;
    Ok(released)
}

/// Roots of theirs that somebody wanted cancelled.
async fn given_up(tx: &Transaction<'_>, jobs: &[NewJob]) -> Result<BTreeSet<Uuid>, Error> {
    let roots: BTreeSet<Uuid> = jobs.iter().filter_map(|job| job.root).map(|id| id.0).collect();
    if roots.is_empty() {
        return Ok(roots);
    }
    let roots: Vec<Uuid> = roots.into_iter().collect();
    let mut given_up = BTreeSet::new();
    for row in query(tx, HEADS, [&roots]).await? {
        if row.try_get(1)? {
            given_up.insert(row.try_get(0)?);
        }
    }
    Ok(given_up)
}

/// Into the families of those that want them.
pub(super) async fn put_children(
    tx: &Transaction<'_>,
    children: Vec<(JobId, NewJob)>,
) -> Result<(), Error> {
    if children.is_empty() {
        return Ok(());
    }
    let parents: BTreeSet<Uuid> = children.iter().map(|(parent, _)| parent.0).collect();
    let parents: Vec<Uuid> = parents.into_iter().collect();
    let mut roots: BTreeMap<Uuid, JobId> = BTreeMap::new();
    for row in query(tx, ROOTS, [&parents]).await? {
        roots.insert(row.try_get(0)?, JobId(row.try_get(1)?));
    }
    let child =
        |(parent, job): (JobId, NewJob)| NewJob { root: roots.get(&parent.0).copied(), ..job };
    let jobs: Vec<_> = children.into_iter().map(child).collect();
    send(tx, &jobs).await.map(drop)
}
