//! Imports catalogues: one run at a time, each from its row.
//!
//! Rows are decoded by a thread that reads ahead, sent to the writer in batches, and counted by
//! the import's row in the transaction that stores them. So a run that dies anywhere, with its
//! actor or with the process, is found unfinished by [`Importer::carry_on`] and goes on behind the
//! last row that is in: no row twice, none left out, each bad row once in the error file.
//!
//! Bounds: [`decode`] holds a few chunks, a batch [`BatchOptions::most`] rows or
//! [`BatchOptions::most_bytes`] of text; two batches live at once. A writer that is full is waited
//! for up to [`ImporterOptions::patience`].

mod batch;
mod csv;
mod decode;
mod errors;
mod handle;
mod progress;
mod rows;
mod run;
mod sink;
mod source;
#[cfg(test)]
mod tests;
mod tried;

pub(crate) use batch::BatchOptions;
pub(crate) use handle::{Imports, ImportsError};
pub(crate) use progress::Progress;
pub(crate) use sink::{ProductSink, SinkError};

/// What the handle speaks of, for those who hold it.
pub(crate) use crate::ports::imports::{
    Compression, Import, ImportCounts, ImportOptions, ImportState, RowFormat,
};
use crate::{
    domain::{id::ImportId, scope::Scope},
    ports::{
        self, StoreError,
        clock::{Clock, Ids},
        writer::Write,
    },
};
use progress::Board;
use run::{Ended, RunError};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use supervisors::{Context, Fault, Next, Nudge, Reconciler};

/// What the importer is set to.
#[derive(Debug, Clone)]
pub(crate) struct ImporterOptions {
    pub(crate) batch: BatchOptions,
    /// How long a full writer is waited for before the run steps back.
    pub(crate) patience: Duration,
    /// The largest source that may be uploaded, in bytes as sent.
    pub(crate) upload_most_bytes: u64,
}

/// What an importer works with.
pub(crate) struct ImporterParts {
    pub(crate) rows: Arc<dyn ports::imports::Imports>,
    pub(crate) sink: Arc<dyn ProductSink>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) scope: Scope,
    /// `imports/` in the data folder: uploads and error files.
    pub(crate) folder: PathBuf,
    pub(crate) options: ImporterOptions,
    /// Wakes the importer's passes.
    pub(crate) nudge: Nudge,
}

/// Shared by handle and actor, and older than either.
struct Parts {
    given: ImporterParts,
    board: Board,
    /// Files an earlier process left, to be removed if no import knows them.
    leftovers: Mutex<Vec<(ImportId, PathBuf)>>,
}

impl std::ops::Deref for Parts {
    type Target = ImporterParts;
    fn deref(&self) -> &ImporterParts {
        &self.given
    }
}

impl Parts {
    /// A path in the folder when it is relative, so that the folder may be moved.
    fn source_of(&self, import: &Import) -> PathBuf {
        self.folder.join(&import.source)
    }

    fn errors_of(&self, id: ImportId) -> PathBuf {
        self.folder.join(format!("{id}.errors.ndjson"))
    }

    async fn set(
        &self,
        id: ImportId,
        state: ImportState,
        message: Option<String>,
    ) -> Result<(), SinkError> {
        let at = self.clock.now();
        self.sink.write(Write::EndImport { id, state, message, at }).await.map(drop)
    }
}

/// Whether a pass found something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passed {
    /// A run came to an end; there may be another.
    Ran,
    /// Nothing is waiting.
    Idle,
    /// The process goes down.
    Stopped,
    /// Somebody else moved the import: look again in a while.
    Elsewhere,
}

/// Why a pass broke off; the import is unfinished and found by the next.
#[derive(Debug, thiserror::Error)]
enum PassError {
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Sink(#[from] SinkError),
}

/// Carries imports on, the oldest first.
pub(crate) struct Importer {
    parts: Arc<Parts>,
}

impl Importer {
    /// Runs that died in this process before one is given up: a row that kills its importer must
    /// not take everything else down with it.
    const MOST_DEATHS: u32 = 2;

    /// Runs the oldest unfinished import to its end, or until `stopping` says so.
    async fn carry_on(
        &mut self,
        stopping: &(dyn Fn() -> bool + Sync),
    ) -> Result<Passed, PassError> {
        self.remove_leftovers().await?;
        let Some(import) = self.parts.rows.next_unfinished().await? else {
            return Ok(Passed::Idle);
        };
        let id = import.id;
        let deaths = self.parts.board.begin(id);
        let passed = self.run(id, deaths, stopping).await;
        self.parts.board.end(id);
        passed
    }

    async fn run(
        &self,
        id: ImportId,
        deaths: u32,
        stopping: &(dyn Fn() -> bool + Sync),
    ) -> Result<Passed, PassError> {
        // Read again now that a cancel finds us running: one before that is in the row.
        let Some(import) = self.parts.rows.get(id).await? else { return Ok(Passed::Ran) };
        if !matches!(import.state, ImportState::Pending | ImportState::Running) {
            return Ok(Passed::Ran);
        }
        tracing::info!(import.id = %id, import.name = import.name, rows.done = import.rows_done,
            "import starts");
        let source = self.parts.source_of(&import);
        let uploaded = Path::new(&import.source).is_relative();
        let ended = if deaths > Self::MOST_DEATHS {
            Ended::Failed(format!("it died {deaths} times while running; the log says more"))
        } else {
            if import.state == ImportState::Pending {
                self.parts.set(id, ImportState::Running, None).await?;
            }
            run::run(&self.parts, import, stopping).await?
        };
        let (state, message) = match ended {
            Ended::Succeeded(ignored) => (ImportState::Succeeded, ignored.sentence()),
            Ended::Failed(message) => (ImportState::Failed, Some(message)),
            Ended::Cancelled => (ImportState::Cancelled, None),
            Ended::Stopped => return Ok(Passed::Stopped),
            Ended::Elsewhere => return Ok(Passed::Elsewhere),
        };
        self.parts.set(id, state, message).await?;
        if let Some(import) = self.parts.rows.get(id).await? {
            tracing::info!(import.id = %id, import.state = state.as_str(),
                rows.read = import.counts.read, rows.rejected = import.counts.rejected,
                import.message = import.message, "import ended");
            self.parts.board.tell(id, Progress::of(&import));
        }
        if state == ImportState::Succeeded && uploaded {
            remove(&source).await;
        }
        Ok(Passed::Ran)
    }

    async fn remove_leftovers(&self) -> Result<(), StoreError> {
        loop {
            let next = self.parts.leftovers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some((id, path)) = next else { return Ok(()) };
            if self.parts.rows.get(id).await?.is_none() {
                remove(&path).await;
            }
        }
    }
}

impl Reconciler for Importer {
    async fn pass(&mut self, ctx: &Context) -> Result<Next, Fault> {
        match self.carry_on(&|| ctx.stopping()).await {
            Ok(Passed::Ran) => Ok(Next::Again),
            Ok(Passed::Idle | Passed::Stopped) => Ok(Next::Idle),
            Ok(Passed::Elsewhere) => Ok(Next::After(Duration::from_secs(1))),
            // Whatever the store says, an import waits rather than spends a restart budget that
            // shoppers live on.
            Err(error) => Err(Fault::unavailable(error)),
        }
    }
}

/// A file nobody needs: that it stays is a pity, no more.
async fn remove(path: &Path) {
    if let Err(error) = tokio::fs::remove_file(path).await {
        tracing::warn!(path = %path.display(), %error, "file could not be removed");
    }
}
