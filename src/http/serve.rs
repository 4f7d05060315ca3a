//! The accept loop: connections in, bounded in number, patience and memory.
//!
//! HTTP/1.1 with keep-alive, over TCP and over the server's own Unix socket. One connection over
//! the limit is answered 503 and closed, so a flood is told to come back instead of left hanging.
//! When asked to stop it accepts no more, waits a moment for requests that are on their way, lets
//! what is being answered end within the drain time, and cuts the rest.
//!
//! A child of the tree: if it dies its connections are cut, and it begins again on the same
//! listeners, so no client is refused meanwhile.

use crate::http::{
    edge::{Connection, Edge},
    guard::Guarded,
    patience::Patience,
};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use std::{
    fs,
    future::poll_fn,
    io, iter,
    net::IpAddr,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::PermissionsExt,
    },
    path::Path,
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering},
    task::Poll,
    time::Duration,
};
use supervisors::{Context, Fault};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, UnixListener},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{Instant, MissedTickBehavior},
};

/// Connections over the own socket: apart from the shop's, so that an operator gets in when the
/// shop is full.
const MOST_LOCAL: usize = 64;
/// Clients that are being told to come back, at one time; more are just closed.
const MOST_REFUSALS: usize = 256;
/// How often samples are folded into their buckets.
const UPKEEP: Duration = Duration::from_secs(1);
/// When it stops, a connection without a request gets this for the one that may be on its way,
/// which then is the last.
const LAST: Duration = Duration::from_millis(100);
/// A client that has just come has hardly come for nothing.
const FIRST: Duration = Duration::from_secs(1);
/// After a failed accept (no file handle left, most often) the next try waits.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

