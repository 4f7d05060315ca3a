//! The queue's consumers: which jobs this program does, and a pool for each queue.

use super::BootError;
use crate::{
    actors::{
        keepers::writer::StoreHandle,
        workers::{
            deliver_webhook::{Deliverer, Turns},
            jobs::{
                Desk, DispatchParts, Flow, LeaseParts, Line, RunnerParts, Topics, committer,
                dispatcher, ends, lease, listener, runners, suspects,
            },
            probe::Prober,
            send_mail::Post,
        },
    },
    adapters::{
        mail::{FolderMailer, Origin, SmtpMailer},
        sql::SqlStore,
        webhooks::HttpCourier,
    },
    config::Config,
    domain::job::Queue,
    folder::Folder,
    ports::{
        bell::Bell,
        cells::Cells,
        chance::Chance,
        clock::{Clock, Ids},
        jobs::{Echo, Jobs, Probe},
        mail::{Mailer, SendMail},
        webhooks::{Courier, DeliverWebhook},
    },
    tree::{JobSeats, PoolConfig},
    views::Sender,
};
use std::sync::Arc;
use supervisors::Pool;

/// What running jobs needs of the world.
pub(super) struct JobParts {
    pub(super) rows: Arc<dyn Jobs>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn Ids>,
    pub(super) chance: Arc<dyn Chance>,
    pub(super) cells: Arc<dyn Cells>,
    /// `None`: nobody else claims by itself.
    pub(super) bell: Option<Arc<dyn Bell>>,
    /// No other process runs this database's jobs, as far as it is known here.
    pub(super) alone: bool,
}

/// The bell of this process, where others may claim by themselves.
pub(super) fn bell(store: &SqlStore, ids: &dyn Ids) -> Option<Arc<dyn Bell>> {
    store.bell(ids.next()).map(|bell| Arc::new(bell) as _)
}

/// As mails name the shop, and where they link to.
pub(super) fn sender(config: &Config, url: &str) -> Sender {
    Sender { shop: config.shop.name.clone(), url: url.to_owned() }
}

/// Who posts to endpoints of others, where the configuration lets it.
pub(super) fn courier(config: &Config) -> Result<Arc<dyn Courier>, BootError> {
    let hooks = &config.webhooks;
    let courier = HttpCourier::new(hooks.reach, &hooks.ca).map_err(BootError::Other)?;
    Ok(Arc::new(courier))
}

/// Every job there is, a line each. `url`: where the shop is, as mails link to it.
pub(super) fn topics(
    config: &Config,
    folder: &Folder,
    store: &Arc<SqlStore>,
    parts: &JobParts,
    url: &str,
) -> Result<Topics, BootError> {
    let origin = Origin::read(&config.mail.from).map_err(BootError::Other)?;
    let smtp = &config.mail.smtp;
    let mailer: Arc<dyn Mailer> = match smtp.host.as_str() {
        "" => Arc::new(FolderMailer::new(folder.mail(), origin)),
        _ => Arc::new(SmtpMailer::new(smtp, origin).map_err(BootError::Other)?),
    };
    let post = Post {
        queue: store.clone(),
        orders: store.clone(),
        mailer,
        sender: sender(config, url),
        clock: parts.clock.clone(),
    };
    let deliverer = Deliverer {
        rows: store.clone(),
        courier: courier(config)?,
        clock: parts.clock.clone(),
        turns: Turns::default(),
        source: url.to_owned(),
    };
    let prober = Prober { clock: parts.clock.clone(), ids: parts.ids.clone() };
    let topics = Topics::default()
        .with::<SendMail>(post)
        .with::<DeliverWebhook>(deliverer)
        .with::<Probe>(prober)
        .with::<Echo>(());
    #[cfg(debug_assertions)]
    let topics = topics.with::<crate::actors::workers::trouble::Trouble>(());
    Ok(topics)
}

/// For jobs of these queues; `concurrency` of each at a time, or as configured.
pub(super) fn jobs(
    config: &Config,
    parts: &JobParts,
    store: &StoreHandle,
    desk: &Desk,
    topics: Topics,
    queues: &[Queue],
    concurrency: Option<u32>,
) -> JobSeats {
    let mailbox = ends();
    let working = RunnerParts {
        topics,
        desk: desk.clone(),
        ends: mailbox.address(),
        clock: parts.clock.clone(),
        chance: parts.chance.clone(),
    };
    let alone = Pool::new("suspects", config.pool("suspects").options());
    let (mut lines, mut pools) = (Vec::new(), Vec::new());
    for queue in queues {
        let name = queue.as_str();
        let configured = config.pool(name);
        let workers = concurrency.unwrap_or(configured.workers);
        let pool = Pool::new(name, PoolConfig { workers, ..configured }.options());
        pools.push(runners(&pool, &working));
        for (suspects, pool) in [(false, &pool), (true, &alone)] {
            let (pool, flow) = (pool.handle(), Arc::<Flow>::default());
            lines.push(Line { queue: *queue, suspects, pool, flow });
        }
    }
    pools.push(suspects(&alone, &parts.cells, &working));
    JobSeats {
        lease: lease(LeaseParts {
            desk: desk.clone(),
            rows: parts.rows.clone(),
            store: store.clone(),
            clock: parts.clock.clone(),
            ids: parts.ids.clone(),
            name: format!("{} {}", node_name(), std::process::id()),
            alone: parts.alone,
            config: config.jobs,
        }),
        committer: committer(&mailbox, desk, store, &parts.clock),
        pools,
        listener: parts.bell.as_ref().map(|bell| listener(bell, desk)),
        dispatcher: dispatcher(DispatchParts {
            desk: desk.clone(),
            rows: parts.rows.clone(),
            store: store.clone(),
            clock: parts.clock.clone(),
            lines,
            bell: parts.bell.clone(),
        }),
    }
}

/// What this machine calls itself where nodes are told apart.
pub(super) fn node_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "local".to_owned(), |name| name.trim().to_owned())
}
