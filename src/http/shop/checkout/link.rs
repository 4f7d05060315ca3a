//! The link of the mail that confirmed a guest's order: it shows the order in any browser.
//!
//! Its token is 256 bits of chance of which the shop keeps a hash. Opened, the link leaves the
//! token in a cookie for that order's address alone and leads on to the address without it, so it
//! stands in no history, no `Referer` and no log. It can be opened again, as people do, until it
//! has had its time.

use super::order::absent;
use crate::{
    domain::{id::OrderId, secret::Secret, time::Micros},
    http::{app::App, error::Problem, resource::Asked, shop::cart::see_other},
    ports::orders::StoredOrder,
};
use http::{HeaderValue, header};
use sha2::{Digest, Sha256};
use std::time::Duration;
use subtle::ConstantTimeEq;
use warp::reply::Response;

/// From the order's placing on.
const LASTS: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Whether this token still shows that order.
pub(super) fn opens(stored: &StoredOrder, token: &Secret, now: Micros) -> bool {
    left(&stored.access, stored.order.placed_at, token, now).is_some()
}

/// For how long a token still shows an order placed then; `None`: it doesn't.
fn left(access: &[u8; 32], placed: Micros, token: &Secret, now: Micros) -> Option<Duration> {
    let given: [u8; 32] = Sha256::digest(token.expose()).into();
    let end = placed.plus(LASTS);
    (bool::from(access.ct_eq(&given)) && now < end)
        .then(|| Duration::from_micros(end.0.abs_diff(now.0)))
}

/// Keeps the token for this browser and leads on to where the order is shown.
pub(super) async fn follow(
    app: &App,
    asked: &Asked,
    id: OrderId,
    token: &Secret,
) -> Result<Response, Problem> {
    let StoredOrder { order, access } = app.orders.get(id).await?.ok_or_else(absent)?;
    let left = left(&access, order.placed_at, token, app.clock.now()).ok_or_else(absent)?;
    asked.visit.keep_order_link(id, token, left);
    let mut response = see_other(&format!("/orders/{id}"));
    let policy = HeaderValue::from_static("no-referrer");
    response.headers_mut().insert(header::REFERRER_POLICY, policy);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_shows_its_order_until_its_time_is_over() {
        let access: [u8; 32] = Sha256::digest("token").into();
        let placed = Micros(1_000_000);
        let left = |token: &str, now| left(&access, placed, &Secret::new(token), now);
        assert_eq!(left("token", placed), Some(LASTS));
        let end = placed.plus(LASTS);
        assert_eq!(left("token", Micros(end.0 - 1)), Some(Duration::from_micros(1)));
        assert_eq!(left("token", end), None);
        for other in ["", "Token", "token ", "token\0"] {
            assert_eq!(left(other, placed), None, "{other:?}");
        }
    }
}
