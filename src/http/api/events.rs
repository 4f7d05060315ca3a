//! Long work as server-sent events: what a `GET` of it would answer, told when it has changed.
//!
//! A stream looks at its work a few times a second and sends the whole of it when it is another
//! than it sent last. So it costs the same however quick the work is, a client that reads slowly
//! misses steps and never the end, and nothing is kept for it meanwhile. The last event is `end`.
//! A server that leaves ends its streams without one; the client asks again, as it does when the
//! connection breaks, and is told how things stand then.

use crate::http::{
    app::App,
    error::{Code, Problem},
    headers,
    openapi::{Doc, media},
    resource::Asked,
    stage::Stage,
};
use futures_util::{Stream, stream};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use warp::{
    reply::{Reply, Response},
    sse::{self, Event},
};

/// Streams at one time; each holds a connection and looks into the database.
pub(crate) const MOST: usize = 64;
const LOOK: Duration = Duration::from_millis(250);
/// A stream with nothing to say says so, before somebody between takes it for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// When a client comes back after its stream broke.
const RETRY: Duration = Duration::from_secs(1);
const MEDIA: &str = "text/event-stream";
/// The id of the last event.
const END: &str = "end";

/// Room for the streams of one server.
#[derive(Debug, Clone)]
pub(crate) struct Streams(Arc<Semaphore>);

impl Default for Streams {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }
}

/// How something stands: what its `GET` answers, and whether nothing more will come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    json: String,
    ended: bool,
}

impl Standing {
    pub(super) fn new(shown: &impl Serialize, ended: bool) -> Self {
        Self { json: serde_json::to_string(shown).unwrap_or_default(), ended }
    }
}

/// The description of an operation that follows something.
pub(super) fn doc(id: &'static str, tag: &'static str, summary: &'static str) -> Doc {
    Doc::new(id, tag, summary)
        .about(
            "Server-sent events. `progress` tells how it stands, at once and whenever that has \
             changed; its data is what a `GET` answers. The last one is `end`, and its id is `end`. \
             A stream that breaks off before is to be asked for again.",
        )
        .answer(200, "How it stands, as it goes on.", media(MEDIA))
        .bare(204, "It has ended, and the client has `end` already (`Last-Event-ID`).")
}

/// Answers with how it stands and goes on. `look` answers `None` when it is gone.
pub(super) async fn follow<L, F>(
    app: &App,
    asked: &Asked,
    gone: &'static str,
    look: L,
) -> Result<Response, Problem>
where
    L: Fn() -> F + Send + 'static,
    F: Future<Output = Result<Option<Standing>, Problem>> + Send,
{
    let first = look().await?.ok_or_else(|| Problem::new(Code::NotFound, gone))?;
    let known = asked.headers.get("last-event-id").map(HeaderValue::as_bytes);
    if first.ended && known == Some(END.as_bytes()) {
        // A browser comes back after every end; this is the answer that keeps it away.
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NO_CONTENT;
        response.headers_mut().extend(headers::of_data(&app.config));
        return Ok(response);
    }
    let room = Arc::clone(&app.streams.0).try_acquire_owned();
    let room = room.map_err(|_full| Problem::overloaded("too many streams are open"))?;
    let following = Following {
        look,
        stage: app.stage.clone(),
        next: Some(first),
        last: None,
        said: Instant::now(),
        _room: room,
    };
    let events = stream::unfold(following, |mut following| async move {
        let event = following.event().await?;
        Some((Ok::<_, Infallible>(event), following))
    });
    let mut response = sse::reply(Shared(Mutex::new(Box::pin(events)))).into_response();
    let headers = response.headers_mut();
    headers.extend(headers::of_data(&app.config));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx gathers an answer before it hands it on, unless told so.
    let unbuffered = HeaderName::from_static("x-accel-buffering");
    headers.insert(unbuffered, HeaderValue::from_static("no"));
    Ok(response)
}

struct Following<L> {
    look: L,
    stage: Stage,
    /// To be sent.
    next: Option<Standing>,
    /// Sent last.
    last: Option<Standing>,
    /// When something was sent last.
    said: Instant,
    _room: OwnedSemaphorePermit,
}

impl<L, F> Following<L>
where
    L: Fn() -> F,
    F: Future<Output = Result<Option<Standing>, Problem>>,
{
    /// The next one, when there is something to say; `None` at the end.
    async fn event(&mut self) -> Option<Event> {
        if self.last.as_ref().is_some_and(|last| last.ended) {
            return None;
        }
        while self.next.is_none() {
            tokio::select! {
                () = self.stage.left() => return None,
                () = tokio::time::sleep(LOOK) => {}
            }
            match (self.look)().await {
                Ok(None) => return None,
                Ok(found) if found != self.last => self.next = found,
                // Nothing new; or the database is away, and may be back at the next look.
                Ok(_) | Err(_) if self.said.elapsed() >= HEARTBEAT => {
                    self.said = Instant::now();
                    return Some(Event::default().comment(""));
                }
                Ok(_) | Err(_) => {}
            }
        }
        let standing = self.next.take()?;
        self.said = Instant::now();
        let event = Event::default().data(standing.json.as_str());
        let event = match (standing.ended, &self.last) {
            (true, _) => event.event("end").id(END),
            (false, None) => event.event("progress").retry(RETRY),
            (false, Some(_)) => event.event("progress"),
        };
        self.last = Some(standing);
        Some(event)
    }
}

/// Makes a stream `Sync`, as warp asks of a body; it is polled by one task all the same.
struct Shared<S>(Mutex<Pin<Box<S>>>);

impl<S: Stream> Stream for Shared<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let stream = self.get_mut().0.get_mut().unwrap_or_else(PoisonError::into_inner);
        stream.as_mut().poll_next(cx)
    }
}
