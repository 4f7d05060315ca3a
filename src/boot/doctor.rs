//! Looks at everything that can be looked at without changing it.

use super::{BootError, parts::location};
use crate::{
    adapters::{documents::RedbDocuments, sql::SqlStore, tantivy},
    config::Config,
    domain::audit::{Broken, Link, Reading},
    folder::Folder,
    ports::{
        audit::Audit,
        catalog::Catalog,
        documents::Documents,
        mail::MailQueue,
        outbox::Outbox,
        search::{Search, SearchIndex},
        stock::Stock,
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
    findings.push(stock(&store).await);
    if let Ok((waiting, failed)) = store.counts().await {
        let why = if failed > 0 { "; `stoa mail list` says why" } else { "" };
        let detail = format!("{waiting} waiting, {failed} given up{why}");
        findings.push(Finding::good("mail", detail));
    }
    let head = store.head().await.ok();
    let products = store.product_count().await.unwrap_or_default();
    if owner.is_none() {
        findings.extend(followers(folder, head.map(|h| h.offset), products).await);
    }
    store.close().await;
    findings
}

/// Levels of stock that are named at most.
const LEVELS: u32 = 5;

/// Recomputes what is on hand from its movements, and what is promised from its reservations.
async fn stock(store: &SqlStore) -> Finding {
    let drift = match store.drift(LEVELS).await {
        Ok(drift) => drift,
        // Named by the look at the database.
        Err(error) => return Finding::bad("stock", error.to_string(), "mend the database first"),
    };
    if drift.is_empty() {
        return Finding::good("stock", "every level is what its movements come to".into());
    }
    let told = drift.iter().map(|level| {
        format!(
            "item {} in {}: {} on hand and {} by its movements, {} promised and {} by its reservations",
            level.item, level.warehouse, level.on_hand, level.moved, level.promised,
            level.reservations
        )
    });
    let remedy = "somebody wrote past the shop: count these anew (PATCH /api/v1/stock/SKU)";
    Finding::bad("stock", told.collect::<Vec<_>>().join("; "), remedy)
}

/// How many entries of the audit log are read at a time.
const ENTRIES: u32 = 1_000;

/// What reading the audit log from its beginning found.
pub(crate) struct AuditFound {
    /// How far the chain is whole.
    pub(crate) read: Reading,
    pub(crate) broken: Option<Broken>,
    /// Whether the place and link that somebody noted down before are still in it.
    pub(crate) noted: Option<bool>,
}

/// Follows the audit log's chain, and looks for the link that was `noted` at a place of it.
pub(crate) async fn doctor_audit(
    config: &Config,
    folder: &Folder,
    noted: Option<(i64, Link)>,
) -> Result<AuditFound, BootError> {
    if config.store.database_url.is_empty() && !folder.database().exists() {
        let place = folder.path().display();
        return Err(BootError::Other(format!("there is no shop in {place}; name one with --data")));
    }
    let store = SqlStore::connect(&location(config, folder)).await?;
    let found = follow(&store, noted).await;
    store.close().await;
    Ok(found?)
}

async fn follow(
    store: &SqlStore,
    noted: Option<(i64, Link)>,
) -> Result<AuditFound, crate::ports::StoreError> {
    let mut read = Reading::START;
    let mut seen = noted.map(|(place, link)| (place, link) == (0, Link::START));
    loop {
        let entries = store.entries_after(read.place, ENTRIES).await?;
        if entries.is_empty() {
            return Ok(AuditFound { read, broken: None, noted: seen });
        }
        for entry in &entries {
            if let Err(broken) = read.follow(entry) {
                return Ok(AuditFound { read, broken: Some(broken), noted: seen });
            }
            if noted == Some((read.place, read.link)) {
                seen = Some(true);
            }
        }
    }
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
