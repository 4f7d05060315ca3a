//! A small table before the page cache, one for each thread: what was asked for a moment ago is
//! found again without touching anything that threads share.
//!
//! The cache itself keeps account of every look, which costs about a microsecond: a tenth of what a
//! hot page costs in all. The table holds no page alive, and what is in it is asked for its freshness
//! as what comes from the cache is: an old page may be found here for a while after the cache has a
//! new one.

use crate::http::cache::{Entry, Sought};
use std::{
    cell::RefCell,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Weak},
};

/// Places of a table: 40 KiB a thread.
const PLACES: usize = 1_024;
/// One look in so many goes to the cache all the same, so that it knows what is popular and does
/// not drop it.
const TOLD: u8 = 32;

#[derive(Default, Clone)]
struct Place {
    hash: u64,
    looks: u8,
    entry: Weak<Entry>,
}

thread_local! {
    static TABLE: RefCell<Vec<Place>> = RefCell::new(vec![Place::default(); PLACES]);
}

/// The fresh entry of the cache with this number, from the table or by `look`.
pub(super) fn find(
    cache: u64,
    sought: &Sought<'_>,
    is_fresh: impl Fn(&Entry) -> bool,
    look: impl FnOnce() -> Option<Arc<Entry>>,
) -> Option<Arc<Entry>> {
    let mut hasher = DefaultHasher::new();
    (cache, sought).hash(&mut hasher);
    let hash = hasher.finish();
    TABLE.with_borrow_mut(|table| {
        let place = &mut table[hash as usize % PLACES];
        place.looks = place.looks.wrapping_add(1);
        if place.hash == hash
            && !place.looks.is_multiple_of(TOLD)
            && let Some(entry) = place.entry.upgrade()
            && entry.is_of(cache, sought)
            && is_fresh(&entry)
        {
            return Some(entry);
        }
        let found = look().filter(|entry| is_fresh(entry))?;
        (place.hash, place.entry) = (hash, Arc::downgrade(&found));
        Some(found)
    })
}
