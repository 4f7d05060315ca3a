//! The machine's time and ids: the one place that reads a wall clock or draws randomness.
//!
//! The wall clock is read once, as the process starts; from then on the monotonic clock counts, so
//! an operator's or a time server's jump neither ends a hold early nor fires a schedule twice.

use crate::{
    domain::time::Micros,
    ports::clock::{Clock, Ids},
};
use std::time::{Instant, SystemTime};
use uuid::Uuid;

#[derive(Debug, Clone)]
pub struct SystemClock {
    wall_at_boot: i64,
    boot: Instant,
}

impl SystemClock {
    /// Make one per process and hand it down.
    #[expect(clippy::disallowed_methods, reason = "the clock port's own source")]
    pub fn start() -> Self {
        Self { wall_at_boot: wall_micros(), boot: Instant::now() }
    }

    /// How far the wall clock has moved away from ours since the start, in µs: what an alert about
    /// a step is made of.
    pub fn drift_us(&self) -> i64 {
        wall_micros() - self.now().0
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Micros {
        Micros(self.wall_at_boot + micros(self.boot.elapsed().as_micros()))
    }
}

/// Time-ordered random ids (UUIDv7, RFC 9562), rising within a process also inside one
/// millisecond.
#[derive(Debug, Clone, Copy, Default)]
pub struct UuidV7;

impl Ids for UuidV7 {
    #[expect(clippy::disallowed_methods, reason = "the ids port's own source")]
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}

#[expect(clippy::disallowed_methods, reason = "the clock port's own source")]
fn wall_micros() -> i64 {
    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => micros(since.as_micros()),
        // A machine without a battery may wake up before 1970.
        Err(before) => -micros(before.duration().as_micros()),
    }
}

fn micros(of: u128) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_goes_back_and_ids_rise() {
        let clock = SystemClock::start();
        let (mut now, mut id) = (clock.now(), UuidV7.next());
        assert!(now.0 > 1_700_000_000_000_000, "micros since 1970, not millis or seconds");
        for _ in 0..1_000 {
            let (later, next) = (clock.now(), UuidV7.next());
            assert!(later >= now && next > id);
            (now, id) = (later, next);
        }
    }
}
