//! Mailboxes that outlive their actors.
//!
//! Promise: at most `bound` messages of each rank wait; one more is refused, at
//! once and to the sender's face. What waits when the actor dies is served by
//! its successor, in the same order. If there will be none, because the tree has
//! ended or because nobody holds the mailbox any more to make one, every caller
//! gets [`CallError::Stopped`].

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use crate::bell::Bell;
use crate::meter::Meter;
use crate::reply::{CallError, Reply, ask, discard};
use crate::sync::locked;

struct Waiting<M> {
    message: M,
    since: Instant,
}

struct Queue<M> {
    ranks: Box<[VecDeque<Waiting<M>>]>,
    closed: bool,
}

pub(crate) struct Inner<M> {
    name: Cow<'static, str>,
    bound: usize,
    queue: Mutex<Queue<M>>,
    pub(crate) bell: Arc<Bell>,
    pub(crate) meter: Arc<Meter>,
}

/// A bounded queue, made before its actor and handed to it at each start.
pub struct Mailbox<M> {
    owner: Arc<Owner<M>>,
}

/// All clones of a mailbox, the one in its actor's plan included.
struct Owner<M>(Arc<Inner<M>>);

/// Where to send messages to: a cheap, cloneable handle of a [`Mailbox`].
pub struct Address<M> {
    inner: Arc<Inner<M>>,
}

/// A message that was not queued, handed back.
pub struct Refused<M> {
    /// The message, untouched.
    pub message: M,
    /// `Full` or `Stopped`.
    pub reason: CallError,
}

impl<M: Send + 'static> Mailbox<M> {
    /// A mailbox for `bound` messages, first come, first served.
    pub fn new(name: impl Into<Cow<'static, str>>, bound: usize) -> Self {
        Self::ranked(name, bound, 1)
    }

    /// A mailbox with `ranks` queues; rank 0 is served first. The bound holds
    /// for each rank alone, so a flood of background work never refuses a
    /// checkout.
    pub fn ranked(name: impl Into<Cow<'static, str>>, bound: usize, ranks: u8) -> Self {
        let ranks = (0..ranks.max(1)).map(|_| VecDeque::new()).collect();
        let inner = Inner {
            name: name.into(),
            bound: bound.max(1),
            queue: Mutex::new(Queue { ranks, closed: false }),
            bell: Arc::default(),
            meter: Arc::default(),
        };
        Self { owner: Arc::new(Owner(Arc::new(inner))) }
    }

    /// A handle to send to.
    pub fn address(&self) -> Address<M> {
        Address { inner: Arc::clone(self.inner()) }
    }

    pub(crate) fn inner(&self) -> &Arc<Inner<M>> {
        &self.owner.0
    }
}

impl<M> Inner<M> {
    fn push(&self, rank: u8, message: M) -> Result<(), Refused<M>> {
        let mut queue = locked(&self.queue);
        if queue.closed {
            drop(queue);
            return Err(Refused { message, reason: CallError::Stopped });
        }
        let last = queue.ranks.len() - 1;
        let line = &mut queue.ranks[usize::from(rank).min(last)];
        if line.len() >= self.bound {
            drop(queue);
            self.meter.refused();
            return Err(Refused { message, reason: CallError::Full });
        }
        line.push_back(Waiting { message, since: Instant::now() });
        drop(queue);
        self.bell.ring();
        Ok(())
    }

    /// Takes up to `most` messages out, lowest rank number first, and of the
    /// last of several ranks no more than `most_of_last`.
    pub(crate) fn take(&self, most: usize, most_of_last: usize) -> Vec<M> {
        let mut queue = locked(&self.queue);
        let waiting: usize = queue.ranks.iter().map(VecDeque::len).sum();
        let most = waiting.min(most.max(1));
        if most == 0 {
            return Vec::new();
        }
        let last = match queue.ranks.len() {
            1 => usize::MAX,
            several => several - 1,
        };
        let mut taken = Vec::with_capacity(most);
        let now = Instant::now();
        for (rank, line) in queue.ranks.iter_mut().enumerate() {
            let bound = if rank == last { most_of_last.max(1) } else { usize::MAX };
            let from_here = line.len().min(most - taken.len()).min(bound);
            for waiting in line.drain(..from_here) {
                self.meter.waited(now, now - waiting.since);
                taken.push(waiting.message);
            }
        }
        taken
    }

    pub(crate) fn depth(&self) -> usize {
        locked(&self.queue).ranks.iter().map(VecDeque::len).sum()
    }

    pub(crate) fn bound(&self) -> usize {
        self.bound * locked(&self.queue).ranks.len()
    }

