//! Looks now and then whether the database is whole, so that damage is noticed before somebody
//! happens to read it.
//!
//! Promise: what was found stays said until a later look finds nothing. The first look waits for
//! its time, as a start must not read a whole database. When it dies, the verdict stays as it was
//! and the waiting begins anew.

use super::store_fault;
use crate::ports::{StoreError, integrity::Integrity};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use supervisors::{Child, Context, Fault, Next, Nudge, Reconciler, reconciler};

/// What the last look found. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdict(Arc<Mutex<Option<String>>>);

impl Verdict {
    /// What is damaged; `None` while nothing is known to be.
    pub(crate) fn damage(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says whether that is news.
    fn is(&self, damage: Option<String>) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let news = *known != damage;
        *known = damage;
        news
    }
}

/// The watch as a child of the tree: looks `every` so often, and when it is nudged.
pub(crate) fn integrity(
    store: &Arc<dyn Integrity>,
    verdict: &Verdict,
    every: Duration,
    nudge: &Nudge,
) -> Child {
    let (store, verdict) = (Arc::clone(store), verdict.clone());
    reconciler("integrity", every, nudge, move || {
        let watch =
            IntegrityWatch { store: Arc::clone(&store), verdict: verdict.clone(), first: true };
        async move { Ok(watch) }
    })
}

struct IntegrityWatch {
    store: Arc<dyn Integrity>,
    verdict: Verdict,
    first: bool,
}

impl Reconciler for IntegrityWatch {
    async fn pass(&mut self, _: &Context) -> Result<Next, Fault> {
        if std::mem::take(&mut self.first) {
            return Ok(Next::Idle);
        }
        match self.store.verify().await {
            Ok(()) => {
                if self.verdict.is(None) {
                    tracing::info!("the database is whole again");
                }
            }
            Err(StoreError::Corrupt(damage)) => {
                if self.verdict.is(Some(damage.clone())) {
                    tracing::error!(
                        error = damage,
                        "the database is damaged: stop, keep a copy of the data folder, and run \
                         `stoa doctor`, then `stoa restore` from a backup"
                    );
                }
            }
            Err(error) => return Err(store_fault(error)),
        }
        Ok(Next::Idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use supervisors::{
        Snapshot, Strategy, Supervisor,
        testing::{Universe, until},
    };

    /// Answers what the test last said.
    struct Disk(Mutex<(Result<(), StoreError>, u64)>);

    #[async_trait]
    impl Integrity for Disk {
        async fn verify(&self) -> Result<(), StoreError> {
            let mut disk = self.0.lock().unwrap();
            disk.1 += 1;
            disk.0.clone()
        }
    }

    #[tokio::test]
    async fn damage_is_said_until_a_look_finds_none() {
        let disk = Arc::new(Disk(Mutex::new((Ok(()), 0))));
        let looks = || disk.0.lock().unwrap().1;
        let store: Arc<dyn Integrity> = disk.clone();
        let (verdict, nudge) = (Verdict::default(), Nudge::new());
        let child = integrity(&store, &verdict, Duration::from_secs(3600), &nudge);
        let tree = Supervisor::new("test", Strategy::OneForOne).child(child);
        let universe = Universe::start(tree).await.unwrap();
        let passed =
            |tree: &Snapshot| tree.walk().iter().any(|n| n.name == "integrity" && n.handled == 1);
        universe.until("the first pass to be over", passed).await;
        assert_eq!((looks(), verdict.damage()), (0, None), "a start reads nothing");

        disk.0.lock().unwrap().0 = Err(StoreError::Corrupt("page 7".into()));
        nudge.wake();
        until("the damage to be said", || verdict.damage().is_some()).await;
        // A look that can't tell leaves what is known.
        disk.0.lock().unwrap().0 = Err(StoreError::Unavailable("busy".into()));
        let before = looks();
        nudge.wake();
        until("another look", || looks() > before).await;
        assert_eq!(verdict.damage().as_deref(), Some("page 7"));
        disk.0.lock().unwrap().0 = Ok(());
        nudge.wake();
        until("the all-clear", || verdict.damage().is_none()).await;
        universe.stop().await;
    }
}
