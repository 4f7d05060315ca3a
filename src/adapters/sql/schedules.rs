//! Schedules looked at; see `ports::schedules`. The writer makes the rows and moves them on.

use super::{
    SqlStore,
    error::not_ours,
    on,
    texts::{Sql, statements},
};
use crate::{
    domain::{
        id::JobId,
        job::{Priority, Queue},
        time::Micros,
    },
    ports::{
        StoreError,
        schedules::{JobSchedule, ScheduleTerms, Schedules},
    },
};
use async_trait::async_trait;
use sqlx_macros::FromRow;
use uuid::Uuid;

/// Of one schedule, as JSON text where that differs; then what picks them.
macro_rules! columns {
    ($body:literal, $rest:literal) => {
        concat!(
            "SELECT name, topic, version, ",
            $body,
            " AS body, queue, priority, cron, zone, catch_up, enabled, revision, next_at, last_at,
                 last_job, set_by, set_at
             FROM job_schedule ",
            $rest
        )
    };
}

/// The same for both.
macro_rules! of_schedules {
    ($rest:literal) => {
        Sql { sqlite: columns!("body", $rest), postgres: columns!("body::text", $rest) }
    };
}

const LIST_TEXT: Sql = of_schedules!("ORDER BY name");
const BY_NAME_TEXT: Sql = of_schedules!("WHERE name = $1");
const DUE_TEXT: Sql = Sql {
    sqlite: columns!("body", "WHERE enabled = 1 AND next_at <= $1 ORDER BY next_at LIMIT $2"),
    postgres: columns!("body::text", "WHERE enabled AND next_at <= $1 ORDER BY next_at LIMIT $2"),
};

statements! {
    LIST = { sqlite: (LIST_TEXT.sqlite), postgres: (LIST_TEXT.postgres) };
    BY_NAME = { sqlite: (BY_NAME_TEXT.sqlite), postgres: (BY_NAME_TEXT.postgres) };
    DUE = { sqlite: (DUE_TEXT.sqlite), postgres: (DUE_TEXT.postgres) };
    NEXT = {
        sqlite: "SELECT min(next_at) FROM job_schedule WHERE enabled = 1 AND next_at > $1",
        postgres: "SELECT min(next_at) FROM job_schedule WHERE enabled AND next_at > $1",
    };
}

#[derive(FromRow)]
pub(super) struct ScheduleRow {
    name: String,
    topic: String,
    version: i64,
    body: String,
    queue: String,
    priority: i64,
    cron: String,
    zone: String,
    catch_up: String,
    enabled: bool,
    revision: Uuid,
    next_at: i64,
    last_at: Option<i64>,
    last_job: Option<Uuid>,
    set_by: String,
    set_at: i64,
}

impl TryFrom<ScheduleRow> for JobSchedule {
    type Error = StoreError;

    fn try_from(row: ScheduleRow) -> Result<Self, StoreError> {
        let unread = || not_ours("a schedule has terms that we don't know");
        let terms = ScheduleTerms {
            topic: row.topic,
            version: u32::try_from(row.version).map_err(|_| unread())?,
            body: serde_json::from_str(&row.body).map_err(|_| unread())?,
            queue: Queue::parse(&row.queue).ok_or_else(unread)?,
            priority: Priority::of_level(row.priority).ok_or_else(unread)?,
            cron: row.cron,
            zone: row.zone,
            catch_up: row.catch_up.parse().map_err(|_| unread())?,
            enabled: row.enabled,
        };
        Ok(Self {
            name: row.name,
            terms,
            revision: row.revision,
            next_at: Micros(row.next_at),
            last_at: row.last_at.map(Micros),
            last_job: row.last_job.map(JobId),
            set_by: row.set_by,
            set_at: Micros(row.set_at),
        })
    }
}

#[async_trait]
impl Schedules for SqlStore {
    async fn schedules(&self) -> Result<Vec<JobSchedule>, StoreError> {
        let rows: Vec<ScheduleRow> =
            on!(self, LIST, |pool, text| sqlx::query_as(text).fetch_all(pool).await)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn schedule(&self, name: &str) -> Result<Option<JobSchedule>, StoreError> {
        let row: Option<ScheduleRow> = on!(self, BY_NAME, |pool, text| sqlx::query_as(text)
            .bind(name)
            .fetch_optional(pool)
            .await)?;
        row.map(TryInto::try_into).transpose()
    }

    async fn due_schedules(&self, now: Micros, most: u32) -> Result<Vec<JobSchedule>, StoreError> {
        let rows: Vec<ScheduleRow> = on!(self, DUE, |pool, text| sqlx::query_as(text)
            .bind(now.0)
            .bind(i64::from(most))
            .fetch_all(pool)
            .await)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn next_tick(&self, after: Micros) -> Result<Option<Micros>, StoreError> {
        let next: Option<i64> = on!(self, NEXT, |pool, text| sqlx::query_scalar(text)
            .bind(after.0)
            .fetch_one(pool)
            .await)?;
        Ok(next.map(Micros))
    }
}
