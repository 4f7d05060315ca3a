use super::*;
use crate::domain::id::ProductId;
use std::sync::{
    Condvar, Mutex,
    atomic::{AtomicU64, Ordering},
};
use supervisors::{Strategy, Supervisor, testing::Universe};

const BOUND: usize = 64;

/// Answers with the text's length as total; waits while the gate is shut.
#[derive(Default)]
struct Fake {
    shut: Mutex<bool>,
    opened: Condvar,
    asked: AtomicU64,
}

impl Fake {
    fn gate(&self, shut: bool) {
        *self.shut.lock().unwrap() = shut;
        self.opened.notify_all();
    }
}

impl Search for Fake {
    fn search(&self, query: &SearchQuery) -> Result<SearchPage, SearchError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let shut = self.shut.lock().unwrap();
        drop(self.opened.wait_while(shut, |shut| *shut).unwrap());
        match query.text.as_str() {
            "away" => Err(SearchError::Unavailable("away".into())),
            "panic" => panic!("a damaged segment"),
            text => Ok(SearchPage {
                hits: Vec::new(),
                total: text.len() as u64,
                facets: Arc::default(),
                generation: 3,
                corrected: false,
            }),
        }
    }

    fn suggest(&self, _: &Scope, typed: &str, _: usize) -> Result<Suggestions, SearchError> {
        let products = vec![ProductId(uuid::Uuid::from_u128(typed.len() as u128))];
        Ok(Suggestions { products, brands: Vec::new() })
    }

    fn generation(&self) -> u64 {
        3
    }

    fn count(&self) -> u64 {
        7
    }
}

fn asking(text: &str) -> SearchQuery {
    SearchQuery { text: text.into(), ..SearchQuery::everything(Scope::default()) }
}

async fn running(workers: usize) -> (Arc<Fake>, SearchHandle, Universe) {
    let fake = Arc::new(Fake::default());
    let search: Arc<dyn Search> = fake.clone();
    let pool = search_pool(PoolOptions { workers, bound: BOUND, ..PoolOptions::default() });
    let handle = SearchHandle::new(&pool, Arc::clone(&search), ReindexDesk::new(), Nudge::new());
    let tree = Supervisor::new("test", Strategy::OneForOne).child(search_workers(&pool, search));
    (fake, handle, Universe::start(tree).await.unwrap())
}

#[tokio::test]
async fn questions_are_answered_through_the_pool() {
    let (_, handle, universe) = running(2).await;
    assert_eq!(handle.search(asking("four")).await.unwrap().total, 4);
    let suggested = handle.suggest(Scope::default(), "abc".into(), 5).await.unwrap();
    assert_eq!(suggested.products[0].0.as_u128(), 3);
    assert_eq!(handle.generation(), 3);
    let away = handle.search(asking("away")).await;
    assert!(matches!(away, Err(AskError::Search(SearchError::Unavailable(_)))));
    universe.stop().await;
}

#[tokio::test]
async fn a_panicking_question_is_unanswered_and_the_next_one_is_not() {
    let (_, handle, universe) = running(1).await;
    let lost = handle.search(asking("panic")).await;
    assert!(matches!(lost, Err(AskError::Unanswered(CallError::Lost))), "{lost:?}");
    assert_eq!(handle.search(asking("four")).await.unwrap().total, 4);
    universe.stop().await;
}

#[tokio::test]
async fn a_full_pool_refuses_and_serves_what_it_took() {
    let (fake, handle, universe) = running(1).await;
    fake.gate(true);
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..BOUND + 10 {
        let handle = handle.clone();
        waiting.spawn(async move { handle.search(asking("four")).await });
    }
    // One is in the worker's hands, `BOUND` wait, and nine or ten were refused.
    let mut refused = 0;
    while refused < 9 {
        let answer = waiting.join_next().await.unwrap().unwrap();
        assert!(matches!(answer, Err(AskError::Busy)), "{answer:?}");
        refused += 1;
    }
    fake.gate(false);
    let mut served = 0;
    while let Some(answer) = waiting.join_next().await {
        match answer.unwrap() {
            Ok(_) => served += 1,
            Err(AskError::Busy) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(served + refused, BOUND + 10);
    assert!((BOUND..=BOUND + 1).contains(&served), "{served}");
    universe.stop().await;
}

#[tokio::test]
async fn a_reindex_is_asked_once_and_joined_after() {
    let (_, handle, universe) = running(1).await;
    assert!(!handle.reindex_progress().borrow().is_under_way());
    let mut watching = handle.reindex();
    assert!(watching.borrow_and_update().is_under_way());
    let _again = handle.reindex();
    assert!(!watching.has_changed().unwrap());
    universe.stop().await;
}

/// `cargo test --release --lib what_a_hop_costs -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, for a release build on a quiet machine"]
async fn what_a_hop_costs() {
    let (_, handle, universe) = running(2).await;
    let search: Arc<dyn Search> = Arc::new(Fake::default());
    for round in 0..3 {
        let count = 20_000;
        report(round, "pool, one asker", count, async {
            for _ in 0..count {
                handle.search(asking("x")).await.unwrap();
            }
        })
        .await;
        report(round, "pool, 32 askers", count, async {
            let mut askers = tokio::task::JoinSet::new();
            for _ in 0..32 {
                let handle = handle.clone();
                askers.spawn(async move {
                    for _ in 0..count / 32 {
                        handle.search(asking("x")).await.unwrap();
                    }
                });
            }
            askers.join_all().await;
        })
        .await;
        report(round, "spawn_blocking alone", count, async {
            for _ in 0..count {
                let search = Arc::clone(&search);
                let ask = move || search.search(&asking("x")).unwrap();
                tokio::task::spawn_blocking(ask).await.unwrap();
            }
        })
        .await;
        let (jobs, inbox) = sync_channel::<oneshot::Sender<_>>(64);
        let own = Arc::clone(&search);
        let thread = std::thread::spawn(move || {
            for job in inbox {
                drop(job.send(own.search(&asking("x")).unwrap()));
            }
        });
        report(round, "dedicated thread alone", count, async {
            for _ in 0..count {
                let (reply, answer) = oneshot::channel();
                jobs.send(reply).unwrap();
                answer.await.unwrap();
            }
        })
        .await;
        drop(jobs);
        thread.join().unwrap();
    }
    universe.stop().await;
}

async fn report(round: u32, what: &str, count: u32, work: impl Future<Output = ()>) {
    #[expect(clippy::disallowed_methods, reason = "a measurement")]
    let began = std::time::Instant::now();
    work.await;
    println!(
        "round {round}: {what}: {:.1} µs each",
        began.elapsed().as_secs_f64() * 1e6 / f64::from(count)
    );
}
