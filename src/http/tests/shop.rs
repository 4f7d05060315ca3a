//! A small shop to ask: a real server on a free port, with a shelf of products in memory.
//!
//! Long because it stands in for everything behind the edge, in one place that tests can turn.

use super::visitors::{Dice, Visitors};
use crate::{
    actors::reconcilers::Progress,
    domain::{
        audit::{AuditEntry, Link},
        category::{Category, CategoryTree},
        document::{ProductDocument, VariantRef},
        event::Position,
        id::{CategoryId, ImportId, ProductId},
        import::{self, Ignored, Reading, RowError},
        money::{Currency, Money},
        product::{ProductDraft, ProductRow, ProductStatus},
        scope::Scope,
        search::{Facets, Hit, SearchPage, SearchQuery, Suggestions},
        sku::Sku,
        stock::StockBand,
        tax::TaxCategory,
        time::Micros,
    },
    http::{
        AdminToken, App, Check, Edge, HttpConfig, Listeners, PageCache, Render, RenderWorker,
        Stage, Trusted, Viewing,
        error::{Code, Problem},
        handles::{
            AutoscaleWish, Importing, PoolInfo, Pooling, Reindex, ReindexState, Rows, Searching,
        },
        serve::accept,
    },
    ports::{
        StoreError,
        audit::Audit,
        blobs::{BlobError, Blobs},
        catalog::Drafts,
        clock::{Clock, Ids},
        documents::{DocumentChange, Documents, DocumentsError, StoredDocument, Touched},
        imports::{Import, ImportCounts, ImportOptions, ImportState},
        products::{ProductFilter, StoredDraft},
    },
    views,
};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, future::join};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use supervisors::{Pool, PoolOptions, Snapshot, Strategy, Supervisor, pool, testing::Universe};
use tokio::{
    net::{TcpListener, TcpStream, UnixStream},
    sync::oneshot,
    task::JoinSet,
};
use uuid::Uuid;

pub(super) const TOKEN: &str = "open-sesame";

pub(super) fn product(n: u64) -> ProductDocument {
    ProductDocument {
        id: ProductId(Uuid::from_u64_pair(1, n)),
        sku: Sku::new(&format!("SKU-{n:03}")).unwrap(),
        slug: format!("drill-{n}"),
        name: format!("Drill {n}"),
        brand: Some(["Acme", "Bolt"][n as usize % 2].into()),
        short_description: None,
        description: Some("Turns.".into()),
        status: ProductStatus::Active,
        price: Some(Money { minor: 1_000 * n as i64, currency: Currency::USD }),
        tax_category: TaxCategory::default(),
        stock: StockBand::InStock,
        unit: "each".into(),
        precision: 0,
        categories: tree().path(CategoryId(Uuid::from_u128(2))),
        images: Vec::new(),
        attributes: [("Power".to_owned(), "18 V".to_owned())].into(),
        options: Default::default(),
        parent: None,
        variants: Vec::new(),
        popularity: n as i64,
        created_at: Micros(1_700_000_000_000_000),
        updated_at: Micros(1_700_000_000_000_000),
    }
}

fn tree() -> CategoryTree {
    let category = |id: u128, parent: Option<u128>, slug: &str| Category {
        id: CategoryId(Uuid::from_u128(id)),
        parent: parent.map(|id| CategoryId(Uuid::from_u128(id))),
        slug: slug.into(),
        name: slug.to_uppercase(),
        position: 0,
    };
    CategoryTree::new(vec![category(1, None, "tools"), category(2, Some(1), "drills")])
}

/// Documents in memory.
pub(super) struct Shelf {
    all: Mutex<Vec<StoredDocument>>,
    tree: Arc<CategoryTree>,
    pub(super) reads: AtomicU64,
}

impl Shelf {
    fn stored(document: ProductDocument) -> StoredDocument {
        let (json, card) = (views::product_json(&document), views::product_card(&document));
        StoredDocument { document, json, card }
    }

    pub(super) fn put(&self, document: ProductDocument) {
        let mut all = self.all.lock().unwrap();
        all.retain(|one| one.document.id != document.id);
        all.push(Self::stored(document));
        all.sort_by(|a, b| a.document.sku.cmp(&b.document.sku));
    }

    fn find(&self, which: impl Fn(&ProductDocument) -> bool) -> Option<StoredDocument> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.all.lock().unwrap().iter().find(|one| which(&one.document)).cloned()
    }
}

