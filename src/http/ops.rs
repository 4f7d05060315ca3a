//! `/ops` and `/metrics`: the tree of actors as it runs, its pools, and changes to them. For
//! administrators.

use crate::{
    domain::time::Micros,
    http::{
        access::Access,
        api::{fresh, fresh_bytes},
        app::App,
        error::{Code, Problem},
        extract::{Param, Takes},
        handles::{AutoscaleWish, PoolInfo},
        headers,
        openapi::{Doc, json, media},
        resource::{Asked, Intake, Operation, Resource},
    },
};
use http::{HeaderValue, Method, header};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use warp::reply::Response;

const NAME: Param = Param::new("name", Takes::Text { most: 64 }, "The pool's name.");
const NONE: &[Param] = &[];
/// The widest a pool may be set to; a pool's own limit is often lower.
const MOST_WORKERS: u32 = 1_024;
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

#[derive(Serialize, ToSchema)]
struct PoolList {
    items: Vec<PoolInfo>,
}

/// A pool's new size.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PoolSize {
    #[schema(minimum = 1, maximum = 1024)]
    workers: u32,
    /// RFC 3339; from then on the configured size counts again. Left out: for good.
    #[schema(format = DateTime)]
    until: Option<String>,
}

/// Whether a pool's size follows the wait of its queue. What is left out is as configured.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PoolAutoscale {
    /// `false`: the size stays as configured, and nothing else is said.
    #[schema(default = true)]
    #[serde(default = "yes")]
    enabled: bool,
    /// Workers in each process when nothing is to be done.
    #[schema(minimum = 1, maximum = 1024)]
    min: Option<u32>,
    /// Workers in each process at most.
    #[schema(minimum = 1, maximum = 1024)]
    max: Option<u32>,
    /// How long a job may wait.
    #[schema(minimum = 1, maximum = 3600000)]
    wait_ms: Option<u32>,
}

/// The tree of actors; each node has its children. See the documentation of `supervisors`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a description: another crate writes it")]
struct TreeNode {
    name: String,
    path: String,
    kind: String,
    restarts: u64,
    handled: u64,
    #[schema(no_recursion)]
    children: Vec<TreeNode>,
}

pub(crate) fn resources() -> Vec<Resource> {
    let tree = Doc::new("get_tree", "ops", "The tree of actors").answer(
        200,
        "The tree.",
        json::<TreeNode>(),
    );
    let list = Doc::new("list_pools", "ops", "Pools and their sizes").answer(
        200,
        "All pools.",
        json::<PoolList>(),
    );
    let set = Doc::new("set_pool", "ops", "Resize a pool")
        .about("Acts at once and outlives a restart; it beats configuration until reverted.")
        .place(NAME)
        .body(json::<PoolSize>())
        .answer(200, "The pool as it is now.", json::<PoolInfo>())
        .problem(Code::Conflict);
    let verb = |id, summary| {
        Doc::new(id, "ops", summary)
            .place(NAME)
            .answer(200, "The pool as it is now.", json::<PoolInfo>())
            .problem(Code::Conflict)
    };
    let pause = verb("pause_pool", "Take jobs, but hand none out");
    let resume = verb("resume_pool", "Hand jobs out again");
    let drain = verb("drain_pool", "Take no jobs, and finish those there are");
    let revert = verb("revert_pool", "Take an operator's change back");
    let follow = Doc::new("autoscale_pool", "ops", "Let a pool's size follow its queue, or not")
        .about(
            "Acts at once and outlives a restart. A size that was set goes before until it is \
             reverted. Of pools that do a queue's jobs.",
        )
        .place(NAME)
        .body(json::<PoolAutoscale>())
        .answer(200, "The pool as it is now.", json::<PoolInfo>())
        .problem(Code::Conflict);
    let unfollow = verb("revert_pool_autoscale", "Let it follow as configured");
    let metrics = Doc::new("get_metrics", "ops", "Counters and histograms for Prometheus").answer(
        200,
        "All series.",
        media(METRICS),
    );
    let admin = |method, run| Operation::new(method, Access::Admin, NONE, run);
    vec![
        Resource::new(
            "/ops/tree.json",
            [admin(Method::GET, |a, b| Box::pin(show_tree(a, b))).doc(tree)],
        ),
        Resource::new(
            "/ops/pools.json",
            [admin(Method::GET, |a, b| Box::pin(show_pools(a, b))).doc(list)],
        ),
        Resource::new(
            "/ops/pools/{name}",
            [admin(Method::PUT, |a, b| Box::pin(set_size(a, b))).takes(Intake::Json).doc(set)],
        ),
        Resource::new(
            "/ops/pools/{name}/pause",
            [admin(Method::POST, |a, b| Box::pin(act(a, b, Verb::Pause))).doc(pause)],
        ),
        Resource::new(
            "/ops/pools/{name}/resume",
            [admin(Method::POST, |a, b| Box::pin(act(a, b, Verb::Resume))).doc(resume)],
        ),
        Resource::new(
            "/ops/pools/{name}/drain",
            [admin(Method::POST, |a, b| Box::pin(act(a, b, Verb::Drain))).doc(drain)],
        ),
        Resource::new(
            "/ops/pools/{name}/override",
            [admin(Method::DELETE, |a, b| Box::pin(act(a, b, Verb::Revert))).doc(revert)],
        ),
        Resource::new(
            "/ops/pools/{name}/autoscale",
            [
                admin(Method::PUT, |a, b| Box::pin(autoscale(a, b)))
                    .takes(Intake::Json)
                    .doc(follow),
                admin(Method::DELETE, |a, b| Box::pin(act(a, b, Verb::Unfollow))).doc(unfollow),
            ],
        ),
        Resource::new(
            "/metrics",
            [admin(Method::GET, |a, b| Box::pin(show_metrics(a, b))).doc(metrics)],
        ),
    ]
}

