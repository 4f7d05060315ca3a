//! Whose turn it is: few deliveries to one endpoint at a time, and none while it rests.
//!
//! Promise: an endpoint that is slow or dead leaves hands for the others. So many of its deliveries
//! are on their way at a time, in each process; one that took nothing several times in a row rests,
//! for longer each time, and then one delivery tries whether it is back. Whatever comes meanwhile is
//! put off, which is no failure of its, and comes back one behind the other. All of it is in memory:
//! a process that begins anew finds out by a few tries.

use crate::{
    domain::{id::EndpointId, job::Retry, time::Micros},
    ports::webhooks::MOST_ENDPOINTS,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Deliveries to one endpoint that are on their way at a time.
pub(super) const AT_A_TIME: u32 = 4;
/// So often in a row it took nothing, and it rests.
const ENOUGH: u32 = 5;
const REST: Retry =
    Retry { first: Duration::from_secs(5), most: Duration::from_secs(5 * 60), failures: u32::MAX };
/// What is put off comes back no earlier…
const SOON: Duration = Duration::from_millis(500);
/// …and no later.
const LATE: Duration = Duration::from_secs(5 * 60);
/// Between two that come back one behind the other, at most.
const WIDEST: Duration = Duration::from_secs(5);

/// Of all endpoints. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Turns(Arc<Mutex<HashMap<EndpointId, Line>>>);

/// Of one endpoint.
struct Line {
    under_way: u32,
    /// In a row.
    failures: u32,
    rests_until: Micros,
    /// When the last that was put off comes back.
    last_back: Micros,
    /// How long the last one took.
    took: Duration,
}

impl Line {
    const NEW: Self = Self {
        under_way: 0,
        failures: 0,
        rests_until: Micros(i64::MIN),
        last_back: Micros(i64::MIN),
        took: Duration::ZERO,
    };

    fn is_free(&self, now: Micros) -> bool {
        let most = if self.failures < ENOUGH { AT_A_TIME } else { 1 };
        now >= self.rests_until && self.under_way < most
    }

    /// When to ask again, one behind the other at the pace at which they are taken.
    fn put_off(&mut self, now: Micros) -> Duration {
        let pace = (self.took / AT_A_TIME).min(WIDEST);
        let earliest = now.plus(SOON).max(self.rests_until);
        let back = earliest.max(self.last_back.plus(pace)).min(now.plus(LATE));
        self.last_back = back;
        Duration::from_micros(back.0.abs_diff(now.0))
    }
}

/// What an endpoint did with a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Went {
    Taken,
    /// Not taken; it may have said how long it wants to be left alone.
    Not(Option<Duration>),
}

/// One delivery is on its way; dropped, it no longer is.
pub(super) struct Turn {
    of: Turns,
    endpoint: EndpointId,
    began: Micros,
}

