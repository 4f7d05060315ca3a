//! The indexer over a log, documents and an index that live in memory and fail when told to.

use super::*;
use crate::{
    domain::{
        category::{CategoryRef, CategoryTree},
        document::ProductDocument,
        product::ProductStatus,
        search::{SearchPage, Suggestions},
        sku::Sku,
        stock::StockBand,
        tax::TaxCategory,
        time::Micros,
    },
    ports::{
        StoreError,
        documents::{DocumentChange, StoredDocument, Touched},
    },
};
use async_trait::async_trait;
use bytes::Bytes;
use proptest::prelude::*;
use std::{
    collections::BTreeMap,
    sync::{Mutex as StdMutex, MutexGuard},
};
use supervisors::{Supervisor, testing::Universe};
use uuid::Uuid;

type Names = BTreeMap<ProductId, String>;

#[derive(Default)]
struct State {
    epoch: u128,
    log: Vec<Event>,
    pruned: i64,
    /// In the database; documents follow it.
    products: BTreeMap<ProductId, ProductDocument>,
    documents: BTreeMap<ProductId, ProductDocument>,
    documents_at: Option<i64>,
    live: Option<(Names, Position)>,
    /// Given to the live index and not committed.
    added: Vec<IndexChange>,
    shadow: Option<Names>,
    /// Operations of the index until one fails, and how.
    failing: Option<(u32, Failing)>,
    commits: u32,
    now: i64,
}

#[derive(Debug, Clone, Copy)]
enum Failing {
    Full,
    /// It was done, but nobody heard.
    Unheard,
    Corrupt,
}

#[derive(Clone, Default)]
struct World(Arc<StdMutex<State>>);

fn product_id(number: u128) -> ProductId {
    ProductId(Uuid::from_u128(number))
}

fn document(number: u128, name: &str, category: Option<u128>) -> ProductDocument {
    let reference = |number| CategoryRef {
        id: CategoryId(Uuid::from_u128(number)),
        slug: String::new(),
        name: String::new(),
    };
    let none = || None::<String>;
    ProductDocument {
        id: product_id(number),
        sku: Sku::new(&format!("S-{number}")).unwrap(),
        slug: String::new(),
        name: name.into(),
        brand: none(),
        short_description: none(),
        description: none(),
        status: ProductStatus::Active,
        price: None,
        tax_category: TaxCategory::default(),
        stock: StockBand::Untracked,
        unit: "each".into(),
        precision: 0,
        categories: category.map(reference).into_iter().collect(),
        images: Vec::new(),
        attributes: BTreeMap::new(),
        options: BTreeMap::new(),
        parent: None,
        variants: Vec::new(),
        popularity: 0,
        created_at: Micros(0),
        updated_at: Micros(0),
    }
}

impl World {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn tell(&self, kind: EventKind, subject: Uuid) {
        let mut state = self.state();
        let offset = i64::try_from(state.log.len()).unwrap() + 1;
        state.log.push(Event { offset, kind: Some(kind), subject, at: Micros(0) });
    }

    fn put(&self, number: u128, name: &str) {
        self.state().products.insert(product_id(number), document(number, name, None));
        self.tell(EventKind::ProductChanged, product_id(number).0);
    }

    fn remove(&self, number: u128) {
        self.state().products.remove(&product_id(number));
        self.tell(EventKind::ProductChanged, product_id(number).0);
    }

    /// The documents' follower catches up.
    fn document_all(&self) {
        let mut state = self.state();
        state.documents = state.products.clone();
        state.documents_at = Some(i64::try_from(state.log.len()).unwrap());
    }

    fn at(&self, offset: i64) -> Position {
        Position { epoch: Uuid::from_u128(self.state().epoch), offset }
    }

    fn parts(&self) -> SearchIndexParts {
        SearchIndexParts {
            outbox: Arc::new(self.clone()),
            documents: Arc::new(self.clone()),
            search: Arc::new(self.clone()),
            index: Arc::new(Mutex::new(Box::new(self.clone()))),
            clock: Arc::new(self.clone()),
            desk: ReindexDesk::new(),
            scopes: vec![Scope::default()],
            progress: Progress::default(),
            hand: Hand::new("index-reader"),
        }
    }

