//! The handle `Imports`: hands sources in, tells how far they are, ends and resumes them.

use super::{
    Importer, ImporterParts, Parts, errors,
    progress::{Board, Progress},
    sink::SinkError,
    source::{self, SourceError},
};
use crate::{
    domain::{
        id::ImportId,
        import::{FileError, Reading, RowError},
    },
    ports::{
        StoreError,
        imports::{Compression, Import, ImportCounts, ImportOptions, ImportState, RowFormat},
        writer::Write,
    },
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use std::{
    fmt::Display,
    io,
    path::{Path, PathBuf},
    pin::pin,
    sync::{Arc, Mutex},
};
use tokio::{fs, io::AsyncWriteExt, sync::watch};

/// What a caller may do differently. An import nobody knows is `Ok(None)`, not an error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportsError {
    /// The options make no sense; a sentence for whoever gave them.
    #[error(transparent)]
    Options(FileError),
    /// The source can't be read.
    #[error(transparent)]
    Source(SourceError),
    #[error("the source is larger than {most} bytes")]
    TooLarge { most: u64 },
    #[error("there is no room for the source: {0}")]
    NoRoom(String),
    /// The sender broke off.
    #[error("the source did not arrive whole: {0}")]
    Body(String),
    #[error("the import has {} and can't be resumed", .0.as_str())]
    NotResumable(ImportState),
    /// A file of ours can't be read or written.
    #[error("the imports folder can't be used: {0}")]
    Folder(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Sink(#[from] SinkError),
}

/// Cloneable; older than the importer's actor and working while that is down: what is handed in
/// is a row, and waits.
#[derive(Clone)]
pub(crate) struct Imports {
    parts: Arc<Parts>,
}

impl Imports {
    /// Makes the folder and forgets uploads that an earlier process did not finish. One at a time
    /// for a folder.
    pub(crate) fn new(given: ImporterParts) -> io::Result<Self> {
        std::fs::create_dir_all(&given.folder)?;
        let mut leftovers = Vec::new();
        for entry in std::fs::read_dir(&given.folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == "part" || end == "cut") {
                std::fs::remove_file(&path)?;
            } else if let Some(id) = import_of(&path) {
                leftovers.push((id, path));
            }
        }
        let parts = Parts { given, board: Board::default(), leftovers: Mutex::new(leftovers) };
        Ok(Self { parts: Arc::new(parts) })
    }

    /// The actor's state, anew for each of its lives.
    pub(crate) fn importer(&self) -> Importer {
        Importer { parts: Arc::clone(&self.parts) }
    }

    /// Imports a file where it lies; it must stay there until the run has ended.
    pub(crate) async fn submit_path(
        &self,
        name: &str,
        path: &Path,
        options: ImportOptions,
    ) -> Result<ImportId, ImportsError> {
        check(&options)?;
        let path = path.to_owned();
        let found = tokio::task::spawn_blocking(move || {
            let print = source::fingerprint(&path)?;
            let whole = path.canonicalize().map_err(|error| SourceError::reading(&error))?;
            let text = whole.to_str().map(str::to_owned);
            let text = text.ok_or_else(|| SourceError("the path is not UTF-8".into()))?;
            Ok((text, print))
        });
        let (source, print) = found
            .await
            .map_err(|died| ImportsError::Folder(died.to_string()))?
            .map_err(ImportsError::Source)?;
        let id = ImportId(self.parts.ids.next());
        self.create(id, name, source, print, options).await?;
        Ok(id)
    }

    /// Takes a source as it comes in. It is whole on disk, or gone, before this returns.
    pub(crate) async fn submit_stream<E: Display>(
        &self,
        name: &str,
        options: ImportOptions,
        body: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<ImportId, ImportsError> {
        check(&options)?;
        let id = ImportId(self.parts.ids.next());
        let source = format!("{id}.{}", ending(&options));
        let part = self.parts.folder.join(format!("{id}.part"));
        let whole = self.parts.folder.join(&source);
        let kept = async {
            let print = self.keep(&part, body).await?;
            fs::rename(&part, &whole).await.map_err(folder)?;
            // The name is on disk only when its folder is.
            let folder = fs::File::open(&self.parts.folder).await.map_err(folder)?;
            folder.sync_all().await.map_err(self::folder)?;
            self.create(id, name, source, print, options).await
        };
        if let Err(error) = kept.await {
            // A lost answer may have made the row: then its source must stay.
            if !matches!(error, ImportsError::Sink(SinkError::Unknown)) {
                let _absent = fs::remove_file(&part).await;
                let _absent = fs::remove_file(&whole).await;
            }
            return Err(error);
        }
        Ok(id)
    }

    async fn keep<E: Display>(
        &self,
        part: &Path,
        body: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<(String, u64), ImportsError> {
        let most = self.parts.options.upload_most_bytes;
        let mut file = fs::File::create(part).await.map_err(folder)?;
        let (mut hash, mut bytes) = (Sha256::new(), 0);
        let mut body = pin!(body);
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|error| ImportsError::Body(error.to_string()))?;
            bytes += piece.len() as u64;
            if bytes > most {
                return Err(ImportsError::TooLarge { most });
            }
            hash.update(&piece);
            file.write_all(&piece).await.map_err(folder)?;
        }
        file.flush().await.map_err(folder)?;
        file.sync_all().await.map_err(folder)?;
        Ok((source::hex(&hash.finalize()), bytes))
    }

    async fn create(
        &self,
        id: ImportId,
        name: &str,
        source: String,
        (source_hash, source_bytes): (String, u64),
        options: ImportOptions,
    ) -> Result<(), ImportsError> {
        let now = self.parts.clock.now();
        let import = Import {
            id,
            name: name.to_owned(),
            source,
            source_hash,
            source_bytes,
            options,
            state: ImportState::Pending,
            counts: ImportCounts::default(),
            rows_done: 0,
            bytes_done: 0,
            message: None,
            created_at: now,
            updated_at: now,
        };
        self.parts.sink.write(Write::CreateImport(Box::new(import))).await?;
        self.parts.nudge.wake();
        Ok(())
    }

    pub(crate) async fn get(&self, id: ImportId) -> Result<Option<Import>, ImportsError> {
        Ok(self.parts.rows.get(id).await?)
    }

    /// Newest first.
    pub(crate) async fn list(
        &self,
        before: Option<ImportId>,
        limit: u32,
    ) -> Result<Vec<Import>, ImportsError> {
        Ok(self.parts.rows.list(before, limit).await?)
    }

    /// The newest unfinished or failed run of the same content, for `--resume`.
    pub(crate) async fn resumable(&self, path: &Path) -> Result<Option<Import>, ImportsError> {
        let path = path.to_owned();
        let print = tokio::task::spawn_blocking(move || source::fingerprint(&path));
        let (hash, _) = print
            .await
            .map_err(|died| ImportsError::Folder(died.to_string()))?
            .map_err(ImportsError::Source)?;
        Ok(self.parts.rows.resumable(&hash).await?)
    }

    /// How far it is, now and as it goes on.
    pub(crate) async fn progress(
        &self,
        id: ImportId,
    ) -> Result<Option<watch::Receiver<Progress>>, ImportsError> {
        let Some(import) = self.parts.rows.get(id).await? else { return Ok(None) };
        let watched = self.parts.board.watch(&import);
        // It may have ended between the look and the watch; nothing would be told of it then.
        if let Some(import) = self.parts.rows.get(id).await?
            && Progress::of(&import).ended()
        {
            self.parts.board.tell(id, Progress::of(&import));
        }
        Ok(Some(watched))
    }

    /// Ends it where it is; what is in stays in. The state as it is then; a running one ends with
    /// its current batch.
    pub(crate) async fn cancel(&self, id: ImportId) -> Result<Option<ImportState>, ImportsError> {
        let Some(import) = self.parts.rows.get(id).await? else { return Ok(None) };
        if Progress::of(&import).ended() {
            return Ok(Some(import.state));
        }
        if self.parts.board.cancel(id) {
            return Ok(Some(ImportState::Running));
        }
        self.parts.set(id, ImportState::Cancelled, None).await?;
        self.parts.board.cancel_is_written(id);
        if let Some(import) = self.parts.rows.get(id).await? {
            self.parts.board.tell(id, Progress::of(&import));
        }
        Ok(Some(ImportState::Cancelled))
    }

    /// Lets one that failed or was cancelled go on where it stands. False: nobody knows it.
    pub(crate) async fn resume(&self, id: ImportId) -> Result<bool, ImportsError> {
        let Some(import) = self.parts.rows.get(id).await? else { return Ok(false) };
        match import.state {
            ImportState::Succeeded => return Err(ImportsError::NotResumable(import.state)),
            ImportState::Pending | ImportState::Running => {}
            ImportState::Failed | ImportState::Cancelled => {
                self.parts.set(id, ImportState::Pending, None).await?;
            }
        }
        self.parts.nudge.wake();
        Ok(true)
    }

    /// Up to `limit` row errors behind the first `after`, in the order of the rows.
    pub(crate) async fn errors(
        &self,
        id: ImportId,
        after: usize,
        limit: usize,
    ) -> Result<Vec<RowError>, ImportsError> {
        errors::page(self.parts.errors_of(id), after, limit).await.map_err(folder)
    }

    /// Where all of them are, one JSON object a line; there is no file when there are none.
    pub(crate) fn errors_path(&self, id: ImportId) -> PathBuf {
        self.parts.errors_of(id)
    }
}

/// Everything that can be said of options before the source is looked at.
fn check(options: &ImportOptions) -> Result<(), ImportsError> {
    Reading::new(&options.map, options.currency).map(drop).map_err(ImportsError::Options)
}

fn folder(error: io::Error) -> ImportsError {
    match error.kind() {
        io::ErrorKind::StorageFull
        | io::ErrorKind::QuotaExceeded
        | io::ErrorKind::ReadOnlyFilesystem => ImportsError::NoRoom(error.to_string()),
        _ => ImportsError::Folder(error.to_string()),
    }
}

fn ending(options: &ImportOptions) -> String {
    let format = match options.format {
        RowFormat::JsonLines => "jsonl",
        RowFormat::Csv => "csv",
    };
    let compression = match options.compression {
        Compression::None => "",
        Compression::Gzip => ".gz",
        Compression::Zstd => ".zst",
    };
    format!("{format}{compression}")
}

/// The import a file of the folder belongs to.
fn import_of(path: &Path) -> Option<ImportId> {
    path.file_name()?.to_str()?.split('.').next()?.parse().ok()
}
