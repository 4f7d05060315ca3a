//! A database that fails at a chosen step, a real store in a temporary folder, and a page cache:
//! whatever happens, they end up equal.
//!
//! It is long because each step of a pass is failed, repeated and killed in turn, and all of these
//! share the one world that is set up at the top.

use super::*;
use crate::{
    adapters::documents::RedbDocuments,
    domain::{
        category::{Category, CategoryTree},
        event::Event,
        id::CategoryId,
        product::ProductStatus,
        sku::Sku,
        stock::StockBand,
        tax::TaxCategory,
        time::Micros,
    },
    ports::{
        StoreError,
        documents::{DocumentChange, Touched},
    },
};
use async_trait::async_trait;
use bytes::Bytes;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};
use supervisors::{
    Backoff, Budget, Strategy, Supervisor,
    testing::{Universe, until},
};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// What goes wrong, at which call of a port's method, counted from 0.
#[derive(Debug, Clone, Copy)]
struct Trip {
    method: &'static str,
    nth: usize,
    after: bool,
    panics: bool,
}

#[derive(Default)]
struct State {
    products: BTreeMap<ProductId, ProductDocument>,
    tree: CategoryTree,
    log: Vec<Event>,
    pruned: i64,
    epoch: Uuid,
    /// What each event left of its product: the version, or nothing.
    history: Vec<(ProductId, Option<i64>)>,
}

/// The database, and every port's failures.
struct World {
    /// Shut until the tree stands: who dies in its first moments was never up.
    gate: Semaphore,
    state: Mutex<State>,
    calls: Mutex<BTreeMap<&'static str, usize>>,
    trip: Mutex<Option<Trip>>,
    down: AtomicBool,
    /// Applying takes as long as this is set.
    held: AtomicBool,
    rebuilds: AtomicUsize,
}

