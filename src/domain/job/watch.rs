//! Telling a process that died from one that lives, without comparing two machines' clocks.
//!
//! Every worker's row holds a number that rises with each of its heartbeats. Whoever watches
//! remembers since when, by its own clock, the number has been the same.

use crate::domain::{id::WorkerId, time::Micros};
use std::{collections::HashMap, time::Duration};

/// A worker whose heartbeat hasn't risen for so long is lost.
pub const LEASE: Duration = Duration::from_secs(6);
/// A watch that didn't look for longer was itself frozen or cut off, and says nothing of others.
const BLIND: Duration = Duration::from_secs(3);

#[derive(Debug, Default)]
pub struct Watch {
    looked_at: Option<Micros>,
    seen: HashMap<WorkerId, (i64, Micros)>,
}

impl Watch {
    /// The lost ones among `rows`, each with the heartbeat by which to bury it: should it have
    /// risen since, the worker lives.
    pub fn look(&mut self, now: Micros, rows: &[(WorkerId, i64)]) -> Vec<(WorkerId, i64)> {
        if self.looked_at.is_none_or(|before| now > before.plus(BLIND)) {
            self.seen.clear();
        }
        self.looked_at = Some(now);
        self.seen.retain(|worker, _| rows.iter().any(|(there, _)| there == worker));
        let mut lost = Vec::new();
        for &(worker, beat) in rows {
            let (known, since) = self.seen.entry(worker).or_insert((beat, now));
            if *known != beat {
                (*known, *since) = (beat, now);
            } else if now >= since.plus(LEASE) {
                lost.push((worker, beat));
            }
        }
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn at(seconds: i64) -> Micros {
        Micros(seconds * 1_000_000)
    }

    fn worker(n: u128) -> WorkerId {
        WorkerId(Uuid::from_u128(n))
    }

    #[test]
    fn who_beats_is_alive_and_who_stopped_is_lost_after_a_lease() {
        let (a, b) = (worker(1), worker(2));
        let mut watch = Watch::default();
        for second in 0..6 {
            assert_eq!(watch.look(at(second), &[(a, second), (b, 7)]), []);
        }
        assert_eq!(watch.look(at(6), &[(a, 6), (b, 7)]), [(b, 7)]);
        assert_eq!(watch.look(at(7), &[(a, 6)]), [], "who is buried is forgotten");
    }

    #[test]
    fn a_watch_that_was_frozen_begins_anew() {
        let (a, mut watch) = (worker(1), Watch::default());
        assert_eq!(watch.look(at(0), &[(a, 1)]), []);
        assert_eq!(watch.look(at(60), &[(a, 1)]), [], "nobody could beat in an outage");
        for second in 61..66 {
            assert_eq!(watch.look(at(second), &[(a, 1)]), []);
        }
        assert_eq!(watch.look(at(66), &[(a, 1)]), [(a, 1)]);
    }
}
