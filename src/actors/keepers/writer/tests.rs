use super::*;
use crate::{
    domain::scope::Scope,
    ports::{imports::ImportCounts, writer::ProductBatch},
};
use async_trait::async_trait;
use futures_util::future::join_all;
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use supervisors::{
    Backoff, Budget, Next, Reconciler, Strategy, Supervisor, reconciler,
    testing::{Universe, until},
};
use tokio::sync::Semaphore;

/// How the store takes a commit.
#[derive(Debug, Clone, Copy)]
enum Mood {
    Well,
    Panics,
    /// Commits, then dies before it can say so.
    PanicsAfterwards,
    Fails,
    AnswersTooFew,
}

/// What outlives each writer: what was committed, and what is to go wrong.
#[derive(Default)]
struct Database {
    commits: Mutex<Vec<Vec<String>>>,
    moods: Mutex<VecDeque<Mood>>,
    /// How many commits may begin.
    gate: Option<Semaphore>,
    waiting: AtomicUsize,
    opened: AtomicUsize,
}

impl Database {
    fn gated() -> Arc<Self> {
        Arc::new(Self { gate: Some(Semaphore::new(0)), ..Self::default() })
    }

    fn moody(moods: impl IntoIterator<Item = Mood>) -> Arc<Self> {
        Arc::new(Self { moods: Mutex::new(moods.into_iter().collect()), ..Self::default() })
    }

    fn let_commit(&self, commits: usize) {
        self.gate.as_ref().unwrap().add_permits(commits);
    }

    fn commits(&self) -> Vec<Vec<String>> {
        self.commits.lock().unwrap().clone()
    }

    fn holds(&self, name: &str) -> bool {
        self.commits().iter().flatten().any(|n| n == name)
    }

    async fn until_a_commit_waits(&self) {
        until("a commit waits at the gate", || self.waiting.load(Ordering::SeqCst) == 1).await;
    }
}

struct FakeWriter(Arc<Database>);

#[async_trait]
impl Writer for FakeWriter {
    async fn commit(&mut self, writes: Vec<Write>) -> Vec<Result<Written, StoreError>> {
        let database = &self.0;
        if let Some(gate) = &database.gate {
            database.waiting.fetch_add(1, Ordering::SeqCst);
            gate.acquire().await.unwrap().forget();
            database.waiting.fetch_sub(1, Ordering::SeqCst);
        }
        let mood = database.moods.lock().unwrap().pop_front().unwrap_or(Mood::Well);
        match mood {
            Mood::Panics => panic!("the writer is asked too much"),
            Mood::Fails => {
                return writes.iter().map(|_| Err(StoreError::Full("disk".into()))).collect();
            }
            _ => {}
        }
        database.commits.lock().unwrap().push(writes.iter().map(name).collect());
        if matches!(mood, Mood::PanicsAfterwards) {
            panic!("so near");
        }
        let short = usize::from(matches!(mood, Mood::AnswersTooFew));
        writes.iter().skip(short).map(|write| Ok(answer(write))).collect()
    }
}

fn name(write: &Write) -> String {
    match write {
        Write::SetOverride(wanted) => wanted.pool.clone(),
        Write::RevertOverride { pool, .. } => pool.clone(),
        Write::Products(batch) => format!("import {}", batch.at.0),
        other => panic!("{other:?}"),
    }
}

fn answer(write: &Write) -> Written {
    match write {
        Write::Products(batch) if batch.at.0 < 0 => Written::Superseded,
        Write::Products(_) => Written::Products(ImportCounts { read: 1, ..Default::default() }),
        Write::RevertOverride { .. } => Written::Absent,
        _ => Written::Done,
    }
}

fn wanted(pool: &str) -> PoolOverride {
    PoolOverride {
        pool: pool.to_owned(),
        node: "*".to_owned(),
        workers: Some(2),
        paused: false,
        by: "test".to_owned(),
        at: Micros(0),
        until: None,
    }
}

fn batch(n: i64) -> Write {
    Write::Products(ProductBatch {
        scope: Scope::default(),
        products: Vec::new(),
        checkpoint: None,
        supposed: Vec::new(),
        dry_run: false,
        at: Micros(n),
    })
}

struct Listening(Arc<AtomicUsize>);

impl Reconciler for Listening {
    async fn pass(&mut self, _: &Context) -> Result<Next, Fault> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Next::Idle)
    }
}

