//! The page cache: finished pages, bounded in bytes, never older than the last invalidation.
//!
//! # How it stays true
//!
//! Every invalidation draws a number from one counter and writes it into the slots of what it
//! touched. A build notes the counter *before* it reads anything; the page it makes carries that
//! number and the slots of all it was made from, and is served only while none of them holds a
//! higher one. There is no moment between build and insert in which a stale page could slip in,
//! and nothing to clean up: what is out of date is replaced by the next build or leaves by age.
//! Two products that share a slot only cause a page to be built once more.
//!
//! The documents reconciler calls [`Invalidate`] after its commit: who reads the counter at or
//! behind that call's number reads the new documents.
//!
//! Held in memory alone: a restart begins empty.

use crate::{
    domain::{id::ProductId, scope::Scope},
    http::{
        error::Problem,
        flight::{Flights, Seat},
        hot,
        page::Page,
        resource::Asked,
    },
    ports::invalidate::Invalidate,
};
use moka::{Equivalent, sync::Cache};
use std::{
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

/// Slots of the table of touches: half a megabyte, and a chance in 65,536 that a change of one
/// product makes another one's page be built again.
const SLOTS: usize = 1 << 16;

/// What a page is, beyond what it shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) scope: Arc<Scope>,
    /// The search index's generation for a list, else 0.
    pub(crate) generation: u64,
    /// What everybody pays by, on a page that shows it, else 0.
    pub(crate) prices: u64,
    /// Path and query, in one spelling.
    pub(crate) address: Box<str>,
}

impl Key {
    fn sought(&self) -> Sought<'_> {
        let Self { scope, generation, prices, address } = self;
        Sought { scope, generation: *generation, prices: *prices, address }
    }
}

/// A [`Key`] to look for, without memory of its own. It hashes as the key does.
#[derive(Debug, Clone, Copy, Hash)]
pub(crate) struct Sought<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) generation: u64,
    pub(crate) prices: u64,
    pub(crate) address: &'a str,
}

impl Equivalent<Key> for Sought<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.generation == key.generation
            && self.prices == key.prices
            && self.address == &*key.address
            && *self.scope == *key.scope
    }
}

/// When a build began, in the counter's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp(u64);

/// A page with what it was made from.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) page: Page,
    pub(crate) products: Vec<ProductId>,
    /// Whether it may be served again: not when something it shows was away.
    pub(crate) keep: bool,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) page: Page,
    /// Which cache of the process made it, and as what.
    cache: u64,
    key: Key,
    stamp: Stamp,
    slots: Box<[u16]>,
}

impl Entry {
    pub(super) fn is_of(&self, cache: u64, sought: &Sought<'_>) -> bool {
        self.cache == cache && sought.equivalent(&self.key)
    }

    pub(crate) fn answer(&self, asked: &Asked) -> warp::reply::Response {
        self.page.answer(&asked.method, &asked.headers)
    }
}

tokio::task_local! {
    /// Set while a request is answered whose client may ask for a page that is made just for it.
    static FRESH: ();
}

/// Answers a request past the cache: what it asks for is built, and not kept.
pub(crate) async fn past<F: Future>(answer: F) -> F::Output {
    FRESH.scope((), answer).await
}

/// See the module.
pub(crate) struct PageCache {
    /// Tells it from others of the process, for [`hot`].
    number: u64,
    pages: Cache<Key, Arc<Entry>>,
    touches: Touches,
    flights: Flights<Key, Result<Arc<Entry>, Problem>>,
    /// Whoever touches the entries is behind, so none is trusted.
    distrusted: AtomicBool,
}

struct Touches {
    counter: AtomicU64,
    everything: AtomicU64,
    slots: Box<[AtomicU64]>,
}