impl Documents for Shelf {
    fn by_slug(&self, _: &Scope, slug: &str) -> Result<Option<StoredDocument>, DocumentsError> {
        if slug == "panic" {
            panic!("a product that makes a reader panic");
        }
        Ok(self.find(|one| one.slug == slug))
    }
    fn by_sku(&self, _: &Scope, sku: &Sku) -> Result<Option<StoredDocument>, DocumentsError> {
        Ok(self.find(|one| one.sku == *sku))
    }
    fn by_ids(
        &self,
        _: &Scope,
        ids: &[ProductId],
    ) -> Result<Vec<Option<StoredDocument>>, DocumentsError> {
        Ok(ids.iter().map(|id| self.find(|one| one.id == *id)).collect())
    }
    fn documents(
        &self,
        scope: &Scope,
        ids: &[ProductId],
    ) -> Result<Vec<Option<ProductDocument>>, DocumentsError> {
        Ok(self.by_ids(scope, ids)?.into_iter().map(|one| one.map(|one| one.document)).collect())
    }
    fn cards(
        &self,
        scope: &Scope,
        ids: &[ProductId],
    ) -> Result<Vec<Option<Bytes>>, DocumentsError> {
        Ok(self.by_ids(scope, ids)?.into_iter().map(|one| one.map(|one| one.card)).collect())
    }
    fn json(&self, scope: &Scope, ids: &[ProductId]) -> Result<Vec<Option<Bytes>>, DocumentsError> {
        Ok(self.by_ids(scope, ids)?.into_iter().map(|one| one.map(|one| one.json)).collect())
    }
    fn page_by_sku(
        &self,
        _: &Scope,
        after: Option<&Sku>,
        limit: usize,
    ) -> Result<Vec<StoredDocument>, DocumentsError> {
        let all = self.all.lock().unwrap();
        let behind = all.iter().filter(|one| after.is_none_or(|after| one.document.sku > *after));
        Ok(behind.take(limit).cloned().collect())
    }
    fn page_by_id(
        &self,
        _: &Scope,
        after: Option<ProductId>,
        limit: usize,
    ) -> Result<Vec<ProductDocument>, DocumentsError> {
        let mut all: Vec<_> =
            self.all.lock().unwrap().iter().map(|one| one.document.clone()).collect();
        all.sort_by_key(|one| one.id);
        all.retain(|one| after.is_none_or(|after| one.id > after));
        all.truncate(limit);
        Ok(all)
    }
    fn categories(&self, _: &Scope) -> Arc<CategoryTree> {
        Arc::clone(&self.tree)
    }
    fn count(&self) -> Result<u64, DocumentsError> {
        Ok(self.all.lock().unwrap().len() as u64)
    }
    fn position(&self) -> Result<Option<Position>, DocumentsError> {
        Ok(Some(Position { epoch: Uuid::nil(), offset: 7 }))
    }
    fn ids(
        &self,
        scope: &Scope,
        after: Option<ProductId>,
        limit: usize,
    ) -> Result<Vec<ProductId>, DocumentsError> {
        Ok(self.page_by_id(scope, after, limit)?.iter().map(|one| one.id).collect())
    }
    fn apply(
        &self,
        _: &Scope,
        _: Vec<DocumentChange>,
        _: Option<CategoryTree>,
        _: Option<Position>,
    ) -> Result<Touched, DocumentsError> {
        unreachable!("the edge reads")
    }
    fn forget_position(&self) -> Result<(), DocumentsError> {
        unreachable!("the edge reads")
    }
    fn clear(&self) -> Result<(), DocumentsError> {
        unreachable!("the edge reads")
    }
}

/// An index that looks through the shelf.
pub(super) struct Index {
    shelf: Arc<Shelf>,
    pub(super) generation: AtomicU64,
    pub(super) asked: AtomicU64,
    pub(super) down: AtomicBool,
    /// Answers wait for it, when it is set.
    pub(super) gate: Mutex<Option<Arc<tokio::sync::Notify>>>,
}