struct Shop {
    universe: Universe,
    store: StoreHandle,
    nudged: Arc<AtomicUsize>,
}

async fn open_with(database: &Arc<Database>, bound: usize) -> Shop {
    let (mailbox, store) = with_bound(bound);
    let (committed, nudged) = (Nudge::new(), Arc::new(AtomicUsize::new(0)));
    let (database, passes) = (Arc::clone(database), Arc::clone(&nudged));
    let tree = Supervisor::new("test", Strategy::OneForOne)
        .budget(Budget { restarts: 1000, within: Duration::from_secs(60) })
        .backoff(Backoff::NONE)
        .child(writer(&mailbox, &committed, move || {
            let database = Arc::clone(&database);
            async move {
                database.opened.fetch_add(1, Ordering::SeqCst);
                Ok(Box::new(FakeWriter(database)) as Box<dyn Writer>)
            }
        }))
        .child(reconciler("relay", Duration::from_secs(3600), &committed, move || {
            let passes = Arc::clone(&passes);
            async move { Ok(Listening(passes)) }
        }));
    let universe = Universe::start(tree).await.unwrap();
    until("the first pass", || nudged.load(Ordering::SeqCst) == 1).await;
    Shop { universe, store, nudged }
}

async fn open(database: &Arc<Database>) -> Shop {
    open_with(database, BOUND).await
}

#[tokio::test]
async fn what_waits_while_one_batch_commits_is_the_next_batch() {
    let database = Database::gated();
    let shop = open(&database).await;
    let (first, rest, ()) = tokio::join!(
        shop.store.set_override(wanted("first")),
        async {
            database.until_a_commit_waits().await;
            let names: Vec<_> = (0..10).map(|n| n.to_string()).collect();
            join_all(names.iter().map(|name| shop.store.set_override(wanted(name)))).await
        },
        async {
            until("all wait", || shop.store.writer.depth() == 10).await;
            database.let_commit(2);
        },
    );
    first.unwrap();
    rest.into_iter().for_each(|done| done.unwrap());
    let sizes: Vec<_> = database.commits().iter().map(Vec::len).collect();
    assert_eq!(sizes, [1, 10]);
    shop.universe.stop().await;
}

#[tokio::test]
async fn the_background_commits_one_at_a_time_and_behind_all_others() {
    let database = Database::gated();
    let shop = open(&database).await;
    let store = &shop.store;
    let background = join_all((0..3).map(|n| store.write(batch(n))));
    let (first, background, _) = tokio::join!(
        store.set_override(wanted("first")),
        async {
            database.until_a_commit_waits().await;
            background.await
        },
        async {
            until("the imports wait", || store.writer.depth() == 3).await;
            let (pair, late) = tokio::join!(
                join_all(["a", "b"].map(|name| store.set_override(wanted(name)))),
                async {
                    until("all wait", || store.writer.depth() == 5).await;
                    database.let_commit(2);
                    until("two commits", || database.commits().len() == 2).await;
                    database.until_a_commit_waits().await;
                    // The first import is in hand; who comes now still goes before the second.
                    let late = store.set_override(wanted("late"));
                    let (late, ()) = tokio::join!(late, async {
                        until("it waits", || store.writer.depth() == 3).await;
                        database.let_commit(10);
                    });
                    late
                }
            );
            pair.into_iter().for_each(|done| done.unwrap());
            late.unwrap();
        },
    );
    first.unwrap();
    for counted in background {
        assert!(matches!(counted.unwrap(), Written::Products(_)));
    }
    let expected: [&[&str]; 6] =
        [&["first"], &["a", "b"], &["import 0"], &["late"], &["import 1"], &["import 2"]];
    assert_eq!(database.commits(), expected);
    shop.universe.stop().await;
}

#[tokio::test]
async fn a_death_leaves_those_in_hand_unknown_and_serves_those_who_wait() {
    for mood in [Mood::Panics, Mood::PanicsAfterwards, Mood::AnswersTooFew] {
        let database = Arc::new(Database {
            gate: Some(Semaphore::new(0)),
            moods: Mutex::new([mood].into()),
            ..Database::default()
        });
        let shop = open(&database).await;
        let (in_hand, waiting, ()) = tokio::join!(
            shop.store.set_override(wanted("in hand")),
            async {
                database.until_a_commit_waits().await;
                shop.store.set_override(wanted("waiting")).await
            },
            async {
                database.until_a_commit_waits().await;
                until("one waits", || shop.store.writer.depth() == 1).await;
                database.let_commit(2);
            },
        );
        assert!(matches!(in_hand, Err(WriteError::Unknown)), "{mood:?}: {in_hand:?}");
        waiting.unwrap();
        assert!(database.holds("waiting"));
        assert_eq!(database.opened.load(Ordering::SeqCst), 2);
        shop.universe.stop().await;
    }
}

