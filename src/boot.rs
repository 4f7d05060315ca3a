//! Joins ports with adapters, and the whole with the tree: the only place that knows both sides.
//!
//! Opening comes first and fails with a sentence: the folder, the database, the local documents,
//! the index, the port. Then the tree starts, and from there on everything that dies is started
//! again. Nothing here decides a rule of the shop.

mod archive;
mod assembly;
mod backup;
mod checks;
mod demo;
mod doctor;
mod handoff;
mod jobs;
mod offline;
mod parts;
mod people;
mod selling;
mod serve;
mod signals;
mod sockets;
mod trial;
mod worker;

pub(crate) use archive::Manifest;
pub(crate) use backup::{Moved, Watch, backup, check_backup, restore};
pub(crate) use doctor::{AuditFound, Finding, doctor, doctor_audit};
pub(crate) use handoff::Handoff;
pub(crate) use offline::Offline;
pub(crate) use parts::StoreConfig;
pub(crate) use people::MailConfig;
pub(crate) use serve::serve;
pub(crate) use sockets::Inherited;
pub(crate) use trial::{
    PlainQueue, PlainShop, bench_database, bench_drop_database, bench_search, bench_write_again,
};
pub(crate) use worker::{cell, work};

use crate::{
    adapters::sql::{MigrationState, SqlStore},
    config::Config,
    folder::Folder,
    ports::StoreError,
};
use parts::location;

/// Why it can't start, in a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BootError {
    #[error(transparent)]
    Folder(#[from] crate::folder::FolderError),
    #[error("{0}")]
    Store(String),
    #[error("can't open the local documents: {0}")]
    Documents(#[from] crate::ports::documents::DocumentsError),
    #[error("can't open the search index: {0}")]
    Search(#[from] crate::ports::search::SearchError),
    #[error("can't open files/public: {0}")]
    Files(#[from] crate::ports::blobs::BlobError),
    #[error("can't use the imports folder: {0}")]
    Imports(std::io::Error),
    #[error("can't listen on {address}: {source}; choose another address with --listen")]
    Listen { address: String, source: std::io::Error },
    #[error(transparent)]
    Start(#[from] supervisors::StartFailed),
    #[error("{0}; the log above says what happened")]
    Ended(supervisors::Escalation),
    #[error("{0}")]
    Other(String),
}

impl From<StoreError> for BootError {
    fn from(error: StoreError) -> Self {
        let remedy = match &error {
            StoreError::Unavailable(_) => "; check the address and that the database is running",
            StoreError::Full(_) => "; free some room and start again",
            StoreError::Corrupt(_) => {
                "; nothing was changed: `stoa doctor` looks closer, and a copy of the data folder \
                 can be put in its place"
            }
            StoreError::Refused(_) => "",
        };
        Self::Store(format!("{error}{remedy}"))
    }
}

/// One step that brings the database to this version's form.
pub(crate) struct MigrationStep {
    pub(crate) name: String,
    pub(crate) done: bool,
}

/// Lists the steps; takes those that are to do unless it should only `look`.
pub(crate) async fn migrate(
    config: &Config,
    folder: &Folder,
    look: bool,
) -> Result<Vec<MigrationStep>, BootError> {
    let embedded = config.store.database_url.is_empty();
    if look && embedded && !folder.database().exists() {
        let message = format!(
            "there is no database in {} yet: `stoa migrate` makes it",
            folder.path().display()
        );
        return Err(BootError::Other(message));
    }
    // A server that runs on the folder has brought its database to its own form already.
    let _lock = if look { None } else { Some(folder.take("stoa migrate")?) };
    let store = SqlStore::connect(&location(config, folder)).await?;
    let lines = store.migration_status().await?;
    if !look {
        parts::bring_up(&store).await?;
    }
    store.close().await;
    Ok(lines
        .into_iter()
        .map(|line| MigrationStep {
            name: format!("{:04} {}", line.version, line.name),
            done: line.state == MigrationState::Applied,
        })
        .collect())
}
