//! `/ops/job-probes`: jobs by which a queue is looked at. For administrators.

use super::ActionDone;
use crate::{
    actors::workers::jobs::MOST_ACTED,
    domain::id::JobId,
    http::{
        access::Access,
        api::fresh,
        app::App,
        error::Problem,
        openapi::{Doc, json},
        resource::{Asked, Intake, Operation, Resource},
    },
    ports::jobs::Probe,
};
use http::Method;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use warp::reply::Response;

const MOST_MILLIS: u32 = 60_000;

/// Jobs that only take their time, to see that a queue runs and how fast.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Probes {
    /// The number of the first; the others count on.
    #[serde(default)]
    first: u64,
    #[schema(minimum = 1, maximum = 10000)]
    count: u64,
    /// How long each takes.
    #[serde(default)]
    #[schema(maximum = 60000)]
    millis: u32,
    /// Whether each puts one more job, `probe.echo`, by which is seen that it ended once.
    #[serde(default)]
    echo: bool,
    /// Each asks at its first try for another time, so many milliseconds later.
    #[serde(default)]
    #[schema(maximum = 60000)]
    snooze: u32,
    /// They wait until this job is over, and all of its children.
    after: Option<Uuid>,
    /// One that misbehaves, before the others; in builds for tests alone.
    #[cfg(debug_assertions)]
    #[schema(ignore)]
    trouble: Option<crate::actors::workers::trouble::Trouble>,
}

pub(super) fn resource() -> Resource {
    let doc = Doc::new("probe_queue", "ops", "Put jobs that only take their time")
        .about("Into the queue `default`, to see that it runs, and how fast.")
        .body(json::<Probes>())
        .answer(200, "They are there.", json::<ActionDone>());
    let put = Operation::new(Method::POST, Access::Admin, &[], |a, b| Box::pin(put_probes(a, b)));
    Resource::new("/ops/job-probes", [put.takes(Intake::Json).doc(doc)])
}

async fn put_probes(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let asked: Probes = asked.body.json().await?;
    let Probes { first, count, millis, echo, snooze, after, .. } = asked;
    if !(1..=u64::from(MOST_ACTED)).contains(&count) {
        return Err(Problem::field("/count", format!("a whole number from 1 to {MOST_ACTED}")));
    }
    for (pointer, length) in [("/millis", millis), ("/snooze", snooze)] {
        if length > MOST_MILLIS {
            return Err(Problem::field(pointer, format!("at most {MOST_MILLIS}")));
        }
    }
    if let Some(root) = after.map(JobId) {
        let absent = || Problem::field("/after", "there is no such job, or it is forgotten");
        app.jobs.show(root).await?.ok_or_else(absent)?;
    }
    #[cfg(debug_assertions)]
    if let Some(trouble) = asked.trouble {
        app.jobs.trouble(trouble).await?;
    }
    app.jobs.probe(&Probe { n: first, millis, echo, snooze }, count, after.map(JobId)).await?;
    Ok(fresh(&app, &ActionDone { matched: count, done: count }))
}
