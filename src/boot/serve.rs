//! A server: opens everything, starts the tree, says where it is, and waits for its end.

use super::{
    BootError, assembly,
    checks::{DatabaseCheck, DocumentsCheck, SearchCheck, TreeCheck},
    demo::Demo,
    parts::Parts,
};
use crate::{
    actors::keepers::{
        carts::{BasePrices, Carts, CartsParts},
        pools::Pools,
        sessions::{Sessions, SessionsParts},
    },
    config::Config,
    domain::tax::TaxMode,
    folder::Folder,
    http::{
        self, AdminToken, App, Check, Edge, Listeners, PageCache, Render, RenderWorker, ShellCache,
        Started, Trusted,
    },
    tree::{self, ServerSeats},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use supervisors::{Nudge, Pool, Running, pool, reconciler, task};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};

/// Other nodes' live changes are found within this.
const OVERRIDES_EVERY: Duration = Duration::from_secs(1);

pub(crate) async fn serve(config: &Config, folder: &Folder, demo: bool) -> Result<(), BootError> {
    supervisors::install_panic_capture();
    let mut lock = folder.take("stoa serve")?;
    let listeners = listen(config, folder).await?;
    let parts = Parts::open(config, folder).await?;
    let metrics = http::install_metrics().map_err(|error| BootError::Other(error.to_string()))?;
    let cache = Arc::new(PageCache::new(config.http.cache_bytes));
    let assembly = assembly::assemble(config, folder, &parts, cache.clone(), false)?;

    let nudge = Nudge::new();
    let sizes: BTreeMap<String, u32> =
        config.pools.iter().map(|(name, pool)| (name.clone(), pool.workers)).collect();
    let pools = Pools::new(
        node_name(),
        sizes,
        assembly.store.clone(),
        parts.store.clone(),
        parts.clock.clone(),
        nudge.clone(),
    );
    let sessions = Sessions::new(SessionsParts {
        rows: parts.store.clone(),
        store: assembly.store.clone(),
        clock: parts.clock.clone(),
        ids: parts.ids.clone(),
        chance: parts.chance.clone(),
        lifetimes: config.sessions.lifetimes(),
    });
    let carts = Carts::new(CartsParts {
        store: assembly.store.clone(),
        rows: parts.store.clone(),
        documents: parts.documents.clone(),
        prices: Arc::new(BasePrices { currency: config.shop.currency, tax: TaxMode::default() }),
        clock: parts.clock.clone(),
        ids: parts.ids.clone(),
        scope: parts.scope.clone(),
    });
    let tree_check = Arc::new(TreeCheck::default());
    let checks: Vec<Arc<dyn Check>> = vec![
        Arc::new(DatabaseCheck(parts.store.clone())),
        Arc::new(DocumentsCheck(parts.documents.clone())),
        Arc::new(SearchCheck(parts.search.clone())),
        tree_check.clone(),
    ];
    let render: Pool<http::RenderJob> = Pool::new("render", config.pool("render").options());
    let started = Started::default();
    let app = App {
        config: http_config(config, &listeners)?,
        scope: Arc::new(parts.scope.clone()),
        documents: parts.documents.clone(),
        search: Arc::new(assembly.search.clone()),
        files: parts.files.clone(),
        imports: Arc::new(assembly.imports.clone()),
        pools: Arc::new(pools.clone()),
        visitors: Arc::new(sessions.clone()),
        carts,
        trusted: Trusted::read(&config.http.trusted_proxies).map_err(BootError::Other)?,
        chance: parts.chance.clone(),
        audit: parts.store.clone(),
        tree: tree_check.clone(),
        checks,
        cache,
        render: Render::new(render.handle(), config.http.request_timeout()),
        clock: parts.clock.clone(),
        ids: parts.ids.clone(),
        token: Some(AdminToken::new(&folder.admin_token(random_token())?)),
        metrics: Some(metrics),
        followed: assembly.followed,
        started: started.clone(),
        shell: ShellCache::default(),
    };
    let url = app.config.origin();
    let (edge, listeners) = (Arc::new(Edge::new(app)), Arc::new(listeners));
    let mut seats = assembly.seats;
    let overrides = pools.clone();
    seats.server = Some(ServerSeats {
        render: pool(&render, || async { Ok(RenderWorker) }),
        pool_overrides: reconciler("pool-overrides", OVERRIDES_EVERY, &nudge, move || {
            let reconciler = overrides.reconciler();
            async move { Ok(reconciler) }
        }),
        sessions: sessions.child(),
        http: task("http", move |context| http::serve(edge.clone(), listeners.clone(), context)),
        demo: demo.then(|| {
            let demo = Demo {
                catalog: parts.store.clone(),
                store: assembly.store.clone(),
                clock: parts.clock.clone(),
                scope: parts.scope.clone(),
            };
            demo.child()
        }),
    });
    say_where(folder, &url);
    let mut signals = Signals::hear()?;
    let running = tree::stoa(seats).start().await?;
    tree_check.attach(running.view());
    pools.attach(running.view());
    started.done();
    lock.announce("stoa serve", Some(url))
        .map_err(|error| BootError::Other(format!("can't write run/lock: {error}")))?;
    let ended = until_the_end(&running, &mut signals).await;
    tokio::select! {
        () = running.stop() => {}
        () = signals.next() => {
            let words = "ended by a second signal before everything had stopped";
            return Err(BootError::Other(words.into()));
        }
    }
    parts.store.close().await;
    ended
}

