//! The operator's own files.

use super::shop::{Shop, head, header, is};
use crate::ports::blobs::Blobs;
use bytes::Bytes;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

async fn with(files: &[(&str, &'static [u8])]) -> Shop {
    let shop = Shop::open().await;
    for (name, content) in files {
        shop.files.put(name, Bytes::from_static(content)).await.unwrap();
    }
    shop
}

#[tokio::test]
async fn a_picture_is_served_under_its_own_type() {
    let shop = with(&[("red drill.png", PNG)]).await;
    let picture = shop.get("/files/red%20drill.png").await;
    insta::assert_snapshot!(head(&picture), @r"
    200 OK
    cache-control: public, max-age=3600
    content-length: […]
    content-security-policy: default-src 'none'; frame-ancestors 'none'
    content-type: image/png
    date: […]
    etag: […]
    x-content-type-options: nosniff
    x-request-id: […]
    ");
    assert_eq!(picture.body(), PNG);
    shop.close().await;
}

#[tokio::test]
async fn a_picture_that_is_known_is_not_sent_again() {
    let shop = with(&[("drill.png", PNG)]).await;
    let tag = header(&shop.get("/files/drill.png").await, "etag").to_owned();
    assert!(tag.starts_with('"'), "{tag}");
    let again = shop.ask("GET", "/files/drill.png", &[("if-none-match", &tag)], "").await;
    is(&again, 304);
    assert!(again.body().is_empty());
    assert_eq!(header(&again, "etag"), tag);
    shop.close().await;
}

#[tokio::test]
async fn what_is_no_picture_is_not_found() {
    let shop = with(&[
        ("script.png", b"<script>alert(1)</script>"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("page.html", b"<!doctype html>"),
        ("photo.jpg", PNG),
        ("nothing.gif", b""),
        ("inner/drill.png", PNG),
    ])
    .await;
    for name in [
        "unknown.png",
        "script.png",
        "drawing.svg",
        "page.html",
        "photo.jpg",
        "nothing.gif",
        "inner%2Fdrill.png",
        "inner/drill.png",
        "..%2Fstoa.db",
        "",
    ] {
        let answer = shop.get(&format!("/files/{name}")).await;
        assert_eq!(answer.status(), 404, "{name}");
    }
    shop.close().await;
}

#[tokio::test]
async fn a_file_is_served_up_to_its_limit() {
    let shop = Shop::open().await;
    let of = |length: usize| Bytes::from([PNG, &vec![0; length - PNG.len()]].concat());
    shop.files.put("most.png", of(16 << 20)).await.unwrap();
    shop.files.put("over.png", of((16 << 20) + 1)).await.unwrap();
    assert_eq!(shop.get("/files/most.png").await.body().len(), 16 << 20);
    is(&shop.get("/files/over.png").await, 404);
    shop.close().await;
}
