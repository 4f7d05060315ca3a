//! Tasks: one long-running future, such as an accept loop.
//!
//! Promise: it is run until it returns; [`Context::stopped`] tells it to. A
//! task that returns well is started again only if it is `Permanent`; one whose
//! dependency is unavailable is run again with backoff.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;

use ractor::SpawnErr;
use tokio::time::Instant;

use crate::bell::Bell;
use crate::child::{Child, Launch};
use crate::context::Context;
use crate::fault::Fault;
use crate::meter::Meter;
use crate::node::Fittings;
use crate::reply::BoxFuture;
use crate::shell::{Berth, Body, Flow, Shell, Spawned};
use crate::snapshot::Kind;

/// A child that runs what `make` returns, at each start anew.
pub fn task<F, Fut>(name: impl Into<Cow<'static, str>>, make: F) -> Child
where
    F: Fn(Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Fault>> + Send + 'static,
{
    let plan = Plan { make: Arc::new(make), meter: Arc::default() };
    Child::new(name, Kind::Task, plan)
}

struct Plan<F> {
    make: Arc<F>,
    meter: Arc<Meter>,
}

impl<F, Fut> Launch for Plan<F>
where
    F: Fn(Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Fault>> + Send + 'static,
{
    fn fittings(&self) -> Fittings {
        Fittings { meter: Arc::clone(&self.meter), ..Fittings::default() }
    }

    fn launch(&self, berth: Berth) -> BoxFuture<'_, Result<Spawned, SpawnErr>> {
        let running = Running { make: Arc::clone(&self.make), meter: Arc::clone(&self.meter) };
        let birth =
            Box::new(move |_| -> BoxFuture<'static, _> { Box::pin(async move { Ok(running) }) });
        Box::pin(Shell::spawn(berth, Arc::new(Bell::default()), birth))
    }
}

struct Running<F> {
    make: Arc<F>,
    meter: Arc<Meter>,
}

impl<F, Fut> Body for Running<F>
where
    F: Fn(Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Fault>> + Send + 'static,
{
    async fn wake(&mut self, context: &Context) -> Result<Flow, Fault> {
        if context.stopping() {
            return Ok(Flow::Done);
        }
        let began = Instant::now();
        let ended = (self.make)(context.clone()).await;
        let now = Instant::now();
        self.meter.ran(now, 1, now - began);
        ended.map(|()| Flow::Done)
    }
}
