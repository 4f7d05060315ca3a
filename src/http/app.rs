//! All that the routes need, as one plain struct that boot fills in.

use crate::{
    actors::{
        keepers::{
            carts::Carts, endpoints::Endpoints, orders::Orders, products::Products, quotes::Quotes,
            rules::Rules, stock::Stocks, till::Till,
        },
        reconcilers::{Progress, mail::Mails, maintenance::Door, scheduler::Schedules},
        workers::jobs::Office,
    },
    domain::{category::CategoryTree, scope::Scope},
    http::{
        access::AdminToken,
        accounting::Accounting,
        api::events::Streams,
        cache::PageCache,
        client::Trusted,
        config::HttpConfig,
        handles::{Check, Importing, Pooling, Searching, Viewing, Visiting},
        render::Render,
        stage::Stage,
    },
    ports::{
        audit::Audit,
        blobs::Blobs,
        catalog::Drafts,
        chance::Chance,
        clock::{Clock, Ids},
        documents::Documents,
        payments::CardForm,
    },
    views::{Shell, ShellOptions},
};
use metrics_exporter_prometheus::PrometheusHandle;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Documents that may be older than this are no ground to keep pages on.
const MOST_LAG: Duration = Duration::from_secs(2);

/// Handles and settings. Cheap to build; shared by every connection.
pub(crate) struct App {
    pub(crate) config: HttpConfig,
    pub(crate) scope: Arc<Scope>,
    pub(crate) documents: Arc<dyn Documents>,
    /// For exports.
    pub(crate) drafts: Arc<dyn Drafts>,
    pub(crate) search: Arc<dyn Searching>,
    /// What an operator shows everybody: `files/public`.
    pub(crate) files: Arc<dyn Blobs>,
    pub(crate) imports: Arc<dyn Importing>,
    pub(crate) pools: Arc<dyn Pooling>,
    pub(crate) visitors: Arc<dyn Visiting>,
    pub(crate) accounts: Arc<dyn Accounting>,
    pub(crate) carts: Carts,
    pub(crate) rules: Rules,
    pub(crate) orders: Orders,
    pub(crate) quotes: Quotes,
    pub(crate) till: Till,
    pub(crate) stocks: Stocks,
    /// What is mailed, and what could not be.
    pub(crate) mails: Mails,
    /// What waits in the queue, and who does it.
    pub(crate) jobs: Office,
    /// What is put there again and again.
    pub(crate) schedules: Schedules,
    /// Who is told of what happens.
    pub(crate) endpoints: Endpoints,
    /// Closed while the shop is looked after.
    pub(crate) door: Door,
    pub(crate) products: Products,
    /// Where cards are taken on a form of the shop's own.
    pub(crate) cards: Option<Cards>,
    /// Who changed what.
    pub(crate) audit: Arc<dyn Audit>,
    pub(crate) tree: Arc<dyn Viewing>,
    pub(crate) checks: Vec<Arc<dyn Check>>,
    pub(crate) cache: Arc<PageCache>,
    pub(crate) render: Render,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) chance: Arc<dyn Chance>,
    /// Proxies, read from the configuration.
    pub(crate) trusted: Trusted,
    /// `None`: administrators come by the socket alone.
    pub(crate) token: Option<AdminToken>,
    /// `None`: nobody installed a recorder, so `/metrics` is empty.
    pub(crate) metrics: Option<PrometheusHandle>,
    /// How far this node's documents are in the log.
    pub(crate) followed: Progress,
    pub(crate) stage: Stage,
    pub(crate) streams: Streams,
    pub(crate) shell: ShellCache,
}

/// A form for cards, and whose it is.
#[derive(Clone)]
pub(crate) struct Cards {
    pub(crate) provider: &'static str,
    pub(crate) form: Arc<dyn CardForm>,
}

/// Header, menu and footer of the present category tree, made again when the tree changes.
#[derive(Default)]
pub(crate) struct ShellCache {
    made: Mutex<Option<(Arc<CategoryTree>, Arc<Shell>)>>,
}

impl App {
    /// The tree and the page frame made from it.
    pub(crate) fn shell(&self) -> (Arc<CategoryTree>, Arc<Shell>) {
        let tree = self.documents.categories(&self.scope);
        let mut made = self.shell.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, shell)) = &*made
            && Arc::ptr_eq(of, &tree)
        {
            return (tree, Arc::clone(shell));
        }
        let options = ShellOptions {
            name: self.config.shop_name.clone(),
            url: self.config.origin(),
            locale: self.scope.locale.0.clone(),
            currency: self.config.currency,
            image_hosts: self.config.image_hosts.clone(),
        };
        let shell = Arc::new(Shell::new(options, &tree));
        *made = Some((Arc::clone(&tree), Arc::clone(&shell)));
        (tree, shell)
    }

    /// Stops trusting the page cache while its invalidations come late.
    pub(crate) fn mind_the_lag(&self) {
        let age = self.followed.age(self.clock.now());
        self.cache.distrust(age.is_none_or(|age| age > MOST_LAG));
    }

    /// The log's place that pages are built at now; 0 before the first build.
    pub(crate) fn offset(&self) -> i64 {
        self.documents.position().ok().flatten().map_or(0, |position| position.offset)
    }
}
