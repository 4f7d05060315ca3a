use super::*;
use crate::{
    domain::{event::Event, time::Micros},
    ports::StoreError,
};
use async_trait::async_trait;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use supervisors::{
    Backoff, State, Strategy, Supervisor,
    testing::{Universe, until},
};
use uuid::Uuid;

/// A log whose rows wait for a number, as PostgreSQL's do.
#[derive(Default)]
struct Log {
    waiting: AtomicI64,
    head: AtomicI64,
    /// Another node is numbering: ours find nothing to do.
    taken: AtomicBool,
    down: AtomicBool,
    looks: AtomicUsize,
}

impl Log {
    fn ask(&self) -> Result<(), StoreError> {
        match self.down.load(Ordering::SeqCst) {
            true => Err(StoreError::Unavailable("cut".into())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Outbox for Log {
    async fn after(&self, _: i64, _: u32) -> Result<Vec<Event>, StoreError> {
        unreachable!("a relay reads no events")
    }
    async fn head(&self) -> Result<Position, StoreError> {
        self.ask()?;
        self.looks.fetch_add(1, Ordering::SeqCst);
        Ok(Position { epoch: Uuid::nil(), offset: self.head.load(Ordering::SeqCst) })
    }
    async fn pruned(&self) -> Result<i64, StoreError> {
        Ok(0)
    }
    async fn number(&self) -> Result<u64, StoreError> {
        self.ask()?;
        if self.taken.swap(false, Ordering::SeqCst) {
            return Ok(0);
        }
        let numbered = self.waiting.swap(0, Ordering::SeqCst);
        self.head.fetch_add(numbered, Ordering::SeqCst);
        Ok(numbered.unsigned_abs())
    }
    async fn prune(&self, _: i64, _: Micros) -> Result<u64, StoreError> {
        unreachable!("a relay prunes nothing")
    }
}

struct Follower(Arc<AtomicUsize>);

impl Reconciler for Follower {
    async fn pass(&mut self, _: &Context) -> Result<Next, Fault> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Next::Idle)
    }
}

struct Node {
    log: Arc<Log>,
    committed: Nudge,
    /// Passes of each follower; the first is its own.
    passes: [Arc<AtomicUsize>; 2],
    universe: Universe,
}

impl Node {
    async fn start() -> Self {
        let log = Arc::new(Log::default());
        let outbox: Arc<dyn Outbox> = Arc::clone(&log) as _;
        let committed = Nudge::new();
        let nudges = [Nudge::new(), Nudge::new()];
        let passes: [Arc<AtomicUsize>; 2] = Default::default();
        let never = Duration::from_secs(3600);
        let mut tree = Supervisor::new("test", Strategy::OneForOne).backoff(Backoff::NONE);
        for (name, (nudge, passes)) in ["one", "two"].into_iter().zip(nudges.iter().zip(&passes)) {
            let passes = Arc::clone(passes);
            tree = tree.child(reconciler(name, never, nudge, move || {
                let follower = Follower(Arc::clone(&passes));
                async move { Ok(follower) }
            }));
        }
        let tree = tree.child(outbox_relay(&outbox, &committed, nudges.to_vec()));
        let universe = Universe::start(tree).await.unwrap();
        let node = Self { log, committed, passes, universe };
        until("the relay has looked", || node.log.looks.load(Ordering::SeqCst) > 0).await;
        until("the followers have passed", || node.passes() >= 2).await;
        node
    }

    fn passes(&self) -> usize {
        self.passes.iter().map(|p| p.load(Ordering::SeqCst)).min().unwrap_or_default()
    }

    /// Waits until both followers have been woken after `work`.
    async fn both_are_woken_by(&self, what: &str, work: impl FnOnce(&Self)) {
        let before = self.passes();
        work(self);
        until(what, || self.passes() > before).await;
    }
}

#[tokio::test]
async fn followers_are_woken_after_a_commit_of_ours() {
    let node = Node::start().await;
    node.both_are_woken_by("a commit of ours", |node| {
        node.log.waiting.store(3, Ordering::SeqCst);
        node.committed.wake();
    })
    .await;
    assert_eq!(node.log.head.load(Ordering::SeqCst), 3);
    node.universe.stop().await;
}

#[tokio::test]
async fn followers_are_woken_after_another_processes_commit_too() {
    let node = Node::start().await;
    node.both_are_woken_by("a commit of another process", |node| {
        node.log.head.store(5, Ordering::SeqCst);
    })
    .await;
    node.universe.stop().await;
}

#[tokio::test]
async fn rows_that_another_node_left_unnumbered_are_looked_at_again() {
    let node = Node::start().await;
    node.both_are_woken_by("a second look", |node| {
        node.log.taken.store(true, Ordering::SeqCst);
        node.log.waiting.store(1, Ordering::SeqCst);
        node.committed.wake();
    })
    .await;
    node.universe.stop().await;
}

#[tokio::test]
async fn nobody_is_woken_when_nothing_happened() {
    let node = Node::start().await;
    let (before, looks) = (node.passes(), node.log.looks.load(Ordering::SeqCst));
    until("some looks", || node.log.looks.load(Ordering::SeqCst) > looks + 2).await;
    node.universe.stop().await;
    assert_eq!(node.passes(), before);
}

#[tokio::test]
async fn a_database_that_is_away_is_waited_for() {
    let node = Node::start().await;
    node.log.down.store(true, Ordering::SeqCst);
    node.committed.wake();
    let waits = |s: &supervisors::Snapshot| {
        matches!(s.find("test/outbox-relay").unwrap().state, State::Waiting { .. })
    };
    node.universe.until("the relay waits", waits).await;
    node.both_are_woken_by("the database is back", |node| {
        node.log.waiting.store(1, Ordering::SeqCst);
        node.log.down.store(false, Ordering::SeqCst);
    })
    .await;
    let view = node.universe.view().snapshot();
    assert_eq!(view.find("test/outbox-relay").unwrap().restarts, 0);
    node.universe.stop().await;
}
