//! Starting, waiting for what is away, and ending in time.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use crate::common::{Ask, Diary, ENDLESS, LONG, blink, scribe, scribe_at};
use supervisors::testing::{Universe, until};
use supervisors::{
    Agent, CallError, Context, Fault, Mailbox, Next, Nudge, Reconciler, Reply, Shutdown,
    StartError, State, Strategy, Supervisor, agent, reconciler, task,
};

#[tokio::test(start_paused = true)]
async fn a_child_that_cannot_start_fails_the_boot_and_stops_the_others_in_reverse() {
    let diary = Diary::default();
    let (a, to_a) = scribe("a", &diary);
    let (b, _) = scribe("b", &diary);
    let never = Mailbox::<Ask>::new("never", 1);
    let bad = agent("writer", &never, || async {
        let error = std::io::Error::other("the disk is full");
        Err::<Grave, _>(StartError::from(error))
    });
    let (late, _) = scribe("late", &diary);
    let store = Supervisor::new("store", Strategy::OneForAll).child(b).child(bad);
    let tree = Supervisor::new("stoa", Strategy::OneForOne).child(a).child(store).child(late);
    let failed = Universe::start(tree).await.expect_err("it must not start");
    assert_eq!(failed.path, "stoa/store/writer");
    assert_eq!(failed.to_string(), "cannot start stoa/store/writer: the disk is full");
    let wanted = ["a up", "b up", "b stops", "b gone", "a stops", "a gone"];
    assert_eq!(diary.read(), wanted);
    assert_eq!(to_a.call(|r| Ask::Echo(1, r), LONG).await, Err(CallError::Stopped));
}

/// An agent that is never made.
struct Grave;

impl Agent for Grave {
    type Message = Ask;