impl Turns {
    /// `Err`: not now, but in so long.
    pub(super) fn ask(&self, endpoint: EndpointId, now: Micros) -> Result<Turn, Duration> {
        let mut lines = self.lines();
        if lines.len() >= 2 * MOST_ENDPOINTS as usize && !lines.contains_key(&endpoint) {
            // Of endpoints that are no more, most of them.
            lines.retain(|_, line| line.under_way > 0 || line.rests_until > now);
        }
        let line = lines.entry(endpoint).or_insert(Line::NEW);
        if !line.is_free(now) {
            return Err(line.put_off(now));
        }
        line.under_way += 1;
        Ok(Turn { of: self.clone(), endpoint, began: now })
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<EndpointId, Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    pub(super) fn over(self, now: Micros, went: Went) {
        let mut lines = self.of.lines();
        let Some(line) = lines.get_mut(&self.endpoint) else { return };
        line.took = Duration::from_micros(now.0.saturating_sub(self.began.0).unsigned_abs());
        match went {
            Went::Taken => {
                line.failures = 0;
                line.rests_until = Micros(i64::MIN);
            }
            Went::Not(wait) => {
                line.failures = line.failures.saturating_add(1);
                let rests = line.failures.checked_sub(ENOUGH);
                let rests = rests.map(|more| REST.pause(more.saturating_add(1), 0));
                if let Some(rest) = rests.max(wait) {
                    line.rests_until = line.rests_until.max(now.plus(rest));
                }
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(line) = self.of.lines().get_mut(&self.endpoint) {
            line.under_way = line.under_way.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const ONE: EndpointId = EndpointId(Uuid::from_u128(1));
    const OTHER: EndpointId = EndpointId(Uuid::from_u128(2));

    fn at(seconds: u64) -> Micros {
        Micros(0).plus(Duration::from_secs(seconds))
    }

    /// How long it is put off.
    fn put_off(turns: &Turns, endpoint: EndpointId, now: Micros) -> Duration {
        turns.ask(endpoint, now).err().expect("no turn now")
    }

    fn fails(turns: &Turns, began: Micros, ended: Micros) {
        turns.ask(ONE, began).expect("a turn").over(ended, Went::Not(None));
    }

    #[test]
    fn a_slow_endpoint_has_some_hands_and_others_have_theirs() {
        let turns = Turns::default();
        let mut held: Vec<_> = (0..AT_A_TIME).map(|_| turns.ask(ONE, at(0)).ok()).collect();
        assert_eq!(put_off(&turns, ONE, at(0)), SOON);
        assert!(turns.ask(OTHER, at(0)).is_ok());
        // One that was cut short gives its hand back, too.
        held.pop();
        assert!(turns.ask(ONE, at(0)).is_ok());
    }

    #[test]
    fn what_is_put_off_comes_back_at_the_pace_at_which_it_is_taken() {
        let turns = Turns::default();
        turns.ask(ONE, at(0)).expect("a turn").over(at(2), Went::Taken);
        let _held: Vec<_> = (0..AT_A_TIME).map(|_| turns.ask(ONE, at(2)).ok()).collect();
        let back: Vec<_> = (0..3).map(|_| put_off(&turns, ONE, at(2)).as_millis()).collect();
        assert_eq!(back, [500, 1_000, 1_500], "2 s each, four at a time");
        for _ in 0..1_000 {
            assert!(put_off(&turns, ONE, at(2)) <= LATE);
        }
    }

    #[test]
    fn a_dead_endpoint_rests_for_longer_each_time_and_is_then_tried_by_one() {
        let turns = Turns::default();
        for _ in 0..ENOUGH {
            fails(&turns, at(0), at(0));
        }
        assert_eq!(put_off(&turns, ONE, at(0)), Duration::from_secs(5));
        assert!(turns.ask(OTHER, at(0)).is_ok(), "of no matter to others");
        let one = turns.ask(ONE, at(5)).expect("a turn");
        assert!(turns.ask(ONE, at(5)).is_err(), "one is enough to see");
        one.over(at(6), Went::Not(None));
        assert_eq!(put_off(&turns, ONE, at(6)), Duration::from_secs(10));
        let mut now = at(16);
        for _ in 0..20 {
            fails(&turns, now, now);
            now = now.plus(LATE);
        }
        // Back, and wholly.
        turns.ask(ONE, now).expect("a turn").over(now, Went::Taken);
        let held: Vec<_> = (0..AT_A_TIME).map(|_| turns.ask(ONE, now)).collect();
        assert!(held.iter().all(Result::is_ok));
    }

    #[test]
    fn one_that_wants_to_be_left_alone_is() {
        let turns = Turns::default();
        let minute = Some(Duration::from_secs(60));
        turns.ask(ONE, at(0)).expect("a turn").over(at(1), Went::Not(minute));
        assert_eq!(put_off(&turns, ONE, at(1)), Duration::from_secs(60));
        assert!(turns.ask(ONE, at(61)).is_ok());
    }

    #[test]
    fn endpoints_that_are_no_more_are_forgotten() {
        let turns = Turns::default();
        for id in 0..10_000 {
            drop(turns.ask(EndpointId(Uuid::from_u128(id)), at(0)));
        }
        assert!(turns.lines().len() <= 2 * MOST_ENDPOINTS as usize);
    }
}