#[async_trait]
impl Searching for Index {
    async fn search(&self, query: SearchQuery) -> Result<SearchPage, Problem> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let gate = self.gate.lock().unwrap().clone();
        if let Some(gate) = gate {
            gate.notified().await;
        }
        if self.down.load(Ordering::SeqCst) {
            return Err(Problem::unavailable("search is away at the moment", "down"));
        }
        let all = self.shelf.all.lock().unwrap();
        let text = query.text.to_lowercase();
        let fits = |one: &ProductDocument| {
            let minor = one.price.map(|price| price.minor);
            let brand = one.brand.clone().unwrap_or_default();
            one.name.to_lowercase().contains(&text)
                && query.category.is_none_or(|id| one.categories.iter().any(|c| c.id == id))
                && (query.brands.is_empty() || query.brands.contains(&brand))
                && query.price_from.is_none_or(|from| minor.is_some_and(|m| m >= from))
                && query.price_to.is_none_or(|to| minor.is_some_and(|m| m <= to))
        };
        let found: Vec<_> = all.iter().map(|one| &one.document).filter(|one| fits(one)).collect();
        let hits = found.iter().skip(query.offset).take(query.limit).map(|one| Hit {
            product: one.id,
            name_matches: vec![(0, text.len())],
            snippet: None,
        });
        Ok(SearchPage {
            hits: hits.collect(),
            total: found.len() as u64,
            facets: Arc::new(Facets {
                brands: vec![("Acme".into(), 1)],
                categories: [(CategoryId(Uuid::from_u128(2)), 3)].into(),
                ..Facets::default()
            }),
            generation: self.generation(),
            corrected: false,
        })
    }
    async fn suggest(&self, _: Scope, typed: String, limit: usize) -> Result<Suggestions, Problem> {
        let everything =
            SearchQuery { text: typed, limit, ..SearchQuery::everything(Scope::default()) };
        let found = self.search(everything).await?;
        let products = found.hits.iter().map(|hit| hit.product).collect();
        Ok(Suggestions { products, brands: vec!["Acme".into()] })
    }
    fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }
    async fn reindex(&self) -> Result<Reindex, Problem> {
        Ok(Reindex { state: ReindexState::Running, done: 0, total: 9, message: None })
    }
    fn reindex_progress(&self) -> Option<Reindex> {
        None
    }
}

/// Imports that only take rows in.
#[derive(Default)]
pub(super) struct Runs {
    all: Mutex<Vec<Import>>,
    pub(super) received: AtomicU64,
}

impl Runs {
    /// Takes the first run further.
    pub(super) fn go_on(&self, change: impl FnOnce(&mut Import)) {
        change(&mut self.all.lock().unwrap()[0]);
    }
}

#[async_trait]
impl Importing for Runs {
    async fn submit(
        &self,
        name: String,
        options: ImportOptions,
        mut rows: Rows,
    ) -> Result<Import, Problem> {
        let mut bytes = 0;
        while let Some(piece) = rows.next().await {
            let piece = piece.map_err(|error| Problem::new(Code::BadBody, error.to_string()))?;
            bytes += piece.len() as u64;
            self.received.store(bytes, Ordering::SeqCst);
        }
        let mut all = self.all.lock().unwrap();
        let import = Import {
            id: ImportId(Uuid::from_u128(all.len() as u128 + 1)),
            name,
            source: "x".into(),
            source_hash: "x".into(),
            source_bytes: bytes,
            options,
            state: ImportState::Pending,
            counts: ImportCounts::default(),
            rows_done: 0,
            bytes_done: 0,
            message: None,
            created_at: Micros(0),
            updated_at: Micros(0),
        };
        all.push(import.clone());
        Ok(import)
    }
    async fn get(&self, id: ImportId) -> Result<Option<Import>, Problem> {
        Ok(self.all.lock().unwrap().iter().find(|one| one.id == id).cloned())
    }
    async fn list(&self, before: Option<ImportId>, limit: u32) -> Result<Vec<Import>, Problem> {
        let all = self.all.lock().unwrap();
        let older = all.iter().rev().filter(|one| before.is_none_or(|before| one.id < before));
        Ok(older.take(limit as usize).cloned().collect())
    }
    async fn errors(&self, _: ImportId, _: usize, _: usize) -> Result<Vec<RowError>, Problem> {
        Ok(vec![RowError { line: 3, field: None, message: "bad".into(), sku: None }])
    }
    async fn cancel(&self, id: ImportId) -> Result<Option<Import>, Problem> {
        self.get(id).await
    }
    async fn resume(&self, _: ImportId) -> Result<Option<Import>, Problem> {
        Err(Problem::new(Code::Conflict, "the import has succeeded and can't be resumed"))
    }
}

/// One pool, named `render`.
struct Pools;

fn info(workers: u64) -> PoolInfo {
    PoolInfo {
        name: "render".into(),
        state: "running".into(),
        workers,
        configured: 2,
        most: 8,
        busy: 0,
        depth: 0,
        bound: 64,
        refused: 0,
        utilisation: 0.0,
        fit: "fine".into(),
        r#override: None,
        autoscale: None,
    }
}

