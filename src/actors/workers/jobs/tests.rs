//! The queue's actors around a database of a few rows in memory, which fences as a real one does.

use super::*;
use crate::{
    actors::keepers::writer::{self, StoreHandle},
    domain::{
        id::{JobId, WorkerId},
        job::{Family, Queue, Retry},
        time::Micros,
    },
    ports::{
        StoreError,
        bell::{Bell, Ear},
        cells::{Cell, CellEnd, Cells},
        chance::Chance,
        clock::{Clock, Ids},
        jobs::{
            ClaimedJob, Effect, Ended, Ending, Failure, JobClaim, JobFilter, JobNow, JobWrite,
            Jobs, JobsWritten, QueueDue, QueueNow, TopicRate, Verdict, Worker,
        },
        writer::{Write, Writer, Written},
    },
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};
use supervisors::{
    Nudge, Pool, PoolOptions, Shutdown, StartError, Strategy, Supervisor,
    testing::{Universe, until},
};
use uuid::Uuid;

#[derive(Default)]
struct Table {
    ready: VecDeque<ClaimedJob>,
    running: BTreeMap<JobId, ClaimedJob>,
    ended: Vec<Ended>,
    back: Vec<JobId>,
    joined: Vec<WorkerId>,
    left: bool,
    buried: bool,
    cancel: Vec<JobId>,
    /// Commits that fail before one is made.
    away: usize,
    /// The next claim is made, and its answer lost.
    mute: bool,
    /// Processes beside this one.
    others: usize,
    rings: usize,
    /// Cells.
    opened: usize,
    /// An end with this effect is refused.
    refuses: Option<Effect>,
}

#[derive(Clone, Default)]
struct Rows(Arc<Mutex<Table>>);

impl Rows {
    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        self.0.lock().unwrap()
    }

    fn put(&self, n: u128, topic: &str, version: i64, body: &str) -> JobId {
        let id = JobId(Uuid::from_u128(n));
        let (topic, body) = (topic.to_owned(), body.to_owned());
        let job = ClaimedJob {
            id,
            topic,
            version,
            body,
            attempt: 0,
            failures: 0,
            losses: 0,
            sent_at: Micros(0),
            expires_at: None,
        };
        self.table().ready.push_back(job);
        id
    }

    fn ending(&self, id: JobId) -> Option<Ending> {
        let table = self.table();
        table.ended.iter().find(|one| one.id == id).map(|one| one.ending.clone())
    }

    fn one(&self, write: &JobWrite) -> Result<JobsWritten, StoreError> {
        let mut table = self.table();
        if table.away > 0 {
            table.away -= 1;
            return Err(StoreError::Unavailable("away".into()));
        }
        Ok(match write {
            JobWrite::Join(new) => {
                table.joined.push(new.id);
                JobsWritten::Moved(0)
            }
            JobWrite::Beat { .. } if std::mem::take(&mut table.buried) => JobsWritten::Buried,
            JobWrite::Beat { .. } => JobsWritten::Beating(std::mem::take(&mut table.cancel)),
            JobWrite::Claim(JobClaim { most, queue: Queue::Default, suspects, .. }) => {
                let (mut claimed, mut left) = (Vec::new(), VecDeque::new());
                for job in std::mem::take(&mut table.ready) {
                    match (job.losses > 0) == *suspects && claimed.len() < *most as usize {
                        true => claimed.push(job),
                        false => left.push_back(job),
                    }
                }
                table.ready = left;
                for job in &mut claimed {
                    job.attempt += 1;
                    table.running.insert(job.id, job.clone());
                }
                if std::mem::take(&mut table.mute) {
                    return Err(StoreError::Unavailable("cut off".into()));
                }
                JobsWritten::Claimed(claimed)
            }
            JobWrite::LetGo { held, .. } => {
                let held: Vec<_> = held.iter().map(|(id, _)| *id).collect();
                let (kept, lost) = std::mem::take(&mut table.running)
                    .into_iter()
                    .partition::<BTreeMap<_, _>, _>(|(id, _)| held.contains(id));
                table.running = kept;
                table.ready.extend(lost.into_values());
                JobsWritten::Moved(0)
            }
            JobWrite::Claim(_) => JobsWritten::Claimed(Vec::new()),
            JobWrite::End { ended, .. } => {
                let refused =
                    |one: &Ended| one.effects.iter().any(|e| Some(e) == table.refuses.as_ref());
                if ended.iter().any(refused) {
                    return Err(StoreError::Refused("no".into()));
                }
                let mut counted = Vec::new();
                for one in ended {
                    let attempt = table.running.get(&one.id).map(|job| job.attempt);
                    if attempt == Some(one.attempt) {
                        table.running.remove(&one.id);
                        table.ended.push(one.clone());
                        counted.push(one.id);
                    }
                }
                JobsWritten::Ended(counted)
            }
            JobWrite::HandBack { jobs, .. } => {
                for (id, _) in jobs {
                    if let Some(job) = table.running.remove(id) {
                        table.back.push(*id);
                        table.ready.push_back(job);
                    }
                }
                JobsWritten::Moved(0)
            }
            JobWrite::Leave { .. } => {
                table.left = true;
                let running = std::mem::take(&mut table.running);
                table.ready.extend(running.into_values());
                JobsWritten::Moved(0)
            }
            _ => JobsWritten::Moved(0),
        })
    }
}

