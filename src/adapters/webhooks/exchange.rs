//! One request and its answer over a stream that is connected, with a bound on all that is read.

use bytes::Bytes;
use http::{Request, response::Parts};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use std::{error::Error, time::Duration};
use tokio::io::{AsyncRead, AsyncWrite};

/// An answer's head is no longer.
const MOST_HEAD: usize = 16 * 1024;
/// So much of its body is kept; nothing is read behind that.
pub(super) const MOST_SAID: usize = 4 * 1024;

/// The status is the answer: a body that is late, breaks off or never ends changes nothing of it.
/// `for_body`: how long is read on behind the head.
pub(super) async fn exchange<S>(
    stream: S,
    request: Request<Full<Bytes>>,
    for_body: Duration,
) -> Result<(Parts, String), String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let handshake = http1::Builder::new().max_buf_size(MOST_HEAD).handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(|error| told(&error))?;
    let exchange = async {
        let (head, body) = sender.send_request(request).await?.into_parts();
        let mut said = Vec::new();
        // Late or not, what came is what was said.
        let _late = tokio::time::timeout(for_body, beginning(body, &mut said)).await;
        Ok::<_, hyper::Error>((head, said))
    };
    let (mut connection, mut exchange) = (std::pin::pin!(connection), std::pin::pin!(exchange));
    let answer = tokio::select! {
        answer = &mut exchange => answer,
        _ = &mut connection => exchange.await,
    };
    let (head, said) = answer.map_err(|error| told(&error))?;
    // A database's text holds no NUL.
    Ok((head, String::from_utf8_lossy(&said).replace('\0', "\u{fffd}")))
}

async fn beginning(mut body: Incoming, said: &mut Vec<u8>) {
    while said.len() < MOST_SAID {
        let Some(Ok(frame)) = body.frame().await else { return };
        if let Ok(data) = frame.into_data() {
            said.extend_from_slice(&data[..data.len().min(MOST_SAID - said.len())]);
        }
    }
}

/// An error with what led to it, as hyper's own words say little.
pub(super) fn told(error: &dyn Error) -> String {
    let (mut told, mut source) = (error.to_string(), error.source());
    while let Some(cause) = source {
        told.push_str(": ");
        told.push_str(&cause.to_string());
        source = cause.source();
    }
    told
}
