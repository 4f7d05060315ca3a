//! Pools: turned while they run, and never losing a job.
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use supervisors::testing::{Universe, until};
use supervisors::{
    Answer, Budget, CallError, Context, Fault, Pool, PoolHandle, PoolOptions, Reply, Routing,
    StartError, State, Strategy, Supervisor, Worker, pool,
};
use tokio::sync::Semaphore;

use crate::common::{ENDLESS, LONG, blink};

#[derive(Debug)]
pub(crate) enum Job {
    Echo(u64, Reply<u64>),
    /// Waits for a permit before it answers.
    Gated(u64, Reply<u64>),
    Panic(Reply<u64>),
    Hang(Reply<u64>),
    /// Number `.1` of key `.0`.
    Numbered(u64, u64, Reply<u64>),
}

#[derive(Clone)]
pub(crate) struct Bench {
    gate: Arc<Semaphore>,
    /// The numbers done, by key, and whether a key is in hand.
    done: Arc<Mutex<HashMap<u64, Vec<u64>>>>,
    busy: Arc<Mutex<HashMap<u64, bool>>>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { gate: Arc::new(Semaphore::new(0)), done: Arc::default(), busy: Arc::default() }
    }
}

pub(crate) struct Hand(Bench);

impl Worker for Hand {
    type Job = Job;

    async fn run(&mut self, job: Job, _ctx: &Context) -> Result<(), Fault> {
        match job {
            Job::Echo(value, reply) => reply.send(value),
            Job::Gated(value, reply) => {
                self.0.gate.acquire().await?.forget();
                reply.send(value);
            }
            Job::Panic(_reply) => panic!("told to panic"),
            Job::Hang(_reply) => std::future::pending().await,
            Job::Numbered(key, number, reply) => {
                let was_busy = self.0.busy.lock().expect("sound").insert(key, true);
                assert_ne!(was_busy, Some(true), "a key is in two hands");
                tokio::task::yield_now().await;
                self.0.done.lock().expect("sound").entry(key).or_default().push(number);
                self.0.busy.lock().expect("sound").insert(key, false);
                reply.send(number);
            }
        }
        Ok(())
    }
}

pub(crate) fn hands(jobs: &Pool<Job>, bench: &Bench) -> supervisors::Child {
    let bench = bench.clone();
    pool(jobs, move || {
        let bench = bench.clone();
        async move { Ok::<_, StartError>(Hand(bench)) }
    })
}

fn options(workers: usize) -> PoolOptions {
    PoolOptions {
        workers,
        most: 8,
        bound: 64,
        backoff: blink(),
        budget: ENDLESS,
        ..PoolOptions::default()
    }
}

async fn with(options: PoolOptions) -> (Universe, PoolHandle<Job>, Bench) {
    let jobs = Pool::new("render", options);
    let bench = Bench::new();
    let tree = Supervisor::new("root", Strategy::OneForOne).backoff(blink());
    let universe = Universe::start(tree.child(hands(&jobs, &bench))).await.expect("it starts");
    (universe, jobs.handle(), bench)
}

fn submit(handle: &PoolHandle<Job>, make: impl FnOnce(Reply<u64>) -> Job) -> Answer<u64> {
    let (reply, answer) = Reply::new();
    handle.try_submit(make(reply)).expect("there is room");
    answer
}

