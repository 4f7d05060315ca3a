//! `/ops/webhooks`: endpoints of others that are told of events, and what came of telling them. For
//! administrators.

mod view;

use crate::{
    actors::keepers::endpoints::{EndpointWanted, EndpointsError},
    domain::id::{DeliveryId, EndpointId},
    http::{
        access::Access,
        api::{fresh, link_next, no_content},
        app::App,
        cursor::{self, BeforeDelivery},
        error::{Code, Problem},
        extract::{Param, Takes},
        openapi::{Doc, json},
        ops::by,
        resource::{Answer, Asked, Intake, Operation, Resource},
    },
    ports::webhooks::DeliveryState,
};
use http::{Method, StatusCode};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;
use view::{DeliveryDetail, DeliveryList, DeliveryView, EndpointList, EndpointView, MadeEndpoint};
use warp::reply::Response;

const UUID: Takes =
    Takes::Formed { most: 36, pattern: "^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$" };
const ID: Param = Param::new("id", UUID, "The endpoint's id.");
const DELIVERY: Param = Param::new("id", UUID, "The delivery's id, which is its `webhook-id`.");
const DELIVERIES: &[Param] = &[
    Param::new(
        "state",
        Takes::OneOf(DeliveryState::NAMES),
        "Only these; left out: in whatever state.",
    ),
    Param::new(
        "after",
        Takes::Formed { most: cursor::MOST, pattern: cursor::PATTERN },
        "Where to go on: `next` of the answer before.",
    ),
    Param::new("limit", Takes::Integer { least: 1, most: 200, default: 50 }, "Deliveries at most."),
];

/// Somebody to be told.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewEndpoint {
    /// Where events are posted to.
    #[schema(max_length = 2000, example = "https://hooks.example.com/shop")]
    url: String,
    /// Kinds of events; left out or empty: every kind, also of later versions.
    #[serde(default)]
    #[schema(example = json!(["order_placed", "order_shipped"]))]
    topics: Vec<String>,
}

/// What is to be otherwise; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EndpointPatch {
    #[schema(max_length = 2000)]
    url: Option<String>,
    /// In place of those it had; empty: every kind.
    topics: Option<Vec<String>>,
    /// Told of what happens from then on, or of nothing.
    enabled: Option<bool>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Rotation {
    /// So long the secret of before signs too.
    #[serde(default = "day")]
    #[schema(maximum = 720, default = 24)]
    keep_hours: u32,
}

fn day() -> u32 {
    24
}

pub(crate) fn resources() -> Vec<Resource> {
    let admin = |method, run| Operation::new(method, Access::Admin, &[], run);
    let [list, add, show, set, remove, rotate, test] = endpoint_docs();
    let [deliveries, delivery, resend] = delivery_docs();
    let listed: fn(Arc<App>, Asked) -> Answer = |a, b| Box::pin(show_deliveries(a, b));
    vec![
        Resource::new(
            "/ops/webhooks.json",
            [admin(Method::GET, |a, b| Box::pin(show_list(a, b))).doc(list)],
        ),
        Resource::new(
            "/ops/webhooks",
            [admin(Method::POST, |a, b| Box::pin(add_one(a, b))).takes(Intake::Json).doc(add)],
        ),
        Resource::new(
            "/ops/webhooks/{id}",
            [
                admin(Method::GET, |a, b| Box::pin(show_one(a, b))).doc(show),
                admin(Method::PATCH, |a, b| Box::pin(set_one(a, b))).takes(Intake::Json).doc(set),
                admin(Method::DELETE, |a, b| Box::pin(remove_one(a, b))).doc(remove),
            ],
        ),
        Resource::new(
            "/ops/webhooks/{id}/rotate",
            [admin(Method::POST, |a, b| Box::pin(rotate_one(a, b)))
                .takes(Intake::Json)
                .doc(rotate)],
        ),
        Resource::new(
            "/ops/webhooks/{id}/test",
            [admin(Method::POST, |a, b| Box::pin(test_one(a, b))).doc(test)],
        ),
        Resource::new(
            "/ops/webhooks/{id}/deliveries",
            [Operation::new(Method::GET, Access::Admin, DELIVERIES, listed).doc(deliveries)],
        ),
        Resource::new(
            "/ops/webhook-deliveries/{id}",
            [admin(Method::GET, |a, b| Box::pin(show_delivery(a, b))).doc(delivery)],
        ),
        Resource::new(
            "/ops/webhook-deliveries/{id}/resend",
            [admin(Method::POST, |a, b| Box::pin(resend_one(a, b))).doc(resend)],
        ),
    ]
}

