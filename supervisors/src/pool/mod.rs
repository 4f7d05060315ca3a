//! Pools: several workers behind one bounded queue, tunable while they run.
//!
//! Promise: the queue outlives its workers and the pool itself. A job is
//! refused to its sender's face or gets one outcome; none is dropped silently.
//! When a worker dies it is replaced; when that happens more often than the
//! pool's budget covers, the pool lets the others finish and fails to its parent.

mod control;
mod core;
mod crew;
mod line;
mod worker;

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use ractor::SpawnErr;

use self::core::Core;
use self::crew::{Crew, Hire};
use self::worker::Working;

pub(crate) use self::control::PoolOps;
pub use self::control::{PoolControl, PoolRefusal};
pub use self::worker::Worker;

use crate::backoff::Backoff;
use crate::bell::Bell;
use crate::budget::Budget;
use crate::child::{Child, Launch};
use crate::fault::StartError;
use crate::mailbox::Refused;
use crate::node::{Fittings, Node};
use crate::reply::{BoxFuture, CallError, Reply, ask};
use crate::shell::{Berth, Shell, Spawned};
use crate::snapshot::Kind;

/// Which worker does which job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Routing {
    /// Whichever is free.
    #[default]
    Queued,
    /// Whichever is free, but jobs of one key one at a time and in order.
    Keyed,
}

/// A pool's numbers.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// Workers at the start.
    pub workers: usize,
    /// Jobs that may wait; one more is refused.
    pub bound: usize,
    /// Workers it never grows past…
    pub most: usize,
    /// …and why, for the operator who tries.
    pub why_most: &'static str,
    /// Which worker does which job.
    pub routing: Routing,
    /// The dead-man's switch: a worker that has one job in hand for longer is
    /// aborted and replaced, and the job's caller gets `Lost`. It spends no
    /// budget, as a hanging dependency may hit all workers at once.
    pub stuck_after: Option<Duration>,
    /// How many dying workers it tolerates.
    pub budget: Budget,
    /// How long it waits before it replaces a dead worker.
    pub backoff: Backoff,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            workers: 1,
            bound: 256,
            most: 64,
            why_most: "that is the limit it was built with",
            routing: Routing::default(),
            stuck_after: None,
            budget: Budget { restarts: 20, within: Duration::from_secs(30) },
            backoff: Backoff::default(),
        }
    }
}

/// A queue of jobs and the size of the crew that does them; made before it.
pub struct Pool<J> {
    core: Arc<Core<J>>,
}

/// Where to send jobs to: a cheap, cloneable handle of a [`Pool`].
pub struct PoolHandle<J> {
    core: Arc<Core<J>>,
}

impl<J: Send + 'static> Pool<J> {
    /// A pool without workers yet; jobs may be sent already.
    pub fn new(name: impl Into<Cow<'static, str>>, options: PoolOptions) -> Self {
        let core = Arc::new(Core::new(name.into(), options));
        Self { core }
    }

    /// A handle to send to.
    pub fn handle(&self) -> PoolHandle<J> {
        PoolHandle { core: Arc::clone(&self.core) }
    }
}

impl<J> PoolHandle<J> {
    /// Sends a job with a reply in it and waits for the answer.
    pub async fn call<R>(
        &self,
        make: impl FnOnce(Reply<R>) -> J,
        within: Duration,
    ) -> Result<R, CallError> {
        let send = |job| self.core.push(None, job).map_err(|refused| refused.reason);
        ask(make, send, within).await
    }

    /// Like [`call`](Self::call); under [`Routing::Keyed`], jobs of the same key
    /// are done one at a time, in order.
    pub async fn call_keyed<R>(
        &self,
        key: u64,
        make: impl FnOnce(Reply<R>) -> J,
        within: Duration,
    ) -> Result<R, CallError> {
        let send = |job| self.core.push(Some(key), job).map_err(|refused| refused.reason);
        ask(make, send, within).await
    }

    /// Queues a job that carries its own reply, or needs none.
    pub fn try_submit(&self, job: J) -> Result<(), Refused<J>> {
        self.core.push(None, job)
    }

    /// Like [`try_submit`](Self::try_submit), in the order of its key.
    pub fn try_submit_keyed(&self, key: u64, job: J) -> Result<(), Refused<J>> {
        self.core.push(Some(key), job)
    }

    /// How many jobs wait.
    pub fn depth(&self) -> usize {
        self.core.depth()
    }

    /// How many workers it is to have.
    pub fn workers(&self) -> usize {
        self.core.workers()
    }

    /// How many more it would take and hand out: none while it is paused,
    /// drains or is down. For whoever fetches work to fill it with.
    pub fn room(&self) -> usize {
        self.core.room()
    }
}

/// A child that runs the workers of `pool`. `make` is called for each worker,
/// at each of its starts.
pub fn pool<W, F, Fut>(pool: &Pool<W::Job>, make: F) -> Child
where
    W: Worker,
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<W, StartError>> + Send + 'static,
{
    let plan = Plan { core: Arc::clone(&pool.core), make: Arc::new(make) };
    Child::new(pool.core.name.clone(), Kind::Pool, plan)
}

struct Plan<J, F> {
    core: Arc<Core<J>>,
    make: Arc<F>,
}

impl<W, F, Fut> Launch for Plan<W::Job, F>
where
    W: Worker,
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<W, StartError>> + Send + 'static,
{
    fn fittings(&self) -> Fittings {
        Fittings {
            meter: Arc::clone(&self.core.meter),
            pool: Some(Arc::clone(&self.core) as Arc<dyn PoolOps>),
            ..Fittings::default()
        }
    }

    fn configure(&self, node: &Node) {
        node.set_budget(self.core.options.budget);
    }

    fn launch(&self, berth: Berth) -> BoxFuture<'_, Result<Spawned, SpawnErr>> {
        self.core.open();
        let make = Arc::clone(&self.make);
        let core = Arc::clone(&self.core);
        let hire: Hire = Box::new(move |number, berth| {
            let (make, core) = (Arc::clone(&make), Arc::clone(&core));
            let bell = Arc::new(Bell::default());
            let own_bell = Arc::clone(&bell);
            let birth = Box::new(move |_| -> BoxFuture<'static, _> {
                Box::pin(async move {
                    let worker = make().await?;
                    Ok(Working { worker, number, core, bell: own_bell })
                })
            });
            Box::pin(Shell::spawn(berth, bell, birth))
        });
        Box::pin(Crew::spawn_below(Arc::clone(&self.core) as _, hire, berth))
    }

    fn close(&self) {
        self.core.close();
    }

    fn abandon(&self) {
        self.core.abandon();
    }
}

impl<J> Clone for Pool<J> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core) }
    }
}

impl<J> Clone for PoolHandle<J> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core) }
    }
}

impl<J> std::fmt::Debug for Pool<J> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Pool").field(&self.core.name).finish()
    }
}

impl<J> std::fmt::Debug for PoolHandle<J> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PoolHandle").field(&self.core.name).finish()
    }
}
