//! Answers of pages that are for one visitor alone: a shopper's own, and the staff's rooms.

use crate::http::{
    app::App,
    headers,
    page::{Keep, Page},
    resource::Asked,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use warp::reply::Response;

pub(crate) const HTML: &str = "text/html; charset=utf-8";

/// A page for one visitor.
pub(crate) fn html(app: &App, asked: &Asked, status: StatusCode, bytes: Bytes) -> Response {
    let page = Page::new(HTML, bytes, Keep::Revalidate, &headers::of_pages(&app.config));
    let mut taken = HeaderMap::new();
    if let Some(coding) = asked.headers.get(header::ACCEPT_ENCODING) {
        taken.insert(header::ACCEPT_ENCODING, coding.clone());
    }
    let mut response: Response = page.answer(&Method::GET, &taken);
    *response.status_mut() = status;
    // It differs by who asks, which its tag doesn't say.
    response.headers_mut().remove(header::ETAG);
    response
}

/// After a change: to a page that can be loaded again.
pub(crate) fn see_other(place: &str) -> Response {
    let mut response = Response::new(Bytes::new().into());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(place) = HeaderValue::from_str(place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// A reason as a sentence of its own.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>());
    let end = if text.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{}{}{end}", first.unwrap_or_default(), letters.as_str())
}
