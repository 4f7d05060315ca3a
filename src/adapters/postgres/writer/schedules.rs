//! Schedules are set, and moved on with the jobs of their ticks; see `ports::schedules`.

use super::{audit, jobs};
use crate::{
    adapters::postgres::statement::{Param, execute, query, statements},
    domain::{
        id::JobId,
        job::{CatchUp, Priority, Queue},
        time::Micros,
    },
    ports::{
        jobs::JobsWritten,
        schedules::{
            ScheduleTerms, ScheduleWrite, Tick, schedule_enabled, schedule_run, schedule_set,
        },
        writer::Written,
    },
};
use deadpool_postgres::{
    Transaction,
    tokio_postgres::{Error, Row},
};
use uuid::Uuid;

statements! {
    GET_SCHEDULE =
        "SELECT topic, version, body::text, queue, priority, cron, zone, catch_up, enabled
         FROM job_schedule WHERE name = $1 FOR UPDATE";
    PUT_SCHEDULE =
        "INSERT INTO job_schedule (name, topic, version, body, queue, priority, cron, zone,
             catch_up, enabled, revision, next_at, set_by, set_at)
         VALUES ($1, $2, $3, $4::text::jsonb, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT (name) DO UPDATE SET topic = excluded.topic, version = excluded.version,
             body = excluded.body, queue = excluded.queue, priority = excluded.priority,
             cron = excluded.cron, zone = excluded.zone, catch_up = excluded.catch_up,
             enabled = excluded.enabled, revision = excluded.revision,
             set_by = excluded.set_by, set_at = excluded.set_at,
             next_at = CASE WHEN job_schedule.enabled AND job_schedule.cron = excluded.cron
                                AND job_schedule.zone = excluded.zone
                            THEN job_schedule.next_at ELSE excluded.next_at END";
    DROP_SCHEDULE = "DELETE FROM job_schedule WHERE name = $1";
    ENABLE =
        "UPDATE job_schedule SET enabled = $2, revision = $3, set_by = $5, set_at = $6,
             next_at = CASE WHEN $2 THEN $4 ELSE next_at END
         WHERE name = $1";
    HAS_RUN = "UPDATE job_schedule SET last_at = $2, last_job = $3 WHERE name = $1";
    MOVE_ON =
        "UPDATE job_schedule SET next_at = $4, last_at = coalesce($5, last_at),
             last_job = coalesce($6, last_job)
         WHERE name = $1 AND revision = $2 AND next_at = $3 AND enabled";
}

pub(super) async fn apply(tx: &Transaction<'_>, write: &ScheduleWrite) -> Result<Written, Error> {
    match write {
        ScheduleWrite::Set { name, terms, revision, next_at, by, at } => {
            let old = get(tx, name).await?;
            // Terms that can't be read are no terms that stay.
            let old = old.flatten();
            if old.as_ref() == Some(terms) {
                return Ok(Written::Done);
            }
            put(tx, name, terms, *revision, *next_at, (by, *at)).await?;
            let change = schedule_set(name, old.as_ref(), Some(terms), by, *at);
            audit::append(tx, &change).await?;
            Ok(Written::Done)
        }
        ScheduleWrite::Remove { name, by, at } => {
            let Some(old) = get(tx, name).await? else { return Ok(Written::Absent) };
            execute(tx, DROP_SCHEDULE, [name]).await?;
            audit::append(tx, &schedule_set(name, old.as_ref(), None, by, *at)).await?;
            Ok(Written::Done)
        }
        ScheduleWrite::Enable { name, enabled, revision, next_at, by, at } => {
            let Some(old) = get(tx, name).await? else { return Ok(Written::Absent) };
            if old.is_some_and(|old| old.enabled == *enabled) {
                return Ok(Written::Done);
            }
            let params: [Param<'_>; 6] = [name, enabled, revision, &next_at.0, by, &at.0];
            execute(tx, ENABLE, params).await?;
            audit::append(tx, &schedule_enabled(name, *enabled, by, *at)).await?;
            Ok(Written::Done)
        }
        ScheduleWrite::Run { name, job, by } => {
            if execute(tx, HAS_RUN, [name, &job.at.0, &job.id.0]).await? == 0 {
                return Ok(Written::Absent);
            }
            jobs::send(tx, std::slice::from_ref(job)).await?;
            audit::append(tx, &schedule_run(name, job.id, by, job.at)).await?;
            Ok(sent(vec![job.id]))
        }
        ScheduleWrite::Tick(tick) => tick_on(tx, tick).await,
    }
}

/// From where it was read, or not at all: another node's move is waited for, and then seen.
async fn tick_on(tx: &Transaction<'_>, tick: &Tick) -> Result<Written, Error> {
    let (last_at, last_job) = tick.last().unzip();
    let (last_at, last_job) = (last_at.map(|at| at.0), last_job.map(|id| id.0));
    let params: [Param<'_>; 6] =
        [&tick.name, &tick.revision, &tick.from.0, &tick.next_at.0, &last_at, &last_job];
    if execute(tx, MOVE_ON, params).await? == 0 {
        return Ok(Written::Conflict);
    }
    jobs::send(tx, &tick.jobs).await?;
    Ok(sent(tick.jobs.iter().map(|job| job.id).collect()))
}

fn sent(jobs: Vec<JobId>) -> Written {
    Written::Jobs(JobsWritten::Sent(jobs))
}

async fn put(
    tx: &Transaction<'_>,
    name: &str,
    terms: &ScheduleTerms,
    revision: Uuid,
    next_at: Micros,
    (by, at): (&str, Micros),
) -> Result<(), Error> {
    let (version, priority) = (i64::from(terms.version), i64::from(terms.priority.level()));
    let (body, queue, policy) =
        (terms.body.to_string(), terms.queue.as_str(), terms.catch_up.to_string());
    let params: [Param<'_>; 14] = [
        &name,
        &terms.topic,
        &version,
        &body,
        &queue,
        &priority,
        &terms.cron,
        &terms.zone,
        &policy,
        &terms.enabled,
        &revision,
        &next_at.0,
        &by,
        &at.0,
    ];
    execute(tx, PUT_SCHEDULE, params).await.map(drop)
}

/// Its terms, where this version can read them.
async fn get(tx: &Transaction<'_>, name: &str) -> Result<Option<Option<ScheduleTerms>>, Error> {
    let rows = query(tx, GET_SCHEDULE, [&name]).await?;
    rows.first().map(terms).transpose()
}

fn terms(row: &Row) -> Result<Option<ScheduleTerms>, Error> {
    let text = |column| row.try_get::<_, &str>(column);
    let body = serde_json::from_str(text("body")?).ok();
    let (queue, policy) = (Queue::parse(text("queue")?), text("catch_up")?.parse::<CatchUp>().ok());
    let priority = Priority::of_level(row.try_get("priority")?);
    let (Some(body), Some(queue), Some(catch_up), Some(priority)) = (body, queue, policy, priority)
    else {
        return Ok(None);
    };
    Ok(Some(ScheduleTerms {
        topic: row.try_get("topic")?,
        version: u32::try_from(row.try_get::<_, i64>("version")?).unwrap_or(u32::MAX),
        body,
        queue,
        priority,
        cron: row.try_get("cron")?,
        zone: row.try_get("zone")?,
        catch_up,
        enabled: row.try_get("enabled")?,
    }))
}
