//! `/ops/queues/{name}/sharing` and `/ops/job-rates`: how topics share a queue, and how many jobs of a
//! topic may be begun in a time. For administrators.

use super::{NAME, queue_named, queue_now, view::QueueView};
use crate::{
    actors::workers::jobs::NotShared,
    domain::job::{Mode, NoRate, Rate, Sharing},
    http::{
        access::Access,
        api::{fresh, no_content},
        app::App,
        error::Problem,
        extract::{Param, Takes},
        openapi::{Doc, json},
        ops::by,
        resource::{Asked, Intake, Operation, Resource},
    },
    ports::jobs::TopicRate,
};
use http::Method;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};
use utoipa::ToSchema;
use warp::reply::Response;

const TOPIC: Param = Param::new("topic", Takes::Text { most: 100 }, "The topic's name.");

/// In what order a queue's jobs are handed out, where they are of several topics.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SharingWanted {
    /// `strict`: by priority and time, whatever the topic. `weighted`: to whichever topic has the
    /// fewest jobs in hand for its weight. `fair`: the same, and all weigh the same.
    #[schema(example = "weighted")]
    mode: String,
    /// With `weighted`, by topic, from 1 to 1000; of those left out it is 1.
    #[serde(default)]
    #[schema(example = json!({"mail.send": 3}))]
    weights: BTreeMap<String, u32>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RateWanted {
    /// So many jobs in a second, a minute or an hour, on all nodes together.
    #[schema(example = "100/m")]
    rate: String,
}

#[derive(Serialize, ToSchema)]
struct RateList {
    /// By topic.
    items: Vec<RateView>,
}

/// How many jobs of a topic may be begun in a time.
#[derive(Serialize, ToSchema)]
struct RateView {
    #[schema(example = "mail.send")]
    topic: String,
    #[schema(example = "100/m")]
    rate: String,
    set_by: String,
    #[schema(format = DateTime)]
    set_at: String,
}

impl From<TopicRate> for RateView {
    fn from(row: TopicRate) -> Self {
        let (rate, set_at) = (row.rate.to_string(), row.set_at.rfc3339());
        Self { topic: row.topic, rate, set_by: row.set_by, set_at }
    }
}

pub(super) fn resources() -> [Resource; 3] {
    let share = Doc::new("share_queue", "ops", "Choose how topics share a queue")
        .about(
            "It holds on every node from the next claim on, and outlives a restart. What counts is \
             what is in hand, so a topic of long jobs doesn't push the others out.",
        )
        .place(NAME)
        .body(json::<SharingWanted>())
        .answer(200, "The queue as it is now.", json::<QueueView>());
    let list = Doc::new("list_job_rates", "ops", "Topics of which so many jobs begin in a time")
        .answer(200, "Those that have a rate.", json::<RateList>());
    let limit = Doc::new("limit_topic", "ops", "Begin no more jobs of a topic in a time")
        .about(
            "Tries that fail count too. What of a second wasn't used is caught up with, no more.",
        )
        .place(TOPIC)
        .body(json::<RateWanted>())
        .answer(200, "All rates as they are now.", json::<RateList>());
    let unlimit = Doc::new("unlimit_topic", "ops", "Begin as many jobs of a topic as there are")
        .place(TOPIC)
        .bare(204, "It has no rate.");
    let admin = |method, run| Operation::new(method, Access::Admin, &[], run);
    [
        Resource::new(
            "/ops/queues/{name}/sharing",
            [admin(Method::PUT, |a, b| Box::pin(share_one(a, b))).takes(Intake::Json).doc(share)],
        ),
        Resource::new(
            "/ops/job-rates.json",
            [admin(Method::GET, |a, b| Box::pin(show_rates(a, b))).doc(list)],
        ),
        Resource::new(
            "/ops/job-rates/{topic}",
            [
                admin(Method::PUT, |a, b| Box::pin(limit_one(a, b))).takes(Intake::Json).doc(limit),
                admin(Method::DELETE, |a, b| Box::pin(unlimit_one(a, b))).doc(unlimit),
            ],
        ),
    ]
}

async fn share_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (queue, by) = (queue_named(&asked)?, by(&asked));
    let SharingWanted { mode, weights } = asked.body.json().await?;
    let one_of = || Problem::field("/mode", format!("one of {}", Mode::NAMES.join(", ")));
    let sharing = Sharing { mode: Mode::parse(&mode).ok_or_else(one_of)?, weights };
    app.jobs.share(queue, sharing, by).await.map_err(problem)?;
    Ok(fresh(&app, &queue_now(&app, queue).await?))
}

async fn show_rates(app: Arc<App>, _: Asked) -> Result<Response, Problem> {
    rates(&app).await
}

async fn limit_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (topic, by) = (asked.path[0].clone(), by(&asked));
    let RateWanted { rate } = asked.body.json().await?;
    let rate: Rate = rate.parse().map_err(|no: NoRate| Problem::field("/rate", no.to_string()))?;
    app.jobs.limit(&topic, Some(rate), by).await.map_err(problem)?;
    rates(&app).await
}

async fn unlimit_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    app.jobs.limit(&asked.path[0], None, by(&asked)).await.map_err(problem)?;
    Ok(no_content(&app))
}

async fn rates(app: &App) -> Result<Response, Problem> {
    let items = app.jobs.rates().await?.into_iter().map(Into::into).collect();
    Ok(fresh(app, &RateList { items }))
}

fn problem(no: NotShared) -> Problem {
    match no {
        NotShared::Topic(why) => Problem::parameter("topic", why),
        NotShared::Bad { pointer, why } => Problem::field(&pointer, why),
        NotShared::Write(error) => error.into(),
    }
}
