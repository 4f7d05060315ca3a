//! A child's place in the tree, before it runs.
//!
//! Promise: a child is described once and started as often as needed; what
//! outlives it (mailbox, nudge, pool, statistics) is in the description.

use std::borrow::Cow;
use std::sync::Arc;

use ractor::SpawnErr;

use crate::node::{Fittings, Node};
use crate::policy::{Restart, Shutdown};
use crate::reply::BoxFuture;
use crate::shell::{Berth, Spawned};
use crate::snapshot::Kind;

/// Starts a child, again and again.
pub(crate) trait Launch: Send + Sync + 'static {
    fn fittings(&self) -> Fittings;

    /// Spawns one life; does not wait until it is up.
    fn launch(&self, berth: Berth) -> BoxFuture<'_, Result<Spawned, SpawnErr>>;

    /// Called when the child is asked to end for good: takes no more work.
    fn close(&self) {}

    /// Called when the child is gone for good: answers whoever still waits.
    fn abandon(&self) {}

    /// Called once, when the child's node is made.
    fn configure(&self, _node: &Node) {}

    /// A supervisor's own children.
    fn children(&self) -> &[Child] {
        &[]
    }
}

/// A child of a [`Supervisor`](crate::Supervisor): made by [`agent`](crate::agent()),
/// [`reconciler`](crate::reconciler()), [`task`](crate::task()), [`pool`](crate::pool())
/// or from another supervisor.
#[derive(Clone)]
pub struct Child {
    pub(crate) name: Cow<'static, str>,
    pub(crate) kind: Kind,
    pub(crate) restart: Restart,
    /// None: takes as long as it takes, as a supervisor does whose children have limits.
    pub(crate) shutdown: Option<Shutdown>,
    pub(crate) launch: Arc<dyn Launch>,
}

impl Child {
    pub(crate) fn new(name: impl Into<Cow<'static, str>>, kind: Kind, launch: impl Launch) -> Self {
        Self {
            name: name.into(),
            kind,
            restart: Restart::default(),
            shutdown: Some(Shutdown::default()),
            launch: Arc::new(launch),
        }
    }

    /// When it is started again; [`Restart::Permanent`] unless told.
    #[must_use]
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = restart;
        self
    }

    /// How it is stopped; drained within ten seconds unless told. Supervisors
    /// take the time their children need unless told.
    #[must_use]
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.shutdown = Some(shutdown);
        self
    }

    /// Answers all who wait for this child or any below it: it is gone for good.
    pub(crate) fn abandon(&self) {
        self.launch.abandon();
        for child in self.launch.children() {
            child.abandon();
        }
    }

    /// Takes no more work, here and below.
    pub(crate) fn close(&self) {
        self.launch.close();
    }
}

impl std::fmt::Debug for Child {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Child")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("restart", &self.restart)
            .field("shutdown", &self.shutdown)
            .finish_non_exhaustive()
    }
}
