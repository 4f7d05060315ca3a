//! What is for administrators alone.

use super::{
    shop::{Shop, header, is, json, text},
    visitors::{buyer, staff},
};
use crate::{
    domain::{
        policy::{BuyerRole, StaffRole},
        session::{Session, Via, Who},
    },
    http::{access::Access, resource::Intake, routes},
};
use bytes::Bytes;
use http::Response;
use std::sync::atomic::Ordering;

/// One of each kind of visitor, with the token they come with.
fn everybody(shop: &Shop) -> Vec<(&'static str, Option<Session>)> {
    let mut visitors = vec![("", None), ("guess", None)];
    for (token, who) in [
        ("guest", Who::Guest),
        ("viewer", buyer(1, BuyerRole::Viewer)),
        ("buyer", buyer(2, BuyerRole::Admin)),
        ("clerk", staff(StaffRole::Clerk)),
        ("owner", staff(StaffRole::Owner)),
    ] {
        visitors.push((token, Some(shop.visitors.admit(token, who, Via::Bearer))));
    }
    visitors
}

/// Every operation there is, asked by everybody in every way there is.
#[tokio::test]
async fn each_operation_admits_whom_its_entry_says() {
    let shop = Shop::open().await;
    let visitors = everybody(&shop);
    for resource in routes::all() {
        let path = resource.path.replace("{sku}", "SKU-001").replace("{slug}", "drills");
        let path = path.replace("{id}", "00000000-0000-0000-0000-000000000001");
        let path = path.replace("{user}", "00000000-0000-0000-0000-000000000002");
        let path = path.replace("{name}", "render").replace("{code}", "not-found");
        let path = path.replace("{family}", "drill").replace("{seed}", "1").replace("{part}", "1");
        for operation in &resource.operations {
            let method = operation.method.as_str();
            let place = format!("{method} {path}");
            let open = matches!(operation.access, Access::Anyone | Access::Signed);
            for (token, session) in &visitors {
                let bearer = format!("Bearer {token}");
                let headers = [("authorization", bearer.as_str())];
                let headers = if token.is_empty() { &[][..] } else { &headers };
                let answer = shop.ask(method, &path, headers, "").await;
                let expected = match (*token, session) {
                    // A token that is nobody's is refused wherever tokens count.
                    ("guess", _) if !open => Some(401),
                    _ => operation
                        .access
                        .admits(session.as_ref(), false)
                        .err()
                        .map(|problem| problem.code.status().as_u16()),
                };
                let status = answer.status().as_u16();
                match expected {
                    // Who asks for a page of theirs is led to where they sign in.
                    Some(401) if operation.is_ones_own_page() && *token != "guess" => {
                        assert_eq!(status, 303, "{place} by {token:?}");
                        assert!(header(&answer, "location").starts_with("/login?next=%2F"));
                    }
                    Some(expected) => assert_eq!(status, expected, "{place} by {token:?}"),
                    // What is missing of the request itself is told, but nobody is turned away.
                    // A form that no page of ours sent is taken for another site's, whoever asks.
                    None => {
                        let forged = status == 403 && operation.takes == Intake::Form;
                        let admitted = ![401, 403].contains(&status) || forged;
                        assert!(admitted, "{place} by {token:?}: {status}");
                    }
                }
                if status == 401 {
                    assert_eq!(header(&answer, "www-authenticate"), "Bearer realm=\"stoa\"");
                    // A person is told by a page.
                    if header(&answer, "content-type") == "application/problem+json" {
                        assert!(json(&answer)["type"].as_str().unwrap().ends_with("unauthorized"));
                    } else {
                        assert!(!path.starts_with("/api"), "{place}");
                    }
                }
            }
            let admin = shop.admin(method, &path, "").await;
            let for_users = operation.access.admits(None, true).is_err();
            let led =
                |answer: &Response<Bytes>| header(answer, "location").starts_with("/login?next");
            let away = |answer: &Response<Bytes>| answer.status() == 401 || led(answer);
            assert_eq!(away(&admin), for_users, "{place}");
            if method == "GET" {
                assert_eq!(away(&shop.by_socket(&path).await), for_users, "{place}");
            }
        }
    }
    shop.close().await;
}

