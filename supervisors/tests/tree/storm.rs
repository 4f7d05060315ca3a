//! A thousand panics in each kind of child, while callers keep calling: every
//! message is answered or failed aloud, and the books balance.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use supervisors::testing::{Universe, until};
use supervisors::{
    Address, Backoff, CallError, Context, Fault, Next, Nudge, Pool, PoolHandle, PoolOptions,
    Reconciler, StartError, Strategy, Supervisor, reconciler, task,
};

use crate::common::{Ask, Diary, ENDLESS, LONG, scribe};
use crate::pools::{Bench, Job, hands};

const PANICS: u64 = 1_000;

/// What became of the calls of one kind.
#[derive(Default)]
struct Books {
    sent: AtomicU64,
    answered: AtomicU64,
    lost: AtomicU64,
    full: AtomicU64,
}

impl Books {
    fn enter(&self, outcome: Result<u64, CallError>, wanted: u64) {
        let column = match outcome {
            Ok(value) => {
                assert_eq!(value, wanted, "an answer went astray");
                &self.answered
            }
            Err(CallError::Lost) => &self.lost,
            Err(CallError::Full) => &self.full,
            Err(other) => panic!("a message was dropped silently: {other}"),
        };
        column.fetch_add(1, SeqCst);
    }

    fn balance(&self) -> bool {
        let [answered, lost, full] =
            [&self.answered, &self.lost, &self.full].map(|column| column.load(SeqCst));
        self.sent.load(SeqCst) == answered + lost + full
    }
}

struct Nervous(Arc<AtomicU64>);

impl Reconciler for Nervous {
    async fn pass(&mut self, _ctx: &Context) -> Result<Next, Fault> {
        if self.0.fetch_add(1, SeqCst) < PANICS {
            panic!("a nervous pass");
        }
        Ok(Next::Idle)
    }
}

async fn keep_asking(address: Address<Ask>, books: Arc<Books>, over: Arc<AtomicBool>) {
    let mut number = 0;
    while !over.load(SeqCst) {
        number += 1;
        books.sent.fetch_add(1, SeqCst);
        let outcome = address.call(|r| Ask::Echo(number, r), LONG).await;
        books.enter(outcome, number);
        tokio::task::yield_now().await;
    }
}

async fn keep_working(handle: PoolHandle<Job>, books: Arc<Books>, over: Arc<AtomicBool>) {
    let mut number = 0;
    while !over.load(SeqCst) {
        number += 1;
        books.sent.fetch_add(1, SeqCst);
        let outcome = handle.call(|r| Job::Echo(number, r), LONG).await;
        books.enter(outcome, number);
        tokio::task::yield_now().await;
    }
}

async fn panic_agent(address: Address<Ask>, books: Arc<Books>) {
    let mut left = PANICS;
    while left > 0 {
        books.sent.fetch_add(1, SeqCst);
        match address.call(Ask::Panic, LONG).await {
            Err(CallError::Lost) => left -= 1,
            Err(CallError::Full) => {}
            other => panic!("it should have died: {other:?}"),
        }
        // Bookkeeping of this caller: it always fails aloud.
        books.lost.fetch_add(1, SeqCst);
    }
}

async fn panic_pool(handle: PoolHandle<Job>, books: Arc<Books>) {
    let mut left = PANICS;
    while left > 0 {
        books.sent.fetch_add(1, SeqCst);
        let outcome = handle.call(Job::Panic, LONG).await;
        left -= u64::from(outcome == Err(CallError::Lost));
        books.enter(outcome, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_panics_in_each_kind_of_child_lose_no_message_silently() {
    let diary = Diary::default();
    let at_once = Backoff { first: Duration::ZERO, ..Backoff::NONE };
    let (plain, to_plain) = scribe("plain", &diary);
    let (nested, to_nested) = scribe("nested", &diary);
    let (calm, to_calm) = scribe("calm", &diary);
    let jobs = Pool::new(
        "jobs",
        PoolOptions { workers: 2, budget: ENDLESS, backoff: at_once, ..PoolOptions::default() },
    );
    let passes = Arc::new(AtomicU64::new(0));
    let runs = Arc::new(AtomicU64::new(0));
    let nudge = Nudge::new();
    let (counted_passes, counted_runs) = (Arc::clone(&passes), Arc::clone(&runs));
    let tree = Supervisor::new("root", Strategy::OneForOne)
        .budget(ENDLESS)
        .backoff(at_once)
        .child(calm)
        .child(plain)
        .child(hands(&jobs, &Bench::new()))
        .child(reconciler("nervous", LONG, &nudge, move || {
            let passes = Arc::clone(&counted_passes);
            async move { Ok::<_, StartError>(Nervous(passes)) }
        }))
        .child(task("hasty", move |ctx: Context| {
            let run = counted_runs.fetch_add(1, SeqCst);
            async move {
                assert!(run >= PANICS, "a hasty task");
                ctx.stopped().await;
                Ok(())
            }
        }))
        .child(
            Supervisor::new("inner", Strategy::RestForOne)
                .budget(ENDLESS)
                .backoff(at_once)
                .child(nested),
        );
    let universe = Universe::start(tree).await.expect("it starts");

    let over = Arc::new(AtomicBool::new(false));
    let books: [Arc<Books>; 4] = std::array::from_fn(|_| Arc::default());
    let [of_calm, of_plain, of_nested, of_jobs] = &books;
    let mut callers = Vec::new();
    for _ in 0..3 {
        for (address, books) in
            [(&to_calm, of_calm), (&to_plain, of_plain), (&to_nested, of_nested)]
        {
            let asking = keep_asking(address.clone(), Arc::clone(books), Arc::clone(&over));
            callers.push(tokio::spawn(asking));
        }
        let working = keep_working(jobs.handle(), Arc::clone(of_jobs), Arc::clone(&over));
        callers.push(tokio::spawn(working));
    }
    let troublemakers = [
        tokio::spawn(panic_agent(to_plain, Arc::clone(of_plain))),
        tokio::spawn(panic_agent(to_nested, Arc::clone(of_nested))),
        tokio::spawn(panic_pool(jobs.handle(), Arc::clone(of_jobs))),
    ];
    for troublemaker in troublemakers {
        troublemaker.await.expect("every panic is survived");
    }
    until("the nervous and the hasty have calmed down", || {
        passes.load(SeqCst) > PANICS && runs.load(SeqCst) > PANICS
    })
    .await;
    over.store(true, SeqCst);
    for caller in callers {
        caller.await.expect("no message is lost");
    }
    for books in &books {
        assert!(books.balance(), "sent = answered + failed aloud");
        assert!(books.answered.load(SeqCst) > 0, "siblings and successors go on");
    }
    assert_eq!(of_calm.lost.load(SeqCst), 0, "the sibling of the dying loses nothing");
    let tree = universe.view().snapshot();
    for path in ["root/plain", "root/jobs", "root/nervous", "root/hasty", "root/inner/nested"] {
        let node = tree.find(path).expect("it is in the tree");
        assert_eq!(node.restarts, PANICS, "{path}");
        assert!(node.last_panic.is_some(), "{path}");
    }
    assert_eq!(tree.find("root/calm").map(|node| node.restarts), Some(0));
    universe.stop().await;
    assert_eq!(universe.alive(), 0);
}
