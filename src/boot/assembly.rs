//! Makes the actors that a server and a command working alone both need, with their handles.

use super::{BootError, parts::Parts};
use crate::{
    actors::{
        keepers::writer::{self, StoreHandle},
        reconcilers::{
            Progress,
            cart_sweeper::cart_sweeper,
            documents::{self, DocumentsParts},
            kept_answers::kept_answers,
            outbox_pruner::{PrunerParts, outbox_pruner},
            outbox_relay::outbox_relay,
            rulebook::{RulebookParts, rulebook},
            search_index::{ReindexDesk, SearchIndexParts, search_index},
            webhooks::{WebhookParts, webhooks},
        },
        workers::{
            importer::{BatchOptions, ImporterOptions, ImporterParts, Imports},
            jobs::Desk,
            search_pool::{SearchHandle, search_pool, search_workers},
        },
    },
    config::Config,
    folder::Folder,
    hand::Hand,
    ports::{invalidate::Invalidate, outbox::Outbox},
    tree::Seats,
};
use std::{sync::Arc, time::Duration};
use supervisors::{Nudge, reconciler};

/// An import that nobody was woken for, as another process made its row, is found within this.
const LOOK_FOR_IMPORTS: Duration = Duration::from_secs(5);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) struct Assembly {
    pub(super) seats: Seats,
    pub(super) store: StoreHandle,
    pub(super) imports: Imports,
    pub(super) search: SearchHandle,
    pub(super) followed: Progress,
    /// What a server has in hand of the queue. It is nudged with the log: much of what that tells
    /// has put a job there.
    pub(super) jobs: Desk,
}

/// `cache` is told what readers get anew; `alone` says that no shopper waits for the writer.
pub(super) fn assemble(
    config: &Config,
    folder: &Folder,
    parts: &Parts,
    cache: Arc<dyn Invalidate>,
    alone: bool,
) -> Result<Assembly, BootError> {
    let (committed, to_documents, to_index, to_importer, to_pruner, to_rulebook) =
        (Nudge::new(), Nudge::new(), Nudge::new(), Nudge::new(), Nudge::new(), Nudge::new());
    let jobs = Desk::default();
    let (documents_at, index_at) = (Progress::default(), Progress::default());
    let outbox: Arc<dyn Outbox> = parts.store.clone();

    let (mailbox, store) = writer::store();
    let opener = parts.opener.clone();
    let writer = writer::writer(&mailbox, &committed, move || opener.clone().open());

    let documents = documents::documents(
        DocumentsParts {
            outbox: outbox.clone(),
            catalog: parts.store.clone(),
            documents: parts.documents.clone(),
            invalidate: cache,
            clock: parts.clock.clone(),
            scope: parts.scope.clone(),
            render: documents::render,
            progress: documents_at.clone(),
            changed: vec![to_index.clone()],
            batch: documents::BATCH,
        },
        &to_documents,
    );

    let asked = search_pool(config.pool("search").options());
    let desk = ReindexDesk::new();
    let search = SearchHandle::new(&asked, parts.search.clone(), desk.clone(), to_index.clone());
    let indexer = search_index(
        SearchIndexParts {
            outbox: outbox.clone(),
            documents: parts.documents.clone(),
            search: parts.search.clone(),
            index: parts.index.clone(),
            clock: parts.clock.clone(),
            desk,
            scopes: vec![parts.scope.clone()],
            progress: index_at.clone(),
            hand: Hand::new("index-reader"),
        },
        &to_index,
    );

    let imports = Imports::new(ImporterParts {
        rows: parts.store.clone(),
        sink: Arc::new(store.clone()),
        clock: parts.clock.clone(),
        ids: parts.ids.clone(),
        scope: parts.scope.clone(),
        folder: folder.imports(),
        options: importer_options(config, parts.embedded && !alone),
        nudge: to_importer.clone(),
    })
    .map_err(BootError::Imports)?;

    let rules = RulebookParts {
        shelf: parts.rules.clone(),
        rows: parts.store.clone(),
        outbox: outbox.clone(),
        store: store.clone(),
        clock: parts.clock.clone(),
    };
    let rules_at = parts.rules.progress().clone();
    let (to_webhooks, webhooks_at) = (Nudge::new(), Progress::default());
    let telling = WebhookParts {
        rows: parts.store.clone(),
        outbox: outbox.clone(),
        store: store.clone(),
        clock: parts.clock.clone(),
        ids: parts.ids.clone(),
        progress: webhooks_at.clone(),
        wake: jobs.nudge().clone(),
    };

    let followed = documents_at.clone();
    let seats = Seats {
        writer,
        outbox_relay: {
            let to_jobs = jobs.nudge().clone();
            let followers =
                vec![to_documents, to_index, to_rulebook.clone(), to_webhooks.clone(), to_jobs];
            outbox_relay(&outbox, &committed, followers)
        },
        outbox_pruner: outbox_pruner(
            PrunerParts {
                outbox: outbox.clone(),
                clock: parts.clock.clone(),
                followers: vec![documents_at, index_at, rules_at, webhooks_at],
                retention: DAY * config.store.outbox_days,
            },
            &to_pruner,
        ),
        documents,
        rulebook: rulebook(rules, &to_rulebook),
        webhooks: webhooks(telling, &to_webhooks),
        search_index: indexer,
        kept_answers: kept_answers(&store, &parts.clock, &Nudge::new()),
        cart_sweeper: cart_sweeper(&store, &parts.clock, &Nudge::new()),
        search: search_workers(&asked, parts.search.clone()),
        importer: {
            let imports = imports.clone();
            reconciler("importer", LOOK_FOR_IMPORTS, &to_importer, move || {
                let importer = imports.importer();
                async move { Ok(importer) }
            })
        },
        server: None,
    };
    Ok(Assembly { seats, store, imports, search, followed, jobs })
}

/// A transaction of an import is cut short where shoppers wait for the same writer (SQLite under a
/// server); elsewhere it is as large as the database likes it.
fn importer_options(config: &Config, shared: bool) -> ImporterOptions {
    let batch = if shared { BatchOptions::EMBEDDED } else { BatchOptions::SERVER };
    ImporterOptions {
        batch,
        patience: Duration::from_secs(30),
        upload_most_bytes: config.http.import_body_bytes,
    }
}
