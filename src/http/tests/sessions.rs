//! Who comes, and what other sites can't do in their name.

use super::{
    shop::{Shop, header, is, json, text},
    visitors::{buyer, staff},
};
use crate::domain::{
    policy::{BuyerRole, StaffRole},
    session::{Via, Who},
};
use std::sync::atomic::Ordering;

const CURRENT: &str = "/api/v1/sessions/current";
const JSON: (&str, &str) = ("content-type", "application/json");

/// The name of the cookie on the test's own plain port.
fn cookie(shop: &Shop, token: &str) -> String {
    format!("{}={token}", shop.cookie)
}

#[tokio::test]
async fn a_guests_token_is_told_once_and_dead_when_it_is_ended() {
    let shop = Shop::open().await;
    let begun = shop.ask("POST", "/api/v1/sessions", &[JSON], "{}").await;
    is(&begun, 201);
    assert_eq!(header(&begun, "cache-control"), "no-store");
    assert_eq!(header(&begun, "set-cookie"), "");
    assert_eq!(json(&begun)["session"]["kind"], "guest");
    let bearer = format!("Bearer {}", json(&begun)["token"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str())];
    is(&shop.ask("DELETE", CURRENT, &headers, "").await, 204);
    is(&shop.ask("DELETE", CURRENT, &headers, "").await, 401);
    is(&shop.ask("POST", "/api/v1/sessions", &[JSON], "{\"x\":1}").await, 422);
    is(&shop.ask("POST", "/api/v1/sessions", &[JSON], " [null, null]").await, 422);
    shop.close().await;
}

#[tokio::test]
async fn who_looks_around_gets_no_cookie_and_is_not_looked_up() {
    let shop = Shop::open().await;
    shop.visitors.admit("guest", Who::Guest, Via::Cookie);
    let (guest, form) = (cookie(&shop, "guest"), "stoa-form-80=x".to_owned());
    let looks = || shop.visitors.looks.load(Ordering::SeqCst);
    for path in ["/", "/p/drill-1", "/search?q=drill", "/api/v1/products", "/livez"] {
        let mut kept = None;
        // The guest is known by now, as one is who has just put something into a cart.
        for headers in [&[][..], &[("cookie", form.as_str())], &[("cookie", guest.as_str())]] {
            let answer = shop.ask("GET", path, headers, "").await;
            is(&answer, 200);
            assert_eq!(header(&answer, "set-cookie"), "", "{path}");
            let kept = kept.get_or_insert_with(|| header(&answer, "etag").to_owned());
            assert_eq!(header(&answer, "etag"), kept, "{path}");
        }
    }
    // Of an answer to typed words none is kept, so who asks is looked up behind the cache.
    assert_eq!((shop.visitors.count(), looks() <= 1), (1, true));
    // Somebody whom nobody knows gets what everybody gets.
    let planted = cookie(&shop, "planted");
    let answer = shop.ask("GET", "/p/drill-1", &[("cookie", &planted)], "").await;
    assert_eq!(header(&answer, "etag"), header(&shop.get("/p/drill-1").await, "etag"));
    assert_eq!(header(&answer, "set-cookie"), "");
    shop.close().await;
}

#[tokio::test]
async fn a_page_for_who_is_signed_in_is_theirs_alone_and_kept_by_nobody() {
    let shop = Shop::open().await;
    shop.visitors.admit("ada", buyer(1, BuyerRole::Admin), Via::Cookie);
    let ada = cookie(&shop, "ada");
    for path in ["/", "/p/drill-1", "/c/drills", "/search?q=drill"] {
        let everybodys = shop.get(path).await;
        let tag = header(&everybodys, "etag").to_owned();
        for _ in 0..2 {
            let known = [("cookie", ada.as_str()), ("if-none-match", tag.as_str())];
            let own = shop.ask("GET", path, &known, "").await;
            is(&own, 200);
            assert_eq!((header(&own, "cache-control"), header(&own, "etag")), ("no-store", ""));
            assert!(text(&own).contains("data-account=\"true\""), "{path}");
            assert!(header(&own, "content-security-policy").contains("default-src 'self'"));
        }
        let again = shop.get(path).await;
        assert_eq!((header(&again, "etag"), again.body()), (tag.as_str(), everybodys.body()));
        // While nobody can say who comes, one looks around all the same.
        shop.visitors.away.store(true, Ordering::SeqCst);
        let stands = shop.ask("GET", path, &[("cookie", &ada)], "").await;
        assert_eq!((stands.status().as_u16(), header(&stands, "etag")), (200, tag.as_str()));
        shop.visitors.away.store(false, Ordering::SeqCst);
    }
    shop.close().await;
}

