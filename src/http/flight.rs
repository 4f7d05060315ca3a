//! One does the work, the others wait for it.
//!
//! Whoever asks first for a key is its pilot; who asks before the pilot is done is a passenger and
//! gets a copy of the outcome. A pilot that is dropped ends the flight without one, and a
//! passenger may board again.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
    sync::{Mutex, PoisonError},
};
use tokio::sync::watch;

pub(crate) struct Flights<K, V> {
    underway: Mutex<HashMap<K, watch::Receiver<Option<V>>>>,
}

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self { underway: Mutex::default() }
    }
}

pub(crate) enum Seat<'a, K: Hash + Eq, V> {
    Pilot(Pilot<'a, K, V>),
    Passenger(Passenger<V>),
}

pub(crate) struct Pilot<'a, K: Hash + Eq, V> {
    flights: &'a Flights<K, V>,
    key: K,
    outcome: watch::Sender<Option<V>>,
}

pub(crate) struct Passenger<V>(watch::Receiver<Option<V>>);

impl<K: Hash + Eq + Clone, V> Flights<K, V> {
    pub(crate) fn board(&self, key: &K) -> Seat<'_, K, V> {
        match self.locked().entry(key.clone()) {
            Entry::Occupied(flight) => Seat::Passenger(Passenger(flight.get().clone())),
            Entry::Vacant(place) => {
                let (outcome, seen) = watch::channel(None);
                place.insert(seen);
                Seat::Pilot(Pilot { flights: self, key: key.clone(), outcome })
            }
        }
    }
}

impl<K: Hash + Eq, V> Flights<K, V> {
    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<K, watch::Receiver<Option<V>>>> {
        // The map is whole at every step, so a panic elsewhere spoils nothing.
        self.underway.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq, V> Pilot<'_, K, V> {
    /// Tells all passengers, and lets the next one who asks be a pilot.
    pub(crate) fn land(self, outcome: V) {
        self.outcome.send_replace(Some(outcome));
    }
}

impl<K: Hash + Eq, V> Drop for Pilot<'_, K, V> {
    fn drop(&mut self) {
        self.flights.locked().remove(&self.key);
    }
}

impl<V: Clone> Passenger<V> {
    /// `None`: the pilot gave up.
    pub(crate) async fn landed(mut self) -> Option<V> {
        self.0.wait_for(Option::is_some).await.ok()?.clone()
    }
}
