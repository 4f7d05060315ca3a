//! How far imports are, for whoever watches, and who wants one to end.
//!
//! Only in memory: the rows say the same, a commit later. It outlives the importer's actor.

use crate::{
    domain::id::ImportId,
    ports::imports::{Import, ImportCounts, ImportState},
};
use serde::Serialize;
use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// A run as a progress bar needs it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Progress {
    pub(crate) state: ImportState,
    pub(crate) counts: ImportCounts,
    /// Bytes of the source as stored: read, and in all.
    pub(crate) bytes_done: u64,
    pub(crate) source_bytes: u64,
    /// Rows a second since this run started or was resumed.
    pub(crate) rows_per_second: Option<f64>,
    /// At the speed so far.
    pub(crate) left: Option<Duration>,
    /// Why it failed, or what is worth knowing of one that succeeded.
    pub(crate) message: Option<String>,
}

impl Progress {
    pub(super) fn of(import: &Import) -> Self {
        Self {
            state: import.state,
            counts: import.counts,
            bytes_done: import.bytes_done,
            source_bytes: import.source_bytes,
            rows_per_second: None,
            left: None,
            message: import.message.clone(),
        }
    }

    /// Nothing more will come, unless somebody resumes it.
    pub(crate) fn ended(&self) -> bool {
        self.state.is_ended()
    }
}

#[derive(Default)]
pub(super) struct Board(Mutex<Notes>);

#[derive(Default)]
struct Notes {
    running: Option<ImportId>,
    cancelled: HashSet<ImportId>,
    watched: HashMap<ImportId, watch::Sender<Progress>>,
    /// Starts without an orderly end in this process.
    deaths: HashMap<ImportId, u32>,
}

impl Board {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a run starts and says how often it died before in this process.
    pub(super) fn begin(&self, id: ImportId) -> u32 {
        let mut notes = self.notes();
        notes.running = Some(id);
        let starts = notes.deaths.entry(id).or_default();
        *starts += 1;
        *starts - 1
    }

    /// An end the importer came to by itself.
    pub(super) fn end(&self, id: ImportId) {
        let mut notes = self.notes();
        notes.running = None;
        notes.cancelled.remove(&id);
        notes.deaths.remove(&id);
    }

    /// Asks for an end; true when a run will see to it.
    pub(super) fn cancel(&self, id: ImportId) -> bool {
        let mut notes = self.notes();
        notes.cancelled.insert(id);
        notes.running == Some(id)
    }

    /// The row says so now; a run that began meanwhile still needs the note.
    pub(super) fn cancel_is_written(&self, id: ImportId) {
        let mut notes = self.notes();
        if notes.running != Some(id) {
            notes.cancelled.remove(&id);
        }
    }

    pub(super) fn is_cancelled(&self, id: ImportId) -> bool {
        self.notes().cancelled.contains(&id)
    }

    pub(super) fn watch(&self, import: &Import) -> watch::Receiver<Progress> {
        let mut notes = self.notes();
        notes.watched.retain(|_, sender| sender.receiver_count() > 0);
        let now = Progress::of(import);
        let sender = notes.watched.entry(import.id);
        sender.or_insert_with(|| watch::channel(now).0).subscribe()
    }

    pub(super) fn tell(&self, id: ImportId, progress: Progress) {
        if let Some(sender) = self.notes().watched.get(&id) {
            sender.send_replace(progress);
        }
    }
}
