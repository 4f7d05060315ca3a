//! A server: opens everything, starts the tree, says where it is, and waits for its end.

use super::{
    BootError, assembly,
    checks::{ClockCheck, DatabaseCheck, DocumentsCheck, IntegrityCheck, SearchCheck, TreeCheck},
    demo::Demo,
    handoff::{Handoff, MOST_OTHERS, Program, take_patiently},
    jobs::{JobParts, bell, courier, jobs, node_name, topics},
    parts::Parts,
    people::{self, People},
    selling::selling,
    signals::{self, Signals, Wish},
    sockets::Inherited,
};
use crate::{
    actors::{
        keepers::{
            carts::{Carts, CartsParts},
            endpoints::Endpoints,
            pools::{Configured, Pools, PoolsParts, Scalable},
            quotes::{Quotes, QuotesParts},
            rules::{Rules, RulesParts},
        },
        reconcilers::{
            integrity::{Verdict, integrity},
            maintenance::{Door, maintenance},
            scheduler::{Schedules, scheduler},
        },
        workers::jobs::Office,
    },
    config::Config,
    domain::job::Queue,
    folder::Folder,
    http::{
        self, AdminToken, App, Check, Edge, Listeners, PageCache, Render, RenderWorker, ShellCache,
        Stage, Streams, Trusted,
    },
    ports::integrity::Integrity,
    tree::{self, PoolConfig, ServerSeats},
};
use std::{sync::Arc, time::Duration};
use supervisors::{Nudge, Pool, pool, reconciler, task};
use tokio::net::TcpListener;

const HOUR: Duration = Duration::from_secs(60 * 60);
/// Other nodes' live changes are found within this.
const OVERRIDES_EVERY: Duration = Duration::from_secs(1);