#[tokio::test]
async fn an_export_has_every_product_with_its_stock_and_goes_on() {
    let shop = Shop::open().await;
    let first = shop.admin("GET", "/api/v1/exports/products?limit=1", "").await;
    is(&first, 200);
    let link = header(&first, "link").to_owned();
    let first = json(&first);
    assert_eq!(first["items"][0]["stock"][0]["quantity"], 3);
    let next = first["next"].as_str().unwrap();
    assert!(link.contains(next), "{link}");
    let path = format!("/api/v1/exports/products?limit=1&after={next}");
    let last = json(&shop.admin("GET", &path, "").await);
    assert_eq!(
        (&last["items"][0]["status"], &last["items"][0]["price"]),
        (&"disabled".into(), &"1.50".into())
    );
    assert!(last["next"].is_null());
    shop.close().await;
}

#[tokio::test]
async fn an_import_is_taken_in_and_followed() {
    let shop = Shop::open().await;
    let token = format!("Bearer {}", super::shop::TOKEN);
    let headers = [
        ("authorization", token.as_str()),
        ("content-type", "application/x-ndjson; charset=utf-8"),
        ("content-encoding", "identity"),
    ];
    let rows = "{\"sku\":\"A\"}\n".repeat(1_000);
    let path = "/api/v1/imports?name=spring.jsonl&dry_run=true&map.sku=Art";
    let taken = shop.ask("POST", path, &headers, &rows).await;
    is(&taken, 202);
    assert_eq!(json(&taken)["dry_run"], true);
    assert_eq!(shop.runs.received.load(Ordering::SeqCst), rows.len() as u64);
    let place = header(&taken, "location").to_owned();
    let run = json(&shop.admin("GET", &place, "").await);
    assert_eq!((&run["name"], &run["state"]), (&"spring.jsonl".into(), &"pending".into()));
    let errors = shop.admin("GET", run["errors"].as_str().unwrap(), "").await;
    assert_eq!(text(&errors), "{\"line\":3,\"message\":\"bad\"}\n");
    is(&shop.admin("DELETE", &place, "").await, 200);
    is(&shop.admin("POST", &format!("{place}/resume"), "").await, 409);
    shop.ask("POST", "/api/v1/imports", &headers, &rows).await;
    let list = shop.admin("GET", "/api/v1/imports?limit=1", "").await;
    assert!(header(&list, "link").contains("rel=\"next\""));
    let next = json(&list)["next"].as_str().unwrap().to_owned();
    let rest = json(&shop.admin("GET", &format!("/api/v1/imports?after={next}"), "").await);
    assert_eq!(rest["items"][0]["name"], "spring.jsonl");
    is(&shop.admin("GET", "/api/v1/imports/none", "").await, 404);
    shop.close().await;
}

#[tokio::test]
async fn rows_that_cannot_be_taken_are_refused_with_their_reason() {
    let shop = Shop::open_with(|config| config.import_body_bytes = 2_048).await;
    let token = format!("Bearer {}", super::shop::TOKEN);
    let send = async |kind: &str, coding: &str, path: &str, rows: &str| {
        let headers = [
            ("authorization", token.as_str()),
            ("content-type", kind),
            ("content-encoding", coding),
        ];
        shop.ask("POST", path, &headers, rows).await
    };
    let path = "/api/v1/imports";
    is(&send("application/pdf", "gzip", path, "x").await, 415);
    is(&send("text/csv", "br", path, "x").await, 415);
    is(&send("text/csv", "identity", &format!("{path}?currency=EURO"), "x").await, 400);
    is(&send("text/csv", "identity", &format!("{path}?curency=EUR"), "x").await, 400);
    is(&send("text/csv", "identity", path, &"x".repeat(3_000)).await, 413);
    assert_eq!(shop.runs.received.load(Ordering::SeqCst), 0);
    shop.close().await;
}

