//! Against a receiver that misbehaves, over real sockets.

use super::{exchange::MOST_SAID, *};
use crate::{
    domain::{id::DeliveryId, secret::Secret, time::Micros},
    ports::webhooks::Reception,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::{
    future::Future,
    sync::atomic::{AtomicUsize, Ordering},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use uuid::Uuid;

#[cfg(feature = "production")]
mod encrypted;
mod ways;

const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW: &str = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
const AT: Micros = Micros(1_614_265_330_000_000);
const BODY: &str = r#"{"type":"order.placed"}"#;

/// Leads each name to these addresses, and counts how often it was asked.
#[derive(Default)]
struct Fake {
    leads: Vec<SocketAddr>,
    asked: AtomicUsize,
}

impl Fake {
    fn to(leads: &[SocketAddr]) -> Self {
        Self { leads: leads.to_vec(), asked: AtomicUsize::new(0) }
    }
}

#[async_trait]
impl Names for Fake {
    async fn look_up(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        // Whoever asks twice is led elsewhere.
        match self.asked.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(self.leads.clone()),
            _ => Ok(vec![SocketAddr::from(([127, 0, 0, 1], 1))]),
        }
    }
}

/// Long enough where an answer is to come.
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(200);

fn courier(whole: Duration, body: Duration, leads: SocketAddr) -> HttpCourier<Fake> {
    let patience = Patience { connection: LONG, whole, body };
    HttpCourier::with(Reach::Anywhere, Path::new(""), patience, Fake::to(&[leads])).unwrap()
}

fn parcel(url: &str) -> Parcel {
    Parcel {
        url: url.to_owned(),
        delivery: DeliveryId(Uuid::from_u128(7)),
        body: Bytes::from_static(BODY.as_bytes()),
        secrets: vec![Secret::new(NEW), Secret::new(OLD)],
        at: AT,
    }
}

async fn receiver() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A request's head and body, as far as its length says.
async fn heard(stream: &mut (impl AsyncRead + Unpin)) -> (String, String) {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() == length.map_or(0, |length| length.parse().unwrap()) {
                return (head.to_owned(), body.to_owned());
            }
        }
        let mut more = [0; 1024];
        let count = stream.read(&mut more).await.unwrap();
        assert_ne!(count, 0, "it breaks off: {text}");
        bytes.extend_from_slice(&more[..count]);
    }
}

/// Posts to a receiver that hears the request and then does this with the connection.
async fn posted<F: Future>(
    whole: Duration,
    body: Duration,
    then: impl FnOnce(TcpStream) -> F,
) -> (Result<Receipt, CourierError>, F::Output) {
    let (listener, address) = receiver().await;
    let courier = courier(whole, body, address);
    let parcel = parcel("http://hook.example/in");
    let receiving = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        heard(&mut stream).await;
        then(stream).await
    };
    tokio::join!(courier.post(&parcel), receiving)
}

/// One that answers with this and closes.
async fn answered(answer: &str) -> Result<Receipt, CourierError> {
    let answer = answer.to_owned();
    let answering = |mut stream: TcpStream| async move {
        stream.write_all(answer.as_bytes()).await.unwrap();
    };
    posted(LONG, LONG, answering).await.0
}

