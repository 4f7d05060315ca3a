//! One try of a job, on a thread of its own.
//!
//! Promise: whatever it does with its thread, whoever waits for it gets a word in time. One that
//! takes too long or is cancelled is dropped at its next `await`; one that has none keeps its thread
//! and is left behind, once: where it is run next, it can be killed.

use super::topics::Start;
use crate::ports::jobs::Verdict;
use std::{convert::Infallible, future::Future, time::Duration};
use supervisors::catch_panic;
use tokio::{runtime::Handle, sync::oneshot};

/// One that was told to end has this long to come to an `await`.
const YIELDS_WITHIN: Duration = Duration::from_secs(2);

pub(super) enum Outcome {
    Said(Verdict),
    Cancelled,
    /// It was to end and didn't let go of its thread; why it was to end.
    Stuck(String),
}

pub(super) async fn attempt(start: Start, cancelled: impl Future<Output = ()>) -> Outcome {
    let Start { running, limit, .. } = start;
    // Gone with whoever waits here.
    let (keep, kept) = oneshot::channel::<Infallible>();
    let runtime = Handle::current();
    let mut thread = tokio::task::spawn_blocking(move || {
        runtime.block_on(async {
            tokio::select! {
                verdict = catch_panic(running) => Some(verdict.unwrap_or_else(|panic| {
                    let place = panic.location.unwrap_or_default();
                    let way = panic.backtrace.unwrap_or_default();
                    Verdict::retry(format!("it panicked at {place}: {}\n{way}", panic.message))
                })),
                _ = kept => None,
            }
        })
    });
    let late = || format!("it took longer than {} s", limit.as_secs());
    let (outcome, why) = tokio::select! {
        ended = &mut thread => return match ended {
            Ok(Some(verdict)) => Outcome::Said(verdict),
            // The runtime ends, and nobody listens.
            _ => Outcome::Cancelled,
        },
        () = tokio::time::sleep(limit) => (Outcome::Said(Verdict::retry(late())), late()),
        () = cancelled => (Outcome::Cancelled, "it was cancelled".to_owned()),
    };
    drop(keep);
    match tokio::time::timeout(YIELDS_WITHIN, thread).await {
        Ok(_) => outcome,
        Err(_) => Outcome::Stuck(format!("{why}, and doesn't let go of its thread")),
    }
}