    async fn handle(&mut self, _messages: Vec<Ask>, _ctx: &Context) -> Result<(), Fault> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_starting_fails_the_boot_as_well() {
    let mailbox = Mailbox::<Ask>::new("a", 1);
    let bad = agent("a", &mailbox, || -> std::future::Ready<Result<Grave, StartError>> {
        panic!("no hands")
    });
    let tree = Supervisor::new("root", Strategy::OneForOne).child(bad);
    let failed = Universe::start(tree).await.expect_err("it must not start");
    assert_eq!(failed.to_string(), "cannot start root/a: panicked: no hands");
}

#[tokio::test(start_paused = true)]
async fn two_siblings_of_one_name_are_refused() {
    let diary = Diary::default();
    let (one, _) = scribe("same", &diary);
    let (two, _) = scribe("same", &diary);
    let tree = Supervisor::new("root", Strategy::OneForOne).child(one).child(two);
    let failed = Universe::start(tree).await.expect_err("it must not start");
    assert_eq!(failed.path, "root/same");
}

#[tokio::test(start_paused = true)]
async fn messages_sent_before_the_start_and_during_a_restart_are_served() {
    let diary = Diary::default();
    let mailbox = Mailbox::new("a", 64);
    let address = mailbox.address();
    let (early, answer) = Reply::new();
    address.try_send(Ask::Echo(1, early)).expect("there is room");
    let child = scribe_at("a", &mailbox, &diary);
    let tree = Supervisor::new("root", Strategy::OneForOne).budget(ENDLESS).backoff(blink());
    let universe = Universe::start(tree.child(child)).await.expect("it starts");
    assert_eq!(answer.within(LONG).await, Ok(1));
    let (lost, later) =
        tokio::join!(address.call(Ask::Panic, LONG), address.call(|r| Ask::Echo(2, r), LONG),);
    assert_eq!((lost, later), (Err(CallError::Lost), Ok(2)));
    universe.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_full_mailbox_refuses_and_a_flood_in_one_rank_leaves_the_others_room() {
    let mailbox = Mailbox::<Ask>::ranked("a", 2, 2);
    let address = mailbox.address();
    let send = |rank| {
        let (reply, answer) = Reply::new();
        let sent = address.try_send_ranked(rank, Ask::Echo(u64::from(rank), reply));
        sent.map(|()| answer).map_err(|refused| refused.reason)
    };
    let background = [send(1), send(1)].map(|sent| sent.expect("there is room"));
    assert_eq!(send(1).err(), Some(CallError::Full));
    let checkout = send(0).expect("its rank has room");
    assert_eq!(address.depth(), 3);
    let diary = Diary::default();
    let child = scribe_at("a", &mailbox, &diary);
    let tree = Supervisor::new("root", Strategy::OneForOne).child(child);
    let universe = Universe::start(tree).await.expect("it starts");
    assert_eq!(checkout.within(LONG).await, Ok(0));
    for answer in background {
        assert_eq!(answer.within(LONG).await, Ok(1));
    }
    assert_eq!(diary.read(), ["a up", "a echo 0", "a echo 1", "a echo 1"]);
    let tree = universe.view().snapshot();
    let node = tree.find("root/a").expect("it is in the tree");
    let mailbox = node.mailbox.expect("agents have one");
    assert_eq!((mailbox.depth, mailbox.bound, mailbox.refused), (0, 4, 1));
    assert_eq!(node.handled, 3);
    assert!(node.wait.is_some() && node.run.is_some());
    universe.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_stopping_agent_serves_what_waits_and_takes_nothing_new() {
    let diary = Diary::default();
    let mailbox = Mailbox::new("a", 64);
    let address = mailbox.address();
    let child = scribe_at("a", &mailbox, &diary);
    let tree = Supervisor::new("root", Strategy::OneForOne).child(child);
    let universe = Universe::start(tree).await.expect("it starts");
    let mut answers = Vec::new();
    for value in 0..50 {
        let (reply, answer) = Reply::new();
        address.try_send(Ask::Echo(value, reply)).expect("there is room");
        answers.push(answer);
    }
    universe.stop().await;
    for (value, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.within(LONG).await, Ok(value as u64));
    }
    assert_eq!(address.call(|r| Ask::Echo(1, r), LONG).await, Err(CallError::Stopped));
}

#[tokio::test(start_paused = true)]
async fn a_child_that_does_not_drain_in_time_is_aborted() {
    let diary = Diary::default();
    let (a, to_a) = scribe("a", &diary);
    let limit = Duration::from_secs(3);
    let tree =
        Supervisor::new("root", Strategy::OneForOne).child(a.shutdown(Shutdown::Drain(limit)));
    let universe = Universe::start(tree).await.expect("it starts");
    let hanging = tokio::spawn({
        let to_a = to_a.clone();
        async move { to_a.call(Ask::Hang, LONG).await }
    });
    until("it hangs", || diary.has("a hangs")).await;
    let waiting = tokio::spawn(async move { to_a.call(|r| Ask::Echo(1, r), LONG).await });
    universe
        .until("the other waits", |tree| {
            tree.find("root/a").and_then(|n| n.mailbox).is_some_and(|m| m.depth == 1)
        })
        .await;
    let before = tokio::time::Instant::now();
    universe.stop().await;
    assert!(before.elapsed() >= limit, "it had its time");
    assert_eq!(hanging.await.expect("no panic"), Err(CallError::Lost));
    assert_eq!(waiting.await.expect("no panic"), Err(CallError::Stopped));
    assert!(diary.has("a gone") && !diary.has("a stops"));
}

#[tokio::test(start_paused = true)]
async fn a_child_that_hangs_at_its_start_does_not_hold_up_the_stop() {
    let diary = Diary::default();
    let (a, to_a) = scribe("a", &diary);
    let first = Arc::new(AtomicBool::new(true));
    let stubborn = task("stubborn", |ctx: Context| async move {
        ctx.stopped().await;
        Ok(())
    });
    let mailbox = Mailbox::<Ask>::new("slow", 1);
    let to_slow = mailbox.address();
    let slow = agent("slow", &mailbox, move || {
        let first = first.swap(false, SeqCst);
        async move {
            if !first {
                std::future::pending::<()>().await;
            }
            Ok::<_, StartError>(Fragile)
        }
    });
    let tree = Supervisor::new("root", Strategy::OneForOne).backoff(blink());
    let tree = tree.child(a).child(stubborn).child(slow);
    let universe = Universe::start(tree).await.expect("it starts");
    assert_eq!(to_slow.call(Ask::Panic, LONG).await, Err(CallError::Lost));
    universe
        .until("it hangs at its start", |tree| {
            tree.find("root/slow").is_some_and(|node| node.state == State::Starting)
        })
        .await;
    assert_eq!(to_a.call(|r| Ask::Echo(1, r), LONG).await, Ok(1));
    universe.stop().await;
}

/// Panics at the first message.
struct Fragile;

impl Agent for Fragile {
    type Message = Ask;

    async fn handle(&mut self, _messages: Vec<Ask>, _ctx: &Context) -> Result<(), Fault> {
        panic!("fragile")
    }
}

#[tokio::test(start_paused = true)]
async fn an_agent_whose_dependency_is_away_waits_and_spends_no_budget() {
    let diary = Diary::default();
    let (a, to_a) = scribe("a", &diary);
    let tree = Supervisor::new("root", Strategy::OneForOne).child(a);
    let universe = Universe::start(tree).await.expect("it starts");
    for _ in 0..20 {
        assert_eq!(to_a.call(Ask::Unavailable, LONG).await, Err(CallError::Lost));
        universe
            .until("the reason is shown", |tree| {
                let reason = "the moon is away".to_owned();
                tree.find("root/a").is_some_and(|node| node.state == State::Waiting { reason })
            })
            .await;
    }
    assert_eq!(to_a.call(|r| Ask::Echo(1, r), LONG).await, Ok(1));
    universe
        .until("it runs again", |tree| {
            tree.find("root/a").is_some_and(|node| node.state == State::Running)
        })
        .await;
    let tree = universe.view().snapshot();
    assert_eq!(tree.find("root/a").map(|node| node.restarts), Some(0));
    assert_eq!(tree.supervisor.map(|s| s.budget.spent), Some(0));
    universe.stop().await;
}

struct Counting {
    passes: Arc<AtomicU32>,
}

impl Reconciler for Counting {
    async fn pass(&mut self, _ctx: &Context) -> Result<Next, Fault> {
        match self.passes.fetch_add(1, SeqCst) {
            0 | 1 => Ok(Next::Again),
            2 => Err(Fault::unavailable("not yet")),
            4 => panic!("fourth"),
            5 => Ok(Next::After(Duration::from_secs(2))),
            _ => Ok(Next::Idle),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reconciler_passes_at_its_start_at_its_timer_and_at_a_nudge() {
    let passes = Arc::new(AtomicU32::new(0));
    let nudge = Nudge::new();
    let every = Duration::from_secs(60);
    let counted = Arc::clone(&passes);
    let child = reconciler("index", every, &nudge, move || {
        let passes = Arc::clone(&counted);
        async move { Ok::<_, StartError>(Counting { passes }) }
    });
    let tree = Supervisor::new("root", Strategy::OneForOne).backoff(blink()).child(child);
    let universe = Universe::start(tree).await.expect("it starts");
    // Two that want more, one that finds its dependency away, one that is idle.
    until("it is idle", || passes.load(SeqCst) == 4).await;
    let idle_since = tokio::time::Instant::now();
    nudge.wake();
    // The nudge's pass panics; the successor's first pass asks for two seconds.
    until("the successor passed", || passes.load(SeqCst) == 6).await;
    assert!(idle_since.elapsed() < Duration::from_secs(2));
    until("the pause is over", || passes.load(SeqCst) == 7).await;
    assert!(idle_since.elapsed() >= Duration::from_secs(2));
    let before = tokio::time::Instant::now();
    tokio::time::sleep(every).await;
    until("the timer has rung", || passes.load(SeqCst) == 8).await;
    assert!(before.elapsed() >= every);
    universe.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_ends_when_it_is_told_and_is_run_again_when_its_dependency_was_away() {
    let diary = Diary::default();
    let tries = Arc::new(AtomicU32::new(0));
    let noted = diary.clone();
    let http = task("http", move |ctx: Context| {
        let (diary, attempt) = (noted.clone(), tries.fetch_add(1, SeqCst));
        async move {
            if attempt == 0 {
                return Err(Fault::unavailable("the port is taken"));
            }
            diary.note(format!("{} of {} serves", ctx.name(), ctx.path()));
            ctx.stopped().await;
            diary.note("drained");
            Ok(())
        }
    });
    let tree = Supervisor::new("root", Strategy::OneForOne).child(http);
    let universe = Universe::start(tree).await.expect("it starts");
    until("it serves", || diary.has("http of root/http serves")).await;
    universe.stop().await;
    assert_eq!(diary.read(), ["http of root/http serves", "drained"]);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_survives_the_trip_through_json() {
    let diary = Diary::default();
    let (a, to_a) = scribe("a", &diary);
    let inner = Supervisor::new("inner", Strategy::RestForOne).backoff(blink()).child(a);
    let tree = Supervisor::new("root", Strategy::OneForOne).child(inner);
    let universe = Universe::start(tree).await.expect("it starts");
    assert_eq!(to_a.call(Ask::Panic, LONG).await, Err(CallError::Lost));
    assert_eq!(to_a.call(|r| Ask::Echo(1, r), LONG).await, Ok(1));
    let before = universe.view().snapshot();
    assert!(before.is_healthy());
    assert_eq!(before.walk().len(), 3);
    let text = serde_json::to_string(&before).expect("it serialises");
    let after: supervisors::Snapshot = serde_json::from_str(&text).expect("it parses");
    assert_eq!(after, before);
    universe.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_call_nobody_serves_in_time_times_out() {
    let mailbox = Mailbox::<Ask>::new("a", 1);
    let call = mailbox.address().call(|r| Ask::Echo(1, r), Duration::from_secs(1)).await;
    assert_eq!(call, Err(CallError::TimedOut));
    assert!(CallError::TimedOut.is_unknown() && !CallError::Full.is_unknown());
}

#[tokio::test(start_paused = true)]
async fn a_nested_tree_that_starts_again_waits_for_what_is_away_instead_of_giving_up() {
    let diary = Diary::default();
    let away = Arc::new(AtomicBool::new(false));
    let mailbox = Mailbox::<Ask>::new("a", 8);
    let to_a = mailbox.address();
    let is_away = Arc::clone(&away);
    let child = agent("a", &mailbox, move || {
        let away = is_away.load(SeqCst);
        async move {
            if away {
                return Err(StartError::unavailable("no database"));
            }
            Ok(Fragile)
        }
    });
    let none = supervisors::Budget { restarts: 0, within: LONG };
    let inner = Supervisor::new("inner", Strategy::OneForOne).budget(none).backoff(blink());
    let (calm, to_calm) = scribe("calm", &diary);
    let tree = Supervisor::new("root", Strategy::OneForOne);
    let tree = tree.child(inner.child(child)).child(calm);
    let universe = Universe::start(tree).await.expect("it starts");
    away.store(true, SeqCst);
    assert_eq!(to_a.call(Ask::Panic, LONG).await, Err(CallError::Lost));
    let (waiting, answer) = Reply::new();
    universe
        .until("it waits", |tree| {
            let node = tree.find("root/inner/a");
            node.is_some_and(|node| {
                node.state == State::Waiting { reason: "no database".into() } && node.restarts > 20
            })
        })
        .await;
    to_a.try_send(Ask::Panic(waiting)).expect("there is room");
    assert_eq!(to_calm.call(|r| Ask::Echo(1, r), LONG).await, Ok(1));
    let spent = universe.view().snapshot().supervisor.map(|s| s.budget.spent);
    assert_eq!(spent, Some(1), "only the panic counts");
    away.store(false, SeqCst);
    assert_eq!(answer.within(LONG).await, Err(CallError::Lost), "it was served at last");
    universe.stop().await;
}