#[async_trait]
impl Writer for Rows {
    async fn commit(&mut self, writes: Vec<Write>) -> Vec<Result<Written, StoreError>> {
        let one = |write: &Write| match write {
            Write::Jobs(write) => self.one(write).map(Written::Jobs),
            other => panic!("{other:?}"),
        };
        writes.iter().map(one).collect()
    }
}

#[async_trait]
impl Jobs for Rows {
    async fn next_due(&self, queues: &[Queue], _: Micros) -> Result<Vec<QueueDue>, StoreError> {
        let table = self.table();
        let suspects = table.ready.iter().any(|job| job.losses > 0);
        let ready = table.ready.iter().any(|job| job.losses == 0);
        let due = |queue: &Queue| {
            let of_queue = *queue == Queue::Default;
            let (ready, suspects) = (of_queue && ready, of_queue && suspects);
            QueueDue { queue: *queue, ready, suspects, next_at: None }
        };
        Ok(queues.iter().map(due).collect())
    }
    async fn are_released(&self) -> Result<bool, StoreError> {
        Ok(false)
    }
    async fn next_expiry(&self) -> Result<Option<Micros>, StoreError> {
        Ok(None)
    }
    async fn workers(&self) -> Result<Vec<Worker>, StoreError> {
        let others = self.table().others as u128;
        let row = |n| Worker {
            id: WorkerId(Uuid::from_u128(900 + n)),
            name: format!("there {n}"),
            beat: 1,
            joined_at: Micros(0),
            seen_at: Micros(0),
            jobs: 0,
        };
        Ok((0..=others).map(row).collect())
    }
    async fn queues(&self) -> Result<Vec<QueueNow>, StoreError> {
        Ok(Vec::new())
    }
    async fn rates(&self) -> Result<Vec<TopicRate>, StoreError> {
        Ok(Vec::new())
    }
    async fn families(&self, _: &[JobId]) -> Result<BTreeMap<JobId, Family>, StoreError> {
        Ok(BTreeMap::new())
    }
    async fn job(&self, _: JobId) -> Result<Option<JobNow>, StoreError> {
        Ok(None)
    }
    async fn jobs(
        &self,
        _: &JobFilter,
        _: Option<JobId>,
        _: u32,
    ) -> Result<Vec<JobNow>, StoreError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Bell for Rows {
    async fn ring(&self) -> Result<(), StoreError> {
        self.table().rings += 1;
        Ok(())
    }

    async fn listen(&self) -> Result<Box<dyn Ear>, StoreError> {
        Err(StoreError::Unavailable("nobody listens here".into()))
    }
}

/// A job in it does as its body says, and `"panic"` is how its process dies.
struct Alone(u32);

#[async_trait]
impl Cells for Rows {
    async fn open(&self) -> Result<Box<dyn Cell>, String> {
        self.table().opened += 1;
        Ok(Box::new(Alone(0)))
    }
}

#[async_trait]
impl Cell for Alone {
    async fn run(&mut self, job: &ClaimedJob) -> Result<Verdict, CellEnd> {
        self.0 += 1;
        match job.body.as_str() {
            "\"panic\"" => Err(CellEnd::Died("signal: 6 (SIGABRT)".into())),
            "\"hang\"" => std::future::pending().await,
            "\"keep\"" => {
                tokio::time::sleep(Duration::from_millis(100)).await;
                Ok(Verdict::Done(Vec::new()))
            }
            // The second job finds that it has ended meanwhile.
            _ if self.0 == 2 => Err(CellEnd::Closed),
            _ => Ok(Verdict::Done(vec![done()])),
        }
    }
}

/// Rises with tokio's time, so that a test decides about both.
struct World(tokio::time::Instant, AtomicU64);

impl Clock for World {
    fn now(&self) -> Micros {
        Micros(i64::try_from(self.0.elapsed().as_micros()).unwrap())
    }
}

impl Ids for World {
    fn next(&self) -> Uuid {
        Uuid::from_u128(1_000 + u128::from(self.1.fetch_add(1, Ordering::Relaxed)))
    }
}

impl Chance for World {
    fn bytes(&self) -> [u8; 32] {
        [0; 32]
    }
}

/// Does as its body says.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    Do,
    Undo,
    Break,
    Refuse,
    Panic,
    Hang,
    /// Keeps its thread until the test is over.
    Keep,
    Snooze,
    /// Fails, wants to be left alone for long, and leaves an effect.
    Note,
}

