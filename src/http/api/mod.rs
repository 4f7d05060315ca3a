//! The API's first version: the catalogue for everybody, sessions and what belongs to them for
//! shoppers, rules for staff, imports, exports and the index for administrators.

mod carts;
mod categories;
pub(super) mod events;
mod exports;
mod imports;
mod price;
mod products;
mod reindex;
mod rules;
pub(crate) mod search;
mod sessions;

use crate::http::{
    app::App,
    headers,
    page::{Keep, Page},
    resource::{Asked, Resource},
};
use http::{HeaderValue, header};
use serde::Serialize;
use warp::reply::Response;

pub(crate) fn resources() -> Vec<Resource> {
    [
        products::resources(),
        price::resources(),
        categories::resources(),
        search::resources(),
        imports::resources(),
        exports::resources(),
        reindex::resources(),
        sessions::resources(),
        carts::resources(),
        rules::resources(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const JSON: &str = "application/json";

/// The fields a product may be asked for by.
#[cfg(test)]
pub(super) fn product_fields() -> &'static [&'static str] {
    products::FIELDS
}

/// JSON for everybody: with a tag, and 304 for who has it.
fn tagged(app: &App, asked: &Asked, json: Vec<u8>) -> Response {
    let extra = headers::of_data(&app.config);
    let page = Page::new(JSON, json.into(), Keep::Revalidate, &extra);
    page.answer(&asked.method, &asked.headers)
}

/// JSON about this moment.
pub(super) fn fresh(app: &App, value: &impl Serialize) -> Response {
    fresh_bytes(app, serde_json::to_vec(value).unwrap_or_default())
}

pub(super) fn fresh_bytes(app: &App, json: Vec<u8>) -> Response {
    let mut response = Response::new(json.into());
    *response.headers_mut() = headers::of_data(&app.config);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Tells where the list goes on (RFC 8288).
pub(super) fn link_next(response: &mut Response, address: &str, query: &str, next: Option<&str>) {
    let Some(next) = next else { return };
    let others = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("after="));
    let mut target = format!("{address}?");
    for pair in others {
        target.push_str(pair);
        target.push('&');
    }
    let link = format!("<{target}after={next}>; rel=\"next\"");
    if let Ok(link) = HeaderValue::from_str(&link) {
        response.headers_mut().insert(header::LINK, link);
    }
}

/// `"name":[…],` of objects that are JSON already.
fn write_array<T: AsRef<[u8]>>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>) {
    out.push(b'[');
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.extend_from_slice(item.as_ref());
    }
    out.push(b']');
}

fn write_value(out: &mut Vec<u8>, value: &impl Serialize) {
    // Strings and numbers always serialise, and a Vec takes everything.
    let _always = serde_json::to_writer(out, value);
}
