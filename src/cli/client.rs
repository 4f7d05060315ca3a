//! Talks to a running server: over its socket in the data folder, or over TCP with its token.

use super::Failure;
use bytes::Bytes;
use futures_util::Stream;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Full, StreamBody, combinators::BoxBody};
use hyper::body::Frame;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use std::{convert::Infallible, path::PathBuf};
use tokio::net::{TcpStream, UnixStream};

type Body = BoxBody<Bytes, std::io::Error>;

/// One server; a connection a request.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    way: Way,
    authority: String,
    token: Option<String>,
}

#[derive(Debug, Clone)]
enum Way {
    Socket(PathBuf),
    Tcp,
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

impl Client {
    pub(crate) fn to_socket(
        path: PathBuf,
        url: &str,
        token: Option<String>,
    ) -> Result<Self, Failure> {
        Ok(Self { way: Way::Socket(path), ..Self::to_url(url, token)? })
    }

    pub(crate) fn to_url(url: &str, token: Option<String>) -> Result<Self, Failure> {
        let wrong =
            || Failure::Usage(format!("`{url}` is not an address such as http://127.0.0.1:8080"));
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        if uri.scheme_str() != Some("http") {
            return Err(wrong());
        }
        let authority = uri.authority().ok_or_else(wrong)?;
        let authority = match authority.port() {
            Some(_) => authority.to_string(),
            None => format!("{authority}:80"),
        };
        Ok(Self { way: Way::Tcp, authority, token })
    }

    /// Host and port, as requests name them.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.send(Method::GET, path, None, empty()).await?.json()
    }

    pub(crate) async fn change<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<T, Failure> {
        let answer = match body {
            Some(value) => {
                let bytes = Bytes::from(value.to_string());
                let body = Full::new(bytes).map_err(never).boxed();
                self.send(method, path, Some("application/json"), body).await?
            }
            None => self.send(method, path, None, empty()).await?,
        };
        answer.json()
    }

    /// Sends a body as it comes, never whole in memory.
    pub(crate) async fn upload<T: DeserializeOwned>(
        &self,
        path: &str,
        headers: &[(header::HeaderName, String)],
        chunks: impl Stream<Item = std::io::Result<Bytes>> + Send + Sync + 'static,
    ) -> Result<T, Failure> {
        use futures_util::StreamExt;
        let body = BodyExt::boxed(StreamBody::new(chunks.map(|chunk| chunk.map(Frame::data))));
        self.exchange(Method::POST, path, headers, body).await?.json()
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: Body,
    ) -> Result<Answer, Failure> {
        let headers: Vec<_> =
            content_type.map(|kind| (header::CONTENT_TYPE, kind.to_owned())).into_iter().collect();
        self.exchange(method, path, &headers, body).await
    }

    pub(crate) async fn fetch(&self, path: &str) -> Result<Answer, Failure> {
        self.send(Method::GET, path, None, empty()).await
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        headers: &[(header::HeaderName, String)],
        body: Body,
    ) -> Result<Answer, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.authority)
            .header(header::USER_AGENT, concat!("stoa/", env!("CARGO_PKG_VERSION")));
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request
            .body(body)
            .map_err(|error| Failure::Usage(format!("can't make the request: {error}")))?;
        let answer = match &self.way {
            Way::Socket(path) => {
                let stream = UnixStream::connect(path).await.map_err(|e| self.away(&e))?;
                self.over(TokioIo::new(stream), request).await?
            }
            Way::Tcp => {
                let stream =
                    TcpStream::connect(&self.authority).await.map_err(|e| self.away(&e))?;
                self.over(TokioIo::new(stream), request).await?
            }
        };
        match answer.status {
            status if status.is_success() => Ok(answer),
            status => Err(answer.refusal(status)),
        }
    }

    async fn over<I>(&self, io: I, request: Request<Body>) -> Result<Answer, Failure>
    where
        I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(io).await.map_err(|e| self.away(&e))?;
        let exchange = async {
            let response = sender.send_request(request).await?;
            let (parts, body) = response.into_parts();
            Ok::<_, hyper::Error>((parts, body.collect().await?.to_bytes()))
        };
        let mut connection = std::pin::pin!(connection);
        let mut exchange = std::pin::pin!(exchange);
        // The connection moves the bytes and ends with the exchange, so both run here, and a
        // connection that ends first still lets the exchange say why.
        let result = tokio::select! {
            result = &mut exchange => result,
            _ = &mut connection => exchange.await,
        };
        let (parts, body) = result.map_err(|e| self.away(&e))?;
        Ok(Answer { status: parts.status, body })
    }

    fn away(&self, error: &dyn std::error::Error) -> Failure {
        let place = match &self.way {
            Way::Socket(path) => path.display().to_string(),
            Way::Tcp => format!("http://{}", self.authority),
        };
        let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        Failure::Temporary(format!("the server at {place} doesn't answer: {cause}"))
    }
}

impl Answer {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let body: &[u8] = if self.body.is_empty() { b"null" } else { &self.body };
        serde_json::from_slice(body).map_err(|error| {
            Failure::Failed(format!("the server's answer can't be read ({error}); is it a Stoa?"))
        })
    }

    /// The problem document's words, else the status.
    fn refusal(&self, status: StatusCode) -> Failure {
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let text = |key: &str| problem.get(key).and_then(serde_json::Value::as_str);
        let said = text("detail").or(text("title"));
        let mut message =
            said.map_or_else(|| format!("the server answered {status}"), String::from);
        for error in problem.get("errors").and_then(|e| e.as_array()).into_iter().flatten() {
            let part = |key: &str| error.get(key).and_then(serde_json::Value::as_str);
            let place = part("pointer").or(part("parameter")).or(part("header")).unwrap_or("");
            message.push_str(&format!("\n  {place} {}", part("detail").unwrap_or("")));
        }
        match status {
            StatusCode::UNAUTHORIZED => Failure::Failed(format!(
                "{message}; pass the server's operator token with --token (it is in \
                 run/admin.token of its data folder)"
            )),
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                Failure::Temporary(message)
            }
            _ => Failure::Failed(message),
        }
    }
}

fn empty() -> Body {
    Empty::new().map_err(never).boxed()
}

fn never(never: Infallible) -> std::io::Error {
    match never {}
}

/// A part of a path, with everything but the plainest characters escaped (RFC 3986).
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