impl Topic for Act {
    const TOPIC: &'static str = "act";
    const VERSION: u32 = 2;
    const QUEUE: Queue = Queue::Default;
}

fn done() -> Effect {
    Effect::MailSent { id: crate::domain::id::MailId(Uuid::nil()), at: Micros(7) }
}

fn undone() -> Effect {
    Effect::MailSent { id: crate::domain::id::MailId(Uuid::max()), at: Micros(7) }
}

impl Job for Act {
    type World = ();
    const RETRY: Retry = Retry { failures: 2, ..Retry::DEFAULT };
    const LIMIT: Duration = Duration::from_secs(2);

    async fn run(self, (): (), tries: Try) -> Verdict {
        match self {
            Self::Do => Verdict::Done(vec![done()]),
            Self::Undo => Verdict::Done(vec![undone()]),
            Self::Break => Verdict::retry(format!("at try {}", tries.attempt)),
            Self::Refuse => Verdict::fail("no"),
            Self::Panic => panic!("boom"),
            Self::Hang => std::future::pending().await,
            Self::Keep => {
                std::thread::sleep(Duration::from_secs(9));
                Verdict::Done(Vec::new())
            }
            Self::Note => {
                let wait = Some(Duration::from_secs(90));
                Verdict::retry(Failure { wait, effects: vec![undone()], ..Failure::from("busy") })
            }
            Self::Snooze => Verdict::Snooze(Duration::from_secs(60)),
        }
    }
}

struct Shop {
    universe: Universe,
    rows: Rows,
}

impl Shop {
    async fn open(workers: usize, bound: usize) -> Self {
        let (rows, desk) = (Rows::default(), Desk::default());
        let world = Arc::new(World(tokio::time::Instant::now(), AtomicU64::new(0)));
        let (mailbox, store): (_, StoreHandle) = writer::store();
        let writing = rows.clone();
        let store_writer = writer::writer(&mailbox, &Nudge::new(), move || {
            let writer = Box::new(writing.clone()) as Box<dyn Writer>;
            async move { Ok::<_, StartError>(writer) }
        });
        let (clock, ends) = (world.clone() as Arc<dyn Clock>, ends());
        let parts = RunnerParts {
            topics: Topics::default().with::<Act>(()),
            desk: desk.clone(),
            ends: ends.address(),
            clock: clock.clone(),
            chance: world.clone(),
        };
        let pool = Pool::new("default", PoolOptions { workers, bound, ..PoolOptions::default() });
        let runners = runners(&pool, &parts);
        let alone =
            Pool::new("suspects", PoolOptions { workers: 1, bound: 2, ..Default::default() });
        let cells: Arc<dyn Cells> = Arc::new(rows.clone());
        let wardens = suspects(&alone, &cells, &parts);
        let line = |suspects, pool: &Pool<_>| {
            let (pool, flow) = (pool.handle(), Arc::<Flow>::default());
            Line { queue: Queue::Default, suspects, pool, flow }
        };
        let lines = vec![line(false, &pool), line(true, &alone)];
        let (reading, drain) =
            (Arc::new(rows.clone()), Shutdown::Drain(Duration::from_millis(200)));
        let tree = Supervisor::new("test", Strategy::OneForOne)
            .child(store_writer)
            .child(lease(LeaseParts {
                desk: desk.clone(),
                rows: reading.clone(),
                store: store.clone(),
                clock: clock.clone(),
                ids: world,
                name: "here 1".into(),
                alone: true,
                config: JobsConfig { keep_hours: 24, keep_days: 30 },
            }))
            .child(committer(&ends, &desk, &store, &clock))
            .child(runners.shutdown(drain))
            .child(wardens.shutdown(drain))
            .child(dispatcher(DispatchParts {
                desk,
                rows: reading,
                store,
                clock,
                lines,
                bell: Some(Arc::new(rows.clone())),
            }));
        Self { universe: Universe::start(tree).await.unwrap(), rows }
    }