    fn names(&self) -> Vec<String> {
        let state = self.state();
        state.live.iter().flat_map(|(names, _)| names.values().cloned()).collect()
    }

    /// Does what an operation does, unless it is the one to fail.
    fn operate(&self, work: impl FnOnce(&mut State)) -> Result<(), SearchError> {
        let mut state = self.state();
        let failing = match &mut state.failing {
            Some((0, failing)) => Some(*failing),
            Some((left, _)) => {
                *left -= 1;
                None
            }
            None => None,
        };
        if failing.is_some() {
            state.failing = None;
        }
        match failing {
            Some(Failing::Full) => Err(SearchError::Full("no room".into())),
            Some(Failing::Corrupt) => Err(SearchError::Corrupt("a bad page".into())),
            Some(Failing::Unheard) => {
                work(&mut state);
                Err(SearchError::Unavailable("nobody heard".into()))
            }
            None => {
                work(&mut state);
                Ok(())
            }
        }
        .inspect_err(|_| state.added.clear())
    }
}

fn enter(names: &mut Names, changes: Vec<IndexChange>) {
    for change in changes {
        match change {
            IndexChange::Put(document) => {
                names.insert(document.id, document.name);
            }
            IndexChange::Remove(id) => {
                names.remove(&id);
            }
        }
    }
}

#[async_trait]
impl SearchIndex for World {
    async fn position(&mut self) -> Result<Option<Position>, SearchError> {
        Ok(self.state().live.as_ref().map(|(_, at)| *at))
    }

    async fn add(&mut self, _: &Scope, changes: Vec<IndexChange>) -> Result<(), SearchError> {
        self.operate(|state| state.added.extend(changes))
    }

    async fn apply(
        &mut self,
        _: &Scope,
        changes: Vec<IndexChange>,
        position: Position,
    ) -> Result<(), SearchError> {
        self.operate(|state| {
            state.commits += 1;
            let (names, at) = state.live.as_mut().expect("only a live index takes changes");
            enter(names, std::mem::take(&mut state.added));
            enter(names, changes);
            *at = position;
        })
    }

    async fn begin_shadow(&mut self) -> Result<(), SearchError> {
        self.operate(|state| state.shadow = Some(Names::new()))
    }

    async fn fill_shadow(
        &mut self,
        _: &Scope,
        changes: Vec<IndexChange>,
    ) -> Result<(), SearchError> {
        self.operate(|state| enter(state.shadow.as_mut().expect("a shadow was begun"), changes))
    }

    async fn swap(&mut self, position: Position) -> Result<(), SearchError> {
        self.operate(|state| {
            let shadow = state.shadow.take().expect("a shadow was begun");
            state.live = Some((shadow, position));
        })
    }
}

impl Search for World {
    fn search(&self, query: &SearchQuery) -> Result<SearchPage, SearchError> {
        let state = self.state();
        let (names, _) = state.live.as_ref().ok_or(SearchError::Unavailable("none".into()))?;
        let category = query.category.expect("only asked for what a category holds");
        let held = names.keys().filter(|id| {
            let document = state.documents.get(id);
            document.is_some_and(|d| d.categories.iter().any(|c| c.id == category))
        });
        Ok(SearchPage {
            hits: Vec::new(),
            total: held.count() as u64,
            facets: Arc::default(),
            generation: 1,
            corrected: false,
        })
    }

    fn suggest(&self, _: &Scope, _: &str, _: usize) -> Result<Suggestions, SearchError> {
        unreachable!("the indexer asks for no suggestions")
    }

    fn generation(&self) -> u64 {
        1
    }

    fn count(&self) -> u64 {
        self.names().len() as u64
    }
}

#[async_trait]
impl Outbox for World {
    async fn after(&self, offset: i64, limit: u32) -> Result<Vec<Event>, StoreError> {
        let state = self.state();
        let from = offset.max(state.pruned);
        let events = state.log.iter().filter(|event| event.offset > from);
        Ok(events.take(limit as usize).cloned().collect())
    }

    async fn head(&self) -> Result<Position, StoreError> {
        unreachable!("the documents say how far to go")
    }

    async fn pruned(&self) -> Result<i64, StoreError> {
        Ok(self.state().pruned)
    }

