//! Agents: actors that serve a mailbox.
//!
//! Promise: messages are handed over in order of rank, then of arrival, up to
//! [`Agent::DRAIN`] at once. When an agent dies, the callers of the batch in its
//! hands get `Lost`; the rest waits for the agent's successor.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;

use ractor::SpawnErr;
use tokio::time::Instant;

use crate::child::{Child, Launch};
use crate::context::Context;
use crate::fault::{Fault, StartError};
use crate::mailbox::{Inner, Mailbox};
use crate::node::{Fittings, Gauge};
use crate::reply::BoxFuture;
use crate::shell::{Berth, Body, Flow, Shell, Spawned};
use crate::snapshot::Kind;

/// Serves messages, one batch at a time.
pub trait Agent: Sized + Send + 'static {
    /// What it is asked for; usually an enum of imperatives, each with its
    /// [`Reply`](crate::Reply).
    type Message: Send + 'static;

    /// The most messages taken out of the mailbox in one go: 1 serves one by
    /// one; one that commits what is queued takes more.
    const DRAIN: usize = 1;

    /// The most messages of the mailbox's last rank among those, where it has
    /// several: background work taken in small bites lets whatever arrives
    /// meanwhile go first.
    const DRAIN_LAST: usize = usize::MAX;

    /// Does what the messages ask and answers them. Never called with none. An
    /// unavailable fault makes the agent pause before it takes the next batch;
    /// it keeps no message back, so whoever is unanswered by then gets `Lost`.
    fn handle(
        &mut self,
        messages: Vec<Self::Message>,
        ctx: &Context,
    ) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Tidies up at an orderly end, after the last batch.
    fn stopping(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// A child that serves `mailbox`. `make` is called at each start; the agent
/// begins with an empty state and a mailbox that may already be full.
pub fn agent<A, F, Fut>(
    name: impl Into<Cow<'static, str>>,
    mailbox: &Mailbox<A::Message>,
    make: F,
) -> Child
where
    A: Agent,
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<A, StartError>> + Send + 'static,
{
    let plan = Plan { mailbox: mailbox.clone(), make: Arc::new(make) };
    Child::new(name, Kind::Agent, plan)
}

struct Plan<M, F> {
    mailbox: Mailbox<M>,
    make: Arc<F>,
}

impl<M: Send + 'static> Gauge for Inner<M> {
    fn depth_and_bound(&self) -> (usize, usize) {
        (self.depth(), self.bound())
    }
}

impl<A, F, Fut> Launch for Plan<A::Message, F>
where
    A: Agent,
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<A, StartError>> + Send + 'static,
{
    fn fittings(&self) -> Fittings {
        Fittings {
            meter: Arc::clone(&self.mailbox.inner().meter),
            gauge: Some(Arc::clone(self.mailbox.inner()) as Arc<dyn Gauge>),
            ..Fittings::default()
        }
    }

    fn launch(&self, berth: Berth) -> BoxFuture<'_, Result<Spawned, SpawnErr>> {
        self.mailbox.inner().open();
        let mailbox = Arc::clone(self.mailbox.inner());
        let make = Arc::clone(&self.make);
        let birth = Box::new(move |_| -> BoxFuture<'static, _> {
            Box::pin(async move {
                let agent = make().await?;
                Ok(Serving { agent, mailbox })
            })
        });
        Box::pin(Shell::spawn(berth, Arc::clone(&self.mailbox.inner().bell), birth))
    }

    fn close(&self) {
        self.mailbox.inner().close();
    }

    fn abandon(&self) {
        self.mailbox.inner().abandon();
    }
}

struct Serving<A: Agent> {
    agent: A,
    mailbox: Arc<Inner<A::Message>>,
}

impl<A: Agent> Serving<A> {
    /// Serves one batch; false if nothing waited.
    async fn batch(&mut self, context: &Context) -> Result<bool, Fault> {
        let messages = self.mailbox.take(A::DRAIN, A::DRAIN_LAST);
        if messages.is_empty() {
            return Ok(false);
        }
        let count = messages.len() as u64;
        let began = Instant::now();
        let served = self.agent.handle(messages, context).await;
        let now = Instant::now();
        self.mailbox.meter.ran(now, count, now - began);
        served.map(|()| true)
    }
}

impl<A: Agent> Body for Serving<A> {
    async fn wake(&mut self, context: &Context) -> Result<Flow, Fault> {
        while !context.stopping() {
            if !self.batch(context).await? {
                return Ok(Flow::Rest);
            }
            // An agent that never awaits must still let others have the thread.
            tokio::task::consume_budget().await;
        }
        Ok(Flow::Rest)
    }

    async fn drain(&mut self, context: &Context) -> Result<(), Fault> {
        while self.batch(context).await? {
            tokio::task::consume_budget().await;
        }
        Ok(())
    }

    async fn stopping(&mut self) {
        self.agent.stopping().await;
    }
}
