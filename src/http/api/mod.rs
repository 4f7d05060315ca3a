//! The API's first version: the catalogue for everybody, sessions and what belongs to them for
//! shoppers, rules for staff, imports, exports and the index for administrators.

mod accounts;
mod addresses;
mod carts;
mod categories;
mod checkout;
mod customers;
pub(super) mod events;
mod exports;
mod imports;
mod keys;
pub(crate) mod orders;
mod payments;
mod price;
pub(crate) mod privacy;
pub(crate) mod products;
mod quotes;
mod reindex;
pub(crate) mod rules;
pub(crate) mod search;
mod sessions;
mod stock;

pub(crate) use addresses::address_problem;

use crate::{
    domain::{once::OnceName, principal::Principal},
    http::{
        app::App,
        error::{Code, Problem},
        headers, once,
        page::{Keep, Page},
        resource::{Asked, Resource},
    },
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
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
        accounts::resources(),
        addresses::resources(),
        keys::resources(),
        customers::resources(),
        privacy::resources(),
        carts::resources(),
        rules::resources(),
        checkout::resources(),
        orders::resources(),
        quotes::resources(),
        payments::resources(),
        stock::resources(),
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

/// Something that was just made, and where it is.
fn created(app: &App, value: &impl Serialize, place: &str) -> Response {
    let mut response = fresh(app, value);
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(place) = HeaderValue::from_str(place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

pub(super) fn no_content(app: &App) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    *response.headers_mut() = headers::of_data(&app.config);
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

/// For whom something is to be kept, and what their request is called. Who has no session gets one
/// in a cookie, and a name that is theirs: two of them must not get each other's answers.
async fn keeping(app: &App, asked: &mut Asked) -> Result<(Principal, OnceName), Problem> {
    let name = asked.name()?;
    if let Some(who) = asked.visit.principal() {
        return Ok((who, name));
    }
    let who = asked.visit.principal_or_guest(app).await?;
    let place = asked.path.join("/");
    let name = once::name(&asked.headers, &who.to_string(), &asked.method, &place)?;
    Ok((who, name))
}

/// The version that `If-Match` names; `None`: any.
pub(super) fn version_to_match(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(given) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = given.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let number = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let number = number.and_then(|number| number.parse().ok());
    let told = "If-Match takes the ETag as it was given";
    number.map(Some).ok_or_else(|| Problem::new(Code::PreconditionFailed, told))
}
