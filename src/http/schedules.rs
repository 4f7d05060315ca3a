//! `/ops/schedules`: jobs that are put again and again. For administrators.

use crate::{
    actors::reconcilers::scheduler::{SchedulesError, Wanted},
    domain::{cron::Cron, time::Micros},
    http::{
        access::Access,
        api::{fresh, no_content},
        app::App,
        error::{Code, Problem},
        extract::{Param, Takes},
        openapi::{Doc, json},
        ops::by,
        resource::{Asked, Intake, Operation, Resource},
    },
    ports::schedules::JobSchedule,
};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use warp::reply::Response;

const NAME: Param = Param::new(
    "name",
    Takes::Formed { most: 64, pattern: "^[a-z0-9]+(-[a-z0-9]+)*$" },
    "The schedule's name.",
);

/// What is put, and when.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ScheduleWanted {
    #[schema(example = "probe")]
    topic: String,
    /// Left out: the newest that there is.
    version: Option<u32>,
    /// Of each of its jobs, in the form of topic and version.
    #[schema(value_type = Value)]
    body: Value,
    /// Minute, hour, day, month and weekday, with a second in front or without.
    #[schema(max_length = 200, example = "30 3 * * *")]
    cron: String,
    /// A name of the tz database, by whose clock `cron` is read.
    #[serde(default = "utc")]
    #[schema(example = "Europe/Berlin")]
    zone: String,
    /// What becomes of ticks while no server ran: `skip`, `once` (the last of them) or `all:N` (the
    /// last N).
    #[serde(default = "skip")]
    #[schema(example = "once")]
    catch_up: String,
    #[serde(default = "yes")]
    enabled: bool,
}

fn utc() -> String {
    "UTC".to_owned()
}

fn skip() -> String {
    "skip".to_owned()
}

fn yes() -> bool {
    true
}

#[derive(Serialize, ToSchema)]
struct ScheduleList {
    /// By name.
    items: Vec<ScheduleView>,
}

/// A job that is put again and again.
#[derive(Serialize, ToSchema)]
struct ScheduleView {
    #[schema(example = "nightly-probe")]
    name: String,
    topic: String,
    version: u32,
    body: Value,
    queue: &'static str,
    #[schema(example = "30 3 * * *")]
    cron: String,
    #[schema(example = "Europe/Berlin")]
    zone: String,
    #[schema(example = "once")]
    catch_up: String,
    enabled: bool,
    /// `null` while it is disabled.
    #[schema(required, format = DateTime)]
    next_at: Option<String>,
    /// The same, as the zone's clock shows it.
    #[schema(required, example = "2030-01-31 03:30:00 +01:00")]
    next_local: Option<String>,
    /// The last tick that was run, or when it was run by hand.
    #[schema(required, format = DateTime)]
    last_at: Option<String>,
    #[schema(required)]
    last_local: Option<String>,
    /// The job of it.
    #[schema(required)]
    last_job: Option<Uuid>,
    set_by: String,
    #[schema(format = DateTime)]
    set_at: String,
}

impl From<JobSchedule> for ScheduleView {
    fn from(schedule: JobSchedule) -> Self {
        let terms = schedule.terms;
        let cron = Cron::new(&terms.cron, &terms.zone).ok();
        let local = |at: Option<Micros>| Some(cron.as_ref()?.local(at?));
        let next_at = terms.enabled.then_some(schedule.next_at);
        Self {
            name: schedule.name,
            queue: terms.queue.as_str(),
            next_local: local(next_at),
            last_local: local(schedule.last_at),
            next_at: next_at.map(Micros::rfc3339),
            last_at: schedule.last_at.map(Micros::rfc3339),
            last_job: schedule.last_job.map(|id| id.0),
            set_by: schedule.set_by,
            set_at: schedule.set_at.rfc3339(),
            topic: terms.topic,
            version: terms.version,
            body: terms.body,
            cron: terms.cron,
            zone: terms.zone,
            catch_up: terms.catch_up.to_string(),
            enabled: terms.enabled,
        }
    }
}

