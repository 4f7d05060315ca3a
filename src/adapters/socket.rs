//! The writer of a process that runs jobs beside the server of an embedded shop: SQLite has one
//! writer, so what is written of jobs goes to the server, over the socket in the data folder.
//!
//! Promise: what is answered was committed by the server. A server that is away, or starts anew, is a
//! database that is away; what was sent and not answered may have been done, and every write of jobs
//! may be said again.

use crate::ports::{
    StoreError,
    jobs::{JobWrite, JobsWritten},
    writer::{Write, Writer, Written},
};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::net::UnixStream;

/// Where the server takes them.
pub const ADDRESS: &str = "/ops/job-writes";
/// Below what the server reads of a body.
const MOST_BYTES: usize = 48 * 1024;
const PATIENCE: Duration = Duration::from_secs(20);

pub struct SocketWriter {
    socket: PathBuf,
}

impl SocketWriter {
    pub fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// Ends that are too many for one request go in several: each is whole by itself.
    async fn tell(&self, write: &JobWrite) -> Result<JobsWritten, StoreError> {
        let JobWrite::End { ended, at } = write else { return self.patiently(write).await };
        let (mut todo, mut counted) = (vec![ended.clone()], Vec::new());
        while let Some(mut ended) = todo.pop() {
            let part = JobWrite::End { ended: ended.clone(), at: *at };
            if ended.len() > 1 && body(&part)?.len() > MOST_BYTES {
                todo.push(ended.split_off(ended.len() / 2));
                todo.push(ended);
                continue;
            }
            match self.patiently(&part).await? {
                JobsWritten::Ended(ids) => counted.extend(ids),
                other => {
                    return Err(StoreError::Corrupt(format!("an end was answered with {other:?}")));
                }
            }
        }
        Ok(JobsWritten::Ended(counted))
    }

    async fn patiently(&self, write: &JobWrite) -> Result<JobsWritten, StoreError> {
        match tokio::time::timeout(PATIENCE, self.exchange(body(write)?)).await {
            Ok(answer) => answer,
            Err(_) => Err(StoreError::Unavailable("the server doesn't answer".into())),
        }
    }

    async fn exchange(&self, body: Vec<u8>) -> Result<JobsWritten, StoreError> {
        let away = |error: &dyn std::error::Error| {
            StoreError::Unavailable(format!("the server at {}: {error}", self.socket.display()))
        };
        let stream = UnixStream::connect(&self.socket).await.map_err(|e| away(&e))?;
        let request = Request::post(ADDRESS)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|e| StoreError::Refused(e.to_string()))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| away(&e))?;
        let exchange = async {
            let (head, body) = sender.send_request(request).await?.into_parts();
            Ok::<_, hyper::Error>((head.status, body.collect().await?.to_bytes()))
        };
        let (mut connection, mut exchange) = (std::pin::pin!(connection), std::pin::pin!(exchange));
        let answer = tokio::select! {
            answer = &mut exchange => answer,
            _ = &mut connection => exchange.await,
        };
        let (status, body) = answer.map_err(|e| away(&e))?;
        let said = || String::from_utf8_lossy(&body).into_owned();
        match status {
            StatusCode::OK => serde_json::from_slice(&body).map_err(|e| {
                StoreError::Corrupt(format!("the server's answer can't be read: {e}"))
            }),
            StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST => {
                Err(StoreError::Refused(said()))
            }
            StatusCode::INSUFFICIENT_STORAGE => Err(StoreError::Full(said())),
            _ => Err(StoreError::Unavailable(format!("{status}: {}", said()))),
        }
    }
}

fn body(write: &JobWrite) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(write).map_err(|error| StoreError::Refused(error.to_string()))
}

#[async_trait]
impl Writer for SocketWriter {
    async fn commit(&mut self, writes: Vec<Write>) -> Vec<Result<Written, StoreError>> {
        let mut answers = Vec::with_capacity(writes.len());
        for write in &writes {
            answers.push(match write {
                Write::Jobs(write) => self.tell(write).await.map(Written::Jobs),
                _ => Err(StoreError::Refused("a worker writes of jobs alone".into())),
            });
        }
        answers
    }
}
