//! Who is restarted, in which order, and what happens when it does not help.
use crate::common::{Ask, Diary, ENDLESS, LONG, blink, scribe};
use supervisors::testing::{Universe, until};
use supervisors::{Budget, CallError, Restart, State, Strategy, Supervisor, task};

async fn three(strategy: Strategy, diary: &Diary) -> (Universe, supervisors::Address<Ask>) {
    let (a, _) = scribe("a", diary);
    let (b, to_b) = scribe("b", diary);
    let (c, _) = scribe("c", diary);
    let tree = Supervisor::new("root", strategy).backoff(blink());
    let tree = tree.child(a).child(b).child(c);
    let universe = Universe::start(tree).await.expect("it starts");
    assert_eq!(diary.read(), ["a up", "b up", "c up"]);
    diary.clear();
    (universe, to_b)
}

async fn after_b_panics(strategy: Strategy, last_up: &str) -> Vec<String> {
    let diary = Diary::default();
    let (universe, to_b) = three(strategy, &diary).await;
    assert_eq!(to_b.call(Ask::Panic, LONG).await, Err(CallError::Lost));
    until("all are up again", || diary.has(last_up)).await;
    assert_eq!(to_b.call(|r| Ask::Echo(1, r), LONG).await, Ok(1));
    let read = diary.read();
    universe.stop().await;
    read
}

#[tokio::test(start_paused = true)]
async fn one_for_one_restarts_only_the_dead() {
    let read = after_b_panics(Strategy::OneForOne, "b up").await;
    assert_eq!(read, ["b gone", "b up", "b echo 1"]);
}

#[tokio::test(start_paused = true)]
async fn one_for_all_restarts_everybody_last_down_first_up_first() {
    let read = after_b_panics(Strategy::OneForAll, "c up").await;
    let wanted =
        ["b gone", "c stops", "c gone", "a stops", "a gone", "a up", "b up", "c up", "b echo 1"];
    assert_eq!(read, wanted);
}

#[tokio::test(start_paused = true)]
async fn rest_for_one_restarts_the_dead_and_those_after_it() {
    let read = after_b_panics(Strategy::RestForOne, "c up").await;
    assert_eq!(read, ["b gone", "c stops", "c gone", "b up", "c up", "b echo 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_goes_in_reverse_start_order() {
    let diary = Diary::default();
    let (universe, to_b) = three(Strategy::OneForOne, &diary).await;
    universe.stop().await;
    assert_eq!(diary.read(), ["c stops", "c gone", "b stops", "b gone", "a stops", "a gone"]);
    assert_eq!(universe.alive(), 0);
    let after = to_b.call(|r| Ask::Echo(1, r), LONG).await;
    assert_eq!(after, Err(CallError::Stopped));
}

#[tokio::test(start_paused = true)]
async fn a_spent_budget_climbs_from_supervisor_to_supervisor_up_to_the_root() {
    let diary = Diary::default();
    let (bad, to_bad) = scribe("bad", &diary);
    let (good, to_good) = scribe("good", &diary);
    let once = Budget { restarts: 1, within: LONG };
    let inner = Supervisor::new("inner", Strategy::OneForOne).budget(once).backoff(blink());
    let root = Supervisor::new("root", Strategy::OneForOne).budget(once).backoff(blink());
    let tree = root.child(good).child(inner.child(bad));
    let universe = Universe::start(tree).await.expect("it starts");
    // Two deaths spend the inner budget once; the root tolerates that once.
    for _ in 0..4 {
        assert_eq!(to_bad.call(Ask::Panic, LONG).await, Err(CallError::Lost));
    }
    let escalation = universe.ended().await;
    assert_eq!(escalation.path, "root");
    assert!(escalation.reason.contains("root/inner"), "{escalation}");
    assert!(escalation.reason.contains("bad was told to panic"), "{escalation}");
    let snapshot = universe.view().snapshot();
    assert!(!snapshot.is_healthy());
    assert!(matches!(snapshot.state, State::Failed { .. }));
    assert_eq!(diary.read().iter().filter(|line| *line == "bad up").count(), 4);
    assert!(diary.has("good stops"));
    for address in [to_good, to_bad] {
        let after = address.call(|r| Ask::Echo(1, r), LONG).await;
        assert_eq!(after, Err(CallError::Stopped));
    }
    universe.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_answered_with_stopped_when_the_budget_is_spent() {
    let diary = Diary::default();
    let (bad, to_bad) = scribe("bad", &diary);
    let none = Budget { restarts: 0, within: LONG };
    let tree = Supervisor::new("root", Strategy::OneForOne).budget(none).child(bad);
    let universe = Universe::start(tree).await.expect("it starts");
    let (first, second) =
        tokio::join!(to_bad.call(Ask::Panic, LONG), to_bad.call(|r| Ask::Echo(1, r), LONG),);
    assert_eq!(first, Err(CallError::Lost));
    assert_eq!(second, Err(CallError::Stopped));
    universe.ended().await;
    universe.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_temporary_stay_dead_and_the_transient_may_finish() {
    let diary = Diary::default();
    let (fleeting, to_fleeting) = scribe("fleeting", &diary);
    let done = task("done", |_ctx| async { Ok(()) }).restart(Restart::Transient);
    let tree = Supervisor::new("root", Strategy::OneForOne)
        .child(fleeting.restart(Restart::Temporary))
        .child(done);
    let universe = Universe::start(tree).await.expect("it starts");
    assert_eq!(to_fleeting.call(Ask::Crash, LONG).await, Err(CallError::Lost));
    let over = to_fleeting.call(|r| Ask::Echo(1, r), LONG).await;
    assert_eq!(over, Err(CallError::Stopped));
    universe
        .until("the task has finished", |tree| {
            tree.find("root/done").is_some_and(|node| node.state == State::Finished)
        })
        .await;
    let tree = universe.view().snapshot();
    let fleeting = tree.find("root/fleeting").expect("it is in the tree");
    assert!(matches!(fleeting.state, State::Failed { .. }));
    assert_eq!(fleeting.last_fault.as_ref().map(|f| f.message.as_str()), Some("told to crash"));
    assert_eq!(fleeting.restarts, 0);
    universe.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_shown_with_its_place() {
    let diary = Diary::default();
    let (bad, to_bad) = scribe("bad", &diary);
    let tree = Supervisor::new("root", Strategy::OneForOne).budget(ENDLESS).backoff(blink());
    let universe = Universe::start(tree.child(bad)).await.expect("it starts");
    assert_eq!(to_bad.call(Ask::Panic, LONG).await, Err(CallError::Lost));
    assert_eq!(to_bad.call(|r| Ask::Echo(1, r), LONG).await, Ok(1));
    let tree = universe.view().snapshot();
    let node = tree.find("root/bad").expect("it is in the tree");
    let panic = node.last_panic.as_ref().expect("it panicked");
    assert_eq!(panic.message, "bad was told to panic");
    assert!(panic.location.as_deref().is_some_and(|place| place.contains("common.rs")));
    assert!(panic.backtrace.as_deref().is_some_and(|stack| !stack.is_empty()));
    assert_eq!((node.restarts, node.state.clone()), (1, State::Running));
    universe.stop().await;
}