const REFUSAL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
content-type: application/problem+json\r\n\
content-length: 140\r\n\
retry-after: 1\r\n\
connection: close\r\n\r\n\
{\"type\":\"/docs/problems/overloaded\",\"title\":\"Too busy at the moment\",\"status\":503,\"detail\":\"too many connections\",\"request_id\":\"unassigned\"}";

/// Where requests come in.
pub(crate) struct Listeners {
    tcp: TcpListener,
    local: Option<UnixListener>,
}

impl Listeners {
    pub(crate) fn new(tcp: TcpListener, local: Option<UnixListener>) -> Self {
        Self { tcp, local }
    }

    /// The same sockets once more, for a successor: the port's, then the own one if there is one.
    pub(crate) fn duplicate(&self) -> io::Result<Vec<OwnedFd>> {
        let own = self.local.as_ref().map(AsFd::as_fd);
        iter::once(self.tcp.as_fd()).chain(own).map(|fd| fd.try_clone_to_owned()).collect()
    }

    /// The address that was bound, with the port the system chose for port 0.
    pub(crate) fn address(&self) -> io::Result<std::net::SocketAddr> {
        self.tcp.local_addr()
    }
}

/// Opens the server's own socket, for its user alone. What a dead server left there is replaced;
/// that no live one has it is the caller's to know (`run/lock`).
pub(crate) fn bind_local(path: &Path) -> io::Result<UnixListener> {
    // Never there with looser rights, not even for a moment: made aside, then moved.
    let aside = path.with_extension("new");
    for stale in [&aside, path] {
        match fs::remove_file(stale) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let listener = UnixListener::bind(&aside)?;
    fs::set_permissions(&aside, fs::Permissions::from_mode(0o600))?;
    fs::rename(&aside, path)?;
    Ok(listener)
}

/// Serves until asked to stop; to be run as a child `task` of the tree, with a shutdown that
/// leaves it longer than `http.drain_ms`.
pub(crate) async fn serve(
    edge: Arc<Edge>,
    listeners: Arc<Listeners>,
    context: Context,
) -> Result<(), Fault> {
    accept(edge, listeners, context.stopped()).await;
    Ok(())
}

pub(crate) async fn accept(
    edge: Arc<Edge>,
    listeners: Arc<Listeners>,
    stopped: impl Future<Output = ()>,
) {
    let mut stopped = pin!(stopped);
    let (stop, stopping) = watch::channel(false);
    let room = Arc::new(Semaphore::new(edge.app.config.max_connections));
    let local_room = Arc::new(Semaphore::new(MOST_LOCAL));
    let refusal_room = Arc::new(Semaphore::new(MOST_REFUSALS));
    let mut connections = JoinSet::new();
    let mut refusals = JoinSet::new();
    let mut upkeep = tokio::time::interval(UPKEEP);
    upkeep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let server = Server { builder: builder(&edge), edge, stopping };
    loop {
        tokio::select! {
            () = &mut stopped => break,
            accepted = listeners.tcp.accept() => match accepted {
                Ok((stream, peer)) => {
                    // Answers are written whole: waiting for more to send only delays them.
                    let _unsupported = stream.set_nodelay(true);
                    match Arc::clone(&room).try_acquire_owned() {
                        Ok(permit) => {
                            connections.spawn(server.clone().converse(stream, Some(peer.ip()), permit));
                        }
                        Err(_full) => {
                            server.edge.meters.refused.increment(1);
                            if let Ok(permit) = Arc::clone(&refusal_room).try_acquire_owned() {
                                let stall = server.edge.app.config.stall_timeout();
                                refusals.spawn(refuse(Guarded::new(stream, stall), permit));
                            }
                        }
                    }
                }
                Err(error) => pause_after(&error).await,
            },
            accepted = accept_local(listeners.local.as_ref()) => match accepted {
                Ok(stream) => {
                    if let Ok(permit) = Arc::clone(&local_room).try_acquire_owned() {
                        connections.spawn(server.clone().converse(stream, None, permit));
                    }
                }
                Err(error) => pause_after(&error).await,
            },
            Some(ended) = connections.join_next() => noted(ended),
            Some(ended) = refusals.join_next() => noted(ended),
            _ = upkeep.tick() => server.keep_up(connections.len()),
        }
    }
    let _nobody_left = stop.send(true);
    drain(connections, server.edge.app.config.drain()).await;
}

fn builder(edge: &Edge) -> http1::Builder {
    let config = &edge.app.config;
    let mut builder = http1::Builder::new();
    builder
        .header_read_timeout(config.header_timeout())
        .max_header_size(config.header_bytes)
        .max_buf_size(config.header_bytes.max(64 * 1024));
    builder
}

/// What every connection needs.
#[derive(Clone)]
struct Server {
    edge: Arc<Edge>,
    builder: http1::Builder,
    stopping: watch::Receiver<bool>,
}

impl Server {
    /// `peer`: `None` over the own socket.
    async fn converse<S>(mut self, stream: S, peer: Option<IpAddr>, _room: OwnedSemaphorePermit)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let stall = self.edge.app.config.stall_timeout();
        let io = TokioIo::new(Guarded::new(stream, stall));
        let patience = Patience::new(self.edge.app.config.header_timeout());
        let began = Instant::now();
        let service = Connection::new(self.edge, peer);
        let asked = service.asked();
        let connection = self.builder.timer(patience).serve_connection(io, service);
        let mut connection = pin!(connection);
        let ended = match until_stop(connection.as_mut(), self.stopping).await {
            Some(ended) => ended,
            None => {
                // hyper would close at once what has nothing to answer, into the face of a client
                // that has just connected or asks again at this moment.
                let grace = match asked.load(Ordering::Relaxed) {
                    true => LAST,
                    false => FIRST.saturating_sub(began.elapsed()).max(LAST),
                };
                match tokio::time::timeout(grace, connection.as_mut()).await {
                    Ok(ended) => ended,
                    Err(_nothing_came) => {
                        connection.as_mut().graceful_shutdown();
                        let unused = poll_fn(|cx| {
                            Poll::Ready(connection.poll_without_shutdown(cx).is_ready())
                        });
                        match unused.await {
                            // Dropped at once: no answer is underway that the client might miss,
                            // and a client that keeps its side open would hold up the stop.
                            true => Ok(()),
                            false => connection.await,
                        }
                    }
                }
            }
        };
        if let Err(error) = ended {
            // The client's doing: it went away, was too slow, or spoke something else.
            tracing::debug!(%error, "connection ended early");
        }
    }

    fn keep_up(&self, connections: usize) {
        let meters = &self.edge.meters;
        meters.connections.set(connections as f64);
        self.edge.app.mind_the_lag();
        meters.cache_bytes.set(self.edge.app.cache.bytes() as f64);
        if let Some(metrics) = &self.edge.app.metrics {
            metrics.run_upkeep();
        }
    }
}

/// Runs `work` until it ends or the server is asked to stop (`None`).
///
/// The wait for the stop is polled once, to leave the task's waker there, and again only when
/// there was news: polling it takes a lock that all connections share, at every packet.
async fn until_stop<F: Future + Unpin>(
    mut work: F,
    mut stopping: watch::Receiver<bool>,
) -> Option<F::Output> {
    let news = stopping.clone();
    // An error means that the accept loop is gone: that is an end as well.
    let mut asked = pin!(async move { drop(stopping.wait_for(|stopping| *stopping).await) });
    let mut waiting = false;
    poll_fn(|cx| {
        if let Poll::Ready(ended) = Pin::new(&mut work).poll(cx) {
            return Poll::Ready(Some(ended));
        }
        let look = !waiting || news.has_changed().unwrap_or(true);
        waiting = true;
        if look { asked.as_mut().poll(cx).map(|()| None) } else { Poll::Pending }
    })
    .await
}

async fn accept_local(listener: Option<&UnixListener>) -> io::Result<tokio::net::UnixStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}

async fn pause_after(error: &io::Error) {
    tracing::warn!(%error, "can't accept a connection");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

/// Says 503 and closes, leaving the client the time to read it.
async fn refuse<S>(mut stream: Guarded<S>, _room: OwnedSemaphorePermit)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    if stream.write_all(REFUSAL).await.is_ok() {
        let _gone = stream.shutdown().await;
    }
}

fn noted(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection's task panicked");
    }
}

async fn drain(mut connections: JoinSet<()>, within: Duration) {
    let deadline = Instant::now() + within;
    while let Ok(Some(ended)) = tokio::time::timeout_at(deadline, connections.join_next()).await {
        noted(ended);
    }
    if !connections.is_empty() {
        tracing::warn!(connections = connections.len(), "cut at the end of the drain time");
        connections.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_is_a_whole_answer() {
        let text = std::str::from_utf8(REFUSAL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", body.len());
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["status"], 503);
    }

    #[tokio::test]
    async fn the_own_socket_is_its_users_alone_and_replaces_a_dead_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stoa.sock");
        drop(bind_local(&path).unwrap());
        let _listener = bind_local(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(tokio::net::UnixStream::connect(&path).await.is_ok());
    }
}
