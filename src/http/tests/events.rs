//! Progress as server-sent events, over bare sockets.

use super::shop::{Shop, TOKEN, header, is, json};
use crate::{http::api::events::MOST, ports::imports::ImportState};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A shop with one run, and the run's address.
async fn shop_with_a_run() -> (Shop, String) {
    let shop = Shop::open().await;
    let token = format!("Bearer {TOKEN}");
    let headers = [("authorization", token.as_str()), ("content-type", "text/csv")];
    let taken = shop.ask("POST", "/api/v1/imports", &headers, "sku\nA\n").await;
    is(&taken, 202);
    let place = header(&taken, "location").to_owned();
    (shop, place)
}

async fn follow(shop: &Shop, place: &str) -> TcpStream {
    let mut stream = TcpStream::connect(shop.address).await.unwrap();
    let head = format!(
        "GET {place}/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n\
         connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Everything up to `end`.
async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(end.as_bytes()) {
        bytes.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_run_is_followed_to_its_end() {
    let (shop, place) = shop_with_a_run().await;
    let mut stream = follow(&shop, &place).await;
    let first = until(&mut stream, "retry:1000\n\n").await;
    assert!(first.contains("content-type: text/event-stream"), "{first}");
    assert!(first.contains("event:progress\ndata:{") && first.contains("pending"), "{first}");
    shop.runs.go_on(|run| run.state = ImportState::Running);
    let second = until(&mut stream, "\n\n").await;
    assert!(second.contains("event:progress") && second.contains("running"), "{second}");
    // Quicker than anybody looks: what is sent is how it stands.
    for rows in 1..=1_000 {
        shop.runs.go_on(|run| run.counts.read = rows);
    }
    shop.runs.go_on(|run| run.state = ImportState::Succeeded);
    let rest = until(&mut stream, "0\r\n\r\n").await;
    assert_eq!(rest.matches("event:").count(), 1, "{rest}");
    assert!(rest.contains("event:end") && rest.contains("\"read\":1000"), "{rest}");
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    shop.close().await;
}

#[tokio::test]
async fn the_data_is_what_the_run_itself_answers() {
    let (shop, place) = shop_with_a_run().await;
    shop.runs.go_on(|run| run.state = ImportState::Failed);
    let events = shop.admin("GET", &format!("{place}/events"), "").await;
    let text = super::shop::text(&events);
    let data = text.lines().find_map(|line| line.strip_prefix("data:")).unwrap();
    let run = json(&shop.admin("GET", &place, "").await);
    assert_eq!(serde_json::from_str::<serde_json::Value>(data).unwrap(), run);
    // Who has seen the end is sent away; a run that goes on is followed again.
    let token = format!("Bearer {TOKEN}");
    let seen = [("authorization", token.as_str()), ("last-event-id", "end")];
    is(&shop.ask("GET", &format!("{place}/events"), &seen, "").await, 204);
    is(&shop.admin("GET", "/api/v1/imports/none/events", "").await, 404);
    is(&shop.admin("GET", "/api/v1/search/reindex/events", "").await, 404);
    shop.close().await;
}

#[tokio::test]
async fn a_stream_that_there_is_no_room_for_is_refused() {
    let (shop, place) = shop_with_a_run().await;
    let mut open = Vec::new();
    for _ in 0..MOST {
        let mut stream = follow(&shop, &place).await;
        until(&mut stream, "\n\n").await;
        open.push(stream);
    }
    let mut refused = follow(&shop, &place).await;
    assert!(until(&mut refused, "\r\n").await.starts_with("HTTP/1.1 503"));
    // Who goes away makes room.
    drop(open.pop());
    loop {
        let mut stream = follow(&shop, &place).await;
        if until(&mut stream, "\r\n").await.starts_with("HTTP/1.1 200") {
            break;
        }
    }
    drop(open);
    shop.close().await;
}

#[tokio::test]
async fn a_server_that_leaves_ends_its_streams() {
    let (shop, place) = shop_with_a_run().await;
    let mut stream = follow(&shop, &place).await;
    until(&mut stream, "retry:1000\n\n").await;
    shop.stage.leave();
    let rest = until(&mut stream, "0\r\n\r\n").await;
    assert!(!rest.contains("event:"), "{rest}");
    shop.close().await;
}