    async fn number(&self) -> Result<u64, StoreError> {
        unreachable!("the relay numbers")
    }

    async fn prune(&self, _: i64, _: Micros) -> Result<u64, StoreError> {
        unreachable!("the pruner prunes")
    }
}

impl Clock for World {
    fn now(&self) -> Micros {
        let mut state = self.state();
        state.now += 1_000;
        Micros(state.now)
    }
}

impl Documents for World {
    fn documents(
        &self,
        _: &Scope,
        ids: &[ProductId],
    ) -> Result<Vec<Option<ProductDocument>>, DocumentsError> {
        let state = self.state();
        Ok(ids.iter().map(|id| state.documents.get(id).cloned()).collect())
    }

    fn by_ids(
        &self,
        _: &Scope,
        _: &[ProductId],
    ) -> Result<Vec<Option<StoredDocument>>, DocumentsError> {
        unreachable!("the indexer reads documents")
    }

    fn page_by_id(
        &self,
        _: &Scope,
        after: Option<ProductId>,
        limit: usize,
    ) -> Result<Vec<ProductDocument>, DocumentsError> {
        let state = self.state();
        let behind = state.documents.values().filter(|d| Some(d.id) > after);
        // Small pages, so that a walk takes several passes.
        Ok(behind.take(limit.min(2)).cloned().collect())
    }

    fn count(&self) -> Result<u64, DocumentsError> {
        Ok(self.state().documents.len() as u64)
    }

    fn position(&self) -> Result<Option<Position>, DocumentsError> {
        let offset = self.state().documents_at;
        Ok(offset.map(|offset| self.at(offset)))
    }

    fn by_slug(&self, _: &Scope, _: &str) -> Result<Option<StoredDocument>, DocumentsError> {
        unreachable!("the indexer reads by id")
    }

    fn by_sku(&self, _: &Scope, _: &Sku) -> Result<Option<StoredDocument>, DocumentsError> {
        unreachable!("the indexer reads by id")
    }

    fn cards(&self, _: &Scope, _: &[ProductId]) -> Result<Vec<Option<Bytes>>, DocumentsError> {
        unreachable!("the indexer reads documents")
    }

    fn json(&self, _: &Scope, _: &[ProductId]) -> Result<Vec<Option<Bytes>>, DocumentsError> {
        unreachable!("the indexer reads documents")
    }

    fn page_by_sku(
        &self,
        _: &Scope,
        _: Option<&Sku>,
        _: usize,
    ) -> Result<Vec<StoredDocument>, DocumentsError> {
        unreachable!("the indexer reads by id")
    }

    fn categories(&self, _: &Scope) -> Arc<CategoryTree> {
        unreachable!("the indexer reads documents")
    }

    fn ids(
        &self,
        _: &Scope,
        _: Option<ProductId>,
        _: usize,
    ) -> Result<Vec<ProductId>, DocumentsError> {
        unreachable!("the indexer reads documents")
    }

    fn apply(
        &self,
        _: &Scope,
        _: Vec<DocumentChange>,
        _: Option<CategoryTree>,
        _: Option<Position>,
    ) -> Result<Touched, DocumentsError> {
        unreachable!("the documents' follower writes")
    }

    fn forget_position(&self) -> Result<(), DocumentsError> {
        unreachable!("the documents' follower writes")
    }

    fn clear(&self) -> Result<(), DocumentsError> {
        unreachable!("the documents' follower writes")
    }
}

fn indexer(parts: &SearchIndexParts) -> SearchIndexer {
    SearchIndexer { parts: parts.clone(), rebuild: None, distrusted: false }
}

/// Passes until there is nothing to do. Faults are tried again, as the supervisor does.
async fn settle(indexer: &mut SearchIndexer) {
    for _ in 0..200 {
        if matches!(indexer.look().await, Ok(Next::Idle)) {
            return;
        }
    }
    panic!("it never settled");
}

