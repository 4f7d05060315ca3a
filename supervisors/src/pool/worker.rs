//! One worker of a pool.
//!
//! Promise: it has at most one job in hand. If it dies, that job's caller gets
//! `Lost`, the job's key is free again, and the others go on.

use std::future::Future;
use std::sync::Arc;

use tokio::time::Instant;

use super::core::Core;
use crate::bell::Bell;
use crate::context::Context;
use crate::fault::Fault;
use crate::shell::{Body, Flow};

/// Does jobs, one at a time.
pub trait Worker: Send + 'static {
    /// What it does; usually a struct or enum with a [`Reply`](crate::Reply).
    type Job: Send + 'static;

    /// Does one job and answers it. An unavailable fault makes this worker
    /// pause with backoff before its next job; a crash replaces it.
    fn run(
        &mut self,
        job: Self::Job,
        ctx: &Context,
    ) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Tidies up at an orderly end.
    fn stopping(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

pub(crate) struct Working<W: Worker> {
    pub(crate) worker: W,
    pub(crate) number: u64,
    pub(crate) core: Arc<Core<W::Job>>,
    pub(crate) bell: Arc<Bell>,
}

impl<W: Worker> Working<W> {
    /// Does one job; false if there was none.
    async fn one(&mut self, context: &Context) -> Result<bool, Fault> {
        let Some((job, in_hand)) = self.core.take(self.number, &self.bell) else {
            return Ok(false);
        };
        let began = Instant::now();
        let done = self.worker.run(job, context).await;
        let now = Instant::now();
        self.core.meter.ran(now, 1, now - began);
        drop(in_hand);
        tokio::task::consume_budget().await;
        done.map(|()| true)
    }
}

impl<W: Worker> Body for Working<W> {
    async fn wake(&mut self, context: &Context) -> Result<Flow, Fault> {
        while !context.stopping() && self.one(context).await? {}
        Ok(Flow::Rest)
    }

    async fn drain(&mut self, context: &Context) -> Result<(), Fault> {
        while self.one(context).await? {}
        Ok(())
    }

    async fn stopping(&mut self) {
        self.worker.stopping().await;
    }
}

impl<W: Worker> Drop for Working<W> {
    fn drop(&mut self) {
        self.core.leave(self.number);
    }
}
