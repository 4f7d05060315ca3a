//! The queue over the API: what an operator is shown, and what is refused before it does anything.

use super::{
    orders::Nothing,
    shop::{Shop, is, json},
};
use crate::{
    actors::{
        keepers::writer,
        workers::jobs::{Desk, Office, Topics},
    },
    domain::{
        id::{JobId, WorkerId},
        job::{Family, JobState, Queue, Sharing},
        time::Micros,
    },
    ports::{
        StoreError,
        jobs::{Echo, JobFilter, JobNow, Jobs, QueueDue, QueueNow, Steps, TopicRate, Worker},
    },
};
use async_trait::async_trait;
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

/// Three dead jobs, the second an echo, the first a child of the third, and one process.
struct Few;

fn dead(n: u128) -> JobNow {
    JobNow {
        id: JobId(Uuid::from_u128(n)),
        topic: if n == 2 { "probe.echo" } else { "mail.send" }.into(),
        version: 1,
        body: "{\"mail\":\"x\"}".into(),
        queue: "mail".into(),
        priority: 2,
        state: JobState::Dead,
        attempt: 8,
        failures: 8,
        losses: 0,
        sent_at: Micros(1),
        due_at: Micros(2),
        expires_at: None,
        lane: None,
        blocked: false,
        worker: None,
        started_at: Some(Micros(2)),
        ended_at: Some(Micros(3)),
        cancelling: false,
        error: Some("it broke".into()),
        root: (n == 1).then_some(JobId(Uuid::from_u128(3))),
        progress: (n == 3).then_some(Steps { done: 1, of: 4 }),
        after: None,
    }
}

