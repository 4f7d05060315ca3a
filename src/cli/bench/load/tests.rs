use super::*;
use crate::cli::bench::bare::{
    serve,
    tests::{captured, piped},
};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const SHORT: Duration = Duration::from_millis(200);

fn target(path: &str, length: Option<u64>) -> Target {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").into();
    Target::read(request, length)
}

fn one(length: Option<u64>, connections: usize) -> Load {
    Load::new(vec![target("/", length)], vec![0], connections).unwrap()
}

/// Reads a request's head and answers it in this way, over and over; counts what it answered.
async fn answering(
    answer: &'static [u8],
    then_close: bool,
) -> (SocketAddr, JoinSet<()>, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answered = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&answered);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let counter = Arc::clone(&counter);
            connections.spawn(async move {
                let mut head = [0; 1024];
                while stream.read(&mut head).await.is_ok_and(|read| read > 0) {
                    counter.fetch_add(1, Ordering::SeqCst);
                    if stream.write_all(answer).await.is_err() || then_close {
                        break;
                    }
                }
            });
        }
    });
    (address, tasks, answered)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_is_what_was_answered() {
    let pages = [("/a", captured(&[], &[b'a'; 10])), ("/b", captured(&[], &[b'b'; 100_000]))];
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(serve(listener, piped(&pages)));
    let targets = vec![target("/a", Some(10)), target("/b", Some(100_000))];
    let load = Load::new(targets, vec![0, 0, 1], 8).unwrap();
    let round = load.run(address, SHORT).await;
    assert_eq!((round.errors, round.first_error), (0, None));
    assert!(round.done > 0);
    assert_eq!(round.latency.len(), round.done);
    assert!(round.elapsed >= SHORT);

    let (address, _tasks, answered) =
        answering(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", false).await;
    let round = one(Some(2), 3).run(address, SHORT).await;
    assert_eq!((round.done, round.errors), (answered.load(Ordering::SeqCst), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_answer_is_an_error_and_never_done() {
    let cases: &[(&'static [u8], bool, &str)] = &[
        (b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n", false, "status 503"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc", false, "3 bytes instead of 2"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nabc", false, "goes on behind"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na", true, "ended before"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", false, "no content-length"),
        (b"HTTP/1.1 200 OK\r\n", true, "ended before"),
        (b"what?\r\n\r\n", false, "not HTTP/1.1"),
    ];
    for (answer, then_close, why) in cases {
        let (address, _tasks, answered) = answering(answer, *then_close).await;
        let round = one(Some(2), 2).run(address, SHORT).await;
        assert_eq!(round.done, 0, "{why}");
        assert!(round.errors > 0 && round.errors <= answered.load(Ordering::SeqCst), "{why}");
        let first = round.first_error.unwrap();
        assert!(first.contains(why), "{first} instead of {why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_it_closes_makes_no_error() {
    let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
    let (address, _tasks, answered) = answering(answer, true).await;
    let round = one(Some(2), 2).run(address, SHORT).await;
    assert_eq!((round.done, round.errors), (answered.load(Ordering::SeqCst), 0));
    assert!(round.done > 2, "it connected again: {}", round.done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let round = one(None, 2).run(address, SHORT).await;
    assert_eq!(round.done, 0);
    assert!(round.errors >= 2, "{}", round.errors);
    assert!(round.first_error.unwrap().contains("can't connect"));
}

#[test]
fn a_load_without_anything_to_ask_for_is_none() {
    assert!(Load::new(vec![], vec![], 1).is_none());
    assert!(Load::new(vec![target("/", None)], vec![], 1).is_none());
    assert!(Load::new(vec![target("/", None)], vec![1], 1).is_none());
}