impl PageCache {
    /// A cache of at most `bytes`, counted with keys and packed forms.
    pub(crate) fn new(bytes: u64) -> Self {
        let weigh = |key: &Key, entry: &Arc<Entry>| {
            let weight = entry.page.weight() + key.address.len() + entry.slots.len() * 2;
            u32::try_from(weight).unwrap_or(u32::MAX)
        };
        static CACHES: AtomicU64 = AtomicU64::new(0);
        Self {
            number: CACHES.fetch_add(1, Ordering::Relaxed),
            pages: Cache::builder().max_capacity(bytes).weigher(weigh).build(),
            touches: Touches {
                counter: AtomicU64::new(0),
                everything: AtomicU64::new(0),
                slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            },
            flights: Flights::default(),
            distrusted: AtomicBool::new(false),
        }
    }

    /// While `distrust` is on no page comes from the cache: its invalidations come late.
    pub(crate) fn distrust(&self, distrust: bool) {
        if self.distrusted.swap(distrust, Ordering::AcqRel) != distrust {
            tracing::warn!(distrust, "pages are served past the cache while documents lag behind");
        }
    }

    /// The page, unless it is missing or out of date.
    pub(crate) fn get(&self, sought: &Sought<'_>) -> Option<Arc<Entry>> {
        if self.distrusted.load(Ordering::Acquire) {
            return None;
        }
        let is_fresh = |entry: &Entry| self.touches.spare(entry);
        hot::find(self.number, sought, is_fresh, || self.pages.get(sought))
    }

    /// To be called before anything is read for a page.
    pub(crate) fn begin(&self) -> Stamp {
        Stamp(self.touches.counter.load(Ordering::SeqCst))
    }

    /// Keeps a page that was begun at `stamp`, unless it is out of date by now.
    pub(crate) fn offer(&self, key: Key, stamp: Stamp, built: Built) -> Arc<Entry> {
        let (entry, keep) = self.entry(key, stamp, built);
        let entry = Arc::new(entry);
        if keep && self.touches.spare(&entry) {
            self.pages.insert(entry.key.clone(), Arc::clone(&entry));
        }
        entry
    }

    fn entry(&self, key: Key, stamp: Stamp, built: Built) -> (Entry, bool) {
        let mut slots: Vec<u16> = built.products.iter().copied().map(slot).collect();
        slots.sort_unstable();
        slots.dedup();
        let (cache, slots) = (self.number, slots.into());
        (Entry { page: built.page, cache, key, stamp, slots }, built.keep)
    }

    /// The page, from the cache or built. Of all who want it at one time one builds; the others
    /// wait and share what comes of it, a failure too.
    pub(crate) async fn get_or_build<F>(
        &self,
        key: Key,
        build: impl FnOnce() -> F,
    ) -> Result<Arc<Entry>, Problem>
    where
        F: Future<Output = Result<Built, Problem>>,
    {
        if FRESH.try_with(|()| ()).is_ok() {
            let stamp = self.begin();
            let built = build().await?;
            return Ok(Arc::new(self.entry(key, stamp, built).0));
        }
        loop {
            if let Some(entry) = self.get(&key.sought()) {
                return Ok(entry);
            }
            match self.flights.board(&key) {
                Seat::Pilot(flight) => {
                    // Another one may have landed between the look and the boarding.
                    if let Some(entry) = self.get(&key.sought()) {
                        return Ok(entry);
                    }
                    let stamp = self.begin();
                    let outcome = build().await.map(|built| self.offer(key, stamp, built));
                    flight.land(outcome.clone());
                    return outcome;
                }
                Seat::Passenger(flight) => match flight.landed().await {
                    // Begun before an invalidation that we come after: not for us.
                    Some(Ok(entry)) if !self.touches.spare(&entry) => {}
                    Some(outcome) => return outcome,
                    // Its pilot's client went away.
                    None => {}
                },
            }
        }
    }

    /// Bytes held at the moment, about.
    pub(crate) fn bytes(&self) -> u64 {
        self.pages.weighted_size()
    }
}

impl Invalidate for PageCache {
    fn products(&self, products: &[(ProductId, String)]) {
        let number = self.touches.draw();
        for (id, _) in products {
            self.touches.slots[usize::from(slot(*id))].fetch_max(number, Ordering::SeqCst);
        }
    }