enum Verb {
    Pause,
    Resume,
    Drain,
    Revert,
    Unfollow,
}

fn yes() -> bool {
    true
}

async fn show_tree(app: Arc<App>, _asked: Asked) -> Result<Response, Problem> {
    let tree = serde_json::to_vec(&app.tree.snapshot()).map_err(Problem::internal)?;
    Ok(fresh_bytes(&app, tree))
}

async fn show_pools(app: Arc<App>, _asked: Asked) -> Result<Response, Problem> {
    Ok(fresh(&app, &PoolList { items: app.pools.list().await? }))
}

async fn set_size(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (name, by) = (asked.path[0].clone(), by(&asked));
    let size: PoolSize = asked.body.json().await?;
    if !(1..=MOST_WORKERS).contains(&size.workers) {
        return Err(Problem::field("/workers", format!("a whole number from 1 to {MOST_WORKERS}")));
    }
    let until = size.until.map(|text| instant(&text)).transpose()?;
    if until.is_some_and(|until| until <= app.clock.now()) {
        return Err(Problem::field("/until", "lies in the past"));
    }
    let pool = known(app.pools.set(&name, size.workers, by, until).await)?;
    Ok(fresh(&app, &pool))
}

async fn autoscale(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (name, by) = (asked.path[0].clone(), by(&asked));
    let PoolAutoscale { enabled, min, max, wait_ms } = asked.body.json().await?;
    if !enabled && (min, max, wait_ms) != (None, None, None) {
        return Err(Problem::field("/enabled", "false goes without bounds"));
    }
    let wish = enabled.then_some(AutoscaleWish { min, max, wait_ms });
    let pool = known(app.pools.autoscale(&name, wish, by).await)?;
    Ok(fresh(&app, &pool))
}

async fn act(app: Arc<App>, asked: Asked, verb: Verb) -> Result<Response, Problem> {
    let (name, by) = (asked.path[0].as_str(), by(&asked));
    let pool = known(match verb {
        Verb::Pause => app.pools.pause(name, by).await,
        Verb::Resume => app.pools.resume(name, by).await,
        Verb::Drain => app.pools.drain(name, by).await,
        Verb::Revert => app.pools.revert(name, by).await,
        Verb::Unfollow => app.pools.autoscale_revert(name, by).await,
    })?;
    Ok(fresh(&app, &pool))
}

async fn show_metrics(app: Arc<App>, _asked: Asked) -> Result<Response, Problem> {
    let text = app.metrics.as_ref().map(|metrics| metrics.render()).unwrap_or_default();
    let mut response = Response::new(text.into());
    *response.headers_mut() = headers::of_data(&app.config);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(METRICS));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Who changes something, as the audit log names them until there are accounts.
pub(crate) fn by(asked: &Asked) -> &'static str {
    if asked.caller.is_local() { "socket" } else { "admin token" }
}

fn instant(text: &str) -> Result<Micros, Problem> {
    let parsed: Result<jiff::Timestamp, _> = text.parse();
    let told = "a time such as 2030-01-31T18:00:00Z";
    parsed.map(|at| Micros(at.as_microsecond())).map_err(|_| Problem::field("/until", told))
}

fn known<T>(found: Result<Option<T>, Problem>) -> Result<T, Problem> {
    found?
        .ok_or_else(|| Problem::new(Code::NotFound, "there is no such pool, or no override of it"))
}
