//! Keeping the index: commits, the shadow beside it, and the swap.
//!
//! The place in the log lies in each commit's payload, so index and position can't part. When an
//! operation fails or the process dies, the last commit stands and the same changes may be given
//! again. A shadow that was not swapped is gone at the next start.

use super::{
    Shared,
    error::Failure,
    folder::Folder,
    newest::Newest,
    schema::{Composer, Fields, VERSION, register_tokenizer, settings},
    view::View,
};
use crate::{
    domain::{event::Position, product::ProductStatus, scope::Scope},
    hand::Hand,
    ports::search::{IndexChange, SearchError, SearchIndex},
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};
use tantivy::{
    Index, IndexReader, IndexWriter, ReloadPolicy,
    indexer::{IndexWriterOptions, LogMergePolicy, NoMergePolicy},
};

/// What the writer may hold before it cuts a segment, per thread.
const LIVE_MEMORY: usize = 24_000_000;
const SHADOW_MEMORY: usize = 25_000_000;
/// The machine's other core goes on answering questions; documents are composed on a third
/// thread meanwhile.
const SHADOW_THREADS: usize = 1;
/// So many small segments are merged into one: each costs every question a little.
const MOST_SMALL_SEGMENTS: usize = 6;

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Payload {
    version: u32,
    position: Position,
}

/// The adapter's writing half; there is one per data folder, owned by the indexer.
pub struct TantivyIndex {
    core: Arc<Mutex<Core>>,
    hand: Hand,
}

struct Core {
    folder: Folder,
    fields: Fields,
    composer: Composer,
    shared: Arc<Shared>,
    live: Option<Live>,
    shadow: Option<Shadow>,
    #[cfg(test)]
    crash_after: Option<Step>,
}

/// What a swap has done; tests make it die behind each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Committed,
    Current,
    Published,
}

struct Live {
    number: u32,
    index: Index,
    reader: IndexReader,
    /// Made at the first change, dropped when one fails.
    writer: Option<IndexWriter>,
    newest: Newest,
}

struct Shadow {
    number: u32,
    index: Index,
    writer: IndexWriter,
    newest: Newest,
}

impl TantivyIndex {
    /// Opens the live index of `folder`, if there is a readable one, and removes what an
    /// unfinished rebuild left.
    pub(super) fn open(folder: &Path, shared: Arc<Shared>) -> Result<Self, Failure> {
        let folder = Folder::open(folder)?;
        folder.sweep(None)?;
        Self::load(folder, shared)
    }

    /// The same beside the process that owns the folder: nothing is removed.
    pub(super) fn look(folder: &Path, shared: Arc<Shared>) -> Result<Self, Failure> {
        Self::load(Folder::open(folder)?, shared)
    }

    fn load(folder: Folder, shared: Arc<Shared>) -> Result<Self, Failure> {
        let fields = Fields::new();
        let composer = Composer::new(fields.clone());
        let mut core = Core {
            folder,
            fields,
            composer,
            shared,
            live: None,
            shadow: None,
            #[cfg(test)]
            crash_after: None,
        };
        if let Some(number) = core.folder.current()? {
            match core.open_live(number) {
                Ok((live, view)) => {
                    core.shared.publish(view);
                    core.live = Some(live);
                }
                Err(Failure(error)) => {
                    tracing::warn!(%error, "search index can't be used and will be rebuilt");
                }
            }
        }
        Ok(Self { core: Arc::new(Mutex::new(core)), hand: Hand::new("index") })
    }

    /// Runs on the index's own thread: writing takes from milliseconds to a second.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Core) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, SearchError> {
        let core = Arc::clone(&self.core);
        let ended = self
            .hand
            .start(move || work(&mut core.lock().unwrap_or_else(PoisonError::into_inner)))
            .await;
        match ended {
            Ok(result) => result.map_err(SearchError::from),
            // The driver panics on files it finds damaged.
            Err(panicked) => Err(SearchError::Corrupt(panicked.to_string())),
        }
    }
}

#[async_trait]
impl SearchIndex for TantivyIndex {
    async fn position(&mut self) -> Result<Option<Position>, SearchError> {
        self.run(Core::position).await
    }

    async fn add(&mut self, scope: &Scope, changes: Vec<IndexChange>) -> Result<(), SearchError> {
        let scope = scope.clone();
        self.run(move |core| core.add(&scope, changes)).await
    }

