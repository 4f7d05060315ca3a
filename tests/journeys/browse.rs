//! A shopper looks around, with and without knowing what they want.

use crate::{on_every_stack, support::server::until};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

#[test]
fn a_demo_shop_is_there_to_be_browsed() {
    on_every_stack("demo shop", |stack| {
        let server = stack.serve(&["--demo"]);
        server.demo_is_in();
        let home = server.get("/");
        assert_eq!(home.status, 200);
        assert!(home.header("content-security-policy").unwrap().contains("default-src 'self'"));
        let categories = server.json("/api/v1/categories");
        let slug = categories["items"][0]["slug"].as_str().unwrap().to_owned();
        let category = server.get(&format!("/c/{slug}"));
        assert_eq!(category.status, 200, "{}", category.text());
        let product = server.json("/api/v1/products?limit=1")["items"][0].clone();
        let page = server.get(&format!("/p/{}", product["slug"].as_str().unwrap()));
        assert_eq!(page.status, 200, "{}", page.text());
        assert!(page.text().contains("application/ld+json"));
        assert_eq!(server.get("/p/no-such-product").status, 404);
        let sitemap = server.get("/sitemap.xml");
        assert_eq!(sitemap.status, 200);
        assert!(server.stop(), "{}: the server didn't stop well", stack.name);
    });
}

#[test]
fn a_page_seen_before_is_answered_304() {
    let stack = crate::Stack::embedded();
    let server = stack.serve(&["--demo"]);
    let product =
        until("a product", || server.json("/api/v1/products?limit=1")["items"].get(0).cloned());
    let path = format!("/p/{}", product["slug"].as_str().unwrap());
    let tag = server.get(&path).header("etag").unwrap().to_owned();
    let again = crate::support::client::exchange(
        server.address,
        "GET",
        &path,
        &[("if-none-match", &tag)],
        b"",
    );
    assert_eq!(again.unwrap().status, 304);
}

#[test]
fn facets_count_what_the_products_say() {
    on_every_stack("facets", |stack| {
        let server = stack.serve(&["--demo"]);
        server.demo_is_in();
        let all = server.json("/api/v1/search?limit=1&facets=true");
        let mut counted = std::collections::BTreeMap::<String, u64>::new();
        let mut after = String::new();
        loop {
            let page = server.json(&format!("/api/v1/products?limit=100{after}"));
            for product in page["items"].as_array().unwrap() {
                if let Some(brand) = product["brand"].as_str() {
                    *counted.entry(brand.to_owned()).or_default() += 1;
                }
            }
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        for facet in all["facets"]["brands"].as_array().unwrap() {
            let name = facet["name"].as_str().unwrap();
            assert_eq!(facet["count"].as_u64(), counted.get(name).copied(), "{name}");
        }
    });
}

#[test]
fn no_search_comes_back_empty_while_the_index_is_rebuilt() {
    let stack = crate::Stack::embedded();
    let server = stack.serve(&["--demo"]);
    let total = server.demo_is_in();
    let asked = AtomicU64::new(0);
    let rebuilt = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..3 {
                stack.succeed(&["reindex"]);
            }
            rebuilt.store(true, Ordering::Release);
        });
        let searchers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    while !rebuilt.load(Ordering::Acquire) || asked.load(Ordering::Relaxed) < 1_000
                    {
                        let found = server.json("/api/v1/search?limit=1");
                        assert_eq!(found["total"].as_u64(), Some(total));
                        asked.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for searcher in searchers {
            searcher.join().unwrap();
        }
    });
    assert!(asked.into_inner() >= 1_000);
}
