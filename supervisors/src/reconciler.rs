//! Reconcilers: compare what is with what should be, and mend the difference.
//!
//! Promise: a timer and a nudge start the same pass, which takes no input, so a
//! lost nudge or a death half way costs time and nothing else. Never two passes
//! at once. The first pass starts with the child.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use ractor::SpawnErr;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::bell::{Bell, Nudge};
use crate::child::{Child, Launch};
use crate::context::Context;
use crate::fault::{Fault, StartError};
use crate::meter::Meter;
use crate::node::Fittings;
use crate::reply::BoxFuture;
use crate::shell::{Berth, Body, Flow, Shell, Spawned};
use crate::snapshot::Kind;

/// Makes idempotent passes.
pub trait Reconciler: Send + 'static {
    /// Looks, mends, and says when to look again. An unavailable fault is tried
    /// again with backoff.
    fn pass(&mut self, ctx: &Context) -> impl Future<Output = Result<Next, Fault>> + Send;

    /// Tidies up at an orderly end.
    fn stopping(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// When the next pass should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// At the timer or a nudge, whichever is first.
    Idle,
    /// At once: there is more to do.
    Again,
    /// After this time, or at a nudge.
    After(Duration),
}

/// A child that makes a pass `every` so often and whenever `nudge` wakes it.
pub fn reconciler<R, F, Fut>(
    name: impl Into<Cow<'static, str>>,
    every: Duration,
    nudge: &Nudge,
    make: F,
) -> Child
where
    R: Reconciler,
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, StartError>> + Send + 'static,
{
    let plan =
        Plan { every, bell: Arc::clone(nudge.bell()), meter: Arc::default(), make: Arc::new(make) };
    Child::new(name, Kind::Reconciler, plan)
}

struct Plan<F> {
    every: Duration,
    bell: Arc<Bell>,
    meter: Arc<Meter>,
    make: Arc<F>,
}

impl<R, F, Fut> Launch for Plan<F>
where
    R: Reconciler,
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, StartError>> + Send + 'static,
{
    fn fittings(&self) -> Fittings {
        Fittings { meter: Arc::clone(&self.meter), ..Fittings::default() }
    }

    fn launch(&self, berth: Berth) -> BoxFuture<'_, Result<Spawned, SpawnErr>> {
        let make = Arc::clone(&self.make);
        let (every, bell, meter) = (self.every, Arc::clone(&self.bell), Arc::clone(&self.meter));
        let birth = Box::new(move |_| -> BoxFuture<'static, _> {
            Box::pin(async move {
                let reconciler = make().await?;
                Ok(Passing { reconciler, every, bell, meter, timer: None })
            })
        });
        Box::pin(Shell::spawn(berth, Arc::clone(&self.bell), birth))
    }
}

struct Passing<R> {
    reconciler: R,
    every: Duration,
    bell: Arc<Bell>,
    meter: Arc<Meter>,
    timer: Option<JoinHandle<()>>,
}

impl<R> Passing<R> {
    fn ring_after(&mut self, pause: Duration) {
        let bell = Arc::clone(&self.bell);
        #[expect(clippy::disallowed_methods, reason = "its own timer: aborted with this value")]
        let timer = tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            bell.ring();
        });
        self.timer = Some(timer);
    }

    fn cancel_timer(&mut self) {
        if let Some(timer) = self.timer.take() {
            timer.abort();
        }
    }
}

impl<R> Drop for Passing<R> {
    fn drop(&mut self) {
        self.cancel_timer();
    }
}

impl<R: Reconciler> Body for Passing<R> {
    async fn wake(&mut self, context: &Context) -> Result<Flow, Fault> {
        self.cancel_timer();
        if context.stopping() {
            return Ok(Flow::Rest);
        }
        let began = Instant::now();
        let passed = self.reconciler.pass(context).await;
        let now = Instant::now();
        self.meter.ran(now, 1, now - began);
        match passed? {
            Next::Idle => self.ring_after(self.every),
            Next::After(pause) => self.ring_after(pause),
            Next::Again => {
                tokio::task::consume_budget().await;
                return Ok(Flow::Again);
            }
        }
        Ok(Flow::Rest)
    }

    async fn stopping(&mut self) {
        self.reconciler.stopping().await;
    }
}
