//! `/robots.txt` and the sitemap: an index, a part for categories, and parts of products.

use super::key;
use crate::{
    domain::{id::ProductId, product::ProductStatus},
    http::{
        app::App,
        cache::Built,
        error::Problem,
        headers,
        page::{Keep, Page},
        resource::{Asked, Operation, Resource},
    },
    views::{self, SitemapEntry},
};
use bytes::Bytes;
use std::sync::Arc;
use warp::reply::Response;

/// Products of a part: one is about a megabyte, and quickly made.
const PART: usize = 10_000;
/// Documents read between two chances for others on the same thread.
const STRIDE: usize = 200;
const CATEGORIES: &str = "categories";
const XML: &str = "application/xml";

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::new("/robots.txt", [Operation::page(&[], |a, b| Box::pin(show_robots(a, b)))]),
        Resource::new("/sitemap.xml", [Operation::page(&[], |a, b| Box::pin(show_index(a, b)))]),
        Resource::new(
            "/sitemap/{part}.xml",
            [Operation::page(&[], |a, b| Box::pin(show_part(a, b)))],
        ),
    ]
}

async fn show_robots(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (_, shell) = app.shell();
    let bytes = views::robots_txt(&shell);
    let extra = headers::of_data(&app.config);
    let page = Page::new("text/plain; charset=utf-8", bytes, Keep::Revalidate, &extra);
    Ok(page.answer(&asked.method, &asked.headers))
}

async fn show_index(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (_, shell) = app.shell();
    let products = usize::try_from(app.documents.count()?).unwrap_or(usize::MAX);
    let entry = |part: String| SitemapEntry { path: format!("/sitemap/{part}.xml"), changed: None };
    let mut parts = vec![entry(CATEGORIES.into())];
    parts.extend((1..=products.div_ceil(PART)).map(|n| entry(n.to_string())));
    let page = xml(&app, views::sitemap_index(&shell, &parts));
    Ok(page.answer(&asked.method, &asked.headers))
}

async fn show_part(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let part = asked.path[0].clone();
    let number = match part.as_str() {
        CATEGORIES => None,
        text => Some(text.parse::<usize>().ok().filter(|n| *n > 0 && n.to_string() == text)),
    };
    let Some(number) = number else { return Ok(categories(&app, &asked)) };
    let number = number.ok_or_else(Problem::not_found)?;
    // New products are in no part that is kept, so parts live as long as the index's answers.
    let key = key(&app, app.search.generation(), format!("/sitemap/{part}.xml"));
    let build = || {
        let app_ = Arc::clone(&app);
        app.render.page(async move { products(&app_, number).await })
    };
    Ok(app.cache.get_or_build(key, build).await?.answer(&asked))
}

fn categories(app: &App, asked: &Asked) -> Response {
    let (tree, shell) = app.shell();
    let page = |path| SitemapEntry { path, changed: None };
    let mut pages = vec![page("/".to_owned())];
    pages.extend(tree.all().iter().map(|one| page(views::category_path(&one.slug))));
    pages.truncate(views::MOST_SITEMAP_ENTRIES);
    xml(app, views::sitemap(&shell, &pages)).answer(&asked.method, &asked.headers)
}

async fn products(app: &App, number: usize) -> Result<Built, Problem> {
    let mut after: Option<ProductId> = None;
    for _ in 1..number {
        let skipped = app.documents.ids(&app.scope, after, PART)?;
        // Behind the end there is no part.
        after = Some(*skipped.last().ok_or_else(Problem::not_found)?);
    }
    let mut pages = Vec::new();
    let mut read = 0;
    while read < PART {
        let some = app.documents.page_by_id(&app.scope, after, STRIDE.min(PART - read))?;
        let Some(last) = some.last() else { break };
        (after, read) = (Some(last.id), read + some.len());
        let shown = some.iter().filter(|one| one.status == ProductStatus::Active);
        pages.extend(shown.map(|one| SitemapEntry {
            path: views::product_path(&one.slug),
            changed: Some(one.updated_at),
        }));
        tokio::task::yield_now().await;
    }
    if read == 0 {
        return Err(Problem::not_found());
    }
    let (_, shell) = app.shell();
    let page = xml(app, views::sitemap(&shell, &pages));
    Ok(Built { page, products: Vec::new(), keep: true })
}

fn xml(app: &App, bytes: Bytes) -> Page {
    Page::new(XML, bytes, Keep::Revalidate, &headers::of_data(&app.config))
}