#[async_trait]
impl Pooling for Pools {
    async fn list(&self) -> Result<Vec<PoolInfo>, Problem> {
        Ok(vec![info(2)])
    }
    async fn set(
        &self,
        pool: &str,
        workers: u32,
        _: &str,
        _: Option<Micros>,
    ) -> Result<Option<PoolInfo>, Problem> {
        if workers > 8 {
            return Err(Problem::new(Code::Conflict, "render has at most 8 workers"));
        }
        Ok((pool == "render").then(|| info(workers.into())))
    }
    async fn pause(&self, pool: &str, _: &str) -> Result<Option<PoolInfo>, Problem> {
        Ok((pool == "render").then(|| info(2)))
    }
    async fn resume(&self, pool: &str, _: &str) -> Result<Option<PoolInfo>, Problem> {
        Ok((pool == "render").then(|| info(2)))
    }
    async fn drain(&self, pool: &str, _: &str) -> Result<Option<PoolInfo>, Problem> {
        Ok((pool == "render").then(|| info(2)))
    }
    async fn revert(&self, pool: &str, _: &str) -> Result<Option<PoolInfo>, Problem> {
        Ok((pool == "render").then(|| info(2)))
    }
    async fn autoscale(
        &self,
        pool: &str,
        _: Option<AutoscaleWish>,
        _: &str,
    ) -> Result<Option<PoolInfo>, Problem> {
        Ok((pool == "render").then(|| info(2)))
    }
    async fn autoscale_revert(&self, pool: &str, _: &str) -> Result<Option<PoolInfo>, Problem> {
        Ok((pool == "render").then(|| info(2)))
    }
}

/// An audit log of three entries.
struct Log;

#[async_trait]
impl Audit for Log {
    async fn entries_after(&self, place: i64, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        Ok((place + 1..=3).take(limit as usize).map(entry).collect())
    }
    async fn entries_before(
        &self,
        place: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        Ok((1..place.unwrap_or(4)).rev().take(limit as usize).map(entry).collect())
    }
}

fn entry(place: i64) -> AuditEntry {
    AuditEntry {
        place,
        at: Micros(1_700_000_000_000_000 + place),
        by: "ann".into(),
        action: "pool.set".into(),
        subject: "pool:render@*".into(),
        old: None,
        new: Some("{\"workers\":2}".into()),
        link: Link([7; 32]),
    }
}

struct Tree(supervisors::TreeView);

impl Viewing for Tree {
    fn snapshot(&self) -> Snapshot {
        self.0.snapshot()
    }
}

pub(super) struct Component(pub(super) Arc<AtomicBool>);

#[async_trait]
impl Check for Component {
    fn name(&self) -> &'static str {
        "database"
    }
    async fn check(&self) -> Result<(), String> {
        if self.0.load(Ordering::SeqCst) { Ok(()) } else { Err("password=hunter2".into()) }
    }
}

/// Files in memory.
#[derive(Default)]
pub(super) struct Drawer(Mutex<BTreeMap<String, Bytes>>);

#[async_trait]
impl Blobs for Drawer {
    async fn put(&self, key: &str, content: Bytes) -> Result<(), BlobError> {
        self.0.lock().unwrap().insert(key.to_owned(), content);
        Ok(())
    }
    async fn get(&self, key: &str, most: u64) -> Result<Option<Bytes>, BlobError> {
        match self.0.lock().unwrap().get(key) {
            Some(there) if there.len() as u64 > most => {
                Err(BlobError::TooLarge { key: key.to_owned(), most })
            }
            there => Ok(there.cloned()),
        }
    }
    async fn remove(&self, key: &str) -> Result<(), BlobError> {
        self.0.lock().unwrap().remove(key);
        Ok(())
    }
    async fn list(&self, prefix: &str) -> Result<Vec<String>, BlobError> {
        let all = self.0.lock().unwrap();
        Ok(all.keys().filter(|key| key.starts_with(prefix)).cloned().collect())
    }
}

pub(super) struct Ticking;

impl Clock for Ticking {
    fn now(&self) -> Micros {
        Micros(1_700_000_000_000_000)
    }
}

#[derive(Default)]
pub(super) struct Counting(AtomicU64);

impl Ids for Counting {
    fn next(&self) -> Uuid {
        Uuid::from_u64_pair(0, self.0.fetch_add(1 << 32, Ordering::SeqCst))
    }
}

/// A catalogue of two, one of them disabled.
pub(super) struct Draft;