pub(crate) fn resources() -> Vec<Resource> {
    let list = Doc::new("list_schedules", "ops", "Jobs that are put again and again").answer(
        200,
        "All schedules.",
        json::<ScheduleList>(),
    );
    let one = |id, summary| {
        let doc = Doc::new(id, "ops", summary).place(NAME);
        doc.answer(200, "The schedule as it is now.", json::<ScheduleView>())
    };
    let show = one("get_schedule", "One schedule");
    let set = one("set_schedule", "Put a job again and again")
        .about(
            "Each tick is one job, on whichever node. A tick is a moment of the zone's clock: one \
             that the clock passes over in spring happens as the gap ends, one that it shows twice \
             in autumn the first time.",
        )
        .body(json::<ScheduleWanted>());
    let remove = Doc::new("remove_schedule", "ops", "Put no more of its jobs")
        .about("Those that it has put stay.")
        .place(NAME)
        .bare(204, "It is gone.");
    let enable = one("enable_schedule", "Go on with the next tick");
    let disable = one("disable_schedule", "Put none until it is enabled");
    let run = one("run_schedule", "Put one job now, beside its ticks");
    let admin = |method, run| Operation::new(method, Access::Admin, &[], run);
    vec![
        Resource::new(
            "/ops/schedules.json",
            [admin(Method::GET, |a, b| Box::pin(show_list(a, b))).doc(list)],
        ),
        Resource::new(
            "/ops/schedules/{name}",
            [
                admin(Method::GET, |a, b| Box::pin(show_one(a, b))).doc(show),
                admin(Method::PUT, |a, b| Box::pin(set_one(a, b))).takes(Intake::Json).doc(set),
                admin(Method::DELETE, |a, b| Box::pin(remove_one(a, b))).doc(remove),
            ],
        ),
        Resource::new(
            "/ops/schedules/{name}/enable",
            [admin(Method::POST, |a, b| Box::pin(enable_one(a, b, true))).doc(enable)],
        ),
        Resource::new(
            "/ops/schedules/{name}/disable",
            [admin(Method::POST, |a, b| Box::pin(enable_one(a, b, false))).doc(disable)],
        ),
        Resource::new(
            "/ops/schedules/{name}/run",
            [admin(Method::POST, |a, b| Box::pin(run_one(a, b))).doc(run)],
        ),
    ]
}

async fn show_list(app: Arc<App>, _: Asked) -> Result<Response, Problem> {
    let items = app.schedules.list().await?.into_iter().map(Into::into).collect();
    Ok(fresh(&app, &ScheduleList { items }))
}

async fn show_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    answer(&app, app.schedules.show(&asked.path[0]).await)
}

async fn set_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (name, by) = (asked.path[0].clone(), by(&asked));
    let ScheduleWanted { topic, version, body, cron, zone, catch_up, enabled } =
        asked.body.json().await?;
    let wanted = Wanted { topic, version, body, cron, zone, catch_up, enabled };
    answer(&app, app.schedules.set(&name, wanted, by).await)
}

async fn remove_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    app.schedules.remove(&asked.path[0], by(&asked)).await.map_err(problem)?;
    Ok(no_content(&app))
}

async fn enable_one(app: Arc<App>, asked: Asked, enabled: bool) -> Result<Response, Problem> {
    answer(&app, app.schedules.enable(&asked.path[0], enabled, by(&asked)).await)
}

async fn run_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    answer(&app, app.schedules.run(&asked.path[0], by(&asked)).await)
}

fn answer(app: &App, done: Result<JobSchedule, SchedulesError>) -> Result<Response, Problem> {
    Ok(fresh(app, &ScheduleView::from(done.map_err(problem)?)))
}

fn problem(error: SchedulesError) -> Problem {
    match error {
        SchedulesError::Bad { part: "name", why } => Problem::parameter("name", why),
        SchedulesError::Bad { part, why } => Problem::field(&format!("/{part}"), why),
        SchedulesError::Absent => Problem::new(Code::NotFound, "there is no such schedule"),
        SchedulesError::Write(error) => error.into(),
    }
}