#[tokio::test]
async fn what_arrives_is_the_event_signed_with_each_secret() {
    let (listener, address) = receiver().await;
    let courier = courier(LONG, LONG, address);
    let parcel = parcel("http://hook.example/in?shop=1");
    let receiving = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let heard = heard(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        heard
    };
    let (receipt, (head, body)) = tokio::join!(courier.post(&parcel), receiving);
    let receipt = receipt.unwrap();
    assert_eq!((receipt.status, receipt.said.as_str(), receipt.wait), (200, "ok", None));
    assert_eq!(receipt.reception(), Reception::Taken);
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some("POST /in?shop=1 HTTP/1.1"));
    let headers: HeaderMap = lines
        .map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
        })
        .collect();
    assert_eq!(headers["host"], "hook.example");
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(body, BODY);
    for secret in [OLD, NEW] {
        let believed = WebhookKey::parse(secret).unwrap().verify(&headers, body.as_bytes(), AT);
        assert_eq!(believed.unwrap(), parcel.delivery.to_string());
    }
    assert_eq!(courier.names.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_status_is_an_answer_whatever_it_is() {
    for (status, more, means) in [
        ("204 No Content", "", Reception::Taken),
        ("410 Gone", "content-length: 0\r\n", Reception::Gone),
        (
            "429 Too Many Requests",
            "retry-after: 90\r\ncontent-length: 0\r\n",
            Reception::Later(Some(Duration::from_secs(90))),
        ),
        ("500 Oh", "content-length: 0\r\n", Reception::Later(None)),
    ] {
        let receipt = answered(&format!("HTTP/1.1 {status}\r\n{more}\r\n")).await.unwrap();
        assert_eq!(receipt.reception(), means, "{status}");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let (elsewhere, address) = receiver().await;
    let head = format!("HTTP/1.1 307 There\r\nlocation: http://{address}/\r\n");
    let receipt = answered(&format!("{head}content-length: 0\r\n\r\n")).await.unwrap();
    assert_eq!((receipt.status, receipt.reception()), (307, Reception::Later(None)));
    let elsewhere = elsewhere.into_std().unwrap();
    let nobody = elsewhere.accept().unwrap_err();
    assert_eq!(nobody.kind(), io::ErrorKind::WouldBlock, "it went there");
}

#[tokio::test]
async fn of_a_body_without_end_its_beginning_is_read() {
    let flood = |mut stream: TcpStream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let mut sent = 0;
        while stream.write_all(&[b'a'; 16 * 1024]).await.is_ok() {
            sent += 16 * 1024;
        }
        sent
    };
    let (receipt, sent) = posted(LONG, LONG, flood).await;
    assert_eq!(receipt.unwrap().said, "a".repeat(MOST_SAID));
    // What the two sockets hold between them; it ended, that's what counts.
    assert!(sent < 64 * 1024 * 1024, "{sent}");
}

#[tokio::test]
async fn a_body_that_breaks_off_or_does_not_come_takes_nothing_back() {
    let receipt = answered("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await.unwrap();
    assert_eq!((receipt.status, receipt.said.as_str()), (200, "half"));
    let stalls = |mut stream: TcpStream| async move {
        stream.write_all(b"HTTP/1.1 410 Gone\r\ncontent-length: 9\r\n\r\nbye").await.unwrap();
        // Until the other side has had enough.
        assert_eq!(stream.read(&mut [0; 8]).await.unwrap_or_default(), 0);
    };
    let receipt = posted(LONG, SHORT, stalls).await.0.unwrap();
    assert_eq!((receipt.reception(), receipt.said.as_str()), (Reception::Gone, "bye"));
}

#[tokio::test]
async fn one_that_never_answers_is_left() {
    let silent =
        |mut stream: TcpStream| async move { stream.read(&mut [0; 8]).await.unwrap_or_default() };
    let (receipt, closed) = posted(SHORT, LONG, silent).await;
    let error = receipt.unwrap_err();
    assert!(matches!(&error, CourierError::Later(why) if why.contains("0.2 s")), "{error}");
    assert_eq!(closed, 0);
}

#[tokio::test]
async fn a_head_without_end_is_no_answer() {
    let flood = |mut stream: TcpStream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await.unwrap();
        while stream.write_all(&[b'a'; 1024]).await.is_ok() {}
    };
    let error = posted(LONG, LONG, flood).await.0.unwrap_err();
    assert!(matches!(&error, CourierError::Later(why) if why.contains("too large")), "{error}");
}

#[tokio::test]
async fn no_answer_and_what_is_no_http_is_for_later() {
    for answer in ["", "HTTP/1.1 2", "220 mail.example ESMTP\r\n", "\0\0\0\0\r\n\r\n"] {
        let error = answered(answer).await.unwrap_err();
        assert!(matches!(error, CourierError::Later(_)), "{answer:?}: {error}");
    }
}

#[tokio::test]
async fn a_secret_that_is_none_signs_nothing_and_is_not_told() {
    let (listener, address) = receiver().await;
    for secrets in [vec![], vec![Secret::new("hunter2")]] {
        let parcel = Parcel { secrets, ..parcel("http://hook.example/") };
        let error = courier(LONG, LONG, address).post(&parcel).await.unwrap_err();
        assert!(matches!(error, CourierError::Never(_)), "{error}");
        assert!(!error.to_string().contains("hunter2"));
    }
    let listener = listener.into_std().unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
}
