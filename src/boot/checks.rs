//! What `/readyz` asks of each component.

use crate::{
    actors::reconcilers::integrity::Verdict,
    adapters::{
        clock::SystemClock, documents::RedbDocuments, sql::SqlStore, tantivy::TantivySearch,
    },
    http::{Check, Viewing},
    ports::{documents::Documents, outbox::Outbox, search::Search},
};
use async_trait::async_trait;
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};
use supervisors::{Kind, Restart, Snapshot, State, TreeView};

/// The database counts as away when it takes longer than this.
const DATABASE_PATIENCE: Duration = Duration::from_secs(2);
/// Seconds that the machine's clock may be away from ours.
const MOST_DRIFT: i64 = 5;

/// Browsing goes on without it, so it doesn't take the node out of service.
pub(super) struct DatabaseCheck(pub(super) Arc<SqlStore>);

#[async_trait]
impl Check for DatabaseCheck {
    fn name(&self) -> &'static str {
        "database"
    }

    fn optional(&self) -> bool {
        true
    }

    async fn check(&self) -> Result<(), String> {
        match tokio::time::timeout(DATABASE_PATIENCE, self.0.head()).await {
            Ok(answer) => answer.map(drop).map_err(|error| error.to_string()),
            Err(_) => Err("the database doesn't answer within 2 s".into()),
        }
    }
}

/// Damage takes the node out of service: what is damaged is not served.
pub(super) struct IntegrityCheck(pub(super) Verdict);

#[async_trait]
impl Check for IntegrityCheck {
    fn name(&self) -> &'static str {
        "integrity"
    }

    async fn check(&self) -> Result<(), String> {
        match self.0.damage() {
            None => Ok(()),
            Some(damage) => Err(format!(
                "the database is damaged ({damage}); `stoa doctor` looks closer, `stoa restore` \
                 makes it anew from a backup"
            )),
        }
    }
}

/// A wall clock that was set goes on being served by the time of the start: that is told, and no
/// reason to send nobody here.
pub(super) struct ClockCheck(pub(super) Arc<SystemClock>);

#[async_trait]
impl Check for ClockCheck {
    fn name(&self) -> &'static str {
        "clock"
    }

    fn optional(&self) -> bool {
        true
    }

    async fn check(&self) -> Result<(), String> {
        let seconds = self.0.drift_us() / 1_000_000;
        match seconds.abs() {
            0..MOST_DRIFT => Ok(()),
            _ => Err(format!(
                "the machine's clock was set, or the machine slept: it is {seconds} s away from \
                 ours; start again when it is right"
            )),
        }
    }
}

pub(super) struct DocumentsCheck(pub(super) Arc<RedbDocuments>);

#[async_trait]
impl Check for DocumentsCheck {
    fn name(&self) -> &'static str {
        "documents"
    }

    async fn check(&self) -> Result<(), String> {
        match self.0.position() {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err("the local documents are being built".into()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// A category is shown without search, so a rebuild doesn't take the node out of service.
pub(super) struct SearchCheck(pub(super) Arc<TantivySearch>);

#[async_trait]
impl Check for SearchCheck {
    fn name(&self) -> &'static str {
        "search"
    }

    fn optional(&self) -> bool {
        true
    }

    async fn check(&self) -> Result<(), String> {
        match self.0.generation() {
            0 => Err("the search index is being built".into()),
            _ => Ok(()),
        }
    }
}

/// The running tree, once there is one. An actor that gave up, or that is being started again,
/// takes the node out of service.
#[derive(Default)]
pub(super) struct TreeCheck(OnceLock<TreeView>);

impl TreeCheck {
    pub(super) fn attach(&self, view: TreeView) {
        // Attached once, by boot; a second tree in one process would be a bug elsewhere.
        drop(self.0.set(view));
    }
}

impl Viewing for TreeCheck {
    fn snapshot(&self) -> Snapshot {
        self.0.get().map_or_else(starting, TreeView::snapshot)
    }
}

#[async_trait]
impl Check for TreeCheck {
    fn name(&self) -> &'static str {
        "tree"
    }

    async fn check(&self) -> Result<(), String> {
        let Some(view) = self.0.get() else { return Err("the tree is starting".into()) };
        let snapshot = view.snapshot();
        if snapshot.is_healthy() {
            return Ok(());
        }
        let ill = |node: &&Snapshot| node.children.is_empty() && !node.is_healthy();
        let names: Vec<_> =
            snapshot.walk().into_iter().filter(ill).map(|node| node.path.clone()).collect();
        Err(format!("not running: {}", names.join(", ")))
    }
}

/// What is shown of the tree until all of it has started.
fn starting() -> Snapshot {
    Snapshot {
        name: "stoa".into(),
        path: "stoa".into(),
        kind: Kind::Supervisor,
        state: State::Starting,
        restart: Restart::Permanent,
        restarts: 0,
        up_ms: None,
        last_panic: None,
        last_fault: None,
        mailbox: None,
        handled: 0,
        wait: None,
        run: None,
        pool: None,
        supervisor: None,
        children: Vec::new(),
    }
}
