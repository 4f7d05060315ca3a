//! What `stoa bench` sets the shop beside: the index of a folder asked in this process, rows written
//! with nothing else done, orders placed one by one, and jobs done so.

use super::{BootError, parts::location};
use crate::{
    adapters::{
        clock::{SystemClock, UuidV7},
        sql::{JobByJob, OneByOne, SqlStore},
        tantivy,
    },
    config::Config,
    domain::{scope::Scope, search::SearchQuery},
    folder::Folder,
    ports::search::Search,
};
use std::{path::Path, sync::Arc, time::Duration};

/// Opens the live index to read, beside the server that writes it, and answers a question as the
/// API does: 24 hits by relevance, with facets.
pub(crate) fn bench_search(
    config: &Config,
    folder: &Folder,
) -> Result<impl Fn(&str) -> Result<(), String> + Send + Sync + 'static + use<>, BootError> {
    let search = tantivy::open_to_read(&folder.index())?;
    let scope = Scope { locale: config.shop.locale.clone(), ..Scope::default() };
    Ok(move |text: &str| {
        let query = SearchQuery {
            text: text.to_owned(),
            facets: true,
            ..SearchQuery::everything(scope.clone())
        };
        search.search(&query).map(drop).map_err(|error| error.to_string())
    })
}

/// How long it takes to write the shop's products once more, into `scratch` on SQLite.
pub(crate) async fn bench_write_again(
    config: &Config,
    folder: &Folder,
    scratch: &Path,
) -> Result<Duration, BootError> {
    let store = SqlStore::connect(&location(config, folder)).await?;
    let took = store.write_again(scratch).await;
    store.close().await;
    Ok(took?)
}

/// A shop's orders placed one by one, in this process, beside no server.
pub(crate) struct PlainShop(OneByOne);

impl PlainShop {
    pub(crate) async fn open(
        config: &Config,
        folder: &Folder,
        connections: u32,
    ) -> Result<Self, BootError> {
        let (clock, ids) = (Arc::new(SystemClock::start()), Arc::new(UuidV7));
        let orders = OneByOne::open(&location(config, folder), connections, clock, ids).await?;
        Ok(Self(orders))
    }

    /// How many orders can be under way at once.
    pub(crate) fn connections(&self) -> u32 {
        self.0.connections()
    }

    /// One unit of this product.
    pub(crate) async fn order(&self, sku: &str) -> Result<(), String> {
        self.0.place(sku).await.map_err(|error| error.to_string())
    }

    pub(crate) async fn close(&self) {
        self.0.close().await;
    }
}

/// A database's jobs done one by one, in this process, beside no server.
pub(crate) struct PlainQueue(JobByJob);

impl PlainQueue {
    pub(crate) async fn open(
        config: &Config,
        folder: &Folder,
        connections: u32,
    ) -> Result<Self, BootError> {
        let (clock, ids) = (Arc::new(SystemClock::start()), Arc::new(UuidV7));
        Ok(Self(JobByJob::open(&location(config, folder), connections, clock, ids).await?))
    }

    /// How many jobs can be in hand at once.
    pub(crate) fn connections(&self) -> u32 {
        self.0.connections()
    }

    pub(crate) async fn put(&self, jobs: u32) -> Result<(), String> {
        self.0.put(jobs).await.map_err(|error| error.to_string())
    }

    /// The next one; false: there is none.
    pub(crate) async fn work(&self) -> Result<bool, String> {
        self.0.work().await.map_err(|error| error.to_string())
    }

    /// Probes and echoes that are done.
    pub(crate) async fn done(&self) -> Result<(u64, u64), String> {
        self.0.done().await.map_err(|error| error.to_string())
    }

    pub(crate) async fn close(&self) {
        self.0.close().await;
    }
}

/// An empty database on the configured one's server; returns its address.
pub(crate) async fn bench_database(config: &Config, name: &str) -> Result<String, BootError> {
    scratch(config, name, true).await?;
    let url = &config.store.database_url;
    let (rest, tail) = url.split_once('?').map_or((url.as_str(), None), |(r, t)| (r, Some(t)));
    let (scheme, rest) = rest.split_once("://").unwrap_or(("postgres", rest));
    let server = rest.split_once('/').map_or(rest, |(server, _)| server);
    let tail = tail.map(|tail| format!("?{tail}")).unwrap_or_default();
    Ok(format!("{scheme}://{server}/{name}{tail}"))
}

pub(crate) async fn bench_drop_database(config: &Config, name: &str) -> Result<(), BootError> {
    scratch(config, name, false).await
}

async fn scratch(config: &Config, name: &str, make: bool) -> Result<(), BootError> {
    let nowhere = Folder::at("");
    let store = SqlStore::connect(&location(config, &nowhere)).await?;
    let done = store.scratch(name, make).await;
    store.close().await;
    Ok(done?)
}
