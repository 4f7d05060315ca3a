//! The pool in which pages that ask the search index are made.
//!
//! Bounded, so a storm of different searches is refused at the door instead of queued until every
//! client has gone; a page from the cache never comes here. A worker that dies loses the page in
//! hand: its client is told to come again.

use crate::http::{cache::Built, error::Problem};
use std::{future::Future, pin::Pin, time::Duration};
use supervisors::{Context, Fault, PoolHandle, Reply, Worker};

type Page = Pin<Box<dyn Future<Output = Result<Built, Problem>> + Send>>;

/// One page to make.
pub(crate) struct RenderJob {
    page: Page,
    reply: Reply<Result<Built, Problem>>,
}

/// A worker of the pool `render`.
#[derive(Debug, Default)]
pub(crate) struct RenderWorker;

impl Worker for RenderWorker {
    type Job = RenderJob;

    async fn run(&mut self, job: RenderJob, _context: &Context) -> Result<(), Fault> {
        job.reply.send(job.page.await);
        Ok(())
    }
}

/// The pool's handle.
#[derive(Debug, Clone)]
pub(crate) struct Render {
    pool: PoolHandle<RenderJob>,
    within: Duration,
}

impl Render {
    /// `within` is how long a page may take, waiting included.
    pub(crate) fn new(pool: PoolHandle<RenderJob>, within: Duration) -> Self {
        Self { pool, within }
    }

    pub(crate) async fn page<F>(&self, page: F) -> Result<Built, Problem>
    where
        F: Future<Output = Result<Built, Problem>> + Send + 'static,
    {
        let page = Box::pin(page);
        match self.pool.call(|reply| RenderJob { page, reply }, self.within).await {
            Ok(made) => made,
            Err(refused) => Err(refused.into()),
        }
    }
}