#[tokio::test]
async fn a_change_with_a_cookie_must_come_from_here() {
    let shop = Shop::open().await;
    let here = format!("http://{}", shop.address);
    for (headers, status) in [
        (vec![], 403),
        (vec![("origin", "https://evil.example")], 403),
        (vec![("origin", "null")], 403),
        (vec![("sec-fetch-site", "cross-site")], 403),
        (vec![("sec-fetch-site", "same-site")], 403),
        (vec![("origin", here.as_str()), ("sec-fetch-site", "cross-site")], 403),
        (vec![("sec-fetch-site", "same-origin")], 204),
        (vec![("origin", here.as_str())], 204),
    ] {
        shop.visitors.admit("mine", Who::Guest, Via::Cookie);
        let sent = cookie(&shop, "mine");
        let headers: Vec<_> = headers.into_iter().chain([("cookie", sent.as_str())]).collect();
        let answer = shop.ask("DELETE", CURRENT, &headers, "").await;
        is(&answer, status);
        match status {
            204 => assert!(header(&answer, "set-cookie").contains("Max-Age=0")),
            _ => assert!(json(&answer)["type"].as_str().unwrap().ends_with("forged")),
        }
    }
    shop.close().await;
}

#[tokio::test]
async fn a_token_counts_only_the_way_it_was_made_for() {
    let shop = Shop::open().await;
    let who = buyer(1, BuyerRole::Admin);
    for (token, via) in [("c", Via::Cookie), ("b", Via::Bearer), ("k", Via::Key)] {
        shop.visitors.admit(token, who, via);
    }
    let list = async |headers: &[(&str, &str)]| {
        shop.ask("GET", "/api/v1/sessions", headers, "").await.status().as_u16()
    };
    assert_eq!(list(&[("cookie", &cookie(&shop, "c"))]).await, 200);
    assert_eq!(list(&[("cookie", &cookie(&shop, "b"))]).await, 401);
    assert_eq!(list(&[("authorization", "Bearer b")]).await, 200);
    assert_eq!(list(&[("authorization", "Bearer c")]).await, 401);
    // Over plain HTTP the name that promises HTTPS isn't read, and the other way round.
    assert_eq!(list(&[("cookie", "__Host-stoa=c")]).await, 401);
    let https = ("x-forwarded-proto", "https");
    assert_eq!(list(&[("cookie", "__Host-stoa=c"), https]).await, 200);
    assert_eq!(list(&[("cookie", &cookie(&shop, "c")), https]).await, 401);
    shop.close().await;
}

#[tokio::test]
async fn sessions_of_others_are_neither_seen_nor_ended() {
    let shop = Shop::open().await;
    let of = |token: &str, who| shop.visitors.admit(token, who, Via::Bearer).id;
    let (mine, others) =
        (of("mine", buyer(1, BuyerRole::Admin)), of("others", buyer(2, BuyerRole::Admin)));
    let guests = of("guests", Who::Guest);
    of("staff", staff(StaffRole::Owner));
    let headers = [("authorization", "Bearer mine")];
    let list = json(&shop.ask("GET", "/api/v1/sessions", &headers, "").await);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&list["items"][0]["id"], &list["items"][0]["current"]),
        (&mine.0.to_string().into(), &true.into())
    );
    for foreign in [others, guests] {
        for token in ["Bearer mine", "Bearer guests", "Bearer staff"] {
            if token == "Bearer guests" && foreign == guests {
                continue;
            }
            let path = format!("/api/v1/sessions/{foreign}");
            is(&shop.ask("DELETE", &path, &[("authorization", token)], "").await, 404);
        }
    }
    assert_eq!(shop.visitors.count(), 4);
    // All others of one's own are, with keys, and nobody else's.
    shop.visitors.admit("second", buyer(1, BuyerRole::Admin), Via::Cookie);
    shop.visitors.admit("key", buyer(1, BuyerRole::Admin), Via::Key);
    is(&shop.ask("DELETE", "/api/v1/sessions", &headers, "").await, 204);
    assert_eq!(shop.visitors.count(), 4);
    is(&shop.ask("GET", "/api/v1/sessions", &headers, "").await, 200);
    let guest = [("authorization", "Bearer guests")];
    is(&shop.ask("DELETE", "/api/v1/sessions", &guest, "").await, 401);
    shop.close().await;
}
