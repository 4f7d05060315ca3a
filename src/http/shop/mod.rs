//! The shop's pages: those for everybody, and a shopper's own.

mod account;
mod cart;
mod checkout;
mod files;
mod lists;
mod media;
mod own;
mod product;
mod sitemap;

use crate::http::{
    app::App,
    cache::Key,
    edge, headers,
    page::{Keep, Page},
    resource::Resource,
};
use bytes::Bytes;
use std::sync::Arc;

pub(crate) fn resources() -> Vec<Resource> {
    [
        lists::resources(),
        cart::resources(),
        checkout::resources(),
        account::resources(),
        product::resources(),
        media::resources(),
        files::resources(),
        sitemap::resources(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

use crate::http::personal::{HTML, sentence};

/// The key of a page that the search index has a part in, or (`generation` 0) has not.
fn key(app: &App, generation: u64, address: String) -> Key {
    let path = address.split('?').next().unwrap_or_default();
    let prices = edge::prices_on(app, path);
    Key { scope: Arc::clone(&app.scope), generation, prices, address: address.into() }
}

/// A page of ours with the headers that go with one.
fn html(app: &App, bytes: Bytes) -> Page {
    Page::new(HTML, bytes, Keep::Revalidate, &headers::of_pages(&app.config))
}
