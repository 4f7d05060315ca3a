//! What was worked out once and would come out the same again: bounded in entries and in bytes.
//!
//! Of all who want a thing at one time one works it out and the others wait for it. There are two
//! shelves: a new thing goes to the young one, and when that holds half of what the memo may, it
//! becomes the old one and what was there is forgotten. A thing that is asked for on the old shelf
//! moves to the young one, so what many ask for outlives a crawler's walk through everything.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

/// The most that a memo holds, both shelves together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    pub(super) entries: usize,
    pub(super) bytes: usize,
}

pub(super) struct Memo<K, V> {
    shelves: RwLock<Shelves<K, V>>,
    most: Most,
    /// Bytes of a thing and its key, about.
    weigh: fn(&K, &V) -> usize,
}

struct Shelves<K, V> {
    young: HashMap<K, Arc<Place<V>>>,
    old: HashMap<K, Arc<Place<V>>>,
    /// Of the young ones.
    bytes: usize,
}

/// A thing, or where it will be.
struct Place<V> {
    /// With its weight.
    made: OnceLock<(Arc<V>, usize)>,
    /// Held by who works it out.
    making: Mutex<()>,
}

impl<K: Eq + Hash + Clone, V> Memo<K, V> {
    pub(super) fn new(most: Most, weigh: fn(&K, &V) -> usize) -> Self {
        let shelves = Shelves { young: HashMap::new(), old: HashMap::new(), bytes: 0 };
        Self { shelves: RwLock::new(shelves), most, weigh }
    }

    /// The thing, if it is there; waits for nobody who works.
    pub(super) fn get(&self, key: &K) -> Option<Arc<V>> {
        let shelves = self.read();
        if let Some(place) = shelves.young.get(key) {
            return place.made.get().map(|(made, _)| Arc::clone(made));
        }
        let place = Arc::clone(shelves.old.get(key)?);
        drop(shelves);
        let made = place.made.get().map(|(made, _)| Arc::clone(made))?;
        self.put(key, place);
        Some(made)
    }

    /// The thing, worked out unless it is there. A failure is kept for nobody.
    pub(super) fn get_or_make<E>(
        &self,
        key: &K,
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<Arc<V>, E> {
        let place = self.place(key);
        // Whoever panicked while holding it has left nothing behind.
        let _mine = place.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made, _)) = place.made.get() {
            return Ok(Arc::clone(made));
        }
        let made = Arc::new(make()?);
        let weight = (self.weigh)(key, &made);
        let (made, _) = place.made.get_or_init(|| (made, weight));
        self.count(weight);
        Ok(Arc::clone(made))
    }

    fn place(&self, key: &K) -> Arc<Place<V>> {
        let shelves = self.read();
        if let Some(place) = shelves.young.get(key) {
            return Arc::clone(place);
        }
        let known = shelves.old.get(key).map(Arc::clone);
        drop(shelves);
        let nothing = || Arc::new(Place { made: OnceLock::new(), making: Mutex::new(()) });
        self.put(key, known.unwrap_or_else(nothing))
    }

    /// Puts a place on the young shelf, unless another one stands there by now; gives the one that
    /// stands there.
    fn put(&self, key: &K, place: Arc<Place<V>>) -> Arc<Place<V>> {
        let mut shelves = self.write();
        if let Some(known) = shelves.young.get(key) {
            return Arc::clone(known);
        }
        shelves.old.remove(key);
        shelves.young.insert(key.clone(), Arc::clone(&place));
        let weight = place.made.get().map_or(0, |(_, weight)| *weight);
        shelves.add(weight, self.most);
        place
    }

    fn count(&self, weight: usize) {
        self.write().add(weight, self.most);
    }

    fn read(&self) -> RwLockReadGuard<'_, Shelves<K, V>> {
        // The shelves are whole at every step, so a panic elsewhere spoils nothing.
        self.shelves.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Shelves<K, V>> {
        self.shelves.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> Shelves<K, V> {
    fn add(&mut self, weight: usize, most: Most) {
        self.bytes += weight;
        if self.young.len() > most.entries / 2 || self.bytes > most.bytes / 2 {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{
        convert::Infallible,
        sync::{
            Barrier,
            atomic::{AtomicU32, Ordering},
        },
    };

    /// A thing weighs its last three digits.
    fn memo(entries: usize, bytes: usize) -> Memo<u32, usize> {
        Memo::new(Most { entries, bytes }, |_, thing| *thing % 1_000)
    }

    fn make(memo: &Memo<u32, usize>, key: u32, thing: usize) -> usize {
        *memo.get_or_make(&key, || Ok::<_, Infallible>(thing)).unwrap()
    }

    fn held(memo: &Memo<u32, usize>) -> Vec<usize> {
        let shelves = memo.read();
        let places = shelves.young.values().chain(shelves.old.values());
        places.filter_map(|place| place.made.get()).map(|(thing, _)| **thing).collect()
    }

    proptest! {
        #[test]
        fn the_bounds_hold_and_nothing_is_mixed_up(
            steps in prop::collection::vec((0u32..60, 0usize..40, any::<bool>()), 1..300),
        ) {
            let memo = memo(20, 200);
            for (key, thing, look) in steps {
                let thing = 1_000 * key as usize + thing;
                if look {
                    let found = memo.get(&key);
                    prop_assert!(found.is_none_or(|found| *found / 1_000 == key as usize));
                } else {
                    prop_assert_eq!(make(&memo, key, thing) / 1_000, key as usize);
                }
                prop_assert!(held(&memo).len() <= 20);
                let weight: usize = held(&memo).iter().map(|thing| thing % 1_000).sum();
                prop_assert!(weight <= 200 + 2 * 40, "{weight}");
            }
        }
    }

    #[test]
    fn what_is_asked_for_again_outlives_a_walk_through_everything() {
        let memo = memo(20, 1_000);
        make(&memo, 0, 7);
        for key in 1..1_000 {
            make(&memo, key, 1);
            assert_eq!(memo.get(&0).as_deref(), Some(&7), "{key}");
        }
        assert_eq!(memo.get(&1), None);
    }

    #[test]
    fn of_many_who_want_a_thing_one_makes_it() {
        let (memo, made, ready) = (memo(20, 1_000), AtomicU32::new(0), Barrier::new(8));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    ready.wait();
                    let make = || {
                        made.fetch_add(1, Ordering::SeqCst);
                        std::thread::yield_now();
                        Ok::<_, Infallible>(7)
                    };
                    assert_eq!(*memo.get_or_make(&1, make).unwrap(), 7);
                });
            }
        });
        assert_eq!(made.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_failure_is_kept_for_nobody() {
        let memo = memo(20, 1_000);
        assert_eq!(memo.get_or_make(&1, || Err("away")), Err("away"));
        assert_eq!(memo.get(&1), None);
        assert_eq!(make(&memo, 1, 7), 7);
    }
}