#[tokio::test]
async fn a_new_index_is_built_from_the_documents_and_then_follows_them() {
    let world = World::default();
    let parts = world.parts();
    let mut indexer = indexer(&parts);
    settle(&mut indexer).await;
    assert!(world.state().live.is_none(), "no documents, no index");

    for number in 1..=5 {
        world.put(number, &format!("lamp {number}"));
    }
    world.document_all();
    settle(&mut indexer).await;
    assert_eq!(world.names().len(), 5);
    assert_eq!(world.state().live.as_ref().unwrap().1.offset, 5);
    assert_eq!(parts.progress.position().unwrap().offset, 5);
    let progress = parts.desk.watch().borrow().clone();
    assert_eq!((progress.phase, progress.done, progress.total), (ReindexPhase::Done, 5, 5));

    world.put(2, "torch");
    world.remove(3);
    settle(&mut indexer).await;
    assert_eq!(world.names()[1], "lamp 2", "the documents don't have it yet");
    world.document_all();
    settle(&mut indexer).await;
    assert_eq!(world.names(), ["lamp 1", "torch", "lamp 4", "lamp 5"]);
    assert_eq!(world.state().commits, 1, "what came together is committed together");
}

#[tokio::test]
async fn an_empty_shop_has_an_empty_index() {
    let world = World::default();
    world.document_all();
    settle(&mut indexer(&world.parts())).await;
    assert_eq!(world.state().live.as_ref().unwrap().1.offset, 0);
}

#[tokio::test]
async fn an_index_that_can_not_follow_is_rebuilt_and_shown_until_then() {
    let breakages: [fn(&mut State); 3] = [
        |state| state.epoch = 9,
        |state| state.pruned = 3,
        |state| state.failing = Some((0, Failing::Corrupt)),
    ];
    for breakage in breakages {
        let world = World::default();
        let parts = world.parts();
        let mut indexer = indexer(&parts);
        world.put(1, "old");
        world.document_all();
        settle(&mut indexer).await;
        for number in 2..=6 {
            world.put(number, "new");
        }
        world.state().products.remove(&product_id(1));
        breakage(&mut world.state());
        world.document_all();
        while !matches!(indexer.look().await, Ok(Next::Idle)) {
            assert!(!world.names().is_empty());
        }
        assert_eq!(world.names(), ["new"; 5]);
        let expected = world.at(6);
        assert_eq!(world.state().live.as_ref().unwrap().1, expected);
        assert_eq!(parts.desk.watch().borrow().phase, ReindexPhase::Done);
    }
}

#[tokio::test]
async fn a_rebuild_misses_nothing_that_changes_meanwhile() {
    let world = World::default();
    let parts = world.parts();
    let mut indexer = indexer(&parts);
    for number in 1..=9 {
        world.put(number, "before");
    }
    world.document_all();
    settle(&mut indexer).await;
    parts.desk.ask();
    let walking = |done: u64| {
        let progress = parts.desk.watch().borrow().clone();
        progress.phase == ReindexPhase::Walking && progress.done >= done
    };
    while !walking(4) {
        indexer.look().await.unwrap();
    }
    // Behind the walk, before it, and gone.
    world.put(1, "during");
    world.put(9, "during");
    world.remove(2);
    world.document_all();
    indexer.look().await.unwrap();
    assert!(walking(4));
    assert_eq!(world.names().iter().filter(|name| *name == "during").count(), 2, "live at once");
    settle(&mut indexer).await;
    let names = world.names();
    assert_eq!((names.len(), &*names[0], &*names[7]), (8, "during", "during"));
    let progress = parts.desk.watch().borrow().clone();
    assert_eq!(progress.phase, ReindexPhase::Done);
    assert!(progress.rate > 0.0);
}

#[tokio::test]
async fn a_rebuild_that_was_only_asked_for_is_given_up_when_it_fails() {
    let world = World::default();
    let parts = world.parts();
    let mut indexer = indexer(&parts);
    world.put(1, "lamp");
    world.document_all();
    settle(&mut indexer).await;
    parts.desk.ask();
    world.state().failing = Some((1, Failing::Full));
    settle(&mut indexer).await;
    let progress = parts.desk.watch().borrow().clone();
    assert_eq!(progress.phase, ReindexPhase::Failed);
    assert!(progress.message.unwrap().contains("no room"));
    assert_eq!(world.names(), ["lamp"]);
    // Asked again, it is done.
    parts.desk.ask();
    settle(&mut indexer).await;
    assert_eq!(parts.desk.watch().borrow().phase, ReindexPhase::Done);
}