/// Serves until it is told to end, or to hand over to what is answered then.
pub(crate) async fn serve(
    config: &Config,
    folder: &Folder,
    inherited: Option<Inherited>,
    demo: bool,
) -> Result<Option<Handoff>, BootError> {
    let program = Program::of_this_process();
    let hand_over = signals::hand_over()?;
    supervisors::install_panic_capture();
    let waited_for = inherited.is_some();
    let mut lock = match waited_for {
        true => take_patiently(folder, MOST_OTHERS).await?,
        false => folder.take("stoa serve")?,
    };
    let mut announce = |url: &str| {
        let announced = lock.announce("stoa serve", Some(url.to_owned()));
        announced.map_err(|error| BootError::Other(format!("can't write run/lock: {error}")))
    };
    let listeners = listen(config, folder, inherited).await?;
    let http_config = http_config(config, &listeners)?;
    let url = http_config.origin();
    if waited_for {
        // Commands that come from now on wait in the sockets, as they did before.
        announce(&url)?;
    }
    let parts = Parts::open(config, folder).await?;
    let metrics = http::install_metrics().map_err(|error| BootError::Other(error.to_string()))?;
    let cache = Arc::new(PageCache::new(config.http.cache_bytes));
    let assembly = assembly::assemble(config, folder, &parts, cache.clone(), false)?;

    let nudge = Nudge::new();
    let pools = Pools::new(PoolsParts {
        node: node_name(),
        configured: config
            .pools
            .iter()
            .map(|(name, pool)| (name.clone(), sized(name, *pool)))
            .collect(),
        store: assembly.store.clone(),
        overrides: parts.store.clone(),
        waits: parts.store.clone(),
        clock: parts.clock.clone(),
        nudge: nudge.clone(),
    });
    let (verdict, stored) = (Verdict::default(), parts.store.clone() as Arc<dyn Integrity>);
    let rules = Rules::new(RulesParts {
        shelf: parts.rules.clone(),
        rows: parts.store.clone(),
        store: assembly.store.clone(),
        clock: parts.clock.clone(),
        site: parts.scope.site.clone(),
        currency: config.shop.currency,
        base_tax: config.shop.base_tax(),
    });
    let carts = Carts::new(CartsParts {
        store: assembly.store.clone(),
        rows: parts.store.clone(),
        documents: parts.documents.clone(),
        prices: Arc::new(rules.clone()),
        clock: parts.clock.clone(),
        ids: parts.ids.clone(),
        scope: parts.scope.clone(),
    });
    let desk = &assembly.jobs;
    let People { sessions, accounts, mails, seats: people_seats } =
        people::people(config, &parts, &assembly.store, &url, desk.nudge())?;
    let job_parts = JobParts {
        rows: parts.store.clone(),
        clock: parts.clock.clone(),
        ids: parts.ids.clone(),
        chance: parts.chance.clone(),
        cells: Arc::new(program.cells()),
        bell: bell(&parts.store, &*parts.ids),
        alone: parts.embedded,
    };
    let to_jobs = desk.nudge().clone();
    let clock = parts.clock.clone();
    let door = Door::new(parts.store.clone(), assembly.store.clone(), clock, to_jobs);
    // Nobody is let in before it is known whether it is closed.
    door.read().await?;
    let topics = topics(config, folder, &parts.store, &job_parts, &url)?;
    let office = Office {
        rows: parts.store.clone(),
        store: assembly.store.clone(),
        clock: parts.clock.clone(),
        ids: parts.ids.clone(),
        desk: desk.clone(),
        topics: topics.clone(),
    };
    let schedules = Schedules {
        rows: parts.store.clone(),
        store: assembly.store.clone(),
        clock: parts.clock.clone(),
        ids: parts.ids.clone(),
        topics: topics.clone(),
        changed: Nudge::new(),
        put: desk.nudge().clone(),
    };
    let endpoints = Endpoints {
        rows: parts.store.clone(),
        store: assembly.store.clone(),
        courier: courier(config)?,
        clock: parts.clock.clone(),
        ids: parts.ids.clone(),
        chance: parts.chance.clone(),
        wake: desk.nudge().clone(),
    };
    let jobs = jobs(config, &job_parts, &assembly.store, desk, topics, Queue::ALL, None);
    let quotes = Quotes::new(QuotesParts {
        store: assembly.store.clone(),
        rows: parts.store.clone(),
        accounts: parts.store.clone(),
        documents: parts.documents.clone(),
        clock: parts.clock.clone(),
        ids: parts.ids.clone(),
        scope: parts.scope.clone(),
        sender: mails.sender.clone(),
        shop_email: config.mail.address(),
        tax: config.shop.base_tax(),
    });
    let play_money = config.payments.takes_test_cards(demo, &http_config.origin());
    let selling = selling(config, folder, &parts, &assembly.store, &carts, &rules, play_money)?;
    let tree_check = Arc::new(TreeCheck::default());
    let checks: Vec<Arc<dyn Check>> = vec![
        Arc::new(DatabaseCheck(parts.store.clone())),
        Arc::new(IntegrityCheck(verdict.clone())),
        Arc::new(ClockCheck(parts.hands.clone())),
        Arc::new(DocumentsCheck(parts.documents.clone())),
        Arc::new(SearchCheck(parts.search.clone())),
        tree_check.clone(),
    ];
    let render: Pool<http::RenderJob> = Pool::new("render", config.pool("render").options());
    let stage = Stage::default();
    let app = App {
        config: http_config,
        scope: Arc::new(parts.scope.clone()),
        documents: parts.documents.clone(),
        drafts: parts.store.clone(),
        search: Arc::new(assembly.search.clone()),
        files: parts.files.clone(),
        imports: Arc::new(assembly.imports.clone()),
        pools: Arc::new(pools.clone()),
        audit: parts.store.clone(),
        visitors: Arc::new(sessions),
        accounts: Arc::new(accounts.clone()),
        carts,
        rules,
        orders: selling.orders,
        quotes,
        till: selling.till,
        stocks: selling.stocks,
        mails,
        jobs: office,
        schedules: schedules.clone(),
        endpoints,
        door: door.clone(),
        products: selling.products,
        cards: selling.cards,
        trusted: Trusted::read(&config.http.trusted_proxies).map_err(BootError::Other)?,
        chance: parts.chance.clone(),
        tree: tree_check.clone(),
        checks,
        cache,
        render: Render::new(render.handle(), config.http.request_timeout()),
        clock: parts.clock.clone(),
        ids: parts.ids.clone(),
        token: Some(AdminToken::new(&folder.admin_token(random_token())?)),
        metrics: Some(metrics),
        followed: assembly.followed,
        stage: stage.clone(),
        streams: Streams::default(),
        shell: ShellCache::default(),
    };
    let (edge, listeners) = (Arc::new(Edge::new(app)), Arc::new(listeners));
    let mut seats = assembly.seats;
    let overrides = pools.clone();
    seats.server = Some(ServerSeats {
        render: pool(&render, || async { Ok(RenderWorker) }),
        pool_overrides: reconciler("pool-overrides", OVERRIDES_EVERY, &nudge, move || {
            let reconciler = overrides.reconciler();
            async move { Ok(reconciler) }
        }),
        pool_autoscaler: pools.autoscaler(),
        maintenance: maintenance(&door),
        integrity: integrity(&stored, &verdict, HOUR * config.store.check_hours, &Nudge::new()),
        selling: selling.seats,
        people: people_seats,
        jobs,
        scheduler: scheduler(schedules),
        http: {
            let listeners = listeners.clone();
            task("http", move |context| http::serve(edge.clone(), listeners.clone(), context))
        },
        demo: demo.then(|| {
            let demo = Demo {
                catalog: parts.store.clone(),
                store: assembly.store.clone(),
                clock: parts.clock.clone(),
                ids: parts.ids.clone(),
                scope: parts.scope.clone(),
            };
            demo.child()
        }),
    });
    say_where(folder, &url);
    let mut signals = Signals::hear(hand_over)?;
    let running = tree::stoa(seats).start().await?;
    tree_check.attach(running.view());
    pools.attach(running.view());
    people::offer_setup(&accounts, folder, &url).await?;
    stage.rise();
    announce(&url)?;
    let wanted = signals::until_the_end(&running, &mut signals, &program).await;
    stage.leave();
    let wish = wanted.as_ref().copied().unwrap_or(Wish::End);
    let wish = signals::stop(&running, &mut signals, wish).await?;
    parts.store.close().await;
    wanted?;
    match wish {
        Wish::End => Ok(None),
        Wish::HandOver => Handoff::new(program, &listeners, lock).map(Some).map_err(|error| {
            BootError::Other(format!("can't hand over the listening sockets: {error}"))
        }),
    }
}