#[tokio::test(start_paused = true)]
async fn a_resize_takes_effect_under_load_and_says_no_with_a_reason() {
    let limits = PoolOptions { why_most: "the licence says so", ..options(2) };
    let (universe, handle, bench) = with(limits).await;
    let control = universe.view().pool("render").expect("it is in the tree");
    let answers: Vec<_> = (0..30).map(|n| submit(&handle, |r| Job::Gated(n, r))).collect();
    let busy = |n| {
        move |tree: &supervisors::Snapshot| {
            tree.find("root/render")
                .and_then(|node| node.pool.as_ref())
                .is_some_and(|p| p.busy == n)
        }
    };
    universe.until("two are busy", busy(2)).await;
    control.resize(6).expect("six are allowed");
    universe.until("six are busy", busy(6)).await;
    control.resize(1).expect("one is allowed");
    // The surplus five finish what they have; only one takes a new job.
    bench.gate.add_permits(6);
    universe.until("one is busy", busy(1)).await;
    bench.gate.add_permits(100);
    for (n, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.within(LONG).await, Ok(n as u64));
    }
    let refusal = control.resize(9).expect_err("nine are too many");
    assert_eq!(refusal.reason, "render has 8 workers at most: the licence says so");
    assert!(control.resize(0).is_err());
    universe
        .until("the others are gone", |tree| {
            tree.find("root/render").and_then(|n| n.pool.as_ref()).is_some_and(|p| p.up == 1)
        })
        .await;
    universe.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_paused_pool_queues_up_to_its_bound_and_loses_nothing() {
    let (universe, handle, _bench) = with(options(2)).await;
    let control = universe.view().pool("root/render").expect("paths work as well");
    control.pause();
    assert_eq!(control.state(), State::Paused);
    let answers: Vec<_> = (0..64).map(|n| submit(&handle, |r| Job::Echo(n, r))).collect();
    assert_eq!(handle.call(|r| Job::Echo(9, r), LONG).await, Err(CallError::Full));
    assert_eq!(handle.depth(), 64);
    control.resize(4).expect("four are allowed");
    control.resume();
    for (n, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.within(LONG).await, Ok(n as u64));
    }
    assert_eq!(control.state(), State::Running);
    universe.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_drain_resolves_when_all_is_done_and_refuses_until_resumed() {
    let (universe, handle, bench) = with(options(2)).await;
    let control = universe.view().pool("render").expect("it is in the tree");
    let answers: Vec<_> = (0..10).map(|n| submit(&handle, |r| Job::Gated(n, r))).collect();
    let drained = Arc::new(AtomicBool::new(false));
    let draining = tokio::spawn({
        let (control, drained) = (control.clone(), Arc::clone(&drained));
        async move {
            control.drain().await;
            drained.store(true, SeqCst);
        }
    });
    until("it drains", || control.state() == State::Draining).await;
    assert_eq!(handle.call(|r| Job::Echo(1, r), LONG).await, Err(CallError::Full));
    assert!(!drained.load(SeqCst));
    bench.gate.add_permits(10);
    draining.await.expect("no panic");
    assert_eq!(control.state(), State::Drained);
    for (n, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.within(LONG).await, Ok(n as u64));
    }
    control.resume();
    assert_eq!(handle.call(|r| Job::Echo(1, r), LONG).await, Ok(1));
    universe.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_dying_worker_loses_only_the_job_in_hand() {
    let (universe, handle, _bench) = with(options(1)).await;
    let lost = submit(&handle, Job::Panic);
    let answers: Vec<_> = (0..10).map(|n| submit(&handle, |r| Job::Echo(n, r))).collect();
    assert_eq!(lost.within(LONG).await, Err(CallError::Lost));
    for (n, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.within(LONG).await, Ok(n as u64));
    }
    let tree = universe.view().snapshot();
    let node = tree.find("root/render").expect("it is in the tree");
    assert_eq!(node.restarts, 1);
    assert_eq!(node.last_panic.as_ref().map(|p| p.message.as_str()), Some("told to panic"));
    universe.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_stuck_worker_is_replaced_and_its_caller_told() {
    let stuck_after = Some(Duration::from_secs(1));
    let (universe, handle, _bench) = with(PoolOptions { stuck_after, ..options(1) }).await;
    let stuck = submit(&handle, Job::Hang);
    let next = submit(&handle, |r| Job::Echo(1, r));
    assert_eq!(stuck.within(LONG).await, Err(CallError::Lost));
    assert_eq!(next.within(LONG).await, Ok(1));
    let numbers = universe.view().pool("render").and_then(|p| p.snapshot()).expect("a pool");
    assert_eq!((numbers.stuck, numbers.budget.spent), (1, 0));
    universe.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_pool_over_its_budget_lets_the_others_finish_and_fails_to_its_parent() {
    let once = Budget { restarts: 1, within: LONG };
    let (universe, handle, bench) = with(PoolOptions { budget: once, ..options(2) }).await;
    let good = submit(&handle, |r| Job::Gated(7, r));
    let bad: Vec<_> = (0..2).map(|_| submit(&handle, Job::Panic)).collect();
    let after = submit(&handle, |r| Job::Echo(8, r));
    for lost in bad {
        assert_eq!(lost.within(LONG).await, Err(CallError::Lost));
    }
    bench.gate.add_permits(1);
    assert_eq!(good.within(LONG).await, Ok(7));
    assert_eq!(after.within(LONG).await, Ok(8), "the pool's own successor serves it");
    let spent = universe.view().snapshot().supervisor.map(|s| s.budget.spent);
    assert_eq!(spent, Some(1));
    universe.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_stopping_pool_does_what_waits() {
    let (universe, handle, _bench) = with(options(3)).await;
    let answers: Vec<_> = (0..60).map(|n| submit(&handle, |r| Job::Echo(n, r))).collect();
    universe.stop().await;
    for (n, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.within(LONG).await, Ok(n as u64));
    }
    assert_eq!(handle.call(|r| Job::Echo(1, r), LONG).await, Err(CallError::Stopped));
}

#[tokio::test(start_paused = true)]
async fn a_paused_pool_that_stops_answers_with_stopped() {
    let (universe, handle, _bench) = with(options(3)).await;
    universe.view().pool("render").expect("it is in the tree").pause();
    let answer = submit(&handle, |r| Job::Echo(1, r));
    universe.stop().await;
    assert_eq!(answer.within(LONG).await, Err(CallError::Stopped));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keyed_jobs_keep_their_order_through_resizes_and_panics() {
    let keyed = PoolOptions { routing: Routing::Keyed, bound: 10_000, ..options(4) };
    let (universe, handle, bench) = with(keyed).await;
    let control = universe.view().pool("render").expect("it is in the tree");
    let mut answers = Vec::new();
    for number in 0..200u64 {
        control.resize(1 + (number as usize * 7) % 8).expect("at most eight");
        for key in 0..8 {
            let (reply, answer) = Reply::new();
            handle.try_submit_keyed(key, Job::Numbered(key, number, reply)).expect("room");
            answers.push((number, answer));
        }
        if number % 20 == 0 {
            let (reply, lost) = Reply::new();
            handle.try_submit_keyed(number % 8, Job::Panic(reply)).expect("room");
            assert_eq!(lost.within(LONG).await, Err(CallError::Lost));
        }
    }
    for (number, answer) in answers {
        assert_eq!(answer.within(LONG).await, Ok(number));
    }
    universe.stop().await;
    let done = bench.done.lock().expect("sound");
    assert_eq!(done.len(), 8);
    for numbers in done.values() {
        assert_eq!(*numbers, (0..200).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_turned_in_every_way_under_load_loses_no_job() {
    let (universe, handle, _bench) = with(options(2)).await;
    let control = universe.view().pool("render").expect("it is in the tree");
    let over = Arc::new(AtomicBool::new(false));
    let [answered, refused] = [(); 2].map(|()| Arc::new(AtomicU64::new(0)));
    let callers: Vec<_> = (0..8u64)
        .map(|n| {
            let (handle, over) = (handle.clone(), Arc::clone(&over));
            let (answered, refused) = (Arc::clone(&answered), Arc::clone(&refused));
            tokio::spawn(async move {
                while !over.load(SeqCst) {
                    match handle.call(|r| Job::Echo(n, r), LONG).await {
                        Ok(value) => {
                            assert_eq!(value, n);
                            answered.fetch_add(1, SeqCst);
                        }
                        Err(CallError::Full) => {
                            refused.fetch_add(1, SeqCst);
                        }
                        Err(other) => panic!("a job was lost: {other}"),
                    }
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for round in 0..100usize {
        let before = answered.load(SeqCst);
        control.resize(1 + round * 5 % 8).expect("at most eight");
        match round % 4 {
            0 => control.pause(),
            1 => control.drain().await,
            _ => {}
        }
        tokio::task::yield_now().await;
        control.resume();
        until("jobs are done again", || answered.load(SeqCst) > before + 5).await;
    }
    over.store(true, SeqCst);
    for caller in callers {
        caller.await.expect("no job was lost");
    }
    assert_eq!(handle.depth(), 0);
    assert!(answered.load(SeqCst) > 0);
    universe.stop().await;
}
