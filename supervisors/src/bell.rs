//! Wakes.
//!
//! Promise: ringing never blocks, never fails and is never lost. However often
//! it rings, at most one [`Wake`] waits in the actor's ractor mailbox. A ring
//! while there is no actor is kept and heard by the next one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use ractor::ActorRef;

use crate::sync::locked;

/// The only message our ractor actors receive: look at what waits for you.
#[derive(Debug)]
pub(crate) struct Wake;

impl ractor::Message for Wake {}

#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: AtomicBool,
    listener: Mutex<Option<ActorRef<Wake>>>,
}

impl Bell {
    pub(crate) fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel)
            && let Some(listener) = locked(&self.listener).as_ref()
        {
            // A dead listener is no loss: its successor is woken when it attaches.
            let _dead = listener.send_message(Wake);
        }
    }

    /// Makes `listener` the one who is woken, and wakes it at once: something
    /// may have been left by its predecessor.
    pub(crate) fn attach(&self, listener: ActorRef<Wake>) {
        let mut current = locked(&self.listener);
        self.rung.store(true, Ordering::Release);
        let _dead = listener.send_message(Wake);
        *current = Some(listener);
    }

    /// To be called before looking at what waits, so that whatever arrives
    /// after the look rings again.
    pub(crate) fn heard(&self) {
        self.rung.swap(false, Ordering::AcqRel);
    }
}

/// Wakes a reconciler: coalesced, never blocks, carries nothing.
///
/// A nudge given while a pass runs starts another pass after it, as the running
/// one may have looked too early.
#[derive(Debug, Clone, Default)]
pub struct Nudge {
    bell: Arc<Bell>,
}

impl Nudge {
    /// A nudge nobody listens to yet; it is remembered until somebody does.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for a pass.
    pub fn wake(&self) {
        self.bell.ring();
    }

    pub(crate) fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }
}