/// A pool's configuration, as an operator's changes are held against it.
fn sized(name: &str, pool: PoolConfig) -> Configured {
    let scalable = Queue::parse(name).zip(pool.autoscale).map(|(queue, autoscale)| Scalable {
        queue,
        enabled: autoscale.enabled,
        bounds: autoscale.bounds(),
    });
    Configured { workers: pool.workers, scalable }
}

/// Bound before anything is opened: a taken port must not cost a migration.
async fn listen(
    config: &Config,
    folder: &Folder,
    inherited: Option<Inherited>,
) -> Result<Listeners, BootError> {
    let address = config.http.listen;
    let failed = |source| BootError::Listen { address: address.to_string(), source };
    let (tcp, local) = match inherited {
        Some(inherited) => inherited.adopt().map_err(|error| {
            BootError::Other(format!("can't use the socket that was handed in: {error}"))
        })?,
        None => (TcpListener::bind(address).await.map_err(failed)?, None),
    };
    let local = match local.map_or_else(|| http::bind_local(&folder.socket()), Ok) {
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

/// 244 random bits.
#[expect(clippy::disallowed_methods, reason = "a secret, not an id: it must not be foreseeable")]
fn random_token() -> String {
    let part = || uuid::Uuid::new_v4().simple().to_string();
    part() + &part()
}
