//! Answers to calls.
//!
//! Promise: every call gets exactly one outcome. A [`Reply`] that is dropped
//! unanswered still answers: with [`CallError::Stopped`] if its message was
//! thrown away while waiting, and with [`CallError::Lost`] if the actor died
//! (or returned) with the message in hand.

use std::cell::Cell;
use std::future::Future;
use std::time::Duration;

use tokio::sync::oneshot;

/// What a caller may do differently when it gets no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Refused before it was queued; nothing happened. Come back later.
    #[error("the queue is full")]
    Full,
    /// Nothing happened and nothing will: the tree is stopping, or the actor gave up for good.
    #[error("the actor is stopped")]
    Stopped,
    /// The actor died with the message in hand: it may or may not have taken effect.
    #[error("the actor died with the message in hand")]
    Lost,
    /// No answer in time: it may or may not take effect, now or later.
    #[error("no answer in time")]
    TimedOut,
}

impl CallError {
    /// Whether the message may have taken effect, so that only a retry with
    /// the same idempotency key is safe.
    pub fn is_unknown(self) -> bool {
        matches!(self, Self::Lost | Self::TimedOut)
    }
}

thread_local! {
    static DISCARDING: Cell<bool> = const { Cell::new(false) };
}

/// Drops messages that were never handed to an actor: their callers get `Stopped`.
pub(crate) fn discard<T>(messages: T) {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            DISCARDING.set(self.0);
        }
    }
    let _restore = Restore(DISCARDING.replace(true));
    drop(messages);
}

/// The one place to send a call's answer to.
#[derive(Debug)]
pub struct Reply<R> {
    sender: Option<oneshot::Sender<Result<R, CallError>>>,
}

impl<R> Reply<R> {
    /// A reply and the answer it will bring, for messages sent by hand with
    /// [`Address::try_send`](crate::Address::try_send).
    pub fn new() -> (Self, Answer<R>) {
        let (sender, receiver) = oneshot::channel();
        let reply = Self { sender: Some(sender) };
        (reply, Answer { receiver })
    }

    /// Answers the caller; it is no error if the caller has gone.
    pub fn send(mut self, answer: R) {
        if let Some(sender) = self.sender.take() {
            let _caller_gone = sender.send(Ok(answer));
        }
    }

    /// Whether somebody still waits. A read may be skipped when nobody does.
    pub fn is_awaited(&self) -> bool {
        self.sender.as_ref().is_some_and(|s| !s.is_closed())
    }
}

impl<R> Drop for Reply<R> {
    fn drop(&mut self) {
        if let Some(sender) = self.sender.take() {
            let outcome = if DISCARDING.get() { CallError::Stopped } else { CallError::Lost };
            let _caller_gone = sender.send(Err(outcome));
        }
    }
}

/// The other end of a [`Reply`].
#[derive(Debug)]
pub struct Answer<R> {
    receiver: oneshot::Receiver<Result<R, CallError>>,
}

impl<R> Answer<R> {
    /// Waits for the answer, at most `within`.
    pub async fn within(self, within: Duration) -> Result<R, CallError> {
        match tokio::time::timeout(within, self.receiver).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_closed)) => Err(CallError::Lost),
            Err(_elapsed) => Err(CallError::TimedOut),
        }
    }
}

/// Sends a message made around a fresh reply and waits for its answer.
pub(crate) async fn ask<M, R>(
    make: impl FnOnce(Reply<R>) -> M,
    send: impl FnOnce(M) -> Result<(), CallError>,
    within: Duration,
) -> Result<R, CallError> {
    let (reply, answer) = Reply::new();
    send(make(reply))?;
    answer.within(within).await
}

/// A boxed future; the crate's few dynamic calls are per start, not per message.
pub(crate) type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