/// Bound before anything is opened: a taken port must not cost a migration.
async fn listen(config: &Config, folder: &Folder) -> Result<Listeners, BootError> {
    let address = config.http.listen;
    let failed = |source| BootError::Listen { address: address.to_string(), source };
    let tcp = TcpListener::bind(address).await.map_err(failed)?;
    let local = match http::bind_local(&folder.socket()) {
        Ok(local) => Some(local),
        Err(error) => {
            // A path too long for a socket, most often: commands then come over TCP.
            tracing::warn!(%error, "no socket in the data folder, so commands use the port");
            None
        }
    };
    Ok(Listeners::new(tcp, local))
}

fn http_config(config: &Config, listeners: &Listeners) -> Result<http::HttpConfig, BootError> {
    let failed = |source| BootError::Listen { address: config.http.listen.to_string(), source };
    let public = config.shop.public_url.trim_end_matches('/');
    Ok(http::HttpConfig {
        listen: listeners.address().map_err(failed)?,
        public_url: (!public.is_empty()).then(|| public.to_owned()),
        shop_name: config.shop.name.clone(),
        currency: config.shop.currency,
        ..config.http.clone()
    })
}

/// The first lines of the log; who follows the address now waits until the tree is up.
fn say_where(folder: &Folder, url: &str) {
    let data = std::path::absolute(folder.path()).unwrap_or_else(|_| folder.path().to_owned());
    tracing::info!("shop: {url}/");
    tracing::info!("API: {url}/docs (described in {url}/openapi.json)");
    tracing::info!("data: {}", data.display());
}

/// SIGTERM and Ctrl-C; heard from the start, so that one during it is not lost.
struct Signals {
    term: Signal,
    interrupt: Signal,
}

impl Signals {
    fn hear() -> Result<Self, BootError> {
        let failed =
            |error: std::io::Error| BootError::Other(format!("can't hear signals: {error}"));
        Ok(Self {
            term: signal(SignalKind::terminate()).map_err(failed)?,
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// SIGTERM or Ctrl-C, or a tree that gave up. A second signal ends the process at once.
async fn until_the_end(running: &Running, signals: &mut Signals) -> Result<(), BootError> {
    tokio::select! {
        () = signals.next() => {}
        ended = running.ended() => return Err(BootError::Ended(ended)),
    }
    tracing::info!("stopping: running requests finish; a second signal ends it at once");
    Ok(())
}

/// What this process calls itself where nodes are told apart.
fn node_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "local".to_owned(), |name| name.trim().to_owned())
}

/// 244 random bits.
#[expect(clippy::disallowed_methods, reason = "a secret, not an id: it must not be foreseeable")]
fn random_token() -> String {
    let part = || uuid::Uuid::new_v4().simple().to_string();
    part() + &part()
}