fn endpoint_docs() -> [Doc; 7] {
    let tag = "webhooks";
    let list = Doc::new("list_webhooks", tag, "Endpoints that are told of events").answer(
        200,
        "All, the oldest first.",
        json::<EndpointList>(),
    );
    let add = Doc::new("add_webhook", tag, "Tell an endpoint of events")
        .about(
            "Each event from now on is posted to it as a CloudEvent, signed as Standard Webhooks \
             has it, at least once and in no order, for three days until it is answered 2xx. The \
             secret is told this once. There is one endpoint of a URL.",
        )
        .body(json::<NewEndpoint>())
        .answer(201, "The endpoint and its secret.", json::<MadeEndpoint>())
        .problem(Code::Taken);
    let show = Doc::new("get_webhook", tag, "One endpoint").place(ID).answer(
        200,
        "The endpoint.",
        json::<EndpointView>(),
    );
    let set = Doc::new("set_webhook", tag, "Change an endpoint")
        .about("Of what happened while it was disabled it is told nothing.")
        .place(ID)
        .body(json::<EndpointPatch>())
        .answer(200, "The endpoint as it is now.", json::<EndpointView>())
        .problem(Code::Taken);
    let remove = Doc::new("remove_webhook", tag, "Forget an endpoint and its deliveries")
        .place(ID)
        .bare(204, "It is gone.");
    let rotate = Doc::new("rotate_webhook_secret", tag, "Give an endpoint another secret")
        .about(
            "Deliveries are signed with both for a while, so that a receiver that knows either \
             believes them. A third one within that time puts the first out of force.",
        )
        .place(ID)
        .body(json::<Rotation>())
        .answer(200, "The endpoint and its new secret.", json::<MadeEndpoint>());
    let test = Doc::new("test_webhook", tag, "Post a `ping` to an endpoint")
        .place(ID)
        .answer(202, "The delivery, on its way.", json::<DeliveryView>())
        .problem(Code::Conflict);
    [list, add, show, set, remove, rotate, test]
}

fn delivery_docs() -> [Doc; 3] {
    let tag = "webhooks";
    let deliveries = Doc::new("list_webhook_deliveries", tag, "What an endpoint was told")
        .about("Deliveries are kept for 30 days after they were taken or given up.")
        .place(ID)
        .answer(200, "Some, the newest first, each with its last try.", json::<DeliveryList>());
    let delivery = Doc::new("get_webhook_delivery", tag, "One delivery and each of its tries")
        .place(DELIVERY)
        .answer(200, "The delivery.", json::<DeliveryDetail>());
    let resend = Doc::new("resend_webhook_delivery", tag, "Post a delivery once more, now")
        .about("Under the same `webhook-id`, whatever became of it; also one that waits.")
        .place(DELIVERY)
        .answer(202, "The delivery, on its way.", json::<DeliveryView>())
        .problem(Code::Conflict);
    [deliveries, delivery, resend]
}

async fn show_list(app: Arc<App>, _: Asked) -> Result<Response, Problem> {
    let endpoints = app.endpoints.list().await.map_err(problem)?;
    Ok(fresh(&app, &EndpointList { items: endpoints.iter().map(EndpointView::of).collect() }))
}

async fn add_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let by = by(&asked);
    let NewEndpoint { url, topics } = asked.body.json().await?;
    let made = app.endpoints.add(url, topics, by).await.map_err(problem)?;
    let mut response = fresh(&app, &MadeEndpoint::of(&made));
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

async fn show_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let endpoint = app.endpoints.show(endpoint(&asked)?).await.map_err(problem)?;
    Ok(fresh(&app, &EndpointView::of(&endpoint)))
}

