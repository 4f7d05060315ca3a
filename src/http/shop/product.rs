//! `/p/{slug}`: one product.
//!
//! Made on the request's own thread: it takes one read of the local documents and a template, less
//! than handing it to a pool and back.

use super::{
    html, key,
    own::{self, Own},
};
use crate::{
    domain::product::ProductStatus,
    http::{
        app::App,
        cache::Built,
        error::Problem,
        resource::{Asked, Operation, Resource},
    },
    views::{self, ProductPage},
};
use std::sync::Arc;
use warp::reply::Response;

pub(super) fn resources() -> Vec<Resource> {
    vec![Resource::new("/p/{slug}", [Operation::shop_page(&[], |a, b| Box::pin(show(a, b)))])]
}

async fn show(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let slug = &asked.path[0];
    if let Some(own) = Own::of(&app, &asked).await {
        return Ok(own::answer(&build(&app, slug, Some(&own))?, &asked));
    }
    let key = key(&app, 0, views::product_path(slug));
    let build = || async { build(&app, slug, Own::of_everybody(&app).as_ref()) };
    let entry = app.cache.get_or_build(key, build).await?;
    Ok(entry.answer(&asked))
}

fn build(app: &App, slug: &str, own: Option<&Own>) -> Result<Built, Problem> {
    let offset = app.offset();
    let found = app.documents.by_slug(&app.scope, slug)?;
    let found = found.filter(|one| one.document.status == ProductStatus::Active);
    let nothing =
        || Problem { detail: "there is no product at this address".into(), ..Problem::not_found() };
    let mut document = found.ok_or_else(nothing)?.document;
    let mut products = vec![document.id];
    // A variant's page lets one choose among its sisters, which only the parent knows.
    let parent = match &document.parent {
        Some(parent) => app.documents.by_sku(&app.scope, &parent.sku)?,
        None => None,
    };
    products.extend(parent.iter().map(|parent| parent.document.id));
    let mut tiers = Vec::new();
    if let Some(own) = own {
        (document, tiers) = own.priced(app, &document)?;
    }
    let (_, shell) = app.shell();
    let page = ProductPage {
        shell: &shell,
        offset,
        doc: &document,
        variants: parent.as_ref().map_or(&[], |parent| parent.document.variants.as_slice()),
        related: &[],
        tiers: &tiers,
        visitor: own.and_then(|own| own.visitor),
    };
    Ok(Built { page: html(app, views::product(&page)), products, keep: true })
}
