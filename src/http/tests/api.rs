//! The API as a program gets it.

use super::shop::{Shop, head, header, is, json, product, text, variant};
use crate::{domain::document::ProductDocument, http::api::product_fields};

#[tokio::test]
async fn a_product_is_the_object_that_is_kept() {
    let shop = Shop::open().await;
    let answer = shop.get("/api/v1/products/SKU-007").await;
    insta::assert_snapshot!(head(&answer), @r"
    200 OK
    cache-control: public, no-cache
    content-length: […]
    content-security-policy: default-src 'none'; frame-ancestors 'none'
    content-type: application/json
    date: […]
    etag: […]
    x-content-type-options: nosniff
    x-request-id: […]
    ");
    assert_eq!(answer.body(), &crate::views::product_json(&product(7)));
    shop.close().await;
}

#[tokio::test]
async fn fields_and_includes_are_as_wished() {
    let shop = Shop::open().await;
    let sparse = json(&shop.get("/api/v1/products/SKU-007?fields=sku,price").await);
    assert_eq!(sparse.as_object().unwrap().keys().collect::<Vec<_>>(), ["price", "sku"]);
    let variants = vec![variant(&product(8))];
    shop.shelf.put(ProductDocument { variants, ..product(7) });
    let with = json(&shop.get("/api/v1/products/SKU-007?include=variants,parent&fields=sku").await);
    assert_eq!(with["included"]["variants"][0]["sku"], "SKU-008");
    assert!(with["included"]["parent"].is_null());
    is(&shop.get("/api/v1/products/SKU-007?fields=prize").await, 400);
    shop.close().await;
}

#[test]
fn fields_are_those_of_a_product() {
    let whole: serde_json::Value =
        serde_json::from_slice(&crate::views::product_json(&product(7))).unwrap();
    let mut declared = product_fields().to_vec();
    declared.sort_unstable();
    assert_eq!(whole.as_object().unwrap().keys().collect::<Vec<_>>(), declared);
}

#[tokio::test]
async fn products_are_walked_to_the_end_by_their_links() {
    let shop = Shop::open().await;
    let mut path = "/api/v1/products?limit=7&fields=sku".to_owned();
    let mut seen = Vec::new();
    loop {
        let answer = shop.get(&path).await;
        is(&answer, 200);
        let page = json(&answer);
        seen.extend(page["items"].as_array().unwrap().iter().map(|one| one["sku"].to_string()));
        let link = header(&answer, "link").to_owned();
        assert_eq!(link.is_empty(), page["next"].is_null());
        if link.is_empty() {
            break;
        }
        path = link.trim_start_matches('<').split('>').next().unwrap().to_owned();
        assert!(path.contains("limit=7"), "{path}");
    }
    let wanted: Vec<_> = (1..=30).map(|n| format!("\"SKU-{n:03}\"")).collect();
    assert_eq!(seen, wanted);
    shop.close().await;
}

#[tokio::test]
async fn some_products_are_got_by_name() {
    let shop = Shop::open().await;
    let page =
        json(&shop.get("/api/v1/products?sku=SKU-003&sku=none&sku=SKU-001&total=true").await);
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    assert_eq!((&page["items"][0]["sku"], &page["total"]), (&"SKU-003".into(), &30.into()));
    shop.close().await;
}

#[tokio::test]
async fn categories_come_as_a_tree_or_flat() {
    let shop = Shop::open().await;
    let tree = json(&shop.get("/api/v1/categories").await);
    assert_eq!(tree["items"][0]["children"][0]["slug"], "drills");
    let flat = json(&shop.get("/api/v1/categories?form=flat").await);
    assert_eq!(flat["items"].as_array().unwrap().len(), 2);
    let one = json(&shop.get("/api/v1/categories/drills").await);
    assert_eq!(one["path"][0]["slug"], "tools");
    is(&shop.get("/api/v1/categories/none").await, 404);
    shop.close().await;
}

#[tokio::test]
async fn a_search_finds_counts_and_goes_on() {
    let shop = Shop::open().await;
    let first = shop.get("/api/v1/search?q=drill&limit=20&facets=true&fields=sku").await;
    let found = json(&first);
    assert_eq!(found["total"], 30);
    assert_eq!(found["items"][0]["product"]["sku"], "SKU-001");
    assert_eq!(found["items"][0]["highlights"]["name"][0], serde_json::json!([0, 5]));
    assert_eq!(found["facets"]["categories"][0]["slug"], "drills");
    let next = found["next"].as_str().unwrap();
    let rest = json(&shop.get(&format!("/api/v1/search?q=drill&limit=20&after={next}")).await);
    assert_eq!(rest["items"].as_array().unwrap().len(), 10);
    assert!(rest["next"].is_null());
    // A cursor is a place in the answer to one question.
    let other = shop.get(&format!("/api/v1/search?q=saw&after={next}")).await;
    is(&other, 400);
    assert_eq!(json(&other)["errors"][0]["parameter"], "after");
    shop.close().await;
}

#[tokio::test]
async fn what_is_wrong_is_a_problem_that_names_it() {
    let shop = Shop::open().await;
    for (path, status, code, parameter) in [
        ("/api/v1/products?limit=0", 400, "bad-parameter", Some("limit")),
        ("/api/v1/products?lmit=1", 400, "unknown-parameter", Some("lmit")),
        ("/api/v1/products?after=x", 400, "bad-cursor", Some("after")),
        ("/api/v1/search?price_to=1.234", 400, "bad-parameter", Some("price_to")),
        ("/api/v1/search?category=none", 400, "bad-parameter", Some("category")),
        ("/api/v1/products/none", 404, "not-found", None),
        ("/api/v1/none", 404, "not-found", None),
        ("/api/v2/products", 404, "not-found", None),
    ] {
        let answer = shop.get(path).await;
        is(&answer, status);
        assert_eq!(header(&answer, "content-type"), "application/problem+json", "{path}");
        let problem = json(&answer);
        assert_eq!(problem["type"], format!("/docs/problems/{code}"), "{path}");
        assert_eq!(problem["errors"][0]["parameter"].as_str(), parameter, "{path}");
        assert_eq!(problem["request_id"], header(&answer, "x-request-id"), "{path}");
        is(&shop.get(problem["type"].as_str().unwrap()).await, 200);
    }
    shop.close().await;
}

#[tokio::test]
async fn suggestions_come_as_names() {
    let shop = Shop::open().await;
    let offered = json(&shop.get("/api/v1/search/suggestions?q=drill+7&limit=3").await);
    assert_eq!(offered["products"][0]["slug"], "drill-7");
    let none = json(&shop.get("/api/v1/search/suggestions?q=").await);
    assert!(none["products"].as_array().unwrap().is_empty());
    is(&shop.get("/api/v1/search/suggestions").await, 400);
    shop.close().await;
}

#[tokio::test]
async fn the_description_is_served() {
    let shop = Shop::open().await;
    let document = json(&shop.get("/openapi.json").await);
    assert_eq!(document["openapi"], "3.1.0");
    let page = shop.get("/docs").await;
    is(&page, 200);
    assert!(text(&page).contains("openapi.json"));
    shop.close().await;
}
