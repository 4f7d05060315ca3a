//! Questions to the search index, a few at a time, off the request threads.
//!
//! The pool is bounded: with as many questions waiting as it allows, one more is refused at once
//! (`Busy`) rather than answered late. A worker that dies takes one question with it, whose asker
//! is told; nothing is lost, as a question may be asked again.
//!
//! Each worker has a thread of its own, so that a question holds up no request thread: handing
//! over to it was cheaper in every round than a task on the runtime's blocking threads
//! (`what_a_hop_costs`). It ends with its worker.

use crate::{
    actors::reconcilers::search_index::{ReindexDesk, ReindexProgress},
    domain::{
        scope::Scope,
        search::{SearchPage, SearchQuery, Suggestions},
    },
    ports::search::{Search, SearchError},
};
use metrics::{Counter, counter};
use std::{
    sync::{
        Arc,
        mpsc::{SyncSender, sync_channel},
    },
    time::Duration,
};
use supervisors::{
    CallError, Child, Context, Fault, Nudge, Pool, PoolHandle, PoolOptions, Reply, Worker, pool,
};
use tokio::sync::{oneshot, watch};

/// Questions that may wait: at a quarter of a millisecond each, on two cores, about 50 ms.
/// Nobody waits longer for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// A question takes milliseconds at most; a worker that has one for longer is given up.
const STUCK: Duration = Duration::from_secs(30);

pub(crate) enum SearchJob {
    Search(Box<SearchQuery>, Reply<Result<SearchPage, SearchError>>),
    Suggest(Scope, String, usize, Reply<Result<Suggestions, SearchError>>),
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// Too many wait: ask again in a moment.
    #[error("search has too many questions waiting")]
    Busy,
    /// No answer came, for no fault of the question: ask again.
    #[error("search did not answer: {0}")]
    Unanswered(CallError),
    #[error(transparent)]
    Search(#[from] SearchError),
}

impl From<CallError> for AskError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Full => Self::Busy,
            CallError::Stopped | CallError::Lost | CallError::TimedOut => Self::Unanswered(error),
        }
    }
}

/// The pool that [`search_workers`] serves; made before the tree.
pub(crate) fn search_pool(options: PoolOptions) -> Pool<SearchJob> {
    Pool::new("search", PoolOptions { stuck_after: Some(STUCK), ..options })
}

/// The pool's workers as a child of the tree.
pub(crate) fn search_workers(of: &Pool<SearchJob>, search: Arc<dyn Search>) -> Child {
    pool(of, move || {
        let worker = SearchWorker::start(Arc::clone(&search));
        async move { Ok(worker?) }
    })
}

struct SearchWorker {
    jobs: SyncSender<(SearchJob, oneshot::Sender<()>)>,
}

impl SearchWorker {
    fn start(search: Arc<dyn Search>) -> std::io::Result<Self> {
        let (jobs, inbox) = sync_channel::<(SearchJob, oneshot::Sender<()>)>(1);
        std::thread::Builder::new().name("search".into()).spawn(move || {
            for (job, done) in inbox {
                answer(search.as_ref(), job);
                // Nobody listens when the worker was given up.
                let _given_up = done.send(());
            }
        })?;
        Ok(Self { jobs })
    }
}

impl Worker for SearchWorker {
    type Job = SearchJob;

    async fn run(&mut self, job: SearchJob, _: &Context) -> Result<(), Fault> {
        let (done, answered) = oneshot::channel();
        // There is room: the thread has one job at most, and this one waits for it.
        self.jobs.try_send((job, done)).map_err(|_| Fault::crash(DIED))?;
        answered.await.map_err(|_| Fault::crash(DIED))
    }
}

const DIED: &str = "the search thread died with a question in hand";

fn answer(search: &dyn Search, job: SearchJob) {
    match job {
        // Whoever asked may have gone while the question waited.
        SearchJob::Search(query, reply) if reply.is_awaited() => reply.send(search.search(&query)),
        SearchJob::Suggest(scope, typed, limit, reply) if reply.is_awaited() => {
            reply.send(search.suggest(&scope, &typed, limit));
        }
        SearchJob::Search(..) | SearchJob::Suggest(..) => {}
    }
}

/// Asks the search index. Cheap to clone.
#[derive(Clone)]
pub(crate) struct SearchHandle {
    pool: PoolHandle<SearchJob>,
    search: Arc<dyn Search>,
    desk: ReindexDesk,
    indexer: Nudge,
    /// Questions answered without a worker, and by one.
    known: Counter,
    asked: Counter,
}

impl SearchHandle {
    /// `indexer` wakes the one that reads `desk`.
    pub(crate) fn new(
        pool: &Pool<SearchJob>,
        search: Arc<dyn Search>,
        desk: ReindexDesk,
        indexer: Nudge,
    ) -> Self {
        let by = |whom| counter!("stoa.search.questions", "answered_by" => whom);
        let (known, asked) = (by("memory"), by("index"));
        Self { pool: pool.handle(), search, desk, indexer, known, asked }
    }

    /// The answer, if it needs no more than looking it up: no worker is asked then.
    pub(crate) fn ready(&self, query: &SearchQuery) -> Option<SearchPage> {
        let found = self.search.ready(query)?;
        self.known.increment(1);
        Some(found)
    }

    pub(crate) async fn search(&self, query: SearchQuery) -> Result<SearchPage, AskError> {
        if let Some(found) = self.ready(&query) {
            return Ok(found);
        }
        self.asked.increment(1);
        let job = |reply| SearchJob::Search(Box::new(query), reply);
        Ok(self.pool.call(job, PATIENCE).await??)
    }

    pub(crate) async fn suggest(
        &self,
        scope: Scope,
        typed: String,
        limit: usize,
    ) -> Result<Suggestions, AskError> {
        let job = |reply| SearchJob::Suggest(scope, typed, limit, reply);
        Ok(self.pool.call(job, PATIENCE).await??)
    }

    /// Rises whenever answers may differ from before.
    pub(crate) fn generation(&self) -> u64 {
        self.search.generation()
    }

    /// Asks for the index to be built anew beside the live one, or joins the rebuild under way.
    pub(crate) fn reindex(&self) -> watch::Receiver<ReindexProgress> {
        self.desk.ask();
        self.indexer.wake();
        self.desk.watch()
    }

    pub(crate) fn reindex_progress(&self) -> watch::Receiver<ReindexProgress> {
        self.desk.watch()
    }
}

#[cfg(test)]
mod tests;
