//! Whether the process lives, has started, and can serve.
//!
//! `/livez` touches nothing: it answers while the process can answer at all. `/readyz` asks every
//! component and names the one that is down; it says no, too, as soon as the process is about to
//! leave. Neither says more than a category.

use crate::http::{
    access::Access,
    app::App,
    error::Problem,
    extract::Param,
    headers,
    openapi::{Doc, json},
    resource::{Asked, Operation, Resource},
};
use futures_util::future::join_all;
use http::{HeaderValue, Method, StatusCode, header};
use serde::Serialize;
use std::{sync::Arc, time::Duration};
use utoipa::ToSchema;
use warp::reply::Response;

/// A component that doesn't answer within this is down.
const PATIENCE: Duration = Duration::from_secs(2);
const NONE: &[Param] = &[];

#[derive(Serialize, ToSchema)]
struct Health {
    /// Whether requests may be sent here.
    ok: bool,
    components: Vec<ComponentHealth>,
    /// The shop is closed to shoppers until then; requests may be sent here all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    closed_until: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct ComponentHealth {
    name: String,
    ok: bool,
    /// The shop goes on without it, with less.
    optional: bool,
}

pub(crate) fn resources() -> Vec<Resource> {
    let shape = json::<Health>;
    let live =
        Doc::new("livez", "health", "Whether the process lives").answer(200, "It does.", shape());
    let ready = Doc::new("readyz", "health", "Whether requests may be sent here")
        .answer(200, "They may.", shape())
        .answer(503, "A component is down.", shape());
    let started = Doc::new("startupz", "health", "Whether the start is over")
        .answer(200, "It is.", shape())
        .answer(503, "Not yet.", shape());
    let anyone = |run| Operation::new(Method::GET, Access::Anyone, NONE, run);
    vec![
        Resource::new("/livez", [anyone(|a, b| Box::pin(show_live(a, b))).doc(live)]),
        Resource::new("/readyz", [anyone(|a, b| Box::pin(show_ready(a, b))).doc(ready)]),
        Resource::new("/startupz", [anyone(|a, b| Box::pin(show_started(a, b))).doc(started)]),
    ]
}

async fn show_live(app: Arc<App>, _asked: Asked) -> Result<Response, Problem> {
    Ok(answer(&app, true, Vec::new()))
}

async fn show_started(app: Arc<App>, _asked: Asked) -> Result<Response, Problem> {
    Ok(answer(&app, app.stage.is_up(), Vec::new()))
}

async fn show_ready(app: Arc<App>, _asked: Asked) -> Result<Response, Problem> {
    let checks = app.checks.iter().map(|check| async move {
        let outcome = tokio::time::timeout(PATIENCE, check.check()).await;
        let outcome = outcome.unwrap_or_else(|_| Err("no answer in time".into()));
        if let Err(error) = &outcome {
            // Why is for the operator: the answer is for everybody.
            tracing::debug!(component = check.name(), error, "component is down");
        }
        let (name, optional) = (check.name().to_owned(), check.optional());
        ComponentHealth { name, optional, ok: outcome.is_ok() }
    });
    let components = join_all(checks).await;
    let wanted = app.stage.is_up() && !app.stage.is_leaving();
    let ok = wanted && components.iter().all(|one| one.ok || one.optional);
    Ok(answer(&app, ok, components))
}

fn answer(app: &App, ok: bool, components: Vec<ComponentHealth>) -> Response {
    let closed_until = app.door.closed().map(|closed| closed.until.rfc3339());
    let body = serde_json::to_vec(&Health { ok, components, closed_until }).unwrap_or_default();
    let mut response = Response::new(body.into());
    *response.headers_mut() = headers::of_data(&app.config);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if !ok {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}