async fn set_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (id, by) = (endpoint(&asked)?, by(&asked));
    let EndpointPatch { url, topics, enabled } = asked.body.json().await?;
    let wanted = EndpointWanted { url, topics, enabled };
    let endpoint = app.endpoints.set(id, wanted, by).await.map_err(problem)?;
    Ok(fresh(&app, &EndpointView::of(&endpoint)))
}

async fn remove_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    app.endpoints.remove(endpoint(&asked)?, by(&asked)).await.map_err(problem)?;
    Ok(no_content(&app))
}

async fn rotate_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (id, by) = (endpoint(&asked)?, by(&asked));
    let Rotation { keep_hours } = asked.body.json().await?;
    let made = app.endpoints.rotate(id, keep_hours, by).await.map_err(problem)?;
    Ok(fresh(&app, &MadeEndpoint::of(&made)))
}

async fn test_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let delivery = app.endpoints.test(endpoint(&asked)?, by(&asked)).await.map_err(problem)?;
    Ok(on_its_way(&app, &DeliveryView::of(&delivery)))
}

async fn show_deliveries(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let id = endpoint(&asked)?;
    let state = asked.query.optional("state").and_then(DeliveryState::parse);
    let after = match asked.query.text("after") {
        Some(text) => Some(DeliveryId(cursor::read::<BeforeDelivery>("after", text)?.0)),
        None => None,
    };
    let limit = asked.query.size("limit");
    let most = u32::try_from(limit + 1).unwrap_or(u32::MAX);
    let mut found = app.endpoints.deliveries(id, state, after, most).await.map_err(problem)?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|one| cursor::write(BeforeDelivery(one.id.0)));
    let items = found.iter().map(DeliveryView::of).collect();
    let mut response = fresh(&app, &DeliveryList { items, next: next.clone() });
    let address = format!("/ops/webhooks/{id}/deliveries");
    link_next(&mut response, &address, &asked.query.address(), next.as_deref());
    Ok(response)
}

async fn show_delivery(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let found = app.endpoints.delivery(delivery(&asked)?).await;
    let (delivery, tries) = found.map_err(no_delivery)?;
    Ok(fresh(&app, &DeliveryDetail::of(&delivery, &tries)))
}

async fn resend_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let resent = app.endpoints.resend(delivery(&asked)?, by(&asked)).await;
    Ok(on_its_way(&app, &DeliveryView::of(&resent.map_err(no_delivery)?)))
}

fn on_its_way(app: &App, delivery: &DeliveryView) -> Response {
    let mut response = fresh(app, delivery);
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

fn endpoint(asked: &Asked) -> Result<EndpointId, Problem> {
    asked.path[0].parse().map_err(|_| problem(EndpointsError::Absent))
}

fn delivery(asked: &Asked) -> Result<DeliveryId, Problem> {
    asked.path[0].parse().map_err(|_| no_delivery(EndpointsError::Absent))
}

fn no_delivery(error: EndpointsError) -> Problem {
    match error {
        EndpointsError::Absent => {
            Problem::new(Code::NotFound, "there is no such delivery, or it is forgotten")
        }
        other => problem(other),
    }
}

fn problem(error: EndpointsError) -> Problem {
    match error {
        EndpointsError::Bad { part, why } => Problem::field(&format!("/{part}"), why),
        EndpointsError::Taken => Problem {
            code: Code::Taken,
            ..Problem::field("/url", "there is an endpoint of this URL")
        },
        EndpointsError::Absent => Problem::new(Code::NotFound, "there is no such endpoint"),
        EndpointsError::Conflict(why) => Problem::new(Code::Conflict, why),
        EndpointsError::Write(error) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::keepers::endpoints::MOST_KEPT_HOURS;
    use utoipa::PartialSchema;

    #[test]
    fn the_description_says_how_long_an_old_secret_may_sign_on() {
        let schema = serde_json::to_value(Rotation::schema()).unwrap();
        let most = &schema["properties"]["keep_hours"]["maximum"];
        assert_eq!(most.as_u64(), Some(u64::from(MOST_KEPT_HOURS)));
    }
}