    async fn apply(
        &mut self,
        scope: &Scope,
        changes: Vec<IndexChange>,
        position: Position,
    ) -> Result<(), SearchError> {
        let scope = scope.clone();
        self.run(move |core| core.apply(&scope, changes, position)).await
    }

    async fn begin_shadow(&mut self) -> Result<(), SearchError> {
        self.run(Core::begin_shadow).await
    }

    async fn fill_shadow(
        &mut self,
        scope: &Scope,
        changes: Vec<IndexChange>,
    ) -> Result<(), SearchError> {
        let scope = scope.clone();
        self.run(move |core| core.fill_shadow(&scope, changes)).await
    }

    async fn swap(&mut self, position: Position) -> Result<(), SearchError> {
        self.run(move |core| core.swap(position)).await
    }
}

impl Core {
    fn position(&mut self) -> Result<Option<Position>, Failure> {
        let Some(live) = &self.live else { return Ok(None) };
        self.show_merged(live)?;
        Ok(Some(payload(&live.index)?.position))
    }

    fn add(&mut self, scope: &Scope, changes: Vec<IndexChange>) -> Result<(), Failure> {
        let Some(live) = &mut self.live else {
            let none = "there is no live index to add to".to_owned();
            return Err(SearchError::Unavailable(none).into());
        };
        let added = live.add(&self.fields, &mut self.composer, scope, changes);
        // What was added since the last commit goes with the writer.
        added.inspect_err(|_| live.writer = None)
    }

    fn apply(
        &mut self,
        scope: &Scope,
        changes: Vec<IndexChange>,
        position: Position,
    ) -> Result<(), Failure> {
        if self.live.is_none() {
            self.begin_shadow()?;
            self.fill_shadow(scope, changes)?;
            return self.swap(position);
        }
        self.add(scope, changes)?;
        let Some(live) = &mut self.live else { return Ok(()) };
        live.commit(position).inspect_err(|_| live.writer = None)?;
        live.reader.reload()?;
        let stamp = live.index.load_metas()?.opstamp;
        let before = self.shared.view();
        let generation = generation(live.number, stamp);
        let view = View::build(
            live.reader.searcher(),
            self.fields.clone(),
            generation,
            before.as_deref(),
        )?;
        self.shared.publish(view);
        Ok(())
    }

    fn begin_shadow(&mut self) -> Result<(), Failure> {
        self.shadow = None;
        self.folder.sweep(self.live.as_ref().map(|live| live.number))?;
        let (number, path) = self.folder.create_next()?;
        let index = Index::builder()
            .schema(self.fields.schema.clone())
            .settings(settings())
            .create_in_dir(&path)?;
        register_tokenizer(&index);
        let writer = writer(&index, SHADOW_THREADS, SHADOW_MEMORY)?;
        // Merged once, at the end.
        writer.set_merge_policy(Box::new(NoMergePolicy));
        self.shadow = Some(Shadow { number, index, writer, newest: Newest::default() });
        Ok(())
    }

    fn fill_shadow(&mut self, scope: &Scope, changes: Vec<IndexChange>) -> Result<(), Failure> {
        let Some(shadow) = &mut self.shadow else { return Err(no_shadow()) };
        let filled = shadow.fill(&self.fields, &mut self.composer, scope, changes);
        if filled.is_err() {
            self.shadow = None;
        }
        filled
    }