#[async_trait]
impl Drafts for Draft {
    async fn drafts(
        &self,
        _: &Scope,
        after: Option<&Sku>,
        limit: u32,
    ) -> Result<Vec<ProductDraft>, StoreError> {
        let rows = [
            r#"{"sku":"A","name":"a","stock":[{"warehouse":"north","quantity":3}]}"#,
            r#"{"sku":"B","name":"b","status":"disabled","price":"1.50","currency":"EUR"}"#,
        ];
        let reading = Reading::new(&BTreeMap::new(), Currency::USD).unwrap();
        let read = |row: &str| {
            let row = row.as_bytes();
            import::json::row(1, row, &reading, &mut Ignored::default()).unwrap()
        };
        let behind = rows.map(read).into_iter().filter(|one| after.is_none_or(|a| one.sku > *a));
        Ok(behind.take(limit as usize).collect())
    }
    async fn draft(&self, scope: &Scope, sku: &Sku) -> Result<Option<StoredDraft>, StoreError> {
        let all = self.drafts(scope, None, 9).await?;
        let found = all.into_iter().find(|one| one.sku == *sku);
        let stored = |draft: ProductDraft| StoredDraft {
            id: ProductId(Uuid::nil()),
            draft: ProductDraft { stock: None, ..draft },
            version: 7,
        };
        Ok(found.map(stored))
    }
    async fn find(
        &self,
        _: &Scope,
        _: &ProductFilter,
        _: Option<&Sku>,
        _: u32,
    ) -> Result<Vec<ProductRow>, StoreError> {
        Ok(Vec::new())
    }
}

pub(super) struct Shop {
    pub(super) address: SocketAddr,
    pub(super) socket: std::path::PathBuf,
    /// What the session's cookie is called here.
    pub(super) cookie: String,
    pub(super) shelf: Arc<Shelf>,
    pub(super) index: Arc<Index>,
    pub(super) runs: Arc<Runs>,
    pub(super) visitors: Arc<Visitors>,
    pub(super) files: Arc<Drawer>,
    pub(super) cache: Arc<PageCache>,
    pub(super) healthy: Arc<AtomicBool>,
    pub(super) stage: Stage,
    pub(super) door: super::maintenance::Handle,
    universe: Universe,
    server: JoinSet<()>,
    stop: oneshot::Sender<()>,
    _folder: tempfile::TempDir,
}

impl Shop {
    pub(super) async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    pub(super) async fn open_with(change: impl FnOnce(&mut HttpConfig)) -> Self {
        let mut config = HttpConfig { shop_name: "Toolery".into(), ..HttpConfig::default() };
        change(&mut config);
        config.validate().unwrap();
        let shelf =
            Shelf { all: Mutex::default(), tree: Arc::new(tree()), reads: AtomicU64::new(0) };
        (1..=30).for_each(|n| shelf.put(product(n)));
        let shelf = Arc::new(shelf);
        let index = Arc::new(Index {
            shelf: Arc::clone(&shelf),
            generation: AtomicU64::new(1),
            asked: AtomicU64::new(0),
            down: AtomicBool::new(false),
            gate: Mutex::default(),
        });
        let renderers =
            Pool::new("render", PoolOptions { workers: 1, bound: 2, ..PoolOptions::default() });
        let (accounts, [password_workers, desk]) = super::accounts::nobody();
        let supervisor = Supervisor::new("shop", Strategy::OneForOne)
            .child(pool(&renderers, || async { Ok(RenderWorker) }))
            .child(password_workers)
            .child(desk);
        let universe = Universe::start(supervisor).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("stoa.sock");
        let runs = Arc::new(Runs::default());
        let visitors = Arc::new(Visitors::default());
        let files = Arc::new(Drawer::default());
        let cache = Arc::new(PageCache::new(config.cache_bytes));
        let healthy = Arc::new(AtomicBool::new(true));
        let stage = Stage::default();
        stage.rise();
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        config.listen = address;
        let cookie = crate::http::cookie::Cookie::Session.name(false, address.port());
        let followed = Progress::default();
        followed.was_level(Micros(i64::MAX));
        let door = super::maintenance::door();
        let app = App {
            followed,
            scope: Arc::default(),
            documents: Arc::clone(&shelf) as _,
            drafts: Arc::new(Draft),
            search: Arc::clone(&index) as _,
            imports: Arc::clone(&runs) as _,
            files: Arc::clone(&files) as _,
            pools: Arc::new(Pools),
            visitors: Arc::clone(&visitors) as _,
            accounts: Arc::new(accounts),
            carts: super::carts::nowhere(Arc::clone(&shelf) as _),
            rules: super::rules::nowhere(),
            orders: super::orders::nowhere(Arc::clone(&shelf) as _),
            till: super::orders::no_till(),
            stocks: super::orders::no_stocks(),
            mails: super::orders::no_mails(),
            jobs: super::jobs::office(),
            schedules: super::schedules::schedules(),
            endpoints: super::webhooks::endpoints(),
            door: door.door.clone(),
            quotes: super::quotes::no_quotes(Arc::clone(&shelf) as _),
            products: super::orders::no_products(),
            cards: None,
            trusted: Trusted::read(&config.trusted_proxies).unwrap(),
            chance: Arc::new(Dice),
            audit: Arc::new(Log),
            tree: Arc::new(Tree(universe.view())),
            checks: vec![Arc::new(Component(Arc::clone(&healthy)))],
            cache: Arc::clone(&cache),
            render: Render::new(renderers.handle(), Duration::from_secs(10)),
            clock: Arc::new(Ticking),
            ids: Arc::new(Counting::default()),
            token: Some(AdminToken::new(TOKEN)),
            metrics: None,
            stage: stage.clone(),
            streams: Default::default(),
            shell: Default::default(),
            config,
        };
        let listeners = Listeners::new(tcp, Some(crate::http::bind_local(&socket).unwrap()));
        let (stop, stopped) = oneshot::channel::<()>();
        let mut server = JoinSet::new();
        server.spawn(accept(Arc::new(Edge::new(app)), Arc::new(listeners), async {
            let _dropped = stopped.await;
        }));
        let _folder = folder;
        Self {
            address,
            socket,
            cookie,
            shelf,
            index,
            runs,
            visitors,
            files,
            cache,
            healthy,
            stage,
            door,
            universe,
            server,
            stop,
            _folder,
        }
    }

