//! Hashes passwords, a few at a time, off the request threads.
//!
//! A hash takes a core for some 20 ms and 19 MiB, on purpose. So the pool is as small as the cores
//! the shop can spare, and bounded: with as many waiting as it allows one more is refused at once,
//! and a flood of logins can starve other logins but never the shop. A worker that dies takes one
//! hash along, whose asker is told.

use crate::{
    domain::secret::Secret,
    ports::{
        accounts::PasswordHash,
        passwords::{HashError, PasswordHasher, Verdict},
    },
};
use std::{sync::Arc, time::Duration};
use supervisors::{
    CallError, Child, Context, Fault, Pool, PoolHandle, PoolOptions, Reply, Worker, pool,
};

/// Longer nobody waits at a login form; 64 hashes before one take under a second on two cores.
const PATIENCE: Duration = Duration::from_secs(10);
const STUCK: Duration = Duration::from_secs(30);

pub(crate) enum PasswordJob {
    Hash(Secret, [u8; 16], Reply<Result<PasswordHash, HashError>>),
    Compare(Secret, Option<PasswordHash>, Reply<Verdict>),
}

/// Why there is no hash.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordsError {
    /// Nothing was hashed: try again in a moment.
    #[error("too many passwords wait to be hashed: {0}")]
    Busy(CallError),
    #[error(transparent)]
    Failed(#[from] HashError),
}

impl From<CallError> for PasswordsError {
    fn from(error: CallError) -> Self {
        Self::Busy(error)
    }
}

/// The pool that [`password_workers`] serves; made before the tree.
pub(crate) fn password_pool(options: PoolOptions) -> Pool<PasswordJob> {
    Pool::new("passwords", PoolOptions { stuck_after: Some(STUCK), ..options })
}

/// The pool's workers as a child of the tree.
pub(crate) fn password_workers(of: &Pool<PasswordJob>, hasher: Arc<dyn PasswordHasher>) -> Child {
    pool(of, move || {
        let worker = PasswordWorker(Arc::clone(&hasher));
        async move { Ok(worker) }
    })
}

struct PasswordWorker(Arc<dyn PasswordHasher>);

impl Worker for PasswordWorker {
    type Job = PasswordJob;

    async fn run(&mut self, job: PasswordJob, _: &Context) -> Result<(), Fault> {
        let hasher = Arc::clone(&self.0);
        let work = move || match job {
            // Whoever asked may have gone while it waited.
            PasswordJob::Hash(password, salt, reply) if reply.is_awaited() => {
                reply.send(hasher.hash(&password, &salt));
            }
            PasswordJob::Compare(password, hash, reply) if reply.is_awaited() => {
                reply.send(hasher.compare(&password, hash.as_ref()));
            }
            PasswordJob::Hash(..) | PasswordJob::Compare(..) => {}
        };
        tokio::task::spawn_blocking(work).await.map_err(Fault::crash)
    }
}

/// Hashes and compares. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Passwords {
    pool: PoolHandle<PasswordJob>,
}

impl Passwords {
    pub(crate) fn new(pool: &Pool<PasswordJob>) -> Self {
        Self { pool: pool.handle() }
    }

    pub(crate) async fn hash(
        &self,
        password: Secret,
        salt: [u8; 16],
    ) -> Result<PasswordHash, PasswordsError> {
        let make = |reply| PasswordJob::Hash(password, salt, reply);
        Ok(self.pool.call(make, PATIENCE).await??)
    }

    /// As slow for `None` as for a hash, and then wrong.
    pub(crate) async fn compare(
        &self,
        password: Secret,
        hash: Option<PasswordHash>,
    ) -> Result<Verdict, PasswordsError> {
        let make = |reply| PasswordJob::Compare(password, hash, reply);
        Ok(self.pool.call(make, PATIENCE).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    };
    use supervisors::{
        Strategy, Supervisor,
        testing::{Universe, until},
    };

    /// Waits at a gate, and dies of one password.
    #[derive(Default)]
    struct Gated {
        open: Mutex<bool>,
        opened: Condvar,
        inside: AtomicUsize,
        most: AtomicUsize,
        done: AtomicUsize,
    }

    impl Gated {
        fn open(&self) {
            *self.open.lock().unwrap() = true;
            self.opened.notify_all();
        }
    }

    impl PasswordHasher for Gated {
        fn hash(&self, _: &Secret, _: &[u8; 16]) -> Result<PasswordHash, HashError> {
            Err(HashError("no".into()))
        }
        fn compare(&self, password: &Secret, _: Option<&PasswordHash>) -> Verdict {
            assert_ne!(password.expose(), "deadly");
            let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(inside, Ordering::SeqCst);
            let mut open = self.open.lock().unwrap();
            while !*open {
                open = self.opened.wait(open).unwrap();
            }
            drop(open);
            self.inside.fetch_sub(1, Ordering::SeqCst);
            self.done.fetch_add(1, Ordering::SeqCst);
            Verdict::Wrong
        }
    }

    async fn world(workers: usize, bound: usize) -> (Universe, Passwords, Arc<Gated>) {
        let hasher = Arc::new(Gated::default());
        let pool = password_pool(PoolOptions { workers, bound, ..PoolOptions::default() });
        let supervisor = Supervisor::new("test", Strategy::OneForOne)
            .child(password_workers(&pool, hasher.clone()));
        (Universe::start(supervisor).await.unwrap(), Passwords::new(&pool), hasher)
    }

    #[tokio::test]
    async fn two_at_a_time_some_wait_and_the_rest_are_refused_at_once() {
        let (universe, passwords, hasher) = world(2, 8).await;
        let ask = |_| passwords.compare(Secret::new("x"), None);
        let all = futures_util::future::join_all((0..200).map(ask));
        let open = async {
            until("two are inside", || hasher.inside.load(Ordering::SeqCst) == 2).await;
            hasher.open();
        };
        let (answers, ()) = tokio::join!(all, open);
        let answered = answers.iter().filter(|answer| answer.is_ok()).count();
        assert!((8..=10).contains(&answered), "{answered}");
        assert_eq!(hasher.most.load(Ordering::SeqCst), 2);
        assert_eq!(hasher.done.load(Ordering::SeqCst), answered);
        universe.stop().await;
    }

    #[tokio::test]
    async fn a_worker_that_dies_costs_one_answer() {
        let (universe, passwords, hasher) = world(1, 8).await;
        hasher.open();
        let lost = passwords.compare(Secret::new("deadly"), None).await;
        assert!(matches!(lost, Err(PasswordsError::Busy(CallError::Lost))), "{lost:?}");
        assert_eq!(passwords.compare(Secret::new("x"), None).await.unwrap(), Verdict::Wrong);
        assert!(passwords.hash(Secret::new("x"), [0; 16]).await.is_err());
        universe.stop().await;
    }
}