#[tokio::test]
async fn products_of_a_renamed_category_are_indexed_anew() {
    let world = World::default();
    let parts = world.parts();
    let mut indexer = indexer(&parts);
    for number in 1..=5 {
        let category = (number % 2 == 1).then_some(70);
        world.state().products.insert(product_id(number), document(number, "old", category));
    }
    world.document_all();
    settle(&mut indexer).await;
    for document in world.state().products.values_mut() {
        document.name = "new".into();
    }
    world.tell(EventKind::CategoryChanged, Uuid::from_u128(70));
    // Of this one the index holds nothing, so nothing is read for it.
    world.tell(EventKind::CategoryChanged, Uuid::from_u128(71));
    world.document_all();
    settle(&mut indexer).await;
    assert_eq!(world.names(), ["new", "old", "new", "old", "new"]);
    assert_eq!(world.state().live.as_ref().unwrap().1.offset, 2);
}

#[tokio::test]
async fn a_nudge_makes_a_change_searchable_in_the_tree() {
    let world = World::default();
    let parts = world.parts();
    let nudge = Nudge::new();
    let tree = Supervisor::new("test", supervisors::Strategy::OneForOne);
    let tree = tree.child(search_index(parts.clone(), &nudge));
    let universe = Universe::start(tree).await.unwrap();
    world.put(1, "lamp");
    world.document_all();
    nudge.wake();
    universe.until("the lamp is found", |_| world.names() == ["lamp"]).await;
    parts.desk.ask();
    nudge.wake();
    let mut watch = parts.desk.watch();
    let done = watch.wait_for(|progress| !progress.is_under_way()).await.unwrap().clone();
    assert_eq!(done.phase, ReindexPhase::Done);
    universe.stop().await;
}

#[derive(Debug, Clone)]
enum Step {
    Put(u128, u8),
    Remove(u128),
    Document,
    Pass,
    Die,
    Ask,
    Fail(u32, Failing),
    /// What the index has taken in may go from the log.
    Prune,
}

fn any_step() -> impl Strategy<Value = Step> {
    let failing = prop_oneof![Just(Failing::Full), Just(Failing::Unheard), Just(Failing::Corrupt)];
    prop_oneof![
        4 => (1u128..12, any::<u8>()).prop_map(|(number, name)| Step::Put(number, name)),
        1 => (1u128..12).prop_map(Step::Remove),
        3 => Just(Step::Document),
        8 => Just(Step::Pass),
        1 => Just(Step::Die),
        1 => Just(Step::Ask),
        1 => (0u32..6, failing).prop_map(|(after, failing)| Step::Fail(after, failing)),
        1 => Just(Step::Prune),
    ]
}

proptest! {
    #[test]
    fn whatever_dies_or_fails_the_index_ends_equal_to_the_documents(
        steps in prop::collection::vec(any_step(), 1..120)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = World::default();
            let parts = world.parts();
            let mut running = indexer(&parts);
            for step in steps {
                match step {
                    Step::Put(number, name) => world.put(number, &name.to_string()),
                    Step::Remove(number) => world.remove(number),
                    Step::Document => world.document_all(),
                    Step::Pass => drop(running.look().await),
                    Step::Die => running = indexer(&parts),
                    Step::Ask => parts.desk.ask(),
                    Step::Fail(after, failing) => world.state().failing = Some((after, failing)),
                    Step::Prune => {
                        let mut state = world.state();
                        state.pruned = state.live.as_ref().map_or(0, |(_, at)| at.offset);
                    }
                }
                let state = world.state();
                if let Some((_, at)) = &state.live {
                    assert!(Some(at.offset) <= state.documents_at, "ahead of the documents");
                }
            }
            world.document_all();
            settle(&mut running).await;
            let state = world.state();
            let (names, at) = state.live.as_ref().unwrap();
            let documents: Names =
                state.documents.values().map(|d| (d.id, d.name.clone())).collect();
            assert_eq!(names, &documents);
            assert_eq!(Some(at.offset), state.documents_at);
            assert!(!parts.desk.is_wanted());
        });
    }
}
