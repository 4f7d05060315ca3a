//! What a node did lately: counts, and percentiles of waiting and running.
//!
//! Promise: recording is a handful of relaxed atomic adds and never allocates
//! or blocks. Percentiles cover the last one to two [`WINDOW`]s, so they follow
//! the present and not the whole uptime, and are at most a quarter too high.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

use crate::snapshot::Percentiles;
use crate::sync::locked;

/// How long one window of statistics is.
pub(crate) const WINDOW: Duration = Duration::from_secs(60);

/// Four buckets for each power of two up to about twelve days in µs.
const BUCKETS: usize = 4 * 40;

fn bucket_of(us: u64) -> usize {
    if us < 4 {
        return us as usize;
    }
    let power = us.ilog2();
    let quarter = (us >> (power - 2)) & 3;
    ((power as usize - 1) * 4 + quarter as usize).min(BUCKETS - 1)
}

/// The largest value that falls into a bucket.
fn top_of(bucket: usize) -> u64 {
    if bucket < 4 {
        return bucket as u64;
    }
    let power = bucket as u32 / 4 + 1;
    let quarter = bucket as u64 % 4;
    ((5 + quarter) << (power - 2)) - 1
}

struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    sum_us: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: [const { AtomicU64::new(0) }; BUCKETS], sum_us: AtomicU64::new(0) }
    }
}

impl Histogram {
    fn record(&self, took: Duration) {
        let us = took.as_micros() as u64;
        self.buckets[bucket_of(us)].fetch_add(1, Relaxed);
        self.sum_us.fetch_add(us, Relaxed);
    }

    fn clear(&self) {
        for bucket in &self.buckets {
            bucket.store(0, Relaxed);
        }
        self.sum_us.store(0, Relaxed);
    }
}

/// A reading of the last one or two windows.
pub(crate) struct Reading {
    pub(crate) sum: Duration,
    pub(crate) span: Duration,
    pub(crate) percentiles: Option<Percentiles>,
}

/// Two histograms that take turns.
struct Recent {
    halves: [Histogram; 2],
    /// Which half is written, in the lowest bit.
    turn: AtomicU64,
    born: Instant,
    turned_at: Mutex<[Instant; 2]>,
    /// When to turn next, µs after `born`.
    due_us: AtomicU64,
}

impl Default for Recent {
    fn default() -> Self {
        let now = Instant::now();
        Self {
            halves: Default::default(),
            turn: AtomicU64::new(0),
            born: now,
            turned_at: Mutex::new([now, now]),
            due_us: AtomicU64::new(WINDOW.as_micros() as u64),
        }
    }
}

impl Recent {
    fn record(&self, now: Instant, took: Duration) {
        self.turn_if_due(now);
        self.halves[(self.turn.load(Relaxed) & 1) as usize].record(took);
    }

    fn turn_if_due(&self, now: Instant) {
        let elapsed = (now - self.born).as_micros() as u64;
        let due = self.due_us.load(Relaxed);
        if elapsed < due {
            return;
        }
        let next = elapsed + WINDOW.as_micros() as u64;
        let ours = self.due_us.compare_exchange(due, next, Relaxed, Relaxed);
        if ours.is_err() {
            return;
        }
        let turn = self.turn.load(Relaxed) + 1;
        self.halves[(turn & 1) as usize].clear();
        let mut turned_at = locked(&self.turned_at);
        turned_at[0] = turned_at[1];
        turned_at[1] = now;
        // After a long silence the half just left is history as well.
        if now - turned_at[0] > 2 * WINDOW {
            self.halves[((turn + 1) & 1) as usize].clear();
            turned_at[0] = now;
        }
        self.turn.store(turn, Relaxed);
    }

    fn read(&self, now: Instant) -> Reading {
        self.turn_if_due(now);
        let since = locked(&self.turned_at)[0];
        let count_in = |bucket: usize| -> u64 {
            self.halves.iter().map(|half| half.buckets[bucket].load(Relaxed)).sum()
        };
        let counts: [u64; BUCKETS] = std::array::from_fn(count_in);
        let count: u64 = counts.iter().sum();
        let sum_us = self.halves.iter().map(|half| half.sum_us.load(Relaxed));
        Reading {
            sum: Duration::from_micros(sum_us.sum()),
            span: now - since,
            percentiles: (count > 0).then(|| Percentiles {
                p50_us: percentile(&counts, count, 50),
                p95_us: percentile(&counts, count, 95),
                p99_us: percentile(&counts, count, 99),
            }),
        }
    }
}

fn percentile(counts: &[u64], total: u64, percent: u64) -> u64 {
    let wanted = (total * percent).div_ceil(100);
    let mut seen = 0;
    for (bucket, count) in counts.iter().enumerate() {
        seen += count;
        if seen >= wanted {
            return top_of(bucket);
        }
    }
    0
}

/// The statistics of one node; outlives its actor like its mailbox does.
#[derive(Default)]
pub(crate) struct Meter {
    handled: AtomicU64,
    refused: AtomicU64,
    wait: Recent,
    run: Recent,
}

impl Meter {
    pub(crate) fn waited(&self, now: Instant, waited: Duration) {
        self.wait.record(now, waited);
    }

    /// `messages` were handled together in `took`.
    pub(crate) fn ran(&self, now: Instant, messages: u64, took: Duration) {
        self.handled.fetch_add(messages, Relaxed);
        self.run.record(now, took);
    }

    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    pub(crate) fn handled_total(&self) -> u64 {
        self.handled.load(Relaxed)
    }

    pub(crate) fn refused_total(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    pub(crate) fn waits(&self, now: Instant) -> Reading {
        self.wait.read(now)
    }

    pub(crate) fn runs(&self, now: Instant) -> Reading {
        self.run.read(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_bucket_holds_its_value_and_is_a_quarter_wide_at_most(us in 0u64..1 << 39) {
            let top = top_of(bucket_of(us));
            prop_assert!(top >= us);
            prop_assert!(top <= us + us / 4 + 1);
        }
    }

    #[tokio::test]
    async fn percentiles_follow_the_present() {
        let meter = Meter::default();
        let start = Instant::now();
        for _ in 0..100 {
            meter.ran(start, 1, Duration::from_secs(1));
        }
        let later = start + 3 * WINDOW;
        meter.ran(later, 1, Duration::from_micros(2));
        let run = meter.runs(later).percentiles.expect("one run");
        assert_eq!(run.p99_us, 2);
        assert_eq!(meter.handled_total(), 101);
    }
}