#[async_trait]
impl Jobs for Few {
    async fn next_due(&self, _: &[Queue], _: Micros) -> Result<Vec<QueueDue>, StoreError> {
        Ok(Vec::new())
    }
    async fn are_released(&self) -> Result<bool, StoreError> {
        Ok(false)
    }
    async fn next_expiry(&self) -> Result<Option<Micros>, StoreError> {
        Ok(None)
    }
    async fn workers(&self) -> Result<Vec<Worker>, StoreError> {
        let (id, at) = (WorkerId(Uuid::from_u128(9)), Micros(1));
        Ok(vec![Worker { id, name: "here 1".into(), beat: 7, joined_at: at, seen_at: at, jobs: 2 }])
    }
    async fn queues(&self) -> Result<Vec<QueueNow>, StoreError> {
        let now = |queue: &Queue| QueueNow {
            queue: *queue,
            scheduled: 0,
            ready: 1,
            running: 0,
            given_up: 3,
            oldest_due_at: Some(Micros(1)),
            paused: (*queue == Queue::Mail).then(|| ("ann".to_owned(), Micros(5))),
            sharing: Sharing::of_row("weighted", r#"{"mail.send": 3}"#).unwrap(),
        };
        Ok(Queue::ALL.iter().map(now).collect())
    }
    async fn rates(&self) -> Result<Vec<TopicRate>, StoreError> {
        let (topic, rate) = ("mail.send".to_owned(), "100/m".parse().unwrap());
        Ok(vec![TopicRate { topic, rate, set_by: "ann".into(), set_at: Micros(5) }])
    }
    async fn families(&self, roots: &[JobId]) -> Result<BTreeMap<JobId, Family>, StoreError> {
        let third = roots.iter().filter(|id| id.0.as_u128() == 3);
        let mut family = Family::default();
        family.add(JobState::Dead, 1);
        Ok(third.map(|root| (*root, family)).collect())
    }
    async fn job(&self, id: JobId) -> Result<Option<JobNow>, StoreError> {
        Ok(Some(dead(id.0.as_u128())).filter(|job| (1..=3).contains(&job.id.0.as_u128())))
    }
    async fn jobs(
        &self,
        filter: &JobFilter,
        after: Option<JobId>,
        limit: u32,
    ) -> Result<Vec<JobNow>, StoreError> {
        let fits = |job: &JobNow| {
            after.is_none_or(|after| job.id < after)
                && filter.state.is_none_or(|state| state == job.state)
                && (filter.root.is_none() || filter.root == job.root)
        };
        Ok((1..=3).rev().map(dead).filter(fits).take(limit as usize).collect())
    }
}

/// Whose writer has stopped.
pub(super) fn office() -> Office {
    let (_gone, store) = writer::store();
    let (clock, ids) = (Arc::new(Nothing), Arc::new(Nothing));
    let topics = Topics::default().with::<Echo>(());
    Office { rows: Arc::new(Few), store, clock, ids, desk: Desk::default(), topics }
}

#[tokio::test]
async fn jobs_are_listed_page_by_page_and_shown_with_their_body() {
    let shop = Shop::open().await;
    let page = json(&shop.admin("GET", "/ops/jobs.json?state=dead&limit=2", "").await);
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    let first = &page["items"][0];
    assert_eq!((&first["state"], &first["priority"]), (&"dead".into(), &"high".into()));
    assert_eq!((&first["body"]["mail"], &first["error"]), (&"x".into(), &"it broke".into()));
    let family = serde_json::json!({
        "state": "failed", "jobs": 1, "over": 1, "succeeded": 0, "failed": 1, "cancelled": 0
    });
    assert_eq!((&first["family"], &page["items"][1]["family"]), (&family, &().into()));
    assert_eq!(first["progress"], serde_json::json!({"done": 1, "of": 4}));
    assert_eq!(page["items"][1]["progress"], serde_json::Value::Null);
    let root = first["id"].as_str().unwrap();
    let children = json(&shop.admin("GET", &format!("/ops/jobs.json?root={root}"), "").await);
    assert_eq!(children["items"].as_array().unwrap().len(), 1);
    assert_eq!(children["items"][0]["root"], root);
    let next = page["next"].as_str().unwrap();
    let last = json(&shop.admin("GET", &format!("/ops/jobs.json?after={next}"), "").await);
    assert_eq!((last["items"].as_array().unwrap().len(), &last["next"]), (1, &().into()));
    let id = first["id"].as_str().unwrap();
    assert_eq!(&json(&shop.admin("GET", &format!("/ops/jobs/{id}"), "").await), first);
    for absent in ["/ops/jobs/00000000-0000-0000-0000-000000000009", "/ops/jobs/x"] {
        is(&shop.admin("GET", absent, "").await, 404);
    }
    is(&shop.admin("GET", "/ops/jobs.json?state=new", "").await, 400);
    is(&shop.admin("GET", "/ops/jobs.json?root=x", "").await, 400);
    is(&shop.admin("GET", "/ops/jobs.json?body=x", "").await, 400);
    is(&shop.get("/ops/jobs.json").await, 401);
    shop.close().await;
}

#[tokio::test]
async fn an_act_says_what_it_is_about_and_a_preview_only_counts() {
    let shop = Shop::open().await;
    let act = async |body: &str| shop.admin("POST", "/ops/job-actions", body).await;
    let dead = "\"filter\":{\"state\":\"dead\"}";
    let seen = act(&format!("{{\"action\":\"retry\",{dead},\"preview\":true}}")).await;
    assert_eq!(json(&seen), serde_json::json!({"matched": 3, "done": 0}));
    for (body, pointer) in [
        ("{\"action\":\"retry\"}".to_owned(), "/filter"),
        (format!("{{\"action\":\"retry\",{dead},\"ids\":[]}}"), "/filter"),
        ("{\"action\":\"retry\",\"filter\":{\"state\":\"running\"}}".into(), "/filter/state"),
        ("{\"action\":\"cancel\",\"filter\":{\"state\":\"dead\"}}".into(), "/filter/state"),
        (
            "{\"action\":\"retry\",\"filter\":{\"state\":\"dead\",\"queue\":\"post\"}}".into(),
            "/filter/queue",
        ),
        (format!("{{\"action\":\"move\",{dead}}}"), "/to"),
        (format!("{{\"action\":\"move\",{dead},\"to\":\"mail\"}}"), "/filter/state"),
        (format!("{{\"action\":\"retry\",{dead},\"to\":\"mail\"}}"), "/to"),
        (
            "{\"action\":\"retry\",\"filter\":{\"state\":\"dead\",\"body\":\"mail\"}}".into(),
            "/filter/body",
        ),
    ] {
        let refused = act(&body).await;
        is(&refused, 422);
        assert_eq!(json(&refused)["errors"][0]["pointer"], pointer, "{body}");
    }
    is(&act("{\"action\":\"explode\",\"ids\":[]}").await, 422);
    // Not a preview: it goes to the writer, which has stopped.
    is(&act(&format!("{{\"action\":\"retry\",{dead}}}")).await, 503);
    shop.close().await;
}

#[tokio::test]
async fn an_edit_is_refused_before_it_does_anything() {
    let shop = Shop::open().await;
    let edit = async |n: u32, body: &str| {
        let path = format!("/ops/jobs/00000000-0000-0000-0000-00000000000{n}/edit");
        shop.admin("POST", &path, body).await
    };
    is(&edit(9, "{\"body\":{}}").await, 404);
    let unknown = edit(1, "{\"body\":{\"mail\":\"x\"}}").await;
    is(&unknown, 409);
    assert!(json(&unknown)["detail"].as_str().unwrap().contains("`mail.send`"), "{unknown:?}");
    let wrong = edit(2, "{\"body\":{\"off\":7}}").await;
    is(&wrong, 422);
    assert_eq!(json(&wrong)["errors"][0]["pointer"], "/body");
    is(&edit(2, "{\"text\":7}").await, 422);
    // Nothing is wrong with it: it goes to the writer, which has stopped.
    is(&edit(2, "{\"body\":{\"of\":7}}").await, 503);
    shop.close().await;
}

#[tokio::test]
async fn queues_are_seen_with_who_works_and_turned_by_name() {
    let shop = Shop::open().await;
    let queues = json(&shop.admin("GET", "/ops/queues.json", "").await);
    let mail = queues["items"].as_array().unwrap().iter().find(|one| one["name"] == "mail");
    assert_eq!(
        (&mail.unwrap()["paused"], &mail.unwrap()["paused_by"]),
        (&true.into(), &"ann".into())
    );
    assert_eq!(queues["workers"][0]["name"], "here 1");
    is(&shop.admin("POST", "/ops/queues/post/pause", "").await, 404);
    is(&shop.admin("POST", "/ops/queues/mail/pause", "").await, 503);
    shop.close().await;
}

#[tokio::test]
async fn topics_share_a_queue_as_is_wanted_or_it_is_said_what_can_not_be() {
    let shop = Shop::open().await;
    let queues = json(&shop.admin("GET", "/ops/queues.json", "").await);
    let first = &queues["items"][0];
    assert_eq!((&first["mode"], &first["weights"]["mail.send"]), (&"weighted".into(), &3.into()));
    let rates = json(&shop.admin("GET", "/ops/job-rates.json", "").await);
    assert_eq!(rates["items"][0]["rate"], "100/m");
    for (place, body, pointer) in [
        ("queues/mail/sharing", r#"{"mode": "first"}"#, "/mode"),
        ("queues/mail/sharing", r#"{"mode": "fair", "weights": {"probe.echo": 2}}"#, "/weights"),
        (
            "queues/mail/sharing",
            r#"{"mode": "weighted", "weights": {"probe.echo": 0}}"#,
            "/weights/probe.echo",
        ),
        ("queues/mail/sharing", r#"{"mode": "weighted", "weights": {"x": 2}}"#, "/weights/x"),
        ("job-rates/probe.echo", r#"{"rate": "fast"}"#, "/rate"),
    ] {
        let refused = shop.admin("PUT", &format!("/ops/{place}"), body).await;
        is(&refused, 422);
        assert_eq!(json(&refused)["errors"][0]["pointer"], pointer, "{body}");
    }
    is(&shop.admin("PUT", "/ops/queues/post/sharing", r#"{"mode": "fair"}"#).await, 404);
    is(&shop.admin("PUT", "/ops/job-rates/x", r#"{"rate": "1/s"}"#).await, 400);
    // What can be goes to the writer, which has stopped.
    is(&shop.admin("PUT", "/ops/queues/mail/sharing", r#"{"mode": "fair"}"#).await, 503);
    is(&shop.admin("PUT", "/ops/job-rates/probe.echo", r#"{"rate": "1/s"}"#).await, 503);
    is(&shop.admin("DELETE", "/ops/job-rates/x", "").await, 503);
    shop.close().await;
}
