//! The machine's time and ids: the one place that reads a wall clock or draws randomness.
//!
//! The wall clock is read once, as the process starts; from then on the monotonic clock counts, so
//! an operator's or a time server's jump neither ends a hold early nor fires a schedule twice.

use crate::{
    domain::time::Micros,
    ports::clock::{Clock, Ids},
};
use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};
use uuid::Uuid;

#[derive(Clone)]
pub struct SystemClock {
    wall: Arc<dyn Fn() -> i64 + Send + Sync>,
    wall_at_boot: i64,
    boot: Instant,
}

impl SystemClock {
    /// Make one per process and hand it down.
    pub fn start() -> Self {
        Self::by(wall_micros)
    }

    #[expect(clippy::disallowed_methods, reason = "the clock port's own source")]
    fn by(wall: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self { wall_at_boot: wall(), wall: Arc::new(wall), boot: Instant::now() }
    }

    /// How far the wall clock has moved away from ours since the start, in µs. It is set by hand or
    /// by a time server, or the machine slept: what is kept from now on bears a time that others
    /// don't share, and only a new start mends that.
    pub fn drift_us(&self) -> i64 {
        (self.wall)().saturating_sub(self.now().0)
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
    use std::sync::atomic::{AtomicI64, Ordering};

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

    /// An hour forth, an hour back: neither ends a hold early, nor fires a schedule twice, nor hides.
    #[test]
    fn a_step_of_the_wall_clock_moves_nothing_and_is_told() {
        const HOUR: i64 = 3_600_000_000;
        let wall = Arc::new(AtomicI64::new(1_800_000_000_000_000));
        let hands = Arc::clone(&wall);
        let clock = SystemClock::by(move || hands.load(Ordering::SeqCst));
        let mut now = clock.now();
        for (step, drift) in [(HOUR, HOUR), (-2 * HOUR, -HOUR), (HOUR, 0)] {
            wall.fetch_add(step, Ordering::SeqCst);
            let later = clock.now();
            assert!(later >= now && later.0 - now.0 < HOUR / 2, "{step}");
            // Ours goes on meanwhile, and the hands stand still.
            assert!((clock.drift_us() - drift).abs() < HOUR / 2, "{step}");
            now = later;
        }
    }
}
