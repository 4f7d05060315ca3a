//! The cookies there are: a visitor's session, what ties a form to the browser it was shown in,
//! and what lets a guest's browser look at one order, by the link of its mail.
//!
//! Over HTTPS their names begin with `__Host-` (RFC 6265bis §4.1.3): such a cookie is ours alone,
//! no sibling host can plant one. That prefix needs `Secure`, which browsers don't keep on plain
//! HTTP, so there the names are others and say the port, as cookies don't tell ports apart. A
//! cookie is read only under the name of the way the request came. An order's is sent to that
//! order's address alone, so it is `__Secure-`, and each order has its own.

use crate::domain::{id::OrderId, secret::Secret};
use http::{HeaderMap, HeaderValue, header};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cookie {
    Session,
    /// Only as long as the browser runs.
    Form,
    Order(OrderId),
}

impl Cookie {
    pub(crate) fn name(self, https: bool, port: u16) -> String {
        match (self, https) {
            (Self::Session, true) => "__Host-stoa".to_owned(),
            (Self::Form, true) => "__Host-stoa-form".to_owned(),
            (Self::Order(_), true) => "__Secure-stoa-order".to_owned(),
            (Self::Session, false) => format!("stoa-{port}"),
            (Self::Form, false) => format!("stoa-form-{port}"),
            (Self::Order(_), false) => format!("stoa-order-{port}"),
        }
    }

    /// Below which address it is sent.
    fn path(self) -> String {
        match self {
            Self::Session | Self::Form => "/".to_owned(),
            Self::Order(id) => format!("/orders/{id}"),
        }
    }
}

/// What the browser sent under this name.
pub(crate) fn read(headers: &HeaderMap, name: &str) -> Option<Secret> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let mut pairs = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
    pairs.find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key.trim() == name).then(|| Secret::new(value.trim()))
    })
}

/// A `Set-Cookie`. `within`: `None` for as long as the browser runs, zero to take it back.
pub(crate) fn set(
    cookie: Cookie,
    value: &Secret,
    (https, port): (bool, u16),
    within: Option<Duration>,
) -> Option<HeaderValue> {
    let (name, path) = (cookie.name(https, port), cookie.path());
    let mut text = format!("{name}={}; Path={path}; HttpOnly; SameSite=Lax", value.expose());
    if https {
        text.push_str("; Secure");
    }
    if let Some(within) = within {
        text.push_str(&format!("; Max-Age={}", within.as_secs()));
    }
    let mut header = HeaderValue::try_from(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_and_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; xstoa-80=no; stoa-80=yes"));
        headers.append(header::COOKIE, HeaderValue::from_static("b=2; c"));
        let found = |name| read(&headers, name).map(|secret| secret.expose().to_owned());
        assert_eq!(found("stoa-80").as_deref(), Some("yes"));
        assert_eq!(found("b").as_deref(), Some("2"));
        assert_eq!((found("stoa"), found("c")), (None, None));
    }

    #[test]
    fn over_https_it_is_bound_to_this_host_and_unseen_by_scripts() {
        let set =
            |https, within| set(Cookie::Session, &Secret::new("v"), (https, 443), within).unwrap();
        assert_eq!(
            set(true, Some(Duration::from_secs(9))),
            "__Host-stoa=v; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=9"
        );
        assert_eq!(set(false, None), "stoa-443=v; Path=/; HttpOnly; SameSite=Lax");
        assert_ne!(Cookie::Session.name(false, 1), Cookie::Session.name(false, 2));
    }

    #[test]
    fn an_orders_is_sent_to_that_order_alone() {
        let order = Cookie::Order(OrderId(uuid::Uuid::nil()));
        assert_eq!(
            set(order, &Secret::new("v"), (true, 443), None).unwrap(),
            "__Secure-stoa-order=v; Path=/orders/00000000-0000-0000-0000-000000000000; HttpOnly; \
             SameSite=Lax; Secure"
        );
    }
}