    fn swap(&mut self, position: Position) -> Result<(), Failure> {
        let Some(shadow) = self.shadow.take() else { return Err(no_shadow()) };
        let number = shadow.number;
        shadow.finish(position)?;
        self.step(Step::Committed)?;
        let (live, view) = self.open_live(number)?;
        self.folder.make_current(number)?;
        self.step(Step::Current)?;
        self.shared.publish(view);
        self.live = Some(live);
        self.step(Step::Published)?;
        if let Err(error) = self.folder.sweep(Some(number)) {
            tracing::warn!(%error, "an old search index can't be removed; the next start tries again");
        }
        Ok(())
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "only tests make it fail")]
    fn step(&self, _: Step) -> Result<(), Failure> {
        Ok(())
    }

    #[cfg(test)]
    fn step(&self, done: Step) -> Result<(), Failure> {
        match self.crash_after {
            Some(step) if step == done => Err(SearchError::Unavailable("crash".into()).into()),
            _ => Ok(()),
        }
    }

    /// Reads an index whole before anybody relies on it.
    fn open_live(&self, number: u32) -> Result<(Live, View), Failure> {
        let index = Index::open_in_dir(self.folder.path(number))?;
        register_tokenizer(&index);
        payload(&index)?;
        if index.schema() != self.fields.schema {
            return Err(SearchError::Corrupt("the index has other fields".into()).into());
        }
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let stamp = index.load_metas()?.opstamp;
        let generation = generation(number, stamp);
        let view = View::build(reader.searcher(), self.fields.clone(), generation, None)?;
        let newest = Newest::of(&view);
        Ok((Live { number, index, reader, writer: None, newest }, view))
    }

    /// Merges end some time after the commit that began them and change no answer; questions
    /// are quicker once they are seen.
    fn show_merged(&self, live: &Live) -> Result<(), Failure> {
        let Some(view) = self.shared.view() else { return Ok(()) };
        let ids = live.index.searchable_segment_ids()?;
        let shown = view.searcher.segment_readers();
        if ids.len() == shown.len() && shown.iter().all(|s| ids.contains(&s.segment_id())) {
            return Ok(());
        }
        live.reader.reload()?;
        let searcher = live.reader.searcher();
        let merged = View::build(searcher, self.fields.clone(), view.generation, Some(&view))?;
        self.shared.publish(merged.merged_from(&view));
        Ok(())
    }
}

impl Live {
    fn add(
        &mut self,
        fields: &Fields,
        composer: &mut Composer,
        scope: &Scope,
        changes: Vec<IndexChange>,
    ) -> Result<(), Failure> {
        let writer = opened(&mut self.writer, &self.index)?;
        enter(writer, &mut self.newest, fields, composer, scope, changes)
    }

    fn commit(&mut self, position: Position) -> Result<(), Failure> {
        commit(opened(&mut self.writer, &self.index)?, position)
    }
}

fn opened<'w>(
    slot: &'w mut Option<IndexWriter>,
    index: &Index,
) -> Result<&'w mut IndexWriter, Failure> {
    if let Some(writer) = slot {
        return Ok(writer);
    }
    let writer = writer(index, 1, LIVE_MEMORY)?;
    let mut policy = LogMergePolicy::default();
    policy.set_min_num_segments(MOST_SMALL_SEGMENTS);
    policy.set_del_docs_ratio_before_merge(0.3);
    writer.set_merge_policy(Box::new(policy));
    Ok(slot.insert(writer))
}

/// What can't be there already needs no deletion: the driver keeps each, with a kilobyte of
/// weights, and looks it up in every segment.
fn enter(
    writer: &mut IndexWriter,
    newest: &mut Newest,
    fields: &Fields,
    composer: &mut Composer,
    scope: &Scope,
    changes: Vec<IndexChange>,
) -> Result<(), Failure> {
    let mut newest = newest.of_scope(scope);
    for change in changes {
        let id = match &change {
            IndexChange::Put(product) => product.id,
            IndexChange::Remove(id) => *id,
        };
        if !newest.is_passed_by(id) {
            writer.delete_term(fields.key(scope, id));
        }
        if let IndexChange::Put(product) = change
            && product.status == ProductStatus::Active
            && let Err(error) = writer.add_document(composer.compose(scope, &product))
        {
            return Err(cause(writer, error.into()));
        }
    }
    Ok(())
}

impl Shadow {
    fn fill(
        &mut self,
        fields: &Fields,
        composer: &mut Composer,
        scope: &Scope,
        changes: Vec<IndexChange>,
    ) -> Result<(), Failure> {
        enter(&mut self.writer, &mut self.newest, fields, composer, scope, changes)
    }

    /// One segment, all of it on disk.
    fn finish(mut self, position: Position) -> Result<(), Failure> {
        commit(&mut self.writer, position)?;
        let segments = self.index.searchable_segment_ids()?;
        if segments.len() > 1 {
            self.writer.merge(&segments).wait()?;
        }
        self.writer.wait_merging_threads()?;
        Ok(())
    }
}

fn writer(index: &Index, threads: usize, memory: usize) -> Result<IndexWriter, Failure> {
    let options = IndexWriterOptions::builder()
        .num_worker_threads(threads)
        .memory_budget_per_thread(memory)
        .num_merge_threads(1)
        .build();
    Ok(index.writer_with_options(options)?)
}

