//! Schedules are set, and moved on with the jobs of their ticks; see `ports::schedules`.

use super::jobs;
use crate::{
    adapters::sql::{
        audit,
        schedules::{BY_NAME, ScheduleRow},
        texts::statements,
    },
    domain::{id::JobId, time::Micros},
    ports::{
        StoreError,
        jobs::JobsWritten,
        schedules::{
            JobSchedule, ScheduleTerms, ScheduleWrite, Tick, schedule_enabled, schedule_run,
            schedule_set,
        },
        writer::Written,
    },
};
use sqlx::{SqliteConnection, types::Json};
use uuid::Uuid;

statements! {
    PUT_SCHEDULE = { sqlite:
        "INSERT INTO job_schedule (name, topic, version, body, queue, priority, cron, zone,
             catch_up, enabled, revision, next_at, set_by, set_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT (name) DO UPDATE SET topic = excluded.topic, version = excluded.version,
             body = excluded.body, queue = excluded.queue, priority = excluded.priority,
             cron = excluded.cron, zone = excluded.zone, catch_up = excluded.catch_up,
             enabled = excluded.enabled, revision = excluded.revision,
             set_by = excluded.set_by, set_at = excluded.set_at,
             next_at = CASE WHEN job_schedule.enabled AND job_schedule.cron = excluded.cron
                                AND job_schedule.zone = excluded.zone
                            THEN job_schedule.next_at ELSE excluded.next_at END" };
    DROP_SCHEDULE = { sqlite: "DELETE FROM job_schedule WHERE name = $1" };
    ENABLE = { sqlite:
        "UPDATE job_schedule SET enabled = $2, revision = $3, set_by = $5, set_at = $6,
             next_at = CASE WHEN $2 THEN $4 ELSE next_at END
         WHERE name = $1" };
    HAS_RUN = { sqlite: "UPDATE job_schedule SET last_at = $2, last_job = $3 WHERE name = $1" };
    MOVE_ON = { sqlite:
        "UPDATE job_schedule SET next_at = $4, last_at = coalesce($5, last_at),
             last_job = coalesce($6, last_job)
         WHERE name = $1 AND revision = $2 AND next_at = $3 AND enabled = 1" };
}

pub(super) async fn apply(
    conn: &mut SqliteConnection,
    write: &ScheduleWrite,
) -> Result<Written, sqlx::Error> {
    match write {
        ScheduleWrite::Set { name, terms, revision, next_at, by, at } => {
            let old = get(conn, name).await?.map(|old| old.terms);
            if old.as_ref() == Some(terms) {
                return Ok(Written::Done);
            }
            put(conn, name, terms, *revision, *next_at, (by, *at)).await?;
            let change = schedule_set(name, old.as_ref(), Some(terms), by, *at);
            audit::append(conn, &change).await?;
            Ok(Written::Done)
        }
        ScheduleWrite::Remove { name, by, at } => {
            let Some(old) = get(conn, name).await? else { return Ok(Written::Absent) };
            sqlx::query(DROP_SCHEDULE.sqlite).bind(name).execute(&mut *conn).await?;
            audit::append(conn, &schedule_set(name, Some(&old.terms), None, by, *at)).await?;
            Ok(Written::Done)
        }
        ScheduleWrite::Enable { name, enabled, revision, next_at, by, at } => {
            let Some(old) = get(conn, name).await? else { return Ok(Written::Absent) };
            if old.terms.enabled == *enabled {
                return Ok(Written::Done);
            }
            let enable = sqlx::query(ENABLE.sqlite).bind(name).bind(enabled).bind(revision);
            enable.bind(next_at.0).bind(by).bind(at.0).execute(&mut *conn).await?;
            audit::append(conn, &schedule_enabled(name, *enabled, by, *at)).await?;
            Ok(Written::Done)
        }
        ScheduleWrite::Run { name, job, by } => {
            let ran = sqlx::query(HAS_RUN.sqlite).bind(name).bind(job.at.0).bind(job.id.0);
            if ran.execute(&mut *conn).await?.rows_affected() == 0 {
                return Ok(Written::Absent);
            }
            jobs::put(conn, std::slice::from_ref(job)).await?;
            audit::append(conn, &schedule_run(name, job.id, by, job.at)).await?;
            Ok(sent(vec![job.id]))
        }
        ScheduleWrite::Tick(tick) => tick_on(conn, tick).await,
    }
}

/// From where it was read, or not at all.
async fn tick_on(conn: &mut SqliteConnection, tick: &Tick) -> Result<Written, sqlx::Error> {
    let (last_at, last_job) = tick.last().unzip();
    let moved = sqlx::query(MOVE_ON.sqlite)
        .bind(&tick.name)
        .bind(tick.revision)
        .bind(tick.from.0)
        .bind(tick.next_at.0)
        .bind(last_at.map(|at| at.0))
        .bind(last_job.map(|id| id.0))
        .execute(&mut *conn)
        .await?;
    if moved.rows_affected() == 0 {
        return Ok(Written::Conflict);
    }
    jobs::put(conn, &tick.jobs).await?;
    Ok(sent(tick.jobs.iter().map(|job| job.id).collect()))
}

fn sent(jobs: Vec<JobId>) -> Written {
    Written::Jobs(JobsWritten::Sent(jobs))
}

async fn put(
    conn: &mut SqliteConnection,
    name: &str,
    terms: &ScheduleTerms,
    revision: Uuid,
    next_at: Micros,
    (by, at): (&str, Micros),
) -> Result<(), sqlx::Error> {
    sqlx::query(PUT_SCHEDULE.sqlite)
        .bind(name)
        .bind(&terms.topic)
        .bind(terms.version)
        .bind(Json(&terms.body))
        .bind(terms.queue.as_str())
        .bind(terms.priority.level())
        .bind(&terms.cron)
        .bind(&terms.zone)
        .bind(terms.catch_up.to_string())
        .bind(terms.enabled)
        .bind(revision)
        .bind(next_at.0)
        .bind(by)
        .bind(at.0)
        .execute(conn)
        .await
        .map(drop)
}

async fn get(conn: &mut SqliteConnection, name: &str) -> Result<Option<JobSchedule>, sqlx::Error> {
    let get = sqlx::query_as::<_, ScheduleRow>(BY_NAME.sqlite).bind(name);
    let row = get.fetch_optional(conn).await?;
    row.map(TryInto::try_into).transpose().map_err(|e: StoreError| sqlx::Error::Decode(e.into()))
}
