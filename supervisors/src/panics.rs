//! Panics, caught with their place.
//!
//! Promise: a panic in a child's code never leaves the child's task. With
//! [`install_panic_capture`] called once at boot, its location and backtrace
//! are kept for the snapshot; without it, only the message is.

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::pin::pin;
use std::sync::Once;
use std::task::Poll;

/// A caught panic.
#[derive(Debug)]
pub(crate) struct Panicked {
    pub(crate) message: String,
    pub(crate) place: Option<Place>,
}

#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) location: Option<String>,
    /// Resolved to text only when somebody looks: that takes milliseconds.
    pub(crate) backtrace: Backtrace,
}

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<Place>> = const { RefCell::new(None) };
}

static INSTALL: Once = Once::new();

/// Remembers where children panic. Further calls do nothing; the hook that was
/// there before still runs, after ours.
pub fn install_panic_capture() {
    INSTALL.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if WATCHED.get() {
                remember(info);
            }
            previous(info);
        }));
    });
}

fn remember(info: &PanicHookInfo<'_>) {
    let place = Place {
        location: info.location().map(ToString::to_string),
        backtrace: Backtrace::force_capture(),
    };
    LAST.with(|last| *last.borrow_mut() = Some(place));
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a message".to_owned()
    }
}

/// Runs `action`, turning a panic into a value.
pub(crate) fn catch<T>(action: impl FnOnce() -> T) -> Result<T, Panicked> {
    let outer = WATCHED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(action));
    WATCHED.set(outer);
    result.map_err(|payload| {
        let message = message_of(payload.as_ref());
        // A payload may panic in its own drop; that one is not worth a word.
        let _second_panic = catch_unwind(AssertUnwindSafe(|| drop(payload)));
        Panicked { message, place: LAST.with(|last| last.borrow_mut().take()) }
    })
}

/// Polls `future` to its end or its panic. A panic is caught in the very poll
/// and thread it happened in, which is how it finds its place again.
pub(crate) async fn caught<F: Future>(future: F) -> Result<F::Output, Panicked> {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| match catch(|| future.as_mut().poll(cx)) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Err(panicked) => Poll::Ready(Err(panicked)),
    })
    .await
}

/// A panic in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaughtPanic {
    /// What it said.
    pub message: String,
    /// File, line and column; known once [`install_panic_capture`] was called.
    pub location: Option<String>,
    /// The way there, as text; known likewise.
    pub backtrace: Option<String>,
}

/// For work whose panic is an answer like another, not the end of whoever does
/// it: runs `future` to its end or its panic.
pub async fn catch_panic<F: Future>(future: F) -> Result<F::Output, CaughtPanic> {
    caught(future).await.map_err(|Panicked { message, place }| {
        let (location, backtrace) = match place {
            Some(place) => (place.location, Some(place.backtrace.to_string())),
            None => (None, None),
        };
        CaughtPanic { message, location, backtrace }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_caught_with_message_location_and_backtrace() {
        install_panic_capture();
        let panicked = caught(async {
            tokio::task::yield_now().await;
            panic!("boom {}", 1);
        })
        .await;
        let panicked: Panicked = match panicked {
            Ok(()) => unreachable!("it panics"),
            Err(panicked) => panicked,
        };
        assert_eq!(panicked.message, "boom 1");
        let place = panicked.place.expect("the hook is installed");
        assert!(place.location.expect("a location").contains("panics.rs"));
        assert!(!place.backtrace.to_string().is_empty());
    }
    #[tokio::test]
    async fn a_caught_panic_is_told_in_words() {
        install_panic_capture();
        assert_eq!(catch_panic(async { 1 }).await, Ok(1));
        let told: Result<(), CaughtPanic> = catch_panic(async { panic!("boom") }).await;
        let told = told.expect_err("it panics");
        assert_eq!(told.message, "boom");
        assert!(told.location.expect("a location").contains("panics.rs"));
        assert!(told.backtrace.is_some());
    }
}