    fn everything(&self) {
        let number = self.touches.draw();
        self.touches.everything.fetch_max(number, Ordering::SeqCst);
    }
}

impl Touches {
    fn draw(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Whether nothing that the entry was made from was touched since it was begun.
    fn spare(&self, entry: &Entry) -> bool {
        let before = |touched: &AtomicU64| touched.load(Ordering::Acquire) <= entry.stamp.0;
        before(&self.everything)
            && entry.slots.iter().all(|slot| before(&self.slots[usize::from(*slot)]))
    }
}

/// The id's low bits are its chance part (RFC 9562), so they spread by themselves.
fn slot(id: ProductId) -> u16 {
    id.0.as_u64_pair().1 as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::page::Keep;
    use bytes::Bytes;
    use http::HeaderMap;
    use proptest::prelude::*;
    use std::sync::atomic::AtomicUsize;
    use uuid::Uuid;

    fn id(n: u64) -> ProductId {
        ProductId(Uuid::from_u64_pair(0, n))
    }

    fn key(n: u64) -> Key {
        Key { scope: Arc::default(), generation: 0, prices: 0, address: format!("/p/{n}").into() }
    }

    fn built(version: u64, of: &[u64]) -> Built {
        let bytes = Bytes::from(version.to_string());
        let page = Page::new("text/plain", bytes, Keep::Revalidate, &HeaderMap::new());
        Built { page, products: of.iter().map(|n| id(*n)).collect(), keep: true }
    }

    fn get(cache: &PageCache, n: u64) -> Option<u64> {
        cache.get(&key(n).sought()).map(|entry| version(&entry))
    }

    fn version(entry: &Entry) -> u64 {
        std::str::from_utf8(entry.page.bytes()).unwrap().parse().unwrap()
    }

    #[test]
    fn a_sought_key_hashes_as_the_key_itself() {
        use std::hash::{BuildHasher, RandomState};
        let (state, key) = (RandomState::new(), key(7));
        assert_eq!(state.hash_one(&key), state.hash_one(key.sought()));
    }

    #[test]
    fn a_touched_page_is_gone_and_others_stay() {
        let cache = PageCache::new(1 << 20);
        for n in [1, 2] {
            cache.offer(key(n), cache.begin(), built(1, &[n]));
        }
        cache.products(&[(id(1), String::new())]);
        assert_eq!((get(&cache, 1), get(&cache, 2)), (None, Some(1)));
        cache.everything();
        assert_eq!(get(&cache, 2), None);
        cache.offer(key(1), cache.begin(), built(2, &[1]));
        assert_eq!(get(&cache, 1), Some(2));
    }

    #[test]
    fn the_cap_holds() {
        let cache = PageCache::new(100 * 1024);
        for n in 0..1_000 {
            cache.offer(key(n), cache.begin(), built(n, &[n]));
        }
        cache.pages.run_pending_tasks();
        assert!(cache.bytes() <= 100 * 1024, "{}", cache.bytes());
        assert!(cache.pages.entry_count() > 10);
    }

    /// One thing that happens, in an order that chance decides.
    #[derive(Debug, Clone)]
    enum Step {
        Begin { page: u64 },
        ReadStore { build: usize },
        Offer { build: usize },
        Commit { product: u64 },
        Invalidate,
        Get { page: u64 },
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0u64..3).prop_map(|page| Step::Begin { page }),
            any::<usize>().prop_map(|build| Step::ReadStore { build }),
            any::<usize>().prop_map(|build| Step::Offer { build }),
            (0u64..4).prop_map(|product| Step::Commit { product }),
            Just(Step::Invalidate),
            (0u64..3).prop_map(|page| Step::Get { page }),
        ];
        proptest::collection::vec(step, 1..120)
    }

    proptest! {
        /// Page n shows products n and n + 1; its version is the sum of theirs, which only rises.
        #[test]
        fn no_order_of_builds_and_invalidations_serves_what_was_invalidated(steps in steps()) {
            let cache = PageCache::new(1 << 20);
            let mut store = [0u64; 4];
            let mut floor = [0u64; 4];
            let mut pending: Vec<u64> = Vec::new();
            let mut builds: Vec<(u64, Stamp, Option<u64>)> = Vec::new();
            let sum = |of: &[u64; 4], page: u64| of[page as usize] + of[page as usize + 1];
            for step in steps {
                match step {
                    Step::Begin { page } => builds.push((page, cache.begin(), None)),
                    Step::ReadStore { build } if !builds.is_empty() => {
                        let build = build % builds.len();
                        let page = builds[build].0;
                        builds[build].2.get_or_insert(sum(&store, page));
                    }
                    Step::Offer { build } if !builds.is_empty() => {
                        let (page, stamp, seen) = builds.swap_remove(build % builds.len());
                        let seen = seen.unwrap_or_else(|| sum(&store, page));
                        cache.offer(key(page), stamp, built(seen, &[page, page + 1]));
                    }
                    Step::Commit { product } => {
                        store[product as usize] += 1;
                        pending.push(product);
                    }
                    Step::Invalidate => {
                        let touched: Vec<_> =
                            pending.drain(..).map(|n| (id(n), String::new())).collect();
                        cache.products(&touched);
                        floor = store;
                    }
                    Step::Get { page } => {
                        if let Some(served) = get(&cache, page) {
                            prop_assert!(served >= sum(&floor, page), "{served} of {floor:?}");
                        }
                    }
                    Step::ReadStore { .. } | Step::Offer { .. } => {}
                }
            }
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn readers_beside_a_writer_never_get_what_was_invalidated() {
        let cache = Arc::new(PageCache::new(1 << 20));
        let store = Arc::new(AtomicU64::new(0));
        let floor = Arc::new(AtomicU64::new(0));
        let writer = {
            let (cache, store, floor) = (cache.clone(), store.clone(), floor.clone());
            std::thread::spawn(move || {
                for _ in 0..2_000 {
                    let now = store.fetch_add(1, Ordering::SeqCst) + 1;
                    cache.products(&[(id(1), String::new())]);
                    floor.store(now, Ordering::SeqCst);
                    std::thread::yield_now();
                }
            })
        };
        let mut readers = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (cache, store, floor) = (cache.clone(), store.clone(), floor.clone());
            readers.spawn(async move {
                for _ in 0..2_000 {
                    let least = floor.load(Ordering::SeqCst);
                    let build = || async {
                        let seen = store.load(Ordering::SeqCst);
                        tokio::task::yield_now().await;
                        Ok(built(seen, &[1]))
                    };
                    let entry = cache.get_or_build(key(1), build).await.unwrap();
                    assert!(version(&entry) >= least);
                }
            });
        }
        while let Some(reader) = readers.join_next().await {
            reader.unwrap();
        }
        writer.join().unwrap();
    }

    #[tokio::test]
    async fn a_storm_of_misses_builds_once() {
        let cache = PageCache::new(1 << 20);
        let builds = AtomicUsize::new(0);
        let ask = || {
            cache.get_or_build(key(1), || async {
                builds.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                Ok(built(1, &[1]))
            })
        };
        let all = futures_util::future::join_all((0..100).map(|_| ask())).await;
        assert!(all.iter().all(Result::is_ok));
        assert_eq!(builds.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_failure_is_shared_and_not_kept() {
        let cache = PageCache::new(1 << 20);
        let fail = || cache.get_or_build(key(1), || async { Err(Problem::not_found()) });
        assert!(fail().await.is_err());
        let entry = cache.get_or_build(key(1), || async { Ok(built(1, &[1])) }).await;
        assert_eq!(version(&entry.unwrap()), 1);
    }

    #[tokio::test]
    async fn when_the_builder_gives_up_another_takes_over() {
        let cache = PageCache::new(1 << 20);
        let mut first = Box::pin(cache.get_or_build(key(1), std::future::pending));
        assert!(futures_util::poll!(&mut first).is_pending());
        let mut second = Box::pin(cache.get_or_build(key(1), || async { Ok(built(2, &[1])) }));
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        assert_eq!(version(&second.await.unwrap()), 2);
    }
}