#[tokio::test]
async fn nothing_is_lost_in_silence_through_a_storm_of_panics() {
    let moods = (0..400).map(|n| match n % 5 {
        0 => Mood::Panics,
        1 => Mood::PanicsAfterwards,
        2 => Mood::Fails,
        _ => Mood::Well,
    });
    let database = Database::moody(moods);
    let shop = open_with(&database, 20).await;
    let names: Vec<_> = (0..300).map(|n| n.to_string()).collect();
    let mut tally = [0; 4];
    for chunk in names.chunks(30) {
        let answers = join_all(chunk.iter().map(|name| shop.store.set_override(wanted(name))));
        for (name, answer) in chunk.iter().zip(answers.await) {
            let (kind, fits) = match answer {
                Ok(()) => (0, database.holds(name)),
                Err(WriteError::Overloaded { .. }) => (1, !database.holds(name)),
                Err(WriteError::Store(StoreError::Full(_))) => (2, !database.holds(name)),
                Err(WriteError::Unknown) => (3, true),
                other => panic!("{name}: {other:?}"),
            };
            assert!(fits, "{name}: answer {kind} is not so");
            tally[kind] += 1;
        }
    }
    assert!(tally.iter().all(|count| *count > 0), "{tally:?}");
    shop.universe.stop().await;
}

#[tokio::test]
async fn a_full_mailbox_refuses_and_leaves_other_ranks_their_room() {
    let database = Database::gated();
    let shop = open_with(&database, 2).await;
    let store = &shop.store;
    let (imports, refused, urgent) = tokio::join!(
        join_all((0..3).map(|n| store.write(batch(n)))),
        async {
            until("two wait", || store.writer.depth() == 2).await;
            store.write(batch(9)).await
        },
        async {
            until("two wait", || store.writer.depth() == 2).await;
            let (urgent, ()) = tokio::join!(store.set_override(wanted("urgent")), async {
                until("it waits", || store.writer.depth() == 3).await;
                database.let_commit(10);
            });
            urgent
        },
    );
    assert!(matches!(refused, Err(WriteError::Overloaded { .. })), "{refused:?}");
    // The bound holds from the first moment, so one of the three may have been refused as well.
    assert!(imports.iter().filter(|i| i.is_ok()).count() >= 2);
    urgent.unwrap();
    assert!(!database.holds("import 9"));
    shop.universe.stop().await;
    let stopped = store.set_override(wanted("after")).await;
    assert!(matches!(stopped, Err(WriteError::Stopping)), "{stopped:?}");
}

#[tokio::test]
async fn the_log_is_looked_at_after_a_commit_and_not_after_a_failure() {
    let database = Database::moody([Mood::Fails]);
    let shop = open(&database).await;
    let failed = shop.store.set_override(wanted("a")).await;
    assert!(matches!(failed, Err(WriteError::Store(StoreError::Full(_)))));
    shop.store.set_override(wanted("b")).await.unwrap();
    until("a pass", || shop.nudged.load(Ordering::SeqCst) == 2).await;
    shop.universe.stop().await;
    assert_eq!(shop.nudged.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_became_of_a_change_is_told_as_it_was() {
    let database = Arc::new(Database::default());
    let shop = open(&database).await;
    // As the importer sees it.
    let sink: &dyn ProductSink = &shop.store;
    let superseded = sink.write(batch(-1)).await.unwrap();
    assert_eq!(superseded, Written::Superseded);
    let counts = ImportCounts { read: 1, ..Default::default() };
    assert_eq!(sink.write(batch(1)).await.unwrap(), Written::Products(counts));
    let args = ["render", "*", "me"].map(str::to_owned);
    let [pool, node, by] = args;
    assert!(!shop.store.revert_override(pool, node, by, Micros(0)).await.unwrap());
    shop.universe.stop().await;
}
