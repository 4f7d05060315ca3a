//! The bare server: hyper answering finished bytes from memory, and nothing else.
//!
//! It is what a shop's pages are measured against, so it is a process of its own as the shop is,
//! with the same runtime, and sends the same heads and bodies for the same addresses. It gets them
//! over its standard input, and ends when that does: it can't outlive the command that started it,
//! however that dies.

use super::{process::Minded, wire::Captured};
use crate::cli::{Failure, Outcome, output};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    convert::Infallible,
    io::{self, BufRead, BufReader, BufWriter, Write},
    net::SocketAddr,
    process::{Command, Stdio},
    sync::Arc,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// Headers that hyper writes itself.
const HYPERS_OWN: &[&str] = &["date", "content-length", "connection", "transfer-encoding"];

#[derive(Debug, clap::Args)]
pub(crate) struct Bare {
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

/// What is answered at one address, by path and query.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    headers: HeaderMap,
    body: Bytes,
}

pub(crate) type Answers = HashMap<String, Answer>;

/// The line in front of each body.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    path: String,
    headers: Vec<(String, String)>,
    length: usize,
}

impl Bare {
    /// Reads what to answer up to an empty line, says where it listens, and serves until its
    /// input ends.
    pub(crate) async fn run(self) -> Outcome {
        let failed = |error: io::Error| Failure::Failed(format!("the bare server: {error}"));
        let mut input = BufReader::with_capacity(1 << 20, io::stdin());
        let answers = read_answers(&mut input).map_err(failed)?;
        let listener = TcpListener::bind(self.listen).await.map_err(failed)?;
        output::say(&listener.local_addr().map_err(failed)?.to_string());
        let gone = tokio::task::spawn_blocking(move || io::copy(&mut input, &mut io::sink()));
        tokio::select! {
            _ = gone => {}
            () = serve(listener, answers) => {}
        }
        Ok(())
    }
}

/// Answers for ever. A connection that fails is its client's affair.
pub(crate) async fn serve(listener: TcpListener, answers: Answers) {
    let answers = Arc::new(answers);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, Arc::clone(&answers)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, answers: Arc<Answers>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(|request: Request<Incoming>| {
        std::future::ready(Ok::<_, Infallible>(answer(&request, &answers)))
    });
    let served = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
    drop(served);
}

fn answer(request: &Request<Incoming>, answers: &Answers) -> Response<Full<Bytes>> {
    let uri = request.uri();
    let path = uri.path_and_query().map_or(uri.path(), |path| path.as_str());
    let Some(answer) = answers.get(path) else {
        let mut missing = Response::new(Full::default());
        *missing.status_mut() = StatusCode::NOT_FOUND;
        return missing;
    };
    let mut response = Response::new(Full::new(answer.body.clone()));
    *response.headers_mut() = answer.headers.clone();
    response
}

fn write_answers<'a>(
    output: &mut impl Write,
    answers: impl Iterator<Item = (&'a str, &'a Captured)>,
) -> io::Result<()> {
    for (path, answer) in answers {
        let headers = answer.headers.iter();
        let line = Line {
            path: path.to_owned(),
            headers: headers.filter(|(n, _)| !HYPERS_OWN.contains(&n.as_str())).cloned().collect(),
            length: answer.body.len(),
        };
        serde_json::to_writer(&mut *output, &line)?;
        output.write_all(b"\n")?;
        output.write_all(&answer.body)?;
    }
    output.write_all(b"\n")?;
    output.flush()
}

fn read_answers(input: &mut impl BufRead) -> io::Result<Answers> {
    let mut answers = Answers::new();
    loop {
        let mut text = String::new();
        if input.read_line(&mut text)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if text == "\n" {
            return Ok(answers);
        }
        let line: Line = serde_json::from_str(&text)?;
        let mut body = vec![0; line.length];
        input.read_exact(&mut body)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &line.headers {
            let name = HeaderName::try_from(name).map_err(io::Error::other)?;
            headers.append(name, HeaderValue::try_from(value).map_err(io::Error::other)?);
        }
        answers.insert(line.path, Answer { headers, body: body.into() });
    }
}

