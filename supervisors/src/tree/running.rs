//! A running tree, and the view of it that others may have.
//!
//! Promise: dropping [`Running`] kills the tree, so none outlives its owner;
//! [`Running::stop`] ends it in order. A [`TreeView`] keeps nothing running.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use ractor::{Actor, ActorRef};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::overseer::{Order, Overseer, Report};
use super::{Plan, find_twins, plant};
use crate::child::Child;
use crate::context::Ending;
use crate::fault::{BoxError, Death, sentence};
use crate::node::{Alive, Node};
use crate::pool::PoolControl;
use crate::snapshot::{Kind, Snapshot};
use crate::sync::locked;

/// A child could not start, so the tree did not.
#[derive(Debug)]
pub struct StartFailed {
    /// Which child, such as `stoa/store/writer`.
    pub path: String,
    /// What it said.
    pub source: BoxError,
}

impl std::fmt::Display for StartFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot start {}: {}", self.path, sentence(self.source.as_ref()))
    }
}

/// The source is part of the text, so it is not offered once more.
impl std::error::Error for StartFailed {}

/// The root's budget is spent: nobody is left to restart anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path} gave up: {reason}")]
pub struct Escalation {
    /// The supervisor that gave up first.
    pub path: String,
    /// Why, with the last death.
    pub reason: String,
}

impl Escalation {
    pub(crate) fn of(root: &str, death: &Death) -> Self {
        let path = match death {
            Death::Spent { path, .. } | Death::CannotStart { path, .. } => path.as_str(),
            _ => root,
        };
        Self { path: path.to_owned(), reason: death.to_string() }
    }
}

/// How a tree ended.
#[derive(Debug, Clone)]
pub(crate) enum Verdict {
    Stopped,
    Escalated(Escalation),
}

/// A tree that is up.
#[derive(Debug)]
#[must_use = "dropping it kills the tree"]
pub struct Running {
    root: ActorRef<Order>,
    join: Mutex<Option<JoinHandle<()>>>,
    end: watch::Receiver<Option<Verdict>>,
    view: TreeView,
    child: Child,
    alive: Alive,
}

impl Running {
    pub(crate) async fn start(name: Cow<'static, str>, plan: Plan) -> Result<Self, StartFailed> {
        let child = Child::new(name, Kind::Supervisor, plan.clone());
        let alive = Alive::default();
        let node = plant(&child, None, &alive);
        if let Some(path) = find_twins(&node) {
            let source =
                "its name is taken: siblings, and the pools of a tree, need names of their own";
            return Err(StartFailed { path, source: source.into() });
        }
        let (boot, booted) = oneshot::channel();
        let (end, ended) = watch::channel(None);
        let report = Report::Root { boot: Some(boot), end };
        let path = node.path.to_string();
        let failed = |source: BoxError| StartFailed { path, source };
        node.starting();
        let desk = Overseer::desk(plan, Arc::clone(&node), report);
        let (root, join) = match Overseer::spawn(None, Overseer, desk).await {
            Ok(spawned) => spawned,
            Err(error) => return Err(failed(error.into())),
        };
        let running = Self {
            root,
            join: Mutex::new(Some(join)),
            end: ended,
            view: TreeView { root: node },
            child,
            alive,
        };
        match booted.await {
            Ok(Ok(())) => Ok(running),
            Ok(Err(error)) => {
                running.joined().await;
                Err(error)
            }
            Err(_dropped) => Err(failed("its supervisor died".into())),
        }
    }

    /// A cheap handle to look at the tree and to turn its pools.
    pub fn view(&self) -> TreeView {
        self.view.clone()
    }

    /// Resolves when the root gives up. It never does after [`stop`](Self::stop).
    pub async fn ended(&self) -> Escalation {
        let mut end = self.end.clone();
        let verdict = match end.wait_for(Option::is_some).await {
            Ok(verdict) => verdict.clone(),
            Err(_dropped) => None,
        };
        match verdict {
            Some(Verdict::Escalated(escalation)) => escalation,
            Some(Verdict::Stopped) => std::future::pending().await,
            None => Escalation {
                path: self.view.root.path.to_string(),
                reason: "its supervisor died".to_owned(),
            },
        }
    }

    /// Stops all children in reverse start order, each within its time, and
    /// waits until they are gone. Further calls wait as well.
    pub async fn stop(&self) {
        let _already_gone = self.root.send_message(Order::End(Ending::Close));
        self.joined().await;
        self.child.abandon();
    }

    async fn joined(&self) {
        let mut end = self.end.clone();
        let _dropped = end.wait_for(Option::is_some).await;
        let join = locked(&self.join).take();
        if let Some(join) = join {
            let _aborted = join.await;
        }
    }

    /// How many actors of the tree have not been dropped yet; 0 after a stop.
    pub fn alive(&self) -> usize {
        self.alive.count()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.root.kill();
        self.child.abandon();
    }
}

/// A handle to look at a tree and to turn its pools.
#[derive(Clone)]
pub struct TreeView {
    root: Arc<Node>,
}

impl TreeView {
    /// The whole tree as data. Asks no actor, so it answers even if all hang.
    pub fn snapshot(&self) -> Snapshot {
        self.root.snapshot()
    }

    /// The pool of this name or path.
    pub fn pool(&self, name: &str) -> Option<PoolControl> {
        let is_it = |pool: &PoolControl| pool.name() == name || pool.path() == name;
        self.pools().into_iter().find(is_it)
    }

    /// All pools, in start order.
    pub fn pools(&self) -> Vec<PoolControl> {
        let mut pools = Vec::new();
        self.root.walk(&mut |node| {
            if let Some(ops) = node.pool() {
                pools.push(PoolControl::new(Arc::clone(node), Arc::clone(ops)));
            }
        });
        pools
    }
}

impl std::fmt::Debug for TreeView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TreeView").field(&self.root.path).finish()
    }
}