#[tokio::test]
async fn pools_are_seen_and_set() {
    let shop = Shop::open().await;
    let pools = json(&shop.admin("GET", "/ops/pools.json", "").await);
    assert_eq!(pools["items"][0]["name"], "render");
    let set = async |body: &str| shop.admin("PUT", "/ops/pools/render", body).await;
    assert_eq!(json(&set("{\"workers\":4}").await)["workers"], 4);
    is(&set("{\"workers\":4,\"until\":\"2100-01-01T00:00:00Z\"}").await, 200);
    is(&set("{\"workers\":4,\"until\":\"2000-01-01T00:00:00Z\"}").await, 422);
    let zero = set("{\"workers\":0}").await;
    is(&zero, 422);
    assert_eq!(json(&zero)["errors"][0]["pointer"], "/workers");
    is(&set("{\"wrokers\":4}").await, 422);
    is(&set("{\"workers\":").await, 400);
    is(&set("{\"workers\":64}").await, 409);
    is(&set(&format!("{{\"workers\":4,\"x\":\"{}\"}}", "x".repeat(100_000))).await, 413);
    is(&shop.admin("PUT", "/ops/pools/none", "{\"workers\":4}").await, 404);
    is(&shop.admin("POST", "/ops/pools/render/pause", "").await, 200);
    is(&shop.admin("DELETE", "/ops/pools/none/override", "").await, 404);
    let plain = [("authorization", "Bearer open-sesame")];
    is(&shop.ask("PUT", "/ops/pools/render", &plain, "{\"workers\":4}").await, 415);
    shop.close().await;
}

#[tokio::test]
async fn the_tree_is_shown_as_it_runs() {
    let shop = Shop::open().await;
    let tree = json(&shop.by_socket("/ops/tree.json").await);
    assert_eq!((&tree["path"], &tree["children"][0]["name"]), (&"shop".into(), &"render".into()));
    shop.close().await;
}

#[tokio::test]
async fn readiness_names_the_component_that_is_down_and_not_why() {
    let shop = Shop::open().await;
    is(&shop.get("/readyz").await, 200);
    shop.healthy.store(false, Ordering::SeqCst);
    let ready = shop.get("/readyz").await;
    is(&ready, 503);
    assert_eq!(json(&ready)["components"][0]["name"], "database");
    assert!(!text(&ready).contains("hunter2"));
    is(&shop.get("/livez").await, 200);
    is(&shop.get("/startupz").await, 200);
    assert!(shop.stage.is_up());
    shop.close().await;
}

#[tokio::test]
async fn the_audit_log_is_read_from_its_end_page_by_page() {
    let shop = Shop::open().await;
    let first = shop.admin("GET", "/ops/audit.json?limit=2", "").await;
    is(&first, 200);
    let page = json(&first);
    let places = |page: &serde_json::Value| -> Vec<i64> {
        page["items"].as_array().unwrap().iter().map(|e| e["place"].as_i64().unwrap()).collect()
    };
    assert_eq!(places(&page), [3, 2]);
    assert_eq!(page["items"][0]["new"]["workers"], 2);
    assert_eq!(page["items"][0]["link"], "07".repeat(32));
    assert!(header(&first, "link").contains("rel=\"next\""));
    let rest = format!("/ops/audit.json?limit=2&after={}", page["next"].as_str().unwrap());
    let rest = json(&shop.admin("GET", &rest, "").await);
    assert_eq!((places(&rest), rest["next"].is_null()), (vec![1], true));
    is(&shop.admin("GET", "/ops/audit.json?after=nonsense", "").await, 400);
    shop.close().await;
}