    /// Waits until the dispatcher has looked some times more.
    async fn passes(&self) {
        let looked = |snapshot: &supervisors::Snapshot| {
            snapshot.find("test/job-dispatcher").map_or(0, |node| node.handled)
        };
        let before = looked(&self.universe.view().snapshot());
        self.universe.until("it looked again", |now| looked(now) > before + 2).await;
    }

    async fn ended(&self, id: JobId) -> Ending {
        until("it ends", || self.rows.ending(id).is_some()).await;
        self.rows.ending(id).unwrap()
    }
}

#[tokio::test]
async fn a_verdict_becomes_an_end_and_its_effects_go_with_it() {
    let shop = Shop::open(2, 8).await;
    let good = shop.rows.put(1, "act", 2, "\"do\"");
    let refused = shop.rows.put(2, "act", 2, "\"refuse\"");
    let broken = shop.rows.put(3, "act", 2, "\"break\"");
    assert_eq!(shop.ended(good).await, Ending::Succeeded);
    assert_eq!(shop.ended(refused).await, Ending::Failed { error: "no".into() });
    let Ending::Again { at, error } = shop.ended(broken).await else { panic!() };
    assert!(at.0 >= 1_000_000 && error == "at try 1", "{at:?} {error}");
    let effects = |id| {
        let table = shop.rows.table();
        table.ended.iter().find(|one| one.id == id).unwrap().effects.clone()
    };
    assert_eq!(effects(good), [done()]);
    assert_eq!(effects(broken), []);
    shop.universe.stop().await;
}

#[tokio::test]
async fn a_failure_has_effects_and_a_pause_of_its_own_and_leaves_effects_at_the_last_try_too() {
    let shop = Shop::open(1, 8).await;
    let again = shop.rows.put(1, "act", 2, "\"note\"");
    let Ending::Again { at, error } = shop.ended(again).await else { panic!() };
    assert!(at.0 >= 90_000_000 && error == "busy", "{at:?} {error}");
    let last = shop.rows.put(2, "act", 2, "\"note\"");
    shop.rows.table().ready[0].failures = 1;
    assert!(matches!(shop.ended(last).await, Ending::Dead { .. }));
    for id in [again, last] {
        let table = shop.rows.table();
        let ended = table.ended.iter().find(|one| one.id == id).unwrap();
        assert_eq!(ended.effects, [undone()]);
    }
    shop.universe.stop().await;
}

#[tokio::test]
async fn a_panic_is_a_failure_whose_text_is_kept_and_enough_of_them_are_the_end() {
    let shop = Shop::open(1, 8).await;
    let id = shop.rows.put(1, "act", 2, "\"panic\"");
    let Ending::Again { error, .. } = shop.ended(id).await else { panic!() };
    assert!(error.contains("boom") && error.contains("tests.rs"), "{error}");
    let again = shop.rows.put(2, "act", 2, "\"panic\"");
    shop.rows.table().ready[0].failures = 1;
    assert!(matches!(shop.ended(again).await, Ending::Dead { .. }));
    // Whoever ran it is well.
    let after = shop.rows.put(3, "act", 2, "\"do\"");
    assert_eq!(shop.ended(after).await, Ending::Succeeded);
    shop.universe.stop().await;
}

