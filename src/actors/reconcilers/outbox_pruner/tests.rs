use super::*;
use crate::{domain::event::Event, ports::StoreError};
use async_trait::async_trait;
use std::sync::Mutex;
use supervisors::{
    Strategy, Supervisor,
    testing::{Universe, until},
};
use uuid::Uuid;

const HEAD: Position = Position { epoch: Uuid::nil(), offset: 100 };

/// Remembers what it was asked to drop.
#[derive(Default)]
struct Log(Mutex<Vec<(i64, Micros)>>);

#[async_trait]
impl Outbox for Log {
    async fn after(&self, _: i64, _: u32) -> Result<Vec<Event>, StoreError> {
        unreachable!("a pruner reads no events")
    }
    async fn head(&self) -> Result<Position, StoreError> {
        Ok(HEAD)
    }
    async fn pruned(&self) -> Result<i64, StoreError> {
        Ok(0)
    }
    async fn number(&self) -> Result<u64, StoreError> {
        unreachable!("a pruner numbers nothing")
    }
    async fn prune(&self, offset: i64, older_than: Micros) -> Result<u64, StoreError> {
        self.0.lock().unwrap().push((offset, older_than));
        Ok(1)
    }
}

impl Clock for Log {
    fn now(&self) -> Micros {
        Micros(60_000_000)
    }
}

fn at(offset: i64) -> Option<Position> {
    Some(Position { epoch: HEAD.epoch, offset })
}

#[tokio::test]
async fn what_all_have_and_nobody_may_want_is_dropped() {
    let log = Arc::new(Log::default());
    let (documents, search) = (Progress::default(), Progress::default());
    documents.stands_at(at(90));
    let parts = PrunerParts {
        outbox: Arc::clone(&log) as _,
        clock: Arc::clone(&log) as _,
        followers: vec![documents.clone(), search.clone()],
        retention: Duration::from_secs(10),
    };
    let nudge = Nudge::new();
    let tree = Supervisor::new("test", Strategy::OneForOne).child(outbox_pruner(parts, &nudge));
    let universe = Universe::start(tree).await.unwrap();
    let passes =
        |n| move |s: &supervisors::Snapshot| s.find("test/outbox-pruner").unwrap().handled >= n;
    // The index has not said yet where it is.
    universe.until("the first pass", passes(1)).await;
    assert_eq!(*log.0.lock().unwrap(), []);
    search.stands_at(at(40));
    nudge.wake();
    until("pruned", || !log.0.lock().unwrap().is_empty()).await;
    universe.stop().await;
    assert_eq!(*log.0.lock().unwrap(), [(40, Micros(50_000_000))]);
}

#[test]
fn a_follower_of_another_log_or_of_none_keeps_everything() {
    assert_eq!(behind_all(&[at(3), at(7)], HEAD), Some(3));
    assert_eq!(behind_all(&[at(3), None], HEAD), None);
    let elsewhere = Some(Position { epoch: Uuid::max(), offset: 3 });
    assert_eq!(behind_all(&[at(3), elsewhere], HEAD), None);
    assert_eq!(behind_all(&[at(101)], HEAD), None);
    assert_eq!(behind_all(&[], HEAD), None);
}

#[test]
fn the_age_of_a_state_grows_until_it_is_level_again() {
    let progress = Progress::default();
    assert_eq!(progress.age(Micros(5)), None);
    progress.was_level(Micros(5));
    assert_eq!(progress.age(Micros(9)), Some(Duration::from_micros(4)));
    progress.was_level(Micros(9));
    assert_eq!(progress.age(Micros(9)), Some(Duration::ZERO));
}
