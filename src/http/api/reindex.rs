//! `/api/v1/search/reindex`: build the index anew beside the live one. For administrators.

use super::{
    events::{self, Standing},
    fresh,
};
use crate::http::{
    access::Access,
    app::App,
    error::{Code, Problem},
    handles::{Reindex, ReindexState},
    openapi::{Doc, json},
    resource::{Asked, Operation, Resource},
};
use http::{HeaderValue, Method, StatusCode, header};
use std::sync::Arc;
use warp::reply::Response;

const ADDRESS: &str = "/api/v1/search/reindex";
const NEVER: &str = "the index was not rebuilt since this process began";

pub(super) fn resources() -> Vec<Resource> {
    let start = Doc::new("start_reindex", "search", "Build the search index anew")
        .about("Answers go on coming from the old one until the new one is whole. A rebuild that is underway is joined.")
        .answer(202, "It is underway.", json::<Reindex>());
    let show = Doc::new("get_reindex", "search", "How far the last rebuild is")
        .answer(200, "The rebuild.", json::<Reindex>())
        .problem(Code::NotFound);
    let follow_doc =
        events::doc("follow_reindex", "search", "How far the last rebuild is, as it goes on")
            .problem(Code::NotFound);
    let admin = |method, run| Operation::new(method, Access::Admin, &[], run);
    vec![
        Resource::new(
            ADDRESS,
            [
                admin(Method::GET, |a, b| Box::pin(progress(a, b))).doc(show),
                admin(Method::POST, |a, b| Box::pin(begin(a, b))).doc(start),
            ],
        ),
        Resource::new(
            "/api/v1/search/reindex/events",
            [admin(Method::GET, |a, b| Box::pin(follow(a, b))).doc(follow_doc)],
        ),
    ]
}

async fn progress(app: Arc<App>, _asked: Asked) -> Result<Response, Problem> {
    let progress = app.search.reindex_progress();
    let progress = progress.ok_or_else(|| Problem::new(Code::NotFound, NEVER))?;
    Ok(fresh(&app, &progress))
}

async fn follow(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let search = Arc::clone(&app.search);
    let look = move || {
        let progress = search.reindex_progress();
        let ended = |progress: &Reindex| progress.state != ReindexState::Running;
        let standing = progress.map(|progress| Standing::new(&progress, ended(&progress)));
        std::future::ready(Ok(standing))
    };
    events::follow(&app, &asked, NEVER, look).await
}

async fn begin(app: Arc<App>, _asked: Asked) -> Result<Response, Problem> {
    let mut response = fresh(&app, &app.search.reindex().await?);
    *response.status_mut() = StatusCode::ACCEPTED;
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static(ADDRESS));
    Ok(response)
}