#[tokio::test]
async fn what_nobody_knows_is_a_dead_letter_that_says_why() {
    let shop = Shop::open(1, 8).await;
    let topic = shop.rows.put(1, "dance", 1, "{}");
    let version = shop.rows.put(2, "act", 3, "\"do\"");
    let body = shop.rows.put(3, "act", 2, "\"sing\"");
    for (id, why) in
        [(topic, "the topic `dance`"), (version, "in version 2, not in 3"), (body, "sing")]
    {
        let Ending::Dead { error } = shop.ended(id).await else { panic!() };
        assert!(error.contains(why), "{error}");
    }
    shop.universe.stop().await;
}

#[tokio::test]
async fn one_that_never_ends_is_ended_by_its_limit_or_by_an_operator() {
    let shop = Shop::open(2, 8).await;
    let (hangs, cancelled) =
        (shop.rows.put(1, "act", 2, "\"hang\""), shop.rows.put(2, "act", 2, "\"hang\""));
    until("both run", || shop.rows.table().running.len() == 2).await;
    shop.rows.table().cancel.push(cancelled);
    assert_eq!(shop.ended(cancelled).await, Ending::Cancelled);
    assert_eq!(shop.rows.ending(hangs), None);
    let Ending::Again { error, .. } = shop.ended(hangs).await else { panic!() };
    assert!(error.contains("longer than 2 s"), "{error}");
    shop.universe.stop().await;
}

#[tokio::test]
async fn ends_wait_for_a_database_that_is_away_and_are_said_once() {
    let shop = Shop::open(2, 8).await;
    let hangs = shop.rows.put(1, "act", 2, "\"hang\"");
    until("it runs", || shop.rows.table().running.contains_key(&hangs)).await;
    let id = shop.rows.put(2, "act", 2, "\"do\"");
    until("it runs or ran", || shop.rows.table().ready.is_empty()).await;
    shop.rows.table().away = 5;
    assert_eq!(shop.ended(id).await, Ending::Succeeded);
    let said = shop.rows.table().ended.iter().filter(|one| one.id == id).count();
    assert_eq!(said, 1);
    shop.universe.stop().await;
}

#[tokio::test]
async fn a_refused_effect_ends_its_own_job_alone() {
    let shop = Shop::open(1, 8).await;
    shop.rows.table().refuses = Some(undone());
    let good = shop.rows.put(1, "act", 2, "\"do\"");
    let bad = shop.rows.put(2, "act", 2, "\"undo\"");
    assert_eq!(shop.ended(good).await, Ending::Succeeded);
    let Ending::Dead { error } = shop.ended(bad).await else { panic!() };
    assert!(error.contains("refused"), "{error}");
    shop.universe.stop().await;
}

#[tokio::test]
async fn a_paused_pool_is_handed_nothing_and_a_slow_one_no_more_than_one_ahead() {
    let shop = Shop::open(1, 8).await;
    let control = shop.universe.view().pool("default").unwrap();
    control.pause();
    for n in 1..=9 {
        shop.rows.put(n, "act", 2, "\"hang\"");
    }
    shop.passes().await;
    assert_eq!(shop.rows.table().ready.len(), 9);
    control.resume();
    until("one is in hand and one waits", || shop.rows.table().running.len() == 2).await;
    shop.passes().await;
    assert_eq!(shop.rows.table().running.len(), 2);
    shop.universe.stop().await;
}

#[tokio::test]
async fn what_was_claimed_without_an_answer_goes_back() {
    let shop = Shop::open(2, 8).await;
    shop.rows.table().mute = true;
    let ids = [1, 2, 3].map(|n| shop.rows.put(n, "act", 2, "\"do\""));
    for id in ids {
        assert_eq!(shop.ended(id).await, Ending::Succeeded);
    }
    assert!(!shop.rows.table().mute);
    shop.universe.stop().await;
}

#[tokio::test]
async fn who_gets_to_less_than_there_is_wakes_the_others_if_there_are_any() {
    let shop = Shop::open(1, 8).await;
    for n in 1..=5 {
        shop.rows.put(n, "act", 2, "\"hang\"");
    }
    until("one is in hand and one waits", || shop.rows.table().running.len() == 2).await;
    shop.passes().await;
    assert_eq!(shop.rows.table().rings, 0, "nobody is there to hear it");
    shop.rows.table().others = 1;
    until("it rings", || shop.rows.table().rings > 0).await;
    shop.universe.stop().await;
}

