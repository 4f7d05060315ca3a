//! Pages as a browser gets them.

use super::shop::{Shop, head, header, is, product, text, variant};
use crate::{domain::product::ProductStatus, ports::invalidate::Invalidate};
use std::sync::{Arc, atomic::Ordering};
use tokio::sync::Notify;

#[tokio::test]
async fn a_product_page_comes_with_its_headers() {
    let shop = Shop::open().await;
    let page = shop.get("/p/drill-7").await;
    insta::assert_snapshot!(head(&page), @r"
    200 OK
    cache-control: public, no-cache
    content-length: […]
    content-security-policy: default-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'
    content-type: text/html; charset=utf-8
    date: […]
    etag: […]
    permissions-policy: camera=(), geolocation=(), microphone=(), payment=()
    referrer-policy: strict-origin-when-cross-origin
    vary: accept-encoding
    x-content-type-options: nosniff
    x-request-id: […]
    ");
    assert!(text(&page).contains("Drill 7"));
    shop.close().await;
}

#[tokio::test]
async fn a_hot_page_is_built_once_and_answered_by_304_to_who_has_it() {
    let shop = Shop::open().await;
    let first = shop.get("/p/drill-7").await;
    let reads = shop.shelf.reads.load(Ordering::SeqCst);
    let tag = header(&first, "etag").to_owned();
    let again = shop.ask("GET", "/p/drill-7", &[("if-none-match", &tag)], "").await;
    is(&again, 304);
    assert!(again.body().is_empty());
    assert_eq!(header(&again, "etag"), tag);
    let packed = shop.ask("GET", "/p/drill-7", &[("accept-encoding", "gzip")], "").await;
    assert_eq!(header(&packed, "content-encoding"), "gzip");
    assert_ne!(header(&packed, "etag"), tag);
    assert_eq!(shop.shelf.reads.load(Ordering::SeqCst), reads);
    shop.close().await;
}

#[tokio::test]
async fn a_changed_product_is_seen_at_once() {
    let shop = Shop::open().await;
    shop.get("/p/drill-7").await;
    shop.get("/api/v1/products/SKU-007").await;
    let changed =
        crate::domain::document::ProductDocument { name: "Drill VII".into(), ..product(7) };
    shop.shelf.put(changed.clone());
    shop.cache.products(&[(changed.id, changed.slug)]);
    assert!(text(&shop.get("/p/drill-7").await).contains("Drill VII"));
    assert!(text(&shop.get("/api/v1/products/SKU-007").await).contains("Drill VII"));
    shop.close().await;
}

#[tokio::test]
async fn head_answers_with_the_same_headers_and_no_body() {
    let shop = Shop::open().await;
    for path in ["/p/drill-7", "/p/drill-7", "/", "/robots.txt"] {
        let (get, answered) = (shop.get(path).await, shop.ask("HEAD", path, &[], "").await);
        is(&answered, 200);
        assert!(answered.body().is_empty());
        assert_eq!(header(&answered, "content-length"), get.body().len().to_string());
        assert_eq!(head(&answered), head(&get));
    }
    shop.close().await;
}

#[tokio::test]
async fn a_list_is_kept_until_the_index_answers_anew() {
    let shop = Shop::open().await;
    for _ in 0..3 {
        let page = shop.get("/c/drills?brand=Acme&sort=name").await;
        is(&page, 200);
        assert!(text(&page).contains("Drill 2"), "{}", text(&page));
    }
    // The same question in another spelling.
    is(&shop.get("/c/drills?sort=name&brand=%41cme&q=&utm_source=mail").await, 200);
    assert_eq!(shop.index.asked.load(Ordering::SeqCst), 1);
    shop.index.generation.fetch_add(1, Ordering::SeqCst);
    shop.get("/c/drills?brand=Acme&sort=name").await;
    assert_eq!(shop.index.asked.load(Ordering::SeqCst), 2);
    shop.close().await;
}

#[tokio::test]
async fn what_is_not_there_says_so_with_the_requests_id() {
    let shop = Shop::open().await;
    for path in ["/p/none", "/c/none", "/nowhere", "/p/a/b", "/assets/none.css", "/p/%ff"] {
        let page = shop.ask("GET", path, &[("x-request-id", "trace-me-42")], "").await;
        is(&page, 404);
        assert!(header(&page, "content-type").starts_with("text/html"), "{path}");
        assert!(header(&page, "content-security-policy").contains("default-src 'self'"));
        assert!(text(&page).contains("trace-me-42"), "{path}");
        assert_eq!(header(&page, "x-request-id"), "trace-me-42");
    }
    shop.close().await;
}

#[tokio::test]
async fn a_disabled_product_is_not_shown() {
    let shop = Shop::open().await;
    let off =
        crate::domain::document::ProductDocument { status: ProductStatus::Disabled, ..product(7) };
    shop.shelf.put(off);
    is(&shop.get("/p/drill-7").await, 404);
    is(&shop.get("/api/v1/products/SKU-007").await, 404);
    shop.close().await;
}

#[tokio::test]
async fn a_variant_offers_its_sisters() {
    let shop = Shop::open().await;
    let red = crate::domain::document::ProductDocument {
        options: [("Colour".to_owned(), "red".to_owned())].into(),
        parent: Some(variant(&product(1))),
        ..product(2)
    };
    let blue = crate::domain::document::ProductDocument {
        options: [("Colour".to_owned(), "blue".to_owned())].into(),
        parent: Some(variant(&product(1))),
        ..product(3)
    };
    let variants = vec![variant(&red), variant(&blue)];
    shop.shelf.put(crate::domain::document::ProductDocument { variants, ..product(1) });
    shop.shelf.put(red);
    shop.shelf.put(blue);
    assert!(text(&shop.get("/p/drill-2").await).contains("/p/drill-3"));
    shop.close().await;
}

#[tokio::test]
async fn an_address_that_asks_nonsense_is_refused_with_a_sentence() {
    let shop = Shop::open().await;
    for (path, sentence) in [
        ("/c/drills?sort=newst", "did you mean newest?"),
        ("/c/drills?brnd=Acme", "did you mean brand?"),
        ("/search?after=garbage", "is no cursor of this list"),
        ("/search?price_from=cheap", "price_from"),
        ("/search?category=dills", "did you mean drills?"),
        ("/search?price_from=9&price_to=1", "is below price_from"),
    ] {
        let page = shop.get(path).await;
        is(&page, 400);
        assert!(text(&page).contains(sentence), "{path}: {}", text(&page));
    }
    shop.close().await;
}

#[tokio::test]
async fn another_method_is_told_which_there_are() {
    let shop = Shop::open().await;
    let page = shop.ask("POST", "/p/drill-7", &[], "x").await;
    is(&page, 405);
    assert_eq!(header(&page, "allow"), "GET, HEAD");
    let page = shop.ask("PATCH", "/api/v1/imports", &[], "").await;
    is(&page, 405);
    assert_eq!(header(&page, "allow"), "GET, HEAD, POST");
    shop.close().await;
}

#[tokio::test]
async fn without_the_index_categories_stand_and_searches_say_so() {
    let shop = Shop::open().await;
    shop.index.down.store(true, Ordering::SeqCst);
    is(&shop.get("/c/drills").await, 200);
    is(&shop.get("/").await, 200);
    let page = shop.get("/search?q=drill").await;
    is(&page, 503);
    assert_eq!(header(&page, "retry-after"), "5");
    // Nothing of it is kept.
    shop.index.down.store(false, Ordering::SeqCst);
    assert!(text(&shop.get("/c/drills").await).contains("Drill 2"));
    shop.close().await;
}

#[tokio::test]
async fn a_full_render_pool_refuses_instead_of_queueing() {
    let shop = Shop::open().await;
    let gate = Arc::new(Notify::new());
    *shop.index.gate.lock().unwrap() = Some(Arc::clone(&gate));
    let refused = async {
        // One worker and two places: of eight different pages five are refused, or six when the
        // worker had not yet looked.
        let shop = &shop;
        let ask = |n| async move { shop.get(&format!("/search?q={n}")).await };
        let asked = (0..8).map(ask);
        let mut asked: futures_util::stream::FuturesUnordered<_> = asked.collect();
        let mut refused = 0;
        while let Some(page) = futures_util::StreamExt::next(&mut asked).await {
            if page.status() == 503 {
                assert_eq!(header(&page, "retry-after"), "1");
                refused += 1;
            }
            if refused == 5 {
                *shop.index.gate.lock().unwrap() = None;
                gate.notify_one();
            }
        }
        refused
    };
    assert!((5..=6).contains(&refused.await));
    shop.close().await;
}

#[tokio::test]
async fn a_page_whose_making_panics_costs_only_itself() {
    let shop = Shop::open().await;
    let page = shop.get("/p/panic").await;
    is(&page, 500);
    assert!(!text(&page).contains("makes a reader panic"));
    is(&shop.get("/p/drill-7").await, 200);
    shop.close().await;
}

#[tokio::test]
async fn drawings_and_assets_are_served_and_kept() {
    let shop = Shop::open().await;
    let page = shop.get("/").await;
    let sheet = text(&page).split("/assets/shop.").nth(1).unwrap().split('"').next().unwrap();
    let sheet = shop.get(&format!("/assets/shop.{sheet}")).await;
    is(&sheet, 200);
    assert_eq!(header(&sheet, "cache-control"), "public, max-age=31536000, immutable");
    for path in ["/media/placeholder/SKU-007.svg", "/media/demo/drill/7.svg"] {
        let drawing = shop.get(path).await;
        is(&drawing, 200);
        assert_eq!(header(&drawing, "content-type"), "image/svg+xml");
    }
    is(&shop.get("/media/demo/drill/.svg").await, 404);
    shop.close().await;
}

#[tokio::test]
async fn the_search_field_is_offered_names() {
    let shop = Shop::open().await;
    let offered = shop.get("/search/suggest?q=drill+7").await;
    is(&offered, 200);
    assert!(text(&offered).contains("Drill 7"));
    shop.close().await;
}

#[tokio::test]
async fn the_sitemap_leads_to_every_page() {
    let shop = Shop::open_with(|c| c.public_url = Some("https://tools.example".into())).await;
    let robots = shop.get("/robots.txt").await;
    assert!(text(&robots).contains("Sitemap: https://tools.example/sitemap.xml"));
    let index = shop.get("/sitemap.xml").await;
    assert!(text(&index).contains("<loc>https://tools.example/sitemap/1.xml</loc>"));
    let part = shop.get("/sitemap/1.xml").await;
    assert_eq!(text(&part).matches("<loc>https://tools.example/p/drill-").count(), 30);
    assert!(text(&shop.get("/sitemap/categories.xml").await).contains("/c/drills</loc>"));
    for part in ["0", "2", "01", "x", "-1"] {
        is(&shop.get(&format!("/sitemap/{part}.xml")).await, 404);
    }
    assert!(header(&index, "strict-transport-security").starts_with("max-age"));
    shop.close().await;
}
