//! A thread for one owner's blocking work, piece after piece.
//!
//! Work that comes in pieces for minutes, as an import's does, is not given to whichever thread of
//! the runtime is free: the C library's allocator keeps an arena for each thread, and gives back
//! little of what its largest piece took. On a thread of its own that is kept once.
//!
//! Pieces that wait are not done once all clones are gone; the one under way is finished.

use std::sync::{Arc, OnceLock};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};

/// See the module. Clones share the thread, which is started with the first piece.
#[derive(Clone)]
pub(crate) struct Hand(Arc<Thread>);

struct Thread {
    name: &'static str,
    /// Of a single blocking thread, and nothing else. `None` inside: the system has none to give.
    runtime: OnceLock<Option<Runtime>>,
}

impl Hand {
    pub(crate) fn new(name: &'static str) -> Self {
        Self(Arc::new(Thread { name, runtime: OnceLock::new() }))
    }

    /// Does it behind what it was given before. Dropping the answer calls nothing back.
    pub(crate) fn start<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let make = || {
            let mut builder = Builder::new_current_thread();
            builder.thread_name(self.0.name).max_blocking_threads(1).build().ok()
        };
        match self.0.runtime.get_or_init(make) {
            Some(runtime) => runtime.spawn_blocking(work),
            None => tokio::task::spawn_blocking(work),
        }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // A runtime that is merely dropped waits for its thread, and may not do so in a task.
        if let Some(Some(runtime)) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::Mutex, thread};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn all_pieces_are_done_in_turn_by_one_thread() {
        let hand = Hand::new("a hand");
        let done = Arc::new(Mutex::new(Vec::new()));
        let pieces: Vec<_> = (0..100)
            .map(|piece| {
                let done = Arc::clone(&done);
                hand.start(move || {
                    done.lock().unwrap().push(piece);
                    let me = thread::current();
                    (me.id(), me.name().map(str::to_owned))
                })
            })
            .collect();
        let mut by = Vec::new();
        for piece in pieces {
            by.push(piece.await.unwrap());
        }
        assert!(by.iter().all(|one| *one == by[0] && one.1.as_deref() == Some("a hand")), "{by:?}");
        assert!(done.lock().unwrap().iter().copied().eq(0..100));
    }

    #[tokio::test]
    async fn a_panic_is_the_pieces_own() {
        let hand = Hand::new("a hand");
        assert!(hand.start(|| panic!("of this piece")).await.unwrap_err().is_panic());
        assert_eq!(hand.start(|| 1).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn what_is_under_way_is_finished_though_nobody_holds_the_hand() {
        let hand = Hand::new("a hand");
        let (begin, begun) = std::sync::mpsc::sync_channel(0);
        let piece = hand.start(move || begun.recv().unwrap());
        begin.send(7).unwrap();
        drop(hand);
        assert_eq!(piece.await.unwrap(), 7);
    }
}
