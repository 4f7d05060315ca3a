//! What happens at the edge's bounds, over bare sockets.

use super::shop::{Shop, header, is};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

async fn connect(shop: &Shop) -> TcpStream {
    TcpStream::connect(shop.address).await.unwrap()
}

/// Everything until the server closes; a reset counts as one.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let _reset = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One answer's head.
async fn one_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn a_connection_over_the_limit_is_told_to_come_back() {
    let shop = Shop::open_with(|config| config.max_connections = 3).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(&shop).await;
        // Answered, so it is surely counted.
        stream.write_all(b"HEAD /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        assert!(one_head(&mut stream).await.starts_with("HTTP/1.1 200"));
        held.push(stream);
    }
    for _ in 0..20 {
        let mut refused = connect(&shop).await;
        refused.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let answer = rest(&mut refused).await;
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(answer.contains("retry-after: 1"), "{answer}");
    }
    // The own socket has places of its own.
    is(&shop.by_socket("/ops/tree.json").await, 200);
    drop(held);
    // A place is free as soon as the server has seen the close.
    while shop.get("/livez").await.status() == 503 {
        tokio::task::yield_now().await;
    }
    shop.close().await;
}

#[tokio::test]
async fn a_client_that_dawdles_over_its_head_is_cut() {
    let shop = Shop::open_with(|config| config.header_timeout_ms = 150).await;
    let mut slow = connect(&shop).await;
    slow.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ").await.unwrap();
    assert!(!rest(&mut slow).await.contains("200 OK"));
    let mut idle = connect(&shop).await;
    assert_eq!(rest(&mut idle).await, "");
    shop.close().await;
}

#[tokio::test]
async fn a_client_that_dawdles_over_its_body_is_cut() {
    let shop = Shop::open_with(|config| config.stall_timeout_ms = 150).await;
    let mut slow = connect(&shop).await;
    let head = "POST /api/v1/imports HTTP/1.1\r\nhost: x\r\ncontent-type: text/csv\r\n\
                authorization: Bearer open-sesame\r\ncontent-length: 100\r\n\r\nsku";
    slow.write_all(head.as_bytes()).await.unwrap();
    let answer = rest(&mut slow).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    shop.close().await;
}

#[tokio::test]
async fn an_address_that_is_too_long_is_refused_by_its_status() {
    let shop = Shop::open().await;
    is(&shop.get(&format!("/search?q={}", "x".repeat(10_000))).await, 414);
    // Far over what is read at all: hyper's own status, and the client gets to read it.
    let mut stream = connect(&shop).await;
    let (mut reads, mut writes) = stream.split();
    let send = async {
        let _cut = writes.write_all(b"GET /search?q=").await;
        for _ in 0..10 {
            let _cut = writes.write_all(&[b'x'; 1 << 20]).await;
        }
        let _cut = writes.write_all(b" HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let _cut = writes.shutdown().await;
    };
    let read = async {
        let mut answer = Vec::new();
        let _reset = reads.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    let ((), answer) = tokio::join!(send, read);
    assert!(answer.starts_with("HTTP/1.1 431") || answer.starts_with("HTTP/1.1 414"), "{answer:?}");
    shop.close().await;
}

#[tokio::test]
async fn many_headers_are_refused_by_their_status() {
    let shop = Shop::open().await;
    let mut stream = connect(&shop).await;
    let head = format!("GET / HTTP/1.1\r\nhost: x\r\nx-much: {}\r\n\r\n", "x".repeat(40_000));
    stream.write_all(head.as_bytes()).await.unwrap();
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 431"));
    shop.close().await;
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let shop = Shop::open().await;
    let mut stream = connect(&shop).await;
    let mut ids = std::collections::BTreeSet::new();
    for _ in 0..20 {
        stream.write_all(b"HEAD /p/drill-1 HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let head = one_head(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        ids.insert(head.lines().find(|l| l.starts_with("x-request-id")).unwrap().to_owned());
    }
    assert_eq!(ids.len(), 20);
    drop(stream);
    shop.close().await;
}

#[tokio::test]
async fn a_stop_lets_what_is_being_answered_end() {
    let shop = Shop::open().await;
    let gate = std::sync::Arc::new(tokio::sync::Notify::new());
    *shop.index.gate.lock().unwrap() = Some(std::sync::Arc::clone(&gate));
    let index = std::sync::Arc::clone(&shop.index);
    let mut busy = connect(&shop).await;
    let mut idle = connect(&shop).await;
    idle.write_all(b"HEAD /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    one_head(&mut idle).await;
    busy.write_all(b"GET /search?q=drill HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    while index.asked.load(std::sync::atomic::Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let close = shop.close();
    let answer = async {
        // The idle connection is let go, which shows that the stop is underway.
        assert_eq!(rest(&mut idle).await, "");
        drop(idle);
        gate.notify_one();
        rest(&mut busy).await
    };
    let ((), answer) = tokio::join!(close, answer);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_stop_answers_what_is_on_its_way_and_says_that_it_was_the_last() {
    let shop = Shop::open().await;
    let mut new = connect(&shop).await;
    let (mut busy, mut idle) = (connect(&shop).await, connect(&shop).await);
    for stream in [&mut busy, &mut idle] {
        // Answered, so the one that came before is accepted as well.
        stream.write_all(b"HEAD /p/drill-1 HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        assert!(!one_head(stream).await.contains("connection: close"));
    }
    shop.stage.leave();
    let ready = shop.get("/readyz").await;
    is(&ready, 503);
    assert_eq!(header(&ready, "connection"), "close");
    busy.write_all(b"HEAD /p/drill-1 HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(rest(&mut busy).await.contains("connection: close"));
    let close = shop.close();
    let answer = async {
        // The idle connection is let go, which shows that the stop is underway.
        assert_eq!(rest(&mut idle).await, "");
        new.write_all(b"GET /p/drill-1 HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        rest(&mut new).await
    };
    let ((), answer) = tokio::join!(close, answer);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_answered_so() {
    let shop = Shop::open_with(|config| config.request_timeout_ms = 100).await;
    *shop.index.gate.lock().unwrap() = Some(std::sync::Arc::default());
    let answer = shop.get("/api/v1/search?q=drill").await;
    is(&answer, 503);
    assert_eq!(header(&answer, "retry-after"), "5");
    shop.close().await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut() {
    let shop = Shop::open_with(|config| config.stall_timeout_ms = 150).await;
    let mut greedy = connect(&shop).await;
    // Pages are asked for without end, and none is read.
    let ask = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(500);
    let cut = async { while greedy.write_all(&ask).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(60), cut).await.expect("the server gives up");
    shop.close().await;
}
