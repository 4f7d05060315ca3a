//! Supervisors: a tree that starts, restarts and stops its children.
//!
//! Promise: children start in the order they are declared, each after the one
//! before is up, and stop in reverse. A child that dies is started again as its
//! strategy says. When that happens more often than the budget covers, the
//! supervisor stops its children and dies itself, which is its parent's case
//! to handle; at the root it is the process's.

mod overseer;
mod running;
mod steps;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use ractor::SpawnErr;

pub use self::running::{Escalation, Running, StartFailed, TreeView};

use crate::backoff::Backoff;
use crate::budget::Budget;
use crate::child::{Child, Launch};
use crate::node::{Alive, Fittings, Node};
use crate::policy::Strategy;
use crate::reply::BoxFuture;
use crate::shell::{Berth, Spawned};
use crate::snapshot::Kind;

/// A supervisor and its children, before it runs. It is a child itself where it
/// is put below another one.
#[derive(Debug, Clone)]
#[must_use = "a supervisor does nothing until it is started or made a child"]
pub struct Supervisor {
    name: Cow<'static, str>,
    plan: Plan,
}

#[derive(Debug, Clone)]
pub(crate) struct Plan {
    strategy: Strategy,
    budget: Budget,
    backoff: Backoff,
    children: Vec<Child>,
}

impl Supervisor {
    /// A supervisor without children yet.
    pub fn new(name: impl Into<Cow<'static, str>>, strategy: Strategy) -> Self {
        Self {
            name: name.into(),
            plan: Plan {
                strategy,
                budget: Budget::default(),
                backoff: Backoff::default(),
                children: Vec::new(),
            },
        }
    }

    /// How many restarts it tolerates, over all its children.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.plan.budget = budget;
        self
    }

    /// How long it waits before a restart, and its children for what they need.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.plan.backoff = backoff;
        self
    }

    /// Adds a child; it starts after those added before and stops before them.
    pub fn child(mut self, child: impl Into<Child>) -> Self {
        self.plan.children.push(child.into());
        self
    }

    /// Starts the whole tree and waits until every child is up. If one cannot
    /// start, those already up are stopped again in reverse order.
    pub async fn start(self) -> Result<Running, StartFailed> {
        Running::start(self.name, self.plan).await
    }
}

impl From<Supervisor> for Child {
    fn from(supervisor: Supervisor) -> Self {
        let mut child = Self::new(supervisor.name, Kind::Supervisor, supervisor.plan);
        child.shutdown = None;
        child
    }
}

impl Launch for Plan {
    fn fittings(&self) -> Fittings {
        Fittings { strategy: Some(self.strategy), ..Fittings::default() }
    }

    fn launch(&self, berth: Berth) -> BoxFuture<'_, Result<Spawned, SpawnErr>> {
        Box::pin(overseer::Overseer::spawn_below(self.clone(), berth))
    }

    fn children(&self) -> &[Child] {
        &self.children
    }

    fn configure(&self, node: &Node) {
        node.set_budget(self.budget);
    }
}

/// Makes the nodes of `child` and of all below it.
fn plant(child: &Child, parent: Option<&str>, alive: &Alive) -> Arc<Node> {
    let path: Arc<str> = match parent {
        Some(parent) => format!("{parent}/{}", child.name).into(),
        None => child.name.as_ref().into(),
    };
    let below = child.launch.children();
    let children = below.iter().map(|c| plant(c, Some(&path), alive)).collect();
    let node = Node::new(
        path,
        child.name.clone(),
        child.kind,
        child.restart,
        child.launch.fittings(),
        children,
        alive.clone(),
    );
    child.launch.configure(&node);
    Arc::new(node)
}

/// The path of the first node that shares its path, or a pool its name, with another.
fn find_twins(root: &Arc<Node>) -> Option<String> {
    let mut paths = HashSet::new();
    let mut pools = HashSet::new();
    let mut twin = None;
    root.walk(&mut |node| {
        let new_path = paths.insert(Arc::clone(&node.path));
        let new_pool = node.pool().is_none() || pools.insert(node.name.clone());
        if !(new_path && new_pool) && twin.is_none() {
            twin = Some(node.path.to_string());
        }
    });
    twin
}
