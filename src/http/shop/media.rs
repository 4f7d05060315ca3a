//! What pages are dressed with: our own styles and scripts, and drawings.

use crate::{
    domain::sku::Sku,
    http::{
        app::App,
        error::Problem,
        extract::Param,
        headers,
        page::{Keep, Page},
        resource::{Asked, Operation, Resource},
    },
    views::{self, drawings},
};
use bytes::Bytes;
use http::HeaderMap;
use std::sync::{Arc, OnceLock};
use warp::reply::Response;

const SVG: &str = "image/svg+xml";
const NONE: &[Param] = &[];

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::new("/assets/{file}", [Operation::page(NONE, |a, b| Box::pin(show_asset(a, b)))]),
        Resource::new(
            "/media/placeholder/{sku}.svg",
            [Operation::page(NONE, |a, b| Box::pin(show_placeholder(a, b)))],
        ),
        Resource::new(
            "/media/demo/{family}/{seed}.svg",
            [Operation::page(NONE, |a, b| Box::pin(show_demo(a, b)))],
        ),
    ]
}

/// The assets as pages: they are compiled in, so they are packed once for the process.
fn assets() -> &'static [(String, Page)] {
    static ASSETS: OnceLock<Vec<(String, Page)>> = OnceLock::new();
    ASSETS.get_or_init(|| {
        let page = |asset: &'static views::Asset| {
            let mut extra = HeaderMap::new();
            headers::nosniff(&mut extra);
            let bytes = Bytes::from_static(asset.bytes);
            (asset.path.clone(), Page::new(asset.content_type, bytes, Keep::Forever, &extra))
        };
        views::assets().iter().map(page).collect()
    })
}

async fn show_asset(_app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let path = format!("/assets/{}", asked.path[0]);
    let found = assets().iter().find(|(known, _)| *known == path);
    let (_, page) = found.ok_or_else(Problem::not_found)?;
    Ok(page.answer(&asked.method, &asked.headers))
}

async fn show_placeholder(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let sku = Sku::new(&asked.path[0]).map_err(|_| Problem::not_found())?;
    let found = app.documents.by_sku(&app.scope, &sku)?;
    let family = found.as_ref().map_or("", |one| drawings::family_of(&one.document));
    Ok(drawing(&app, &asked, drawings::placeholder_svg(&sku, family)))
}

async fn show_demo(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    Ok(drawing(&app, &asked, drawings::demo_svg(&asked.path[0], &asked.path[1])))
}

fn drawing(app: &App, asked: &Asked, bytes: Bytes) -> Response {
    let page = Page::new(SVG, bytes, Keep::Day, &headers::of_data(&app.config));
    page.answer(&asked.method, &asked.headers)
}