    pub(super) async fn get(&self, path: &str) -> Response<Bytes> {
        self.ask("GET", path, &[], "").await
    }

    pub(super) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response<Bytes> {
        let mut request = Request::builder().method(method).uri(path).header("host", "shop");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        exchange(TcpStream::connect(self.address).await.unwrap(), request).await
    }

    pub(super) async fn admin(&self, method: &str, path: &str, body: &str) -> Response<Bytes> {
        let token = format!("Bearer {TOKEN}");
        let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
        self.ask(method, path, &headers, body).await
    }

    pub(super) async fn by_socket(&self, path: &str) -> Response<Bytes> {
        let request = Request::builder().uri(path).header("host", "shop");
        let request = request.body(Full::default()).unwrap();
        exchange(UnixStream::connect(&self.socket).await.unwrap(), request).await
    }

    /// Asks the server to stop, and waits until it has.
    pub(super) async fn close(mut self) {
        let _gone = self.stop.send(());
        while let Some(ended) = self.server.join_next().await {
            ended.unwrap();
        }
        self.universe.stop().await;
    }
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Response<Bytes>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let answer = async move {
        let (head, body) = sender.send_request(request).await.unwrap().into_parts();
        Response::from_parts(head, body.collect().await.unwrap().to_bytes())
    };
    join(answer, connection).await.0
}

pub(super) fn json(response: &Response<Bytes>) -> serde_json::Value {
    serde_json::from_slice(response.body()).unwrap()
}

pub(super) fn text(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).unwrap()
}

/// Status and headers, one a line, without what differs from run to run.
pub(super) fn head(response: &Response<Bytes>) -> String {
    let mut lines: Vec<String> = response
        .headers()
        .iter()
        .map(|(name, value)| {
            let value = match name.as_str() {
                "date" | "x-request-id" | "etag" | "content-length" => "[…]",
                _ => value.to_str().unwrap(),
            };
            format!("{name}: {value}")
        })
        .collect();
    lines.sort();
    format!("{}\n{}", response.status(), lines.join("\n"))
}

pub(super) fn header<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
    let headers: &HeaderMap = response.headers();
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

pub(super) fn variant(document: &ProductDocument) -> VariantRef {
    VariantRef {
        sku: document.sku.clone(),
        slug: document.slug.clone(),
        name: document.name.clone(),
        options: document.options.clone(),
        price: document.price,
        stock: document.stock,
    }
}

pub(super) fn is(response: &Response<Bytes>, status: u16) {
    assert_eq!(response.status(), StatusCode::from_u16(status).unwrap(), "{}", text(response));
}