#[tokio::test]
async fn whoever_stops_hands_back_what_is_not_done() {
    let shop = Shop::open(1, 8).await;
    for n in 1..=5 {
        shop.rows.put(n, "act", 2, "\"hang\"");
    }
    until("one is in hand and one waits", || shop.rows.table().running.len() == 2).await;
    shop.universe.stop().await;
    let table = shop.rows.table();
    assert!(table.left && table.running.is_empty() && table.ready.len() == 5);
    assert!(table.ended.is_empty());
}

#[tokio::test]
async fn who_was_taken_for_dead_lets_go_and_joins_anew() {
    let shop = Shop::open(1, 8).await;
    let id = shop.rows.put(1, "act", 2, "\"hang\"");
    until("it runs", || shop.rows.table().running.contains_key(&id)).await;
    {
        // Another process buried this one, and somebody has the job.
        let mut table = shop.rows.table();
        table.buried = true;
        table.running.get_mut(&id).unwrap().attempt += 1;
    }
    until("it joins anew", || shop.rows.table().joined.len() == 2).await;
    let next = shop.rows.put(2, "act", 2, "\"do\"");
    assert_eq!(shop.ended(next).await, Ending::Succeeded);
    assert!(shop.rows.table().running.contains_key(&id), "its late word didn't count");
    assert_eq!(shop.rows.ending(id), None);
    shop.universe.stop().await;
}

#[tokio::test]
async fn one_that_snoozes_has_not_failed() {
    let shop = Shop::open(1, 8).await;
    let id = shop.rows.put(1, "act", 2, "\"snooze\"");
    let Ending::Snoozed { until } = shop.ended(id).await else { panic!() };
    assert!(until.0 >= 60_000_000);
    shop.universe.stop().await;
}

#[tokio::test]
async fn one_that_keeps_its_thread_is_left_behind_and_the_others_go_on() {
    let shop = Shop::open(1, 8).await;
    let keeps = shop.rows.put(1, "act", 2, "\"keep\"");
    let after = shop.rows.put(2, "act", 2, "\"do\"");
    let Ending::Again { error, .. } = shop.ended(keeps).await else { panic!() };
    assert!(error.contains("its thread"), "{error}");
    assert!(shop.rows.table().ended[0].stuck, "it is run alone next");
    assert_eq!(shop.ended(after).await, Ending::Succeeded);
    shop.universe.stop().await;
}

#[tokio::test(start_paused = true)]
async fn suspects_take_nobodys_place_and_wait_for_no_poll() {
    let shop = Shop::open(1, 8).await;
    let suspect = |n, body: &str| {
        let id = shop.rows.put(n, "act", 2, body);
        shop.rows.table().ready.back_mut().unwrap().losses = 1;
        id
    };
    let began = tokio::time::Instant::now();
    let suspects: Vec<_> = (1..=50).map(|n| suspect(n, "\"keep\"")).collect();
    let other = shop.rows.put(51, "act", 2, "\"do\"");
    assert_eq!(shop.ended(other).await, Ending::Succeeded);
    assert!(shop.rows.table().ended.len() < 25, "it waited for those in front of it");
    for id in suspects {
        assert_eq!(shop.ended(id).await, Ending::Succeeded);
    }
    // Of the test's own time: the dispatcher was woken for each of them.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    shop.universe.stop().await;
}

#[tokio::test]
async fn a_suspect_runs_alone_and_how_its_process_died_is_its_failure() {
    let shop = Shop::open(1, 8).await;
    let suspect = |n, body: &str| {
        let id = shop.rows.put(n, "act", 2, body);
        shop.rows.table().ready.back_mut().unwrap().losses = 1;
        id
    };
    let (kills, good) = (suspect(1, "\"panic\""), suspect(2, "\"do\""));
    let Ending::Again { error, .. } = shop.ended(kills).await else { panic!() };
    assert!(error.contains("SIGABRT"), "{error}");
    assert_eq!(shop.ended(good).await, Ending::Succeeded);
    assert_eq!(shop.rows.table().opened, 2, "a new one behind the one that died");
    let (again, late) = (suspect(3, "\"do\""), suspect(4, "\"hang\""));
    assert_eq!(shop.ended(again).await, Ending::Succeeded);
    assert_eq!(shop.rows.table().opened, 3, "and behind the one that had closed");
    let Ending::Again { error, .. } = shop.ended(late).await else { panic!() };
    assert!(error.contains("was killed"), "{error}");
    shop.universe.stop().await;
}
