//! Schedules over the API: what an operator is shown, and what is refused before it does anything.

use super::{
    orders::Nothing,
    shop::{Shop, is, json},
};
use crate::{
    actors::{keepers::writer, reconcilers::scheduler::Schedules, workers::jobs::Topics},
    domain::{
        id::JobId,
        job::{CatchUp, Priority, Queue},
        time::Micros,
    },
    ports::{
        StoreError,
        jobs::Echo,
        schedules::{self, JobSchedule, ScheduleTerms},
    },
};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::sync::Arc;
use supervisors::Nudge;
use uuid::Uuid;

/// A daily one.
struct One;

fn daily() -> JobSchedule {
    JobSchedule {
        name: "daily".into(),
        terms: ScheduleTerms {
            topic: "probe.echo".into(),
            version: 1,
            body: json!({"of": 7}),
            queue: Queue::Default,
            priority: Priority::Low,
            cron: "30 3 * * *".into(),
            zone: "Europe/Berlin".into(),
            catch_up: CatchUp::All(24),
            enabled: true,
        },
        revision: Uuid::from_u128(1),
        next_at: Micros::parse("2026-01-11T02:30:00Z").unwrap(),
        last_at: Micros::parse("2025-07-01T01:30:00Z"),
        last_job: Some(JobId(Uuid::from_u128(2))),
        set_by: "ann".into(),
        set_at: Micros(5),
    }
}

#[async_trait]
impl schedules::Schedules for One {
    async fn schedules(&self) -> Result<Vec<JobSchedule>, StoreError> {
        Ok(vec![daily()])
    }
    async fn schedule(&self, name: &str) -> Result<Option<JobSchedule>, StoreError> {
        Ok(Some(daily()).filter(|one| one.name == name))
    }
    async fn due_schedules(&self, _: Micros, _: u32) -> Result<Vec<JobSchedule>, StoreError> {
        Ok(Vec::new())
    }
    async fn next_tick(&self, _: Micros) -> Result<Option<Micros>, StoreError> {
        Ok(None)
    }
}

/// Whose writer has stopped.
pub(super) fn schedules() -> Schedules {
    let (_gone, store) = writer::store();
    Schedules {
        rows: Arc::new(One),
        store,
        clock: Arc::new(Nothing),
        ids: Arc::new(Nothing),
        topics: Topics::default().with::<Echo>(()),
        changed: Nudge::new(),
        put: Nudge::new(),
    }
}

#[tokio::test]
async fn a_schedule_is_shown_with_its_runs_by_its_own_clock() {
    let shop = Shop::open().await;
    let list = json(&shop.admin("GET", "/ops/schedules.json", "").await);
    let one = &list["items"][0];
    assert_eq!(one["next_at"], "2026-01-11T02:30:00Z");
    assert_eq!(one["next_local"], "2026-01-11 03:30:00 +01:00");
    assert_eq!(one["last_local"], "2025-07-01 03:30:00 +02:00");
    assert_eq!((&one["catch_up"], &one["body"]["of"]), (&"all:24".into(), &7.into()));
    assert_eq!(&json(&shop.admin("GET", "/ops/schedules/daily", "").await), one);
    is(&shop.admin("GET", "/ops/schedules/weekly", "").await, 404);
    is(&shop.admin("POST", "/ops/schedules/weekly/run", "").await, 404);
    is(&shop.get("/ops/schedules.json").await, 401);
    shop.close().await;
}

#[tokio::test]
async fn what_could_not_be_run_is_refused_with_its_place() {
    let shop = Shop::open().await;
    let good = json!({"topic": "probe.echo", "body": {"of": 1}, "cron": "0 0 * * *"});
    let with = |key: &str, value: Value| {
        let mut wanted = good.clone();
        wanted[key] = value;
        wanted.to_string()
    };
    for (body, pointer, told) in [
        (with("topic", "echo".into()), "/topic", "one of probe.echo"),
        (with("version", 2.into()), "/version", "known in version 1"),
        (with("body", json!({"off": 1})), "/body", "unknown field `off`"),
        (with("cron", "0 25 * * *".into()), "/cron", "the hour, `25` at character 3"),
        (with("zone", "Mars/Base".into()), "/zone", "`Mars/Base` is no time zone"),
        (with("catch_up", "all".into()), "/catch_up", "all:24"),
    ] {
        let refused = shop.admin("PUT", "/ops/schedules/daily", &body).await;
        is(&refused, 422);
        let error = &json(&refused)["errors"][0];
        assert_eq!(error["pointer"], pointer, "{body}");
        assert!(error["detail"].as_str().unwrap().contains(told), "{error}");
    }
    is(&shop.admin("PUT", "/ops/schedules/Daily", &good.to_string()).await, 400);
    // It goes to the writer, which has stopped.
    is(&shop.admin("PUT", "/ops/schedules/daily", &good.to_string()).await, 503);
    shop.close().await;
}
