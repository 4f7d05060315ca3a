//! Limits: how often something may be tried, for each of many.
//!
//! A bucket of tokens for each key, in memory: bounded in number, gone when it has been full for a
//! while, and full again after a restart. A key is kept as its hash alone.

use crate::{
    domain::bucket::{Bucket, Rate},
    ports::clock::Clock,
};
use moka::sync::Cache;
use sha2::{Digest, Sha256};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Keys of one limit; at more, those that were used least give way.
const MOST: u64 = 50_000;

/// Cheap to clone; clones share their buckets.
#[derive(Clone)]
pub(crate) struct Limit {
    rate: Rate,
    buckets: Cache<[u8; 16], Arc<Mutex<Bucket>>>,
    clock: Arc<dyn Clock>,
}

impl Limit {
    pub(crate) fn new(rate: Rate, clock: Arc<dyn Clock>) -> Self {
        let full_within = rate.every.saturating_mul(rate.burst.max(1));
        let buckets = Cache::builder()
            .max_capacity(MOST)
            .time_to_idle(full_within.max(Duration::from_secs(1)))
            .build();
        Self { rate, buckets, clock }
    }

    /// One try for this key; the error is how long to wait for the next.
    pub(crate) fn take(&self, key: &str) -> Result<(), Duration> {
        let now = self.clock.now();
        let bucket = self.buckets.get_with(hash(key), || Arc::new(Mutex::new(Bucket::full(now))));
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.take(self.rate, now)
    }

    /// This key begins anew.
    pub(crate) fn forget(&self, key: &str) {
        self.buckets.invalidate(&hash(key));
    }

    /// The try turned out not to count.
    pub(crate) fn give_back(&self, key: &str) {
        if let Some(bucket) = self.buckets.get(&hash(key)) {
            bucket.lock().unwrap_or_else(PoisonError::into_inner).give_back(self.rate);
        }
    }
}

/// How long to wait, for people: whole minutes, or seconds below a hundred.
pub(crate) fn words(wait: Duration) -> String {
    match wait.as_secs() {
        0..=1 => "a second".to_owned(),
        seconds @ 2..=99 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}

fn hash(key: &str) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&Sha256::digest(key)[..16]);
    half
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Micros;
    use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

    struct At(AtomicI64);

    impl Clock for At {
        fn now(&self) -> Micros {
            Micros(self.0.load(Ordering::SeqCst))
        }
    }

    #[test]
    fn each_key_has_its_own_tries_however_many_ask_at_once() {
        let clock = Arc::new(At(AtomicI64::new(1_000_000_000)));
        let rate = Rate { burst: 5, every: Duration::from_secs(10) };
        let limit = Limit::new(rate, clock.clone());
        let passed = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        if limit.take("ada").is_ok() {
                            passed.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                });
            }
        });
        assert_eq!(passed.load(Ordering::SeqCst), 5);
        assert_eq!(limit.take("bob"), Ok(()));
        assert_eq!(limit.take("ada"), Err(Duration::from_secs(10)));
        limit.give_back("ada");
        assert_eq!(limit.take("ada"), Ok(()));
        clock.0.fetch_add(10_000_000, Ordering::SeqCst);
        assert_eq!(limit.take("ada"), Ok(()));
    }
}
