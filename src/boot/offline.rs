//! The part of the tree that a command needs when no server runs on the folder.

use super::{BootError, assembly, parts::Parts};
use crate::{
    actors::{
        reconcilers::search_index::ReindexPhase,
        workers::{importer::Imports, search_pool::SearchHandle},
    },
    config::Config,
    domain::{product::ProductDraft, sku::Sku},
    folder::{Folder, FolderLock},
    ports::{
        catalog::Drafts,
        documents::Documents,
        imports::{Import, ImportOptions},
        invalidate::Nobody,
        outbox::Outbox,
        search::Search,
    },
    tree,
};
use bytes::Bytes;
use std::{path::Path, sync::Arc, time::Duration};
use supervisors::Running;

/// How often a run or a follower is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Holds the folder's lock until it is stopped or dropped.
pub(crate) struct Offline {
    running: Running,
    parts: Parts,
    imports: Imports,
    search: SearchHandle,
    _lock: FolderLock,
}

impl Offline {
    pub(crate) async fn start(
        config: &Config,
        folder: &Folder,
        command: &'static str,
    ) -> Result<Self, BootError> {
        let lock = folder.take(command)?;
        let parts = Parts::open(config, folder).await?;
        let assembly = assembly::assemble(config, folder, &parts, Arc::new(Nobody), true)?;
        let running = tree::stoa(assembly.seats).start().await?;
        let (imports, search) = (assembly.imports, assembly.search);
        Ok(Self { running, parts, imports, search, _lock: lock })
    }

    /// Imports a file, or goes on with the last unfinished run of the same content where `resume`
    /// says so, and returns how it ended with its rejected rows. `watch` is told which part is
    /// done, 0 to 1, and how many rows that is.
    pub(crate) async fn import(
        &self,
        name: &str,
        file: &Path,
        options: ImportOptions,
        resume: bool,
        mut watch: impl FnMut(f64, u64),
    ) -> Result<(Import, Bytes), String> {
        let words = |error: crate::actors::workers::importer::ImportsError| error.to_string();
        let run = match resume {
            true => self.imports.resumable(file).await.map_err(words)?,
            false => None,
        };
        let id = match run {
            Some(run) => {
                self.imports.resume(run.id).await.map_err(words)?;
                run.id
            }
            None => self.imports.submit_path(name, file, options).await.map_err(words)?,
        };
        let gone = || "the import's row has gone".to_owned();
        let mut progress = self.imports.progress(id).await.map_err(words)?.ok_or_else(gone)?;
        loop {
            let now = progress.borrow_and_update().clone();
            if now.ended() {
                break;
            }
            watch(now.bytes_done as f64 / now.source_bytes.max(1) as f64, now.counts.read);
            tokio::select! {
                changed = progress.changed() => changed.map_err(|_| gone())?,
                ended = self.running.ended() => return Err(ended.to_string()),
            }
        }
        let run = self.imports.get(id).await.map_err(words)?.ok_or_else(gone)?;
        let errors = match tokio::fs::read(self.imports.errors_path(id)).await {
            Ok(errors) => errors.into(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Bytes::new(),
            Err(error) => return Err(format!("can't read the rejected rows: {error}")),
        };
        Ok((run, errors))
    }

    /// Builds the index anew; returns how many products are in it.
    pub(crate) async fn reindex(&self, mut show: impl FnMut(u64, u64)) -> Result<u64, String> {
        self.caught_up().await?;
        let watch = self.search.reindex();
        loop {
            let now = watch.borrow().clone();
            show(now.done, now.total);
            match now.phase {
                ReindexPhase::Done => return Ok(self.parts.search.count()),
                ReindexPhase::Failed => return Err(now.message.unwrap_or_default()),
                _ => self.pause().await?,
            }
        }
    }

    /// Waits until documents and index show what is in the database now.
    pub(crate) async fn caught_up(&self) -> Result<(), String> {
        let head = self.parts.store.head().await.map_err(|error| error.to_string())?;
        loop {
            let documents = self.parts.documents.position().map_err(|e| e.to_string())?;
            let documents =
                documents.is_some_and(|p| p.epoch == head.epoch && p.offset >= head.offset);
            if documents {
                let index = self.parts.index.lock().await.position().await;
                let index = index.map_err(|error| error.to_string())?;
                if index.is_some_and(|p| p.epoch == head.epoch && p.offset >= head.offset) {
                    return Ok(());
                }
            }
            self.pause().await?;
        }
    }

    /// Up to `limit` products behind `after`, by SKU, as an import takes them.
    pub(crate) async fn drafts(
        &self,
        after: Option<&Sku>,
        limit: u32,
    ) -> Result<Vec<ProductDraft>, String> {
        let drafts = self.parts.store.drafts(&self.parts.scope, after, limit).await;
        drafts.map_err(|error| error.to_string())
    }

    pub(crate) async fn stop(self) {
        self.running.stop().await;
        self.parts.store.close().await;
    }

    /// A moment, unless the tree gives up meanwhile.
    async fn pause(&self) -> Result<(), String> {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => Ok(()),
            ended = self.running.ended() => Err(ended.to_string()),
        }
    }
}
