//! A process that runs jobs and nothing else: on PostgreSQL by itself, beside the server of an
//! embedded shop through its socket.

use super::{
    BootError,
    handoff::Program,
    jobs::{JobParts, bell, jobs, topics},
    parts::location,
    signals::{self, Signals, Wish},
};
use crate::{
    actors::{
        keepers::writer,
        workers::jobs::{Desk, Topics, alone},
    },
    adapters::{
        cell,
        chance::SystemChance,
        clock::{SystemClock, UuidV7},
        postgres::PostgresWriter,
        socket::SocketWriter,
        sql::{MigrationState, SqlStore},
    },
    config::Config,
    domain::job::Queue,
    folder::Folder,
    ports::{StoreError, clock::Ids, writer::Writer},
    tree,
};
use std::{io::Write, sync::Arc};
use supervisors::{Nudge, StartError};
use tokio::sync::mpsc;

/// Runs jobs of these queues until it is told to end; `concurrency` of each at a time.
pub(crate) async fn work(
    config: &Config,
    folder: &Folder,
    queues: &[Queue],
    concurrency: Option<u32>,
) -> Result<(), BootError> {
    let hand_over = signals::hand_over()?;
    supervisors::install_panic_capture();
    let embedded = config.store.database_url.is_empty();
    let server = folder.owner();
    if embedded && server.is_none() {
        return Err(BootError::Other(format!(
            "no server is running on {}, and a worker on SQLite writes through it: start one with \
             `stoa serve`, or name a PostgreSQL with --database-url",
            folder.path().display()
        )));
    }
    let Opened { store, parts, topics } = open(config, folder).await?;
    let (mailbox, handle) = writer::store();
    let (socket, ids) = (folder.socket(), parts.ids.clone());
    let url = config.store.database_url.clone();
    let writing = writer::writer(&mailbox, &Nudge::new(), move || {
        let (socket, ids, url) = (socket.clone(), ids.clone(), url.clone());
        async move {
            if embedded {
                return Ok(Box::new(SocketWriter::new(&socket)) as Box<dyn Writer>);
            }
            match PostgresWriter::connect(&url, ids).await {
                Ok(writer) => Ok(Box::new(writer) as _),
                Err(error @ StoreError::Unavailable(_)) => Err(StartError::unavailable(error)),
                Err(error) => Err(StartError::crash(error)),
            }
        }
    });
    let desk = Desk::default();
    let seats = jobs(config, &parts, &handle, &desk, topics, queues, concurrency);
    let mut signals = Signals::hear(hand_over)?;
    let running = tree::worker(writing, seats).start().await?;
    let names: Vec<_> = queues.iter().map(|queue| queue.as_str()).collect();
    tracing::info!(queues = names.join(","), "working");
    let wanted = tokio::select! {
        () = signals.end() => Ok(()),
        ended = running.ended() => Err(BootError::Ended(ended)),
    };
    tracing::info!("stopping: jobs in hand go back");
    signals::stop(&running, &mut signals, Wish::End).await?;
    store.close().await;
    wanted
}

struct Opened {
    store: Arc<SqlStore>,
    parts: JobParts,
    topics: Topics,
}

/// What running jobs needs, beside a writer.
async fn open(config: &Config, folder: &Folder) -> Result<Opened, BootError> {
    let location = location(config, folder);
    let store = Arc::new(SqlStore::connect(&location).await?);
    let lines = store.migration_status().await?;
    if lines.iter().any(|line| line.state == MigrationState::Pending) {
        let words = "the database is not in this version's form: start the server, or run `stoa \
                     migrate`";
        return Err(BootError::Other(words.into()));
    }
    let public = config.shop.public_url.trim_end_matches('/').to_owned();
    let url = match public.is_empty() {
        false => public,
        true => folder.owner().and_then(|owner| owner.url).unwrap_or_default(),
    };
    let ids: Arc<dyn Ids> = Arc::new(UuidV7);
    let parts = JobParts {
        rows: store.clone(),
        clock: Arc::new(SystemClock::start()),
        bell: bell(&store, &*ids),
        ids,
        chance: Arc::new(SystemChance),
        cells: Arc::new(Program::of_this_process().cells()),
        // Others run jobs too.
        alone: false,
    };
    let topics = topics(config, folder, &store, &parts, &url)?;
    Ok(Opened { store, parts, topics })
}

/// Runs jobs alone: each comes as a line of JSON on standard input, and its verdict goes out as one.
/// Until there is no more input, or none for a while.
pub(crate) async fn cell(config: &Config, folder: &Folder) -> Result<(), BootError> {
    supervisors::install_panic_capture();
    let Opened { store, topics, .. } = open(config, folder).await?;
    let failed = |error: std::io::Error| BootError::Other(format!("the parent is gone: {error}"));
    let mut lines = input();
    say(cell::READY.as_bytes()).map_err(failed)?;
    while let Ok(Some(line)) = tokio::time::timeout(cell::IDLE, lines.recv()).await {
        let job = serde_json::from_str(&line)
            .map_err(|error| BootError::Other(format!("that is no job: {error}")))?;
        let verdict = tokio::select! {
            verdict = alone(&topics, &job) => verdict,
            // Nothing comes while one runs but the end: the parent is gone.
            _ = lines.recv() => break,
        };
        let answer = serde_json::to_vec(&verdict)
            .map_err(|error| BootError::Other(format!("a verdict has no form: {error}")))?;
        say(&answer).map_err(failed)?;
    }
    store.close().await;
    Ok(())
}

fn say(line: &[u8]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(line)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Lines of standard input, read on a thread of their own; closed at its end.
fn input() -> mpsc::Receiver<String> {
    let (lines, receiver) = mpsc::channel(1);
    tokio::task::spawn_blocking(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if lines.blocking_send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