fn commit(writer: &mut IndexWriter, position: Position) -> Result<(), Failure> {
    let payload = serde_json::to_string(&Payload { version: VERSION, position })
        .map_err(|error| SearchError::Corrupt(error.to_string()))?;
    let mut prepared = writer.prepare_commit()?;
    prepared.set_payload(&payload);
    prepared.commit()?;
    Ok(())
}

/// A writer whose thread has died only says so; the thread's own error comes out when its work
/// is asked for.
fn cause(writer: &mut IndexWriter, told: Failure) -> Failure {
    match writer.prepare_commit() {
        Err(error) => error.into(),
        Ok(_) => told,
    }
}

fn payload(index: &Index) -> Result<Payload, Failure> {
    let text = index.load_metas()?.payload.unwrap_or_default();
    let payload: Payload = serde_json::from_str(&text)
        .map_err(|_| SearchError::Corrupt("the index's last commit is not ours".into()))?;
    if payload.version != VERSION {
        let text = format!("the index has version {}, not {VERSION}", payload.version);
        return Err(SearchError::Corrupt(text).into());
    }
    Ok(payload)
}

/// Rises with every commit and swap, over restarts too: the folder's number in the high half,
/// the driver's stamp, which rises with every operation, in the low.
fn generation(number: u32, stamp: u64) -> u64 {
    u64::from(number) << 32 | (stamp & u64::from(u32::MAX))
}

