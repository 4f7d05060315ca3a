//! Looks at everything that can be looked at without changing it.

use super::parts::location;
use crate::{
    adapters::{documents::RedbDocuments, sql::SqlStore, tantivy},
    config::Config,
    folder::Folder,
    ports::{
        catalog::Catalog,
        documents::Documents,
        outbox::Outbox,
        search::{Search, SearchIndex},
    },
    views,
};

/// One thing that was looked at.
pub(crate) struct Finding {
    pub(crate) what: &'static str,
    pub(crate) ok: bool,
    pub(crate) detail: String,
    pub(crate) remedy: Option<String>,
}

impl Finding {
    pub(crate) fn good(what: &'static str, detail: String) -> Self {
        Self { what, ok: true, detail, remedy: None }
    }

    pub(crate) fn bad(what: &'static str, detail: String, remedy: &str) -> Self {
        Self { what, ok: false, detail, remedy: Some(remedy.to_owned()) }
    }
}

pub(crate) async fn doctor(config: &Config, folder: &Folder) -> Vec<Finding> {
    let mut findings = vec![Finding::good("configuration", "valid".into())];
    let place = folder.path().display().to_string();
    if config.store.database_url.is_empty() && !folder.database().exists() {
        let detail = format!("there is none in {place}");
        findings.push(Finding::bad("data folder", detail, "`stoa serve` makes it"));
        return findings;
    }
    let owner = folder.owner();
    findings.push(match &owner {
        Some(owner) => {
            let detail = format!("{place}, in use by `{}` ({})", owner.command, owner.process);
            Finding::good("data folder", detail)
        }
        None => Finding::good("data folder", format!("{place}, not in use")),
    });
    let store = match SqlStore::connect(&location(config, folder)).await {
        Ok(store) => store,
        Err(error) => {
            let remedy = "`stoa restore` makes it anew from a backup; or give a reachable database";
            findings.push(Finding::bad("database", error.to_string(), remedy));
            return findings;
        }
    };
    findings.push(match store.check().await {
        Ok(()) => Finding::good("database", "whole, and every statement fits it".into()),
        Err(error) => Finding::bad(
            "database",
            error.to_string(),
            "`stoa migrate` if its form is older; else `stoa restore` from a backup",
        ),
    });
    let head = store.head().await.ok();
    let products = store.product_count().await.unwrap_or_default();
    if owner.is_none() {
        findings.extend(followers(folder, head.map(|h| h.offset), products).await);
    }
    store.close().await;
    findings
}

/// Their files belong to the server while one runs; `/readyz` speaks for them then.
async fn followers(folder: &Folder, head: Option<i64>, products: u64) -> Vec<Finding> {
    let mut findings = Vec::new();
    let behind = |offset: i64| head.map_or(0, |head| head - offset);
    let rebuilt = "`stoa serve` rebuilds them from the database";
    if folder.documents().exists() {
        let position = RedbDocuments::open(&folder.documents(), views::form())
            .and_then(|documents| Ok((documents.position()?, documents.count()?)));
        findings.push(match position {
            Ok((Some(position), count)) => Finding::good(
                "documents",
                format!(
                    "{count} of {products} products, {} events behind",
                    behind(position.offset)
                ),
            ),
            Ok((None, _)) => Finding::bad("documents", "of another version".into(), rebuilt),
            Err(error) => Finding::bad("documents", error.to_string(), rebuilt),
        });
    }
    match tantivy::open(&folder.index()) {
        Ok((search, mut index)) => findings.push(match index.position().await {
            Ok(Some(position)) => Finding::good(
                "search index",
                format!("{} products, {} events behind", search.count(), behind(position.offset)),
            ),
            _ => Finding::bad("search index", "not built".into(), "`stoa reindex` builds it"),
        }),
        Err(error) => {
            findings.push(Finding::bad(
                "search index",
                error.to_string(),
                "`stoa reindex` builds it",
            ));
        }
    }
    findings
}