/// A bare server as a child of this process.
pub(crate) struct BareServer {
    child: Minded,
    address: SocketAddr,
}

impl BareServer {
    /// Starts one that answers what the shop did. Blocks while tens of megabytes go through a
    /// pipe.
    pub(crate) fn start<'a>(
        answers: impl Iterator<Item = (&'a str, &'a Captured)>,
    ) -> Result<Self, Failure> {
        let failed = |error: io::Error| {
            Failure::Failed(format!("can't start the bare server beside the shop: {error}"))
        };
        let program = std::env::current_exe().map_err(failed)?;
        let mut child = Minded::spawn(
            Command::new(program)
                .args(["bench", "bare"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped()),
        )
        .map_err(failed)?;
        let pipes = child.child();
        let (Some(input), Some(out)) = (pipes.stdin.as_mut(), pipes.stdout.take()) else {
            return Err(failed(io::ErrorKind::BrokenPipe.into()));
        };
        write_answers(&mut BufWriter::with_capacity(1 << 20, input), answers).map_err(failed)?;
        let mut said = String::new();
        BufReader::new(out).read_line(&mut said).map_err(failed)?;
        let address = said.trim().parse().map_err(|_| failed(io::ErrorKind::BrokenPipe.into()))?;
        Ok(Self { child, address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{
        super::wire::{Reply, Wire},
        *,
    };

    /// An answer as it would have been captured.
    pub(crate) fn captured(headers: &[(&str, &str)], body: &[u8]) -> Captured {
        let headers =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let reply = Reply { status: 200, length: body.len() as u64, last: false };
        Captured { reply, headers, body: Bytes::copy_from_slice(body) }
    }

    /// Answers as they come out of the pipe.
    pub(crate) fn piped(answers: &[(&str, Captured)]) -> Answers {
        let mut bytes = Vec::new();
        write_answers(&mut bytes, answers.iter().map(|(path, answer)| (*path, answer))).unwrap();
        read_answers(&mut bytes.as_slice()).unwrap()
    }

    #[tokio::test]
    async fn it_sends_the_same_heads_and_bodies_that_were_captured() {
        let long = vec![b'x'; 300_000];
        let headers = [
            ("content-type", "text/html"),
            ("link", "<a>"),
            ("link", "<b>"),
            ("date", "long ago"),
            ("content-length", "7"),
        ];
        let answers = piped(&[
            ("/p/a?b=c", captured(&headers, b"one\n\ntwo")),
            ("/p/long", captured(&headers[..1], &long)),
        ]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, answers));

        let mut wire = Wire::connect(address).await.unwrap();
        let got = wire.capture(b"GET /p/a?b=c HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        assert_eq!(&got.body[..], b"one\n\ntwo");
        let sent: Vec<_> = got.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(sent[..3], headers[..3]);
        let mut names: Vec<_> = sent[3..].iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-length", "date"]);
        assert!(!sent.contains(&("date", "long ago")));

        let long_one = wire.capture(b"GET /p/long HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        assert_eq!(long_one.body, long);
        let missing = wire.exchange(b"GET /p/a HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        assert_eq!(missing.status, 404);
    }

    #[test]
    fn a_list_of_answers_that_breaks_off_is_refused() {
        let mut bytes = Vec::new();
        let answer = captured(&[], b"body");
        write_answers(&mut bytes, [("/", &answer)].into_iter()).unwrap();
        for cut in 0..bytes.len() {
            assert!(read_answers(&mut &bytes[..cut]).is_err(), "{cut}");
        }
        assert_eq!(read_answers(&mut bytes.as_slice()).unwrap().len(), 1);
    }
}