fn no_shadow() -> Failure {
    SearchError::Unavailable("no shadow index was begun, or it failed".into()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        adapters::tantivy::{TantivySearch, open},
        domain::{
            document::ProductDocument, id::ProductId, search::SearchQuery, sku::Sku,
            stock::StockBand, tax::TaxCategory, time::Micros,
        },
        ports::search::Search,
    };
    use std::{collections::BTreeMap, fs};
    use uuid::Uuid;

    fn at(offset: i64) -> Position {
        Position { epoch: Uuid::from_u128(7), offset }
    }

    fn put(number: u128, name: &str) -> IndexChange {
        IndexChange::Put(Box::new(ProductDocument {
            id: ProductId(Uuid::from_u128(number)),
            sku: Sku::new(&format!("SKU-{number}")).unwrap(),
            slug: String::new(),
            name: name.into(),
            brand: None,
            short_description: None,
            description: None,
            status: ProductStatus::Active,
            price: None,
            tax_category: TaxCategory::default(),
            stock: StockBand::Untracked,
            unit: "each".into(),
            precision: 0,
            categories: Vec::new(),
            images: Vec::new(),
            attributes: BTreeMap::new(),
            options: BTreeMap::new(),
            parent: None,
            variants: Vec::new(),
            popularity: 0,
            created_at: Micros(0),
            updated_at: Micros(0),
        }))
    }

    fn total(search: &TantivySearch, text: &str) -> u64 {
        let query = SearchQuery { text: text.into(), ..SearchQuery::everything(Scope::default()) };
        search.search(&query).unwrap().total
    }

    fn folders(root: &Path) -> usize {
        let entries = fs::read_dir(root).unwrap().map(|entry| entry.unwrap());
        entries.filter(|entry| entry.file_type().unwrap().is_dir()).count()
    }

    async fn rebuild(
        index: &mut TantivyIndex,
        crash_after: Option<Step>,
    ) -> Result<(), SearchError> {
        index.core.lock().unwrap().crash_after = crash_after;
        index.begin_shadow().await?;
        let scope = Scope::default();
        index.fill_shadow(&scope, vec![put(1, "new"), put(2, "new")]).await?;
        index.swap(at(9)).await
    }

    #[tokio::test]
    async fn dying_behind_any_step_of_a_swap_leaves_one_whole_index() {
        let steps = [Step::Committed, Step::Current, Step::Published];
        for (step, swapped) in steps.into_iter().zip([false, true, true]) {
            let folder = tempfile::tempdir().unwrap();
            let (_, mut index) = open(folder.path()).unwrap();
            index.apply(&Scope::default(), vec![put(1, "old")], at(5)).await.unwrap();
            assert!(rebuild(&mut index, Some(step)).await.is_err());
            drop(index);

            let (search, mut index) = open(folder.path()).unwrap();
            let (position, old, new) = if swapped { (9, 0, 2) } else { (5, 1, 0) };
            assert_eq!(index.position().await.unwrap(), Some(at(position)), "{step:?}");
            assert_eq!((total(&search, "old"), total(&search, "new")), (old, new), "{step:?}");
            assert_eq!(folders(folder.path()), 1, "{step:?}");
            // And it goes on from there.
            rebuild(&mut index, None).await.unwrap();
            assert_eq!(total(&search, "new"), 2);
            assert_eq!(folders(folder.path()), 1);
        }
    }

    #[tokio::test]
    async fn what_was_not_committed_is_given_again_after_a_death() {
        let folder = tempfile::tempdir().unwrap();
        let scope = Scope::default();
        let (_, mut index) = open(folder.path()).unwrap();
        index.apply(&scope, vec![], at(0)).await.unwrap();
        index.apply(&scope, vec![put(1, "one")], at(1)).await.unwrap();
        {
            let mut core = index.core.lock().unwrap();
            let Core { live, composer, fields, .. } = &mut *core;
            let live = live.as_mut().unwrap();
            let writer = live.writer.as_mut().unwrap();
            let IndexChange::Put(product) = put(2, "two") else { unreachable!() };
            writer.delete_term(fields.key(&scope, ProductId(Uuid::from_u128(1))));
            writer.add_document(composer.compose(&scope, &product)).unwrap();
            // Written to disk, but the commit never comes.
            writer.prepare_commit().unwrap();
        }
        drop(index);
        let (search, mut index) = open(folder.path()).unwrap();
        assert_eq!(index.position().await.unwrap(), Some(at(1)));
        assert_eq!((total(&search, "one"), total(&search, "two")), (1, 0));
        index.apply(&scope, vec![put(2, "two")], at(2)).await.unwrap();
        assert_eq!((total(&search, "one"), total(&search, "two")), (1, 1));
    }

    #[tokio::test]
    async fn an_index_of_another_version_or_damaged_counts_as_none_and_is_replaced() {
        let damage: [fn(&Path); 3] = [
            |index| {
                let meta = fs::read_to_string(index.join("meta.json")).unwrap();
                assert!(meta.contains(r#"\"version\":1"#));
                let meta = meta.replace(r#"\"version\":1"#, r#"\"version\":0"#);
                fs::write(index.join("meta.json"), meta).unwrap();
            },
            |index| fs::write(index.join("meta.json"), "{").unwrap(),
            |index| {
                for entry in fs::read_dir(index).unwrap() {
                    let path = entry.unwrap().path();
                    if path.extension().is_some_and(|kind| kind == "fast") {
                        fs::remove_file(path).unwrap();
                    }
                }
            },
        ];
        for damage in damage {
            let folder = tempfile::tempdir().unwrap();
            let (_, mut index) = open(folder.path()).unwrap();
            index.apply(&Scope::default(), vec![put(1, "old")], at(5)).await.unwrap();
            drop(index);
            damage(&folder.path().join("generation-000001"));

            let (search, mut index) = open(folder.path()).unwrap();
            assert_eq!(index.position().await.unwrap(), None);
            let query = SearchQuery::everything(Scope::default());
            assert!(matches!(search.search(&query), Err(SearchError::Unavailable(_))));
            rebuild(&mut index, None).await.unwrap();
            assert_eq!(total(&search, "new"), 2);
            assert_eq!(folders(folder.path()), 1);
        }
    }

    #[tokio::test]
    async fn many_small_commits_are_merged_and_seen_merged() {
        let folder = tempfile::tempdir().unwrap();
        let (search, mut index) = open(folder.path()).unwrap();
        let scope = Scope::default();
        for number in 1..=40_i64 {
            let change = put(u128::from(number.cast_unsigned()), "lamp");
            index.apply(&scope, vec![change], at(number)).await.unwrap();
        }
        // Merges end when they end; the writer's end waits for them.
        let writer = index.core.lock().unwrap().live.as_mut().unwrap().writer.take().unwrap();
        writer.wait_merging_threads().unwrap();
        let before = search.generation();
        assert_eq!(index.position().await.unwrap(), Some(at(40)));
        let segments = search.view().unwrap().segments.len();
        assert!(segments <= 2 * MOST_SMALL_SEGMENTS, "{segments} segments");
        assert_eq!(search.generation(), before, "a merge changes no answer");
        assert_eq!(total(&search, "lamp"), 40);
    }
}
