//! What is opened before anything runs.

use super::BootError;
use crate::{
    actors::keepers::rules::RuleShelf,
    adapters::{
        blobs::OpendalBlobs,
        chance::SystemChance,
        clock::{SystemClock, UuidV7},
        documents::RedbDocuments,
        postgres::PostgresWriter,
        sql::{Location, SqlStore},
        tantivy::{self, TantivySearch},
    },
    config::Config,
    domain::scope::Scope,
    folder::Folder,
    ports::{
        StoreError,
        chance::Chance,
        clock::{Clock, Ids},
        search::SearchIndex,
        writer::Writer,
    },
    views,
};
use serde::Deserialize;
use std::sync::Arc;
use supervisors::StartError;
use tokio::sync::Mutex;

/// Which database, and how it is used.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoreConfig {
    /// Empty: SQLite in the data folder.
    pub(crate) database_url: String,
    /// Days that events stay in the log at least.
    pub(crate) outbox_days: u32,
    /// Hours between two looks at whether the database is whole.
    pub(crate) check_hours: u32,
}

pub(super) struct Parts {
    pub(super) store: Arc<SqlStore>,
    pub(super) embedded: bool,
    pub(super) opener: WriterOpener,
    pub(super) documents: Arc<RedbDocuments>,
    pub(super) search: Arc<TantivySearch>,
    /// Outlives each indexer: one's last commit may be under way when the next begins.
    pub(super) index: Arc<Mutex<Box<dyn SearchIndex>>>,
    pub(super) files: Arc<OpendalBlobs>,
    pub(super) clock: Arc<dyn Clock>,
    /// The same, as what the wall clock is compared with.
    pub(super) hands: Arc<SystemClock>,
    pub(super) ids: Arc<dyn Ids>,
    pub(super) chance: Arc<dyn Chance>,
    pub(super) scope: Scope,
    /// Read whole: nobody is served by rules that are not known yet.
    pub(super) rules: RuleShelf,
}

pub(super) fn location(config: &Config, folder: &Folder) -> Location {
    match config.store.database_url.as_str() {
        "" => Location::Sqlite(folder.database()),
        url => Location::Postgres(url.to_owned()),
    }
}

/// Brings the database to this version's form.
pub(super) async fn bring_up(store: &SqlStore) -> Result<(), StoreError> {
    store.migrate(false, &SystemClock::start(), &UuidV7).await.map(drop)
}

impl Parts {
    /// Opens everything of a folder that this process holds the lock of.
    pub(super) async fn open(config: &Config, folder: &Folder) -> Result<Self, BootError> {
        let location = location(config, folder);
        let store = SqlStore::connect(&location).await?;
        bring_up(&store).await?;
        folder.belong_to(store.identity().await?.database_id)?;
        let store = Arc::new(store);
        let rules = RuleShelf::default();
        rules.load(&*store, &*store).await?;
        let ids: Arc<dyn Ids> = Arc::new(UuidV7);
        let documents = RedbDocuments::open_or_rebuild(&folder.documents(), views::form())?;
        let (search, index) = tantivy::open(&folder.index())?;
        let files = OpendalBlobs::open(&folder.files_public())?;
        let hands = Arc::new(SystemClock::start());
        Ok(Self {
            opener: WriterOpener { store: store.clone(), location, ids: ids.clone() },
            embedded: config.store.database_url.is_empty(),
            store,
            documents: Arc::new(documents),
            index: Arc::new(Mutex::new(Box::new(index))),
            search: Arc::new(search),
            files: Arc::new(files),
            clock: hands.clone(),
            hands,
            ids,
            chance: Arc::new(SystemChance),
            scope: Scope { locale: config.shop.locale.clone(), ..Scope::default() },
            rules,
        })
    }
}

/// Makes the writer's connection, at each start of the writer anew.
#[derive(Clone)]
pub(super) struct WriterOpener {
    store: Arc<SqlStore>,
    location: Location,
    ids: Arc<dyn Ids>,
}

impl WriterOpener {
    pub(super) async fn open(self) -> Result<Box<dyn Writer>, StartError> {
        let failed = |error: StoreError| match error {
            StoreError::Unavailable(_) => StartError::unavailable(error),
            other => StartError::crash(other),
        };
        match &self.location {
            Location::Sqlite(_) => {
                let writer = self.store.sqlite_writer(self.ids.clone()).await.map_err(failed)?;
                let writer = writer.ok_or_else(|| StartError::crash("SQLite has no writer"))?;
                Ok(Box::new(writer))
            }
            Location::Postgres(url) => {
                let writer =
                    PostgresWriter::connect(url, self.ids.clone()).await.map_err(failed)?;
                Ok(Box::new(writer))
            }
        }
    }
}
