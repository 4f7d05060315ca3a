//! `/api/v1/search/reindex`: build the index anew beside the live one. For administrators.

use super::fresh;
use crate::http::{
    access::Access,
    app::App,
    error::{Code, Problem},
    handles::Reindex,
    openapi::{Doc, json},
    resource::{Asked, Operation, Resource},
};
use http::{HeaderValue, Method, StatusCode, header};
use std::sync::Arc;
use warp::reply::Response;

const ADDRESS: &str = "/api/v1/search/reindex";

pub(super) fn resources() -> Vec<Resource> {
    let start = Doc::new("start_reindex", "search", "Build the search index anew")
        .about("Answers go on coming from the old one until the new one is whole. A rebuild that is underway is joined.")
        .answer(202, "It is underway.", json::<Reindex>());
    let show = Doc::new("get_reindex", "search", "How far the last rebuild is")
        .answer(200, "The rebuild.", json::<Reindex>())
        .problem(Code::NotFound);
    let admin = |method, run| Operation::new(method, Access::Admin, &[], run);
    vec![Resource::new(
        ADDRESS,
        [
            admin(Method::GET, |a, b| Box::pin(progress(a, b))).doc(show),
            admin(Method::POST, |a, b| Box::pin(begin(a, b))).doc(start),
        ],
    )]
}

async fn progress(app: Arc<App>, _asked: Asked) -> Result<Response, Problem> {
    let nothing = "the index was not rebuilt since this process began";
    let progress = app.search.reindex_progress();
    let progress = progress.ok_or_else(|| Problem::new(Code::NotFound, nothing))?;
    Ok(fresh(&app, &progress))
}

async fn begin(app: Arc<App>, _asked: Asked) -> Result<Response, Problem> {
    let mut response = fresh(&app, &app.search.reindex().await?);
    *response.status_mut() = StatusCode::ACCEPTED;
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static(ADDRESS));
    Ok(response)
}