    /// Takes messages again, after a start.
    pub(crate) fn open(&self) {
        locked(&self.queue).closed = false;
    }

    /// Takes no more; what waits may still be served.
    pub(crate) fn close(&self) {
        locked(&self.queue).closed = true;
    }

    /// Closes, and answers everything that waits with `Stopped`.
    pub(crate) fn abandon(&self) {
        self.close();
        let left = self.take_silently();
        discard(left);
    }

    fn take_silently(&self) -> Vec<VecDeque<Waiting<M>>> {
        let mut queue = locked(&self.queue);
        queue.ranks.iter_mut().map(std::mem::take).collect()
    }
}

impl<M> Drop for Owner<M> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl<M> Drop for Inner<M> {
    fn drop(&mut self) {
        discard(self.take_silently());
    }
}

impl<M> Address<M> {
    /// Sends a message with a reply in it and waits for the answer.
    pub async fn call<R>(
        &self,
        make: impl FnOnce(Reply<R>) -> M,
        within: Duration,
    ) -> Result<R, CallError> {
        self.call_ranked(0, make, within).await
    }

    /// Like [`call`](Self::call), in the queue of `rank` (0 is served first;
    /// a rank the mailbox lacks is its last).
    pub async fn call_ranked<R>(
        &self,
        rank: u8,
        make: impl FnOnce(Reply<R>) -> M,
        within: Duration,
    ) -> Result<R, CallError> {
        let send = |message| self.inner.push(rank, message).map_err(|r| r.reason);
        ask(make, send, within).await
    }

    /// Queues a message that carries its own reply, or needs none.
    pub fn try_send(&self, message: M) -> Result<(), Refused<M>> {
        self.inner.push(0, message)
    }

    /// Like [`try_send`](Self::try_send), in the queue of `rank`.
    pub fn try_send_ranked(&self, rank: u8, message: M) -> Result<(), Refused<M>> {
        self.inner.push(rank, message)
    }

    /// How many messages wait, of all ranks.
    pub fn depth(&self) -> usize {
        self.inner.depth()
    }

    /// The name the mailbox was made with.
    pub fn name(&self) -> &str {
        &self.inner.name
    }
}

impl<M> std::fmt::Debug for Refused<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Refused").field(&self.reason).finish()
    }
}

impl<M> std::fmt::Display for Refused<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.reason.fmt(f)
    }
}

impl<M> std::error::Error for Refused<M> {}

impl<M> Clone for Mailbox<M> {
    fn clone(&self) -> Self {
        Self { owner: Arc::clone(&self.owner) }
    }
}

impl<M> Clone for Address<M> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<M> std::fmt::Debug for Mailbox<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Mailbox").field(&self.owner.0.name).finish()
    }
}

impl<M> std::fmt::Debug for Address<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Address").field(&self.inner.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_last_rank_no_more_than_a_bite_is_taken_and_that_behind_all_others() {
        let mailbox = Mailbox::ranked("writer", 8, 3);
        let send = |rank, n| mailbox.address().try_send_ranked(rank, (rank, n)).unwrap();
        for n in 0..3 {
            send(2, n);
            send(0, n);
        }
        send(1, 0);
        let inner = mailbox.inner();
        assert_eq!(inner.take(9, 1), [(0, 0), (0, 1), (0, 2), (1, 0), (2, 0)]);
        assert_eq!(inner.take(9, 1), [(2, 1)]);
        assert_eq!(inner.take(9, usize::MAX), [(2, 2)]);
        assert_eq!(inner.depth(), 0);
    }

    #[tokio::test]
    async fn where_nobody_holds_the_mailbox_any_more_callers_are_told_at_once() {
        let mailbox: Mailbox<Reply<()>> = Mailbox::new("keeper", 8);
        let address = mailbox.address();
        let again = mailbox.clone();
        drop(mailbox);
        let waits = address.call(|reply| reply, Duration::from_secs(60));
        let gone = async { drop(again) };
        let (told, ()) = tokio::join!(waits, gone);
        assert_eq!(told, Err(CallError::Stopped), "it waited already");
        let later = address.call(|reply| reply, Duration::from_secs(60)).await;
        assert_eq!(later, Err(CallError::Stopped));
    }

    #[test]
    fn where_there_is_one_rank_it_is_not_the_last_of_several() {
        let mailbox = Mailbox::new("keeper", 8);
        (0..4).for_each(|n| mailbox.address().try_send(n).unwrap());
        assert_eq!(mailbox.inner().take(3, 1), [0, 1, 2]);
    }
}