fn id(n: u8) -> ProductId {
    ProductId(Uuid::from_u128(u128::from(n)))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for World {
    fn default() -> Self {
        Self {
            gate: Semaphore::new(0),
            state: Mutex::default(),
            calls: Mutex::default(),
            trip: Mutex::default(),
            down: AtomicBool::new(false),
            held: AtomicBool::new(false),
            rebuilds: AtomicUsize::new(0),
        }
    }
}

impl World {
    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    fn head(&self) -> Position {
        let state = self.state();
        Position { epoch: state.epoch, offset: state.log.len() as i64 }
    }

    /// Puts a product with a new version under this slug.
    fn put(&self, n: u8, slug: &str) {
        let mut state = self.state();
        let version = state.log.len() as i64 + 1;
        state.products.insert(id(n), product(n, slug, version));
        state.tell(EventKind::ProductChanged, id(n).0, Some(version));
    }

    fn remove(&self, n: u8) {
        let mut state = self.state();
        state.products.remove(&id(n));
        state.tell(EventKind::ProductChanged, id(n).0, None);
    }

    fn categorise(&self, names: &[&str]) {
        let mut state = self.state();
        let nodes = names.iter().enumerate().map(|(i, name)| Category {
            id: CategoryId(Uuid::from_u128(i as u128)),
            parent: None,
            slug: (*name).to_owned(),
            name: (*name).to_owned(),
            position: 0,
        });
        state.tree = CategoryTree::new(nodes.collect());
        state.tell(EventKind::CategoryChanged, Uuid::nil(), None);
    }

    fn calls(&self) -> usize {
        locked(&self.calls).values().sum()
    }

    fn step<T, E>(
        &self,
        method: &'static str,
        failure: impl Fn() -> E,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let nth = {
            let mut calls = locked(&self.calls);
            let count = calls.entry(method).or_default();
            *count += 1;
            *count - 1
        };
        let trip = locked(&self.trip).filter(|trip| trip.method == method && trip.nth == nth);
        match trip {
            Some(Trip { panics: true, after: false, .. }) => panic!("died before {method} {nth}"),
            Some(Trip { panics: false, after: false, .. }) => return Err(failure()),
            _ => {}
        }
        let done = work();
        match trip {
            Some(Trip { panics: true, .. }) => panic!("died after {method} {nth}"),
            Some(Trip { panics: false, .. }) => Err(failure()),
            None => done,
        }
    }

    fn ask<T>(
        &self,
        method: &'static str,
        answer: impl FnOnce(&State) -> T,
    ) -> Result<T, StoreError> {
        let away = || StoreError::Unavailable("cut".into());
        if self.down.load(Ordering::SeqCst) {
            return Err(away());
        }
        self.step(method, away, || Ok(answer(&self.state())))
    }
}

impl State {
    fn tell(&mut self, kind: EventKind, subject: Uuid, left: Option<i64>) {
        let offset = self.log.len() as i64 + 1;
        self.log.push(Event { offset, kind: Some(kind), subject, at: Micros(offset) });
        if kind == EventKind::ProductChanged {
            self.history.push((ProductId(subject), left));
        } else {
            self.history.push((ProductId(Uuid::max()), None));
        }
    }
}

fn product(n: u8, slug: &str, version: i64) -> ProductDocument {
    ProductDocument {
        id: id(n),
        sku: Sku::new(&format!("SKU-{n}")).unwrap(),
        slug: slug.to_owned(),
        name: format!("Product {n}"),
        brand: None,
        short_description: None,
        description: None,
        status: ProductStatus::Active,
        price: None,
        tax_category: TaxCategory::default(),
        stock: StockBand::InStock,
        unit: "each".to_owned(),
        precision: 0,
        categories: Vec::new(),
        images: Vec::new(),
        attributes: BTreeMap::new(),
        options: BTreeMap::new(),
        parent: None,
        variants: Vec::new(),
        popularity: version,
        created_at: Micros(1),
        updated_at: Micros(version),
    }
}

fn rendered(document: ProductDocument) -> StoredDocument {
    assert_ne!(document.slug, "unrenderable");
    let text = Bytes::from(format!("{} {}", document.slug, document.popularity));
    StoredDocument { document, json: text.clone(), card: text }
}

#[async_trait]
impl Outbox for World {
    async fn after(&self, offset: i64, limit: u32) -> Result<Vec<Event>, StoreError> {
        self.ask("after", |state| {
            let behind = state.log.iter().filter(|e| e.offset > offset.max(state.pruned));
            behind.take(limit as usize).cloned().collect()
        })
    }
    async fn head(&self) -> Result<Position, StoreError> {
        self.gate.acquire().await.unwrap().forget();
        self.gate.add_permits(1);
        self.ask("head", |state| Position { epoch: state.epoch, offset: state.log.len() as i64 })
    }
    async fn pruned(&self) -> Result<i64, StoreError> {
        self.ask("pruned", |state| state.pruned)
    }
    async fn number(&self) -> Result<u64, StoreError> {
        unreachable!("a follower numbers nothing")
    }
    async fn prune(&self, _: i64, _: Micros) -> Result<u64, StoreError> {
        unreachable!("a follower prunes nothing")
    }
}

#[async_trait]
impl Catalog for World {
    async fn documents(
        &self,
        _: &Scope,
        products: &[ProductId],
    ) -> Result<Vec<ProductDocument>, StoreError> {
        // A neighbour comes along unasked, as a parent does.
        let near = |asked: &ProductId| ProductId(Uuid::from_u128(asked.0.as_u128() ^ 1));
        let ids: BTreeSet<_> = products.iter().flat_map(|id| [*id, near(id)]).collect();
        self.ask("documents", |state| {
            ids.iter().filter_map(|id| state.products.get(id).cloned()).collect()
        })
    }
    async fn product_ids(
        &self,
        _: &Scope,
        after: Option<ProductId>,
        limit: u32,
    ) -> Result<Vec<ProductId>, StoreError> {
        self.ask("product_ids", |state| {
            let behind = state.products.keys().filter(|id| Some(**id) > after);
            behind.take(limit as usize).copied().collect()
        })
    }
    async fn categories(&self, _: &Scope) -> Result<CategoryTree, StoreError> {
        self.ask("categories", |state| state.tree.clone())
    }
    async fn product_count(&self) -> Result<u64, StoreError> {
        self.ask("product_count", |state| state.products.len() as u64)
    }
}

impl Clock for World {
    fn now(&self) -> Micros {
        Micros(self.calls() as i64)
    }
}

/// The real store; its writes are steps that may fail, and are checked against the log.
struct Steps {
    world: Arc<World>,
    inner: RedbDocuments,
}

impl Steps {
    fn step<T>(
        &self,
        method: &'static str,
        work: impl FnOnce() -> Result<T, DocumentsError>,
    ) -> Result<T, DocumentsError> {
        self.world.step(method, || DocumentsError::Full("no room".into()), work)
    }

    /// No product may be older than the log was at the store's position.
    fn check_position(&self) {
        let Some(position) = self.inner.position().unwrap() else { return };
        let state = self.world.state();
        if position.epoch != state.epoch {
            return;
        }
        let mut then = BTreeMap::new();
        for (id, left) in &state.history[..position.offset as usize] {
            then.insert(*id, *left);
        }
        for (id, left) in then {
            if state.products.get(&id).is_some_and(|d| d.slug == "unrenderable") {
                continue;
            }
            let stored = self.inner.by_ids(&Scope::default(), &[id]).unwrap().remove(0);
            let now = state.products.get(&id).map(|d| d.popularity);
            let stored = stored.map(|s| s.document.popularity);
            assert!(
                stored >= left || stored == now || now.is_none(),
                "position {position:?} says {left:?} of {id}, there is {stored:?}"
            );
        }
    }
}

impl Documents for Steps {
    fn by_slug(&self, scope: &Scope, slug: &str) -> Result<Option<StoredDocument>, DocumentsError> {
        self.inner.by_slug(scope, slug)
    }
    fn by_sku(&self, scope: &Scope, sku: &Sku) -> Result<Option<StoredDocument>, DocumentsError> {
        self.inner.by_sku(scope, sku)
    }
    fn by_ids(
        &self,
        scope: &Scope,
        ids: &[ProductId],
    ) -> Result<Vec<Option<StoredDocument>>, DocumentsError> {
        self.inner.by_ids(scope, ids)
    }
    fn documents(
        &self,
        scope: &Scope,
        ids: &[ProductId],
    ) -> Result<Vec<Option<ProductDocument>>, DocumentsError> {
        self.inner.documents(scope, ids)
    }
    fn cards(
        &self,
        scope: &Scope,
        ids: &[ProductId],
    ) -> Result<Vec<Option<Bytes>>, DocumentsError> {
        self.inner.cards(scope, ids)
    }
    fn json(&self, scope: &Scope, ids: &[ProductId]) -> Result<Vec<Option<Bytes>>, DocumentsError> {
        self.inner.json(scope, ids)
    }
    fn page_by_sku(
        &self,
        scope: &Scope,
        after: Option<&Sku>,
        limit: usize,
    ) -> Result<Vec<StoredDocument>, DocumentsError> {
        self.inner.page_by_sku(scope, after, limit)
    }
    fn page_by_id(
        &self,
        scope: &Scope,
        after: Option<ProductId>,
        limit: usize,
    ) -> Result<Vec<ProductDocument>, DocumentsError> {
        self.inner.page_by_id(scope, after, limit)
    }
    fn categories(&self, scope: &Scope) -> Arc<CategoryTree> {
        self.inner.categories(scope)
    }
    fn count(&self) -> Result<u64, DocumentsError> {
        self.inner.count()
    }
    fn position(&self) -> Result<Option<Position>, DocumentsError> {
        self.inner.position()
    }
    fn ids(
        &self,
        scope: &Scope,
        after: Option<ProductId>,
        limit: usize,
    ) -> Result<Vec<ProductId>, DocumentsError> {
        self.step("ids", || self.inner.ids(scope, after, limit))
    }
    fn apply(
        &self,
        scope: &Scope,
        changes: Vec<DocumentChange>,
        categories: Option<CategoryTree>,
        position: Option<Position>,
    ) -> Result<Touched, DocumentsError> {
        while self.world.held.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        let applied = self.step("apply", || self.inner.apply(scope, changes, categories, position));
        self.check_position();
        applied
    }
    fn forget_position(&self) -> Result<(), DocumentsError> {
        self.world.rebuilds.fetch_add(1, Ordering::SeqCst);
        self.step("forget_position", || self.inner.forget_position())
    }
    fn clear(&self) -> Result<(), DocumentsError> {
        self.step("clear", || self.inner.clear())
    }
}

/// Pages by slug, each made of the document that was there; kept until they are invalidated.
#[derive(Default)]
struct Pages(Mutex<BTreeMap<String, Option<Bytes>>>);

impl Pages {
    fn visit(&self, documents: &dyn Documents) {
        let mut pages = locked(&self.0);
        for slug in SLUGS {
            let stored = documents.by_slug(&Scope::default(), slug).unwrap();
            // A page that isn't there is not cached.
            if let Some(stored) = stored {
                pages.entry((*slug).to_owned()).or_insert(Some(stored.card));
            }
        }
    }

    fn are_true(&self, documents: &dyn Documents) -> bool {
        locked(&self.0).iter().all(|(slug, page)| {
            documents.by_slug(&Scope::default(), slug).unwrap().map(|s| s.card) == *page
        })
    }
}

impl Invalidate for Pages {
    fn products(&self, changed: &[(ProductId, String)]) {
        let mut pages = locked(&self.0);
        for (_, slug) in changed {
            pages.remove(slug);
        }
    }
    fn everything(&self) {
        locked(&self.0).clear();
    }
}

const SLUGS: &[&str] = &["a", "b", "c", "d", "e", "f", "g", "h", "unrenderable"];

/// Follows the documents as the search index does.
struct Searching {
    documents: Arc<dyn Documents>,
    seen: Arc<Mutex<Option<Position>>>,
}

impl Reconciler for Searching {
    async fn pass(&mut self, _: &Context) -> Result<Next, Fault> {
        *locked(&self.seen) = self.documents.position().unwrap();
        Ok(Next::Idle)
    }
}

struct Shop {
    world: Arc<World>,
    documents: Arc<Steps>,
    pages: Arc<Pages>,
    seen: Arc<Mutex<Option<Position>>>,
    progress: Progress,
    nudge: Nudge,
    universe: Universe,
}

impl Shop {
    async fn open(world: &Arc<World>, folder: &Path) -> Self {
        let inner = RedbDocuments::open(&folder.join("documents.redb"), "one").unwrap();
        let documents = Arc::new(Steps { world: Arc::clone(world), inner });
        let (pages, seen) = (Arc::new(Pages::default()), Arc::default());
        let (nudge, searching, progress) = (Nudge::new(), Nudge::new(), Progress::default());
        let parts = DocumentsParts {
            outbox: Arc::clone(world) as _,
            catalog: Arc::clone(world) as _,
            documents: Arc::clone(&documents) as _,
            invalidate: Arc::clone(&pages) as _,
            clock: Arc::clone(world) as _,
            scope: Scope::default(),
            render: rendered,
            progress: progress.clone(),
            changed: vec![searching.clone()],
            batch: 3,
        };
        let follows: (Arc<dyn Documents>, _) = (Arc::clone(&documents) as _, Arc::clone(&seen));
        let tree = Supervisor::new("test", Strategy::OneForOne)
            .budget(Budget { restarts: 1000, within: Duration::from_secs(60) })
            .backoff(Backoff::NONE)
            .child(super::documents(parts, &nudge))
            .child(reconciler("search", Duration::from_secs(3600), &searching, move || {
                let (documents, seen) = follows.clone();
                async move { Ok(Searching { documents, seen }) }
            }));
        let universe = Universe::start(tree).await.unwrap();
        world.gate.add_permits(1);
        let world = Arc::clone(world);
        Self { world, documents, pages, seen, progress, nudge, universe }
    }

    fn is_level(&self) -> bool {
        let head = Some(self.world.head());
        let documents = &self.documents.inner;
        documents.position().unwrap() == head
            && *locked(&self.seen) == head
            && self.progress.position() == head
            && self.pages.are_true(documents)
    }

    /// Waits until all have followed, compares, and lets shoppers look at every page.
    async fn level(&self) {
        self.nudge.wake();
        until("store, pages and index have followed", || self.is_level()).await;
        let (documents, scope) = (&self.documents.inner, Scope::default());
        let state = self.world.state();
        let shown = state.products.values().filter(|d| d.slug != "unrenderable");
        let expected: Vec<_> = shown.cloned().map(rendered).collect();
        let ids: Vec<_> = expected.iter().map(|s| s.document.id).collect();
        let there: Vec<_> = documents.by_ids(&scope, &ids).unwrap().into_iter().flatten().collect();
        assert_eq!(there, expected);
        assert_eq!(documents.ids(&scope, None, 99).unwrap(), ids);
        for stored in &expected {
            let by_slug = documents.by_slug(&scope, &stored.document.slug).unwrap();
            assert_eq!(by_slug.as_ref(), Some(stored));
        }
        assert_eq!(*documents.categories(&scope), state.tree);
        drop(state);
        self.pages.visit(documents);
    }
}

fn first_products(world: &World) {
    for (n, slug) in (2..).zip(["a", "b", "c", "d", "e", "f", "g"]) {
        world.put(n, slug);
    }
    world.categorise(&["films"]);
}

/// Renames, a swap, removals, a new product, one twice, and categories.
fn some_changes(world: &World) {
    world.put(2, "b");
    world.put(3, "a");
    world.remove(4);
    world.put(9, "c");
    world.put(5, "h");
    world.put(5, "d");
    world.put(10, "f");
    world.put(7, "g");
    world.put(8, "e");
    world.remove(6);
    world.categorise(&["films", "music"]);
}

async fn a_day(world: &Arc<World>, folder: &Path) {
    first_products(world);
    let shop = Shop::open(world, folder).await;
    shop.level().await;
    some_changes(world);
    shop.level().await;
    // A category gets another name: every document below it is out of date.
    world.categorise(&["movies", "music"]);
    shop.level().await;
    world.put(2, "a");
    world.put(3, "b");
    shop.level().await;
    shop.universe.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_without_a_failure_rebuilds_twice() {
    let (world, folder) = (Arc::new(World::default()), tempfile::tempdir().unwrap());
    a_day(&world, folder.path()).await;
    // At the first start, and when a category was renamed.
    assert_eq!(world.rebuilds.load(Ordering::SeqCst), 2);
}

/// Counts a day's calls of every port, then fails at each of them, on a day of its own.
async fn a_day_that_fails_at_every_step(panics: bool, after: bool) {
    let (quiet, folder) = (Arc::new(World::default()), tempfile::tempdir().unwrap());
    a_day(&quiet, folder.path()).await;
    let calls = locked(&quiet.calls).clone();
    assert!(calls.len() >= 8, "{calls:?}");
    for (method, count) in calls {
        for nth in 0..count {
            let (world, folder) = (Arc::new(World::default()), tempfile::tempdir().unwrap());
            *locked(&world.trip) = Some(Trip { method, nth, after, panics });
            a_day(&world, folder.path()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_before_any_step_is_made_good() {
    a_day_that_fails_at_every_step(true, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_after_any_step_is_made_good() {
    a_day_that_fails_at_every_step(true, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_of_any_step_is_made_good() {
    a_day_that_fails_at_every_step(false, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_done_but_reported_as_failed_is_made_good() {
    a_day_that_fails_at_every_step(false, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_follows_a_dead_one_waits_for_its_last_batch() {
    let (world, folder) = (Arc::new(World::default()), tempfile::tempdir().unwrap());
    first_products(&world);
    let shop = Shop::open(&world, folder.path()).await;
    shop.level().await;
    // The first batch is being applied when the second one's loading kills the follower.
    let loads = locked(&world.calls)["documents"];
    let trip = Trip { method: "documents", nth: loads + 1, after: false, panics: true };
    *locked(&world.trip) = Some(trip);
    world.held.store(true, Ordering::SeqCst);
    some_changes(&world);
    shop.nudge.wake();
    let born_again = |s: &supervisors::Snapshot| {
        let follower = s.find("test/documents").unwrap();
        follower.restarts == 1 && follower.state == supervisors::State::Running
    };
    shop.universe.until("the follower has a successor", born_again).await;
    let calls = world.calls();
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.calls(), calls);
    some_changes(&world);
    world.held.store(false, Ordering::SeqCst);
    shop.level().await;
    shop.universe.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_may_come_twice() {
    let (world, folder) = (Arc::new(World::default()), tempfile::tempdir().unwrap());
    first_products(&world);
    let shop = Shop::open(&world, folder.path()).await;
    shop.level().await;
    some_changes(&world);
    shop.level().await;
    let epoch = world.head().epoch;
    for offset in 0..world.head().offset {
        let back = Some(Position { epoch, offset });
        shop.documents.inner.apply(&Scope::default(), Vec::new(), None, back).unwrap();
        shop.level().await;
    }
    shop.universe.stop().await;
    assert_eq!(world.rebuilds.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_cannot_follow_is_rebuilt() {
    type Breaks = fn(&World);
    let reasons: [(&str, Breaks); 4] = [
        ("another epoch", |world| world.state().epoch = Uuid::from_u128(9)),
        ("ahead of the log", |world| {
            // Restored from a backup: older products, a shorter log.
            let mut state = world.state();
            state.products.remove(&id(8));
            state.products.insert(id(2), product(2, "a", 1));
            state.log.truncate(5);
            state.history.truncate(5);
        }),
        ("behind what is left of the log", |world| {
            world.remove(2);
            let mut state = world.state();
            state.pruned = state.log.len() as i64;
        }),
        ("another form", |_| {}),
    ];
    for (reason, breaks) in reasons {
        let (world, folder) = (Arc::new(World::default()), tempfile::tempdir().unwrap());
        first_products(&world);
        let shop = Shop::open(&world, folder.path()).await;
        shop.level().await;
        shop.universe.stop().await;
        drop(shop);
        let path = folder.path().join("documents.redb");
        if reason == "another form" {
            let older = RedbDocuments::open(&path, "zero").unwrap();
            older.apply(&Scope::default(), Vec::new(), None, Some(world.head())).unwrap();
        }
        breaks(&world);
        world.put(20, "h");
        let shop = Shop::open(&world, folder.path()).await;
        shop.level().await;
        shop.universe.stop().await;
        assert_eq!(world.rebuilds.load(Ordering::SeqCst), 2, "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_that_dies_is_begun_again_even_when_the_log_has_grown_past_the_old_position() {
    let (world, folder) = (Arc::new(World::default()), tempfile::tempdir().unwrap());
    first_products(&world);
    let shop = Shop::open(&world, folder.path()).await;
    shop.level().await;
    shop.universe.stop().await;
    drop(shop);
    {
        // The log is shorter than the position, and differs.
        let mut state = world.state();
        state.log.truncate(1);
        state.history.truncate(1);
        state.products.insert(id(8), product(8, "changed", 1));
    }
    // The database goes away in the middle of the rebuild.
    let calls = world.calls();
    let shop = Shop::open(&world, folder.path()).await;
    until("the rebuild has begun", || world.calls() > calls + 4).await;
    world.down.store(true, Ordering::SeqCst);
    shop.universe.stop().await;
    drop(shop);
    for n in 30..50 {
        world.put(n, &format!("slug-{n}"));
    }
    world.down.store(false, Ordering::SeqCst);
    let shop = Shop::open(&world, folder.path()).await;
    shop.level().await;
    shop.universe.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_database_away_documents_are_read_and_nothing_restarts() {
    let (world, folder) = (Arc::new(World::default()), tempfile::tempdir().unwrap());
    first_products(&world);
    let shop = Shop::open(&world, folder.path()).await;
    shop.level().await;
    until("level", || shop.progress.age(world.now()).is_some()).await;
    world.down.store(true, Ordering::SeqCst);
    shop.nudge.wake();
    let waits = |s: &supervisors::Snapshot| {
        matches!(s.find("test/documents").unwrap().state, supervisors::State::Waiting { .. })
    };
    shop.universe.until("it waits for the database", waits).await;
    let page = shop.documents.by_slug(&Scope::default(), "a").unwrap();
    assert_eq!(page.unwrap().document.id, id(2));
    world.put(2, "h");
    world.down.store(false, Ordering::SeqCst);
    shop.level().await;
    let restarts = shop.universe.view().snapshot().find("test/documents").unwrap().restarts;
    assert_eq!(restarts, 0);
    shop.universe.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_product_that_cannot_be_rendered_is_not_shown_and_holds_up_nobody() {
    let (world, folder) = (Arc::new(World::default()), tempfile::tempdir().unwrap());
    first_products(&world);
    let shop = Shop::open(&world, folder.path()).await;
    shop.level().await;
    world.put(3, "unrenderable");
    world.put(4, "h");
    shop.level().await;
    world.put(3, "b");
    shop.level().await;
    let restarts = shop.universe.view().snapshot().find("test/documents").unwrap().restarts;
    assert_eq!(restarts, 0);
    shop.universe.stop().await;
}

#[test]
fn a_new_category_touches_no_product_and_a_renamed_one_does() {
    let world = World::default();
    world.categorise(&["films"]);
    let old = world.state().tree.clone();
    world.categorise(&["films", "music"]);
    assert!(!rebuild::touches_products(&old, &world.state().tree));
    assert!(rebuild::touches_products(&world.state().tree, &old));
    world.categorise(&["movies", "music"]);
    assert!(rebuild::touches_products(&old, &world.state().tree));
}
