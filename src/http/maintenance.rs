//! While the shop is closed: who is turned away, and how; and `/ops/maintenance`, which closes it.
//!
//! Turned away is whoever shops, with 503 and the time of its end. Staff, operators, probes, payment
//! providers and logging in go on; so does whatever was begun, and a stream that is open.

use crate::{
    domain::{policy::Right, principal::Principal, time::Micros},
    http::{
        access::{Access, Caller},
        api::fresh,
        app::App,
        error::{Code, Problem},
        openapi::{Doc, json},
        ops::by,
        resource::{Asked, Intake, Operation, Resource},
        visit::Visit,
    },
    ports::maintenance::Maintenance,
};
use http::{HeaderMap, Method};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use utoipa::ToSchema;
use warp::reply::Response;

/// A slip of the year must not close a shop for good.
const MOST: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const MOST_MESSAGE: usize = 300;

/// What is for everybody and needs no shop: probes, what pages are made of, the manual, and the ways in.
const SPARED: &[&str] = &[
    "/livez",
    "/readyz",
    "/startupz",
    "/robots.txt",
    "/openapi.json",
    "/docs",
    "/docs/problems",
    "/docs/problems/{code}",
    "/assets/{file}",
    "/files/{file}",
    "/media/demo/{family}/{seed}.svg",
    "/media/placeholder/{sku}.svg",
    "/login",
    "/logout",
    "/forgot",
    "/reset",
    "/admin/setup",
    "/api/v1/setup",
    "/api/v1/sessions",
    "/api/v1/sessions/{id}",
    "/api/v1/password-resets",
];

/// Whether this goes on while the shop is closed, whoever asks.
pub(super) fn spares(address: &str, access: Access) -> bool {
    matches!(access, Access::Admin | Access::Signed | Access::Staff(_)) || SPARED.contains(&address)
}

/// Lets in who works here.
pub(super) async fn admit(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    closed: &Maintenance,
) -> Result<(), Problem> {
    // Somebody who can't be known now is a shopper.
    let visit = Visit::of(app, caller, headers, Access::Shopper(Right::Carts)).await.ok();
    match visit.and_then(|visit| visit.principal()) {
        Some(Principal::Staff { .. } | Principal::Operator) => Ok(()),
        _ => Err(turned_away(closed, app.clock.now())),
    }
}

fn turned_away(closed: &Maintenance, now: Micros) -> Problem {
    let message = closed.message.as_deref().unwrap_or("The shop is being looked after.");
    let end = closed.until.rfc3339();
    let end = end.get(..16).unwrap_or_default().replace('T', " ");
    let left = u64::try_from(closed.until.0.saturating_sub(now.0)).unwrap_or_default();
    let wait = u32::try_from(left.div_ceil(1_000_000).max(1)).unwrap_or(u32::MAX);
    let told = format!("{message} It is open again from {end} UTC.");
    Problem { wait: Some(wait), ..Problem::new(Code::Maintenance, told) }
}

/// For how long, and what shoppers are told.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MaintenanceWanted {
    /// RFC 3339, a week from now at most; the shop is open again from then on.
    #[schema(format = DateTime)]
    until: String,
    /// For shoppers, in a sentence or two.
    #[schema(max_length = 300)]
    message: Option<String>,
    /// Whether no queue of jobs hands anything out meanwhile.
    #[serde(default)]
    pause_queues: bool,
}

/// Whether the shop is closed.
#[derive(Serialize, ToSchema)]
struct MaintenanceView {
    on: bool,
    #[schema(required, format = DateTime)]
    until: Option<String>,
    #[schema(required)]
    message: Option<String>,
    pause_queues: bool,
    #[schema(required)]
    set_by: Option<String>,
    #[schema(required, format = DateTime)]
    set_at: Option<String>,
}

impl MaintenanceView {
    fn of(app: &App) -> Self {
        let closed = app.door.closed();
        Self {
            on: closed.is_some(),
            until: closed.as_ref().map(|closed| closed.until.rfc3339()),
            message: closed.as_ref().and_then(|closed| closed.message.clone()),
            pause_queues: closed.as_ref().is_some_and(|closed| closed.pauses),
            set_by: closed.as_ref().map(|closed| closed.by.clone()),
            set_at: closed.as_ref().map(|closed| closed.at.rfc3339()),
        }
    }
}

pub(crate) fn resources() -> Vec<Resource> {
    let doc = |id, summary| {
        Doc::new(id, "ops", summary).answer(200, "How it is now.", json::<MaintenanceView>())
    };
    let show = doc("get_maintenance", "Whether the shop is closed");
    let close = doc("close_shop", "Close the shop for a while")
        .about(
            "Shoppers get 503 with `Retry-After` until then; staff, operators, probes, payment \
             providers and logging in go on. On every node, over restarts, and over by itself.",
        )
        .body(json::<MaintenanceWanted>());
    let open = doc("open_shop", "Open the shop again");
    let admin = |method, run| Operation::new(method, Access::Admin, &[], run);
    vec![Resource::new(
        "/ops/maintenance",
        [
            admin(Method::GET, |a, b| Box::pin(show_it(a, b))).doc(show),
            admin(Method::PUT, |a, b| Box::pin(close_it(a, b))).takes(Intake::Json).doc(close),
            admin(Method::DELETE, |a, b| Box::pin(open_it(a, b))).doc(open),
        ],
    )]
}

async fn show_it(app: Arc<App>, _: Asked) -> Result<Response, Problem> {
    Ok(fresh(&app, &MaintenanceView::of(&app)))
}

async fn close_it(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let by = by(&asked);
    let MaintenanceWanted { until, message, pause_queues } = asked.body.json().await?;
    let told = "a time such as 2030-01-31T18:00:00Z";
    let until = Micros::parse(&until).ok_or_else(|| Problem::field("/until", told))?;
    let now = app.clock.now();
    if until <= now {
        return Err(Problem::field("/until", "lies in the past"));
    }
    if until > now.plus(MOST) {
        return Err(Problem::field("/until", "lies more than a week ahead"));
    }
    let message = message.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if message.as_ref().is_some_and(|text| text.chars().count() > MOST_MESSAGE) {
        return Err(Problem::field("/message", format!("at most {MOST_MESSAGE} characters")));
    }
    app.door.close(until, message, pause_queues, by).await?;
    Ok(fresh(&app, &MaintenanceView::of(&app)))
}

async fn open_it(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    app.door.open(by(&asked)).await?;
    Ok(fresh(&app, &MaintenanceView::of(&app)))
}

#[cfg(test)]
mod tests {
    use super::SPARED;
    use crate::http::{access::Access, routes};

    #[test]
    fn what_is_spared_is_there_and_none_of_it_sells() {
        let all = routes::all();
        for address in SPARED {
            let found = all.iter().find(|resource| resource.path == *address);
            assert!(found.is_some(), "{address}");
        }
        for selling in ["/", "/c/{slug}", "/p/{slug}", "/cart", "/checkout", "/api/v1/products"] {
            assert!(!super::spares(selling, Access::Anyone), "{selling}");
        }
    }
}
