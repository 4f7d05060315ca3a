//! `ports::jobs`: a job is done by one, under one attempt, and what it does is done with its end.

use crate::shop::{Shop, on_both_databases};
use stoa::{
    domain::{
        id::{JobId, MailId, WorkerId},
        job::{JobState, MOST_LOSSES, Priority, Queue},
        time::Micros,
    },
    ports::{
        clock::{Clock, Ids},
        jobs::{
            ClaimedJob, Effect, Ended, Ending, JobAct, JobActs, JobClaim, JobFilter, JobNow,
            JobWrite, Jobs, JobsWritten, NewJob, NewWorker, Once,
        },
        writer::{Write, Written},
    },
};

on_both_databases![
    a_job_is_claimed_by_one_and_its_end_counts_once,
    an_end_of_an_older_attempt_changes_nothing_and_has_no_effect,
    effects_are_committed_with_the_end,
    a_failed_try_has_effects_too_once_for_each,
    what_failed_waits_for_its_time_and_what_is_snoozed_is_no_failure,
    a_dead_workers_jobs_are_claimed_anew_and_a_living_ones_are_not,
    what_was_finished_before_a_burial_stays_finished,
    a_buried_worker_claims_nothing,
    one_whose_processes_keep_dying_is_given_up,
    who_leaves_hands_back_without_a_failure,
    what_was_claimed_and_is_in_nobodys_hands_goes_back,
    jobs_with_which_a_process_died_are_claimed_by_themselves,
    a_worker_that_is_alone_takes_over_at_once,
    priorities_are_head_starts_and_nothing_waits_for_ever,
    a_lane_is_done_in_order_one_at_a_time,
    a_lane_goes_on_behind_what_was_cancelled_or_given_up,
    one_of_a_unique_key_is_unfinished_and_one_of_a_fold_key_waits,
    what_did_not_begin_in_time_is_given_up,
    what_is_over_is_forgotten_in_its_time,
];

pub(crate) const MINUTE: i64 = 60_000_000;

pub(crate) fn job(shop: &Shop, at: i64) -> NewJob {
    NewJob {
        id: JobId(shop.source.next()),
        topic: "test".into(),
        version: 1,
        body: "{\"n\": 1}".into(),
        queue: Queue::Default,
        priority: Priority::Normal,
        at: Micros(at),
        due_at: Micros(at),
        expires_at: None,
        lane: None,
        once: Once::Each,
        root: None,
        after: None,
    }
}

pub(crate) async fn write(shop: &mut Shop, write: JobWrite) -> JobsWritten {
    match shop.commit(Write::Jobs(write)).await.unwrap() {
        Written::Jobs(written) => written,
        other => panic!("{other:?}"),
    }
}

/// Puts them and says which were new.
pub(crate) async fn send(shop: &mut Shop, jobs: &[&NewJob]) -> Vec<JobId> {
    let jobs = jobs.iter().map(|job| (*job).clone()).collect();
    match write(shop, JobWrite::Send(jobs)).await {
        JobsWritten::Sent(mut sent) => {
            sent.sort();
            sent
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn join(shop: &mut Shop, alone: bool) -> WorkerId {
    let (id, at) = (WorkerId(shop.source.next()), shop.source.now());
    let name = "here 1".to_owned();
    write(shop, JobWrite::Join(NewWorker { id, name, at, alone })).await;
    id
}

pub(crate) async fn claim(
    shop: &mut Shop,
    worker: WorkerId,
    at: i64,
    most: u32,
) -> Vec<ClaimedJob> {
    let mut claimed = claim_of(shop, worker, at, most, false).await;
    let left = most - u32::try_from(claimed.len()).unwrap();
    claimed.extend(claim_of(shop, worker, at, left, true).await);
    claimed
}

pub(crate) async fn claim_of(
    shop: &mut Shop,
    worker: WorkerId,
    at: i64,
    most: u32,
    suspects: bool,
) -> Vec<ClaimedJob> {
    let claim =
        JobWrite::Claim(JobClaim { worker, queue: Queue::Default, at: Micros(at), most, suspects });
    match write(shop, claim).await {
        JobsWritten::Claimed(claimed) => claimed,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn ids(jobs: &[ClaimedJob]) -> Vec<JobId> {
    jobs.iter().map(|job| job.id).collect()
}

/// True: it counts.
pub(crate) async fn end(shop: &mut Shop, job: &ClaimedJob, ending: Ending, at: i64) -> bool {
    end_with(shop, job, ending, Vec::new(), at).await
}

pub(crate) async fn end_with(
    shop: &mut Shop,
    job: &ClaimedJob,
    ending: Ending,
    effects: Vec<Effect>,
    at: i64,
) -> bool {
    let ended = vec![Ended { id: job.id, attempt: job.attempt, ending, effects, stuck: false }];
    match write(shop, JobWrite::End { ended, at: Micros(at) }).await {
        JobsWritten::Ended(counted) => counted == [job.id],
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn now(shop: &Shop, id: JobId) -> JobNow {
    shop.store.job(id).await.unwrap().unwrap()
}

pub(crate) async fn state(shop: &Shop, id: JobId) -> JobState {
    now(shop, id).await.state
}

/// Buries every worker, whose heartbeats nobody has raised since they are read here.
pub(crate) async fn bury_all(shop: &mut Shop, at: i64) {
    let workers = shop.store.workers().await.unwrap();
    let lost = workers.iter().map(|worker| (worker.id, worker.beat)).collect();
    write(shop, JobWrite::Bury { lost, at: Micros(at) }).await;
}

pub(crate) async fn act(shop: &mut Shop, act: JobAct, jobs: &[JobId], at: i64) -> Vec<JobId> {
    let acts = JobActs { act, jobs: jobs.to_vec(), by: "ann".into(), at: Micros(at) };
    match write(shop, JobWrite::Act(acts)).await {
        JobsWritten::Acted(done) => done,
        other => panic!("{other:?}"),
    }
}

/// Of the default queue: whether some are ready, whether suspects are, and when the next comes due.
async fn due(shop: &Shop, at: i64) -> (bool, bool, Option<i64>) {
    let due = shop.store.next_due(Queue::ALL, Micros(at)).await.unwrap();
    let one = due.iter().find(|due| due.queue == Queue::Default).unwrap();
    (one.ready, one.suspects, one.next_at.map(|at| at.0))
}

pub(crate) fn again(at: i64) -> Ending {
    Ending::Again { at: Micros(at), error: "it broke".into() }
}

async fn a_job_is_claimed_by_one_and_its_end_counts_once(mut shop: Shop) {
    let (a, b) = (join(&mut shop, false).await, join(&mut shop, false).await);
    assert_eq!(due(&shop, 9).await, (false, false, None));
    let one = job(&shop, 1_000);
    assert_eq!(send(&mut shop, &[&one]).await, [one.id]);
    assert_eq!(send(&mut shop, &[&one]).await, [], "put twice it is one");
    assert_eq!(due(&shop, 9).await, (true, false, None));
    let claimed = claim(&mut shop, a, 1_000, 10).await;
    assert_eq!(claimed.len(), 1);
    let body: serde_json::Value = serde_json::from_str(&claimed[0].body).unwrap();
    assert_eq!((claimed[0].id, claimed[0].attempt, &body["n"]), (one.id, 1, &1.into()));
    assert_eq!(claim(&mut shop, b, 1_000, 10).await, []);
    let row = now(&shop, one.id).await;
    assert_eq!(
        (row.state, row.worker, row.started_at),
        (JobState::Running, Some(a), Some(Micros(1_000)))
    );
    assert!(end(&mut shop, &claimed[0], Ending::Succeeded, 2_000).await);
    assert!(!end(&mut shop, &claimed[0], Ending::Succeeded, 3_000).await);
    let row = now(&shop, one.id).await;
    assert_eq!(
        (row.state, row.worker, row.ended_at),
        (JobState::Succeeded, None, Some(Micros(2_000)))
    );
    assert_eq!(due(&shop, 9).await, (false, false, None));
}

async fn an_end_of_an_older_attempt_changes_nothing_and_has_no_effect(mut shop: Shop) {
    let (one, child) = (job(&shop, 1), job(&shop, 1));
    let a = join(&mut shop, false).await;
    send(&mut shop, &[&one]).await;
    let old = claim(&mut shop, a, 1, 1).await.remove(0);
    bury_all(&mut shop, 2).await;
    let b = join(&mut shop, false).await;
    // It came back and nobody has it yet: the old word doesn't count either.
    let effects = vec![Effect::Send(child.clone())];
    assert!(!end_with(&mut shop, &old, Ending::Succeeded, effects.clone(), 3).await);
    let new = claim(&mut shop, b, 4, 9).await.remove(0);
    assert_eq!((new.id, new.attempt), (one.id, 2));
    assert!(!end_with(&mut shop, &old, Ending::Succeeded, effects.clone(), 5).await);
    assert_eq!(state(&shop, one.id).await, JobState::Running);
    assert_eq!(shop.store.job(child.id).await.unwrap(), None);
    assert!(end_with(&mut shop, &new, Ending::Succeeded, effects, 6).await);
    assert_eq!(state(&shop, child.id).await, JobState::Ready);
}

async fn effects_are_committed_with_the_end(mut shop: Shop) {
    let a = join(&mut shop, false).await;
    let (one, two) = (job(&shop, 1), job(&shop, 1));
    send(&mut shop, &[&one, &two]).await;
    let claimed = claim(&mut shop, a, 1, 9).await;
    // One of the batch wants what the database refuses: all of it is taken back, ends included.
    let child = job(&shop, 1);
    let bad = NewJob { topic: String::new(), ..job(&shop, 1) };
    let ended = |n: usize, effect: NewJob| Ended {
        id: claimed[n].id,
        attempt: claimed[n].attempt,
        ending: Ending::Succeeded,
        effects: vec![Effect::Send(effect)],
        stuck: false,
    };
    let both = vec![ended(0, child.clone()), ended(1, bad)];
    let both = Write::Jobs(JobWrite::End { ended: both, at: Micros(2) });
    assert!(shop.commit(both).await.is_err());
    for id in ids(&claimed) {
        assert_eq!(state(&shop, id).await, JobState::Running);
    }
    assert_eq!(shop.store.job(child.id).await.unwrap(), None);
    // A mail that isn't there is nobody's error.
    let mail = Effect::MailSent { id: MailId(shop.source.next()), at: Micros(3) };
    let effects = vec![Effect::Send(child.clone()), mail];
    assert!(end_with(&mut shop, &claimed[0], Ending::Succeeded, effects, 3).await);
    assert_eq!(state(&shop, child.id).await, JobState::Ready);
}

async fn a_failed_try_has_effects_too_once_for_each(mut shop: Shop) {
    let one = job(&shop, 10);
    send(&mut shop, &[&one]).await;
    let worker = join(&mut shop, false).await;
    let mut noted = Vec::new();
    let failed = |error: &str| Ending::Failed { error: error.into() };
    for (at, ending) in [
        (20, Ending::Again { at: Micros(30), error: "busy".into() }),
        (30, Ending::Snoozed { until: Micros(40) }),
        (40, failed("no")),
    ] {
        let claimed = claim(&mut shop, worker, at, 9).await.remove(0);
        let note = NewJob { queue: Queue::Mail, ..job(&shop, at) };
        let effects = vec![Effect::Send(note.clone())];
        assert!(end_with(&mut shop, &claimed, ending.clone(), effects.clone(), at).await);
        assert!(!end_with(&mut shop, &claimed, ending, effects, at).await, "said again");
        noted.push(note.id);
    }
    assert_eq!(state(&shop, one.id).await, JobState::Failed);
    for id in noted {
        assert!(shop.store.job(id).await.unwrap().is_some(), "{id}");
    }
}

async fn what_failed_waits_for_its_time_and_what_is_snoozed_is_no_failure(mut shop: Shop) {
    let a = join(&mut shop, false).await;
    let one = job(&shop, 1);
    send(&mut shop, &[&one]).await;
    let first = claim(&mut shop, a, 1, 1).await.remove(0);
    assert!(end(&mut shop, &first, again(5_000), 2).await);
    let row = now(&shop, one.id).await;
    assert_eq!((row.state, row.failures, row.due_at), (JobState::Scheduled, 1, Micros(5_000)));
    assert_eq!(row.error.as_deref(), Some("it broke"));
    assert_eq!(due(&shop, 9).await, (false, false, Some(5_000)));
    assert_eq!(claim(&mut shop, a, 4_999, 9).await, []);
    let second = claim(&mut shop, a, 5_000, 9).await.remove(0);
    assert_eq!((second.attempt, second.failures), (2, 1));
    assert!(end(&mut shop, &second, Ending::Snoozed { until: Micros(9_000) }, 6_000).await);
    assert_eq!(now(&shop, one.id).await.failures, 1);
    let third = claim(&mut shop, a, 9_000, 9).await.remove(0);
    assert!(end(&mut shop, &third, Ending::Dead { error: "enough".into() }, 9_001).await);
    let row = now(&shop, one.id).await;
    assert_eq!((row.state, row.failures, row.attempt), (JobState::Dead, 2, 3));
    assert_eq!(claim(&mut shop, a, i64::MAX / 2, 9).await, []);
}

async fn a_dead_workers_jobs_are_claimed_anew_and_a_living_ones_are_not(mut shop: Shop) {
    let (a, b) = (join(&mut shop, false).await, join(&mut shop, false).await);
    let jobs = [job(&shop, 1), job(&shop, 2)];
    send(&mut shop, &[&jobs[0], &jobs[1]]).await;
    let of_a = claim(&mut shop, a, 3, 1).await;
    let of_b = claim(&mut shop, b, 3, 1).await;
    let seen = shop.store.workers().await.unwrap();
    let lost: Vec<_> = seen.iter().map(|worker| (worker.id, worker.beat)).collect();
    assert!(seen.iter().all(|worker| worker.jobs == 1), "{seen:?}");
    // Between the look and the burial b's heartbeat rises: it lives.
    let beat = JobWrite::Beat { worker: b, at: Micros(4) };
    assert_eq!(write(&mut shop, beat).await, JobsWritten::Beating(Vec::new()));
    let bury = JobWrite::Bury { lost, at: Micros(5) };
    assert_eq!(write(&mut shop, bury).await, JobsWritten::Moved(1));
    assert_eq!(state(&shop, of_b[0].id).await, JobState::Running);
    let again = claim(&mut shop, b, 5, 9).await;
    assert_eq!(ids(&again), ids(&of_a));
    assert_eq!((again[0].attempt, again[0].failures), (2, 0), "a death is no failure of the job");
}

async fn what_was_finished_before_a_burial_stays_finished(mut shop: Shop) {
    let a = join(&mut shop, false).await;
    let jobs = [job(&shop, 1), job(&shop, 2)];
    send(&mut shop, &[&jobs[0], &jobs[1]]).await;
    let claimed = claim(&mut shop, a, 3, 9).await;
    let lost = shop.store.workers().await.unwrap().iter().map(|w| (w.id, w.beat)).collect();
    // In the gap between finding it stuck and rescuing, one is done.
    assert!(end(&mut shop, &claimed[0], Ending::Succeeded, 4).await);
    write(&mut shop, JobWrite::Bury { lost, at: Micros(5) }).await;
    assert_eq!(state(&shop, claimed[0].id).await, JobState::Succeeded);
    let other = now(&shop, claimed[1].id).await;
    assert_eq!((other.state, other.losses), (JobState::Scheduled, 1));
}

async fn a_buried_worker_claims_nothing(mut shop: Shop) {
    let a = join(&mut shop, false).await;
    let one = job(&shop, 1);
    send(&mut shop, &[&one]).await;
    bury_all(&mut shop, 2).await;
    let claim = JobWrite::Claim(JobClaim {
        worker: a,
        queue: Queue::Default,
        at: Micros(3),
        most: 1,
        suspects: false,
    });
    assert_eq!(write(&mut shop, claim).await, JobsWritten::Buried);
    let beat = JobWrite::Beat { worker: a, at: Micros(4) };
    assert_eq!(write(&mut shop, beat).await, JobsWritten::Buried);
    assert_eq!(state(&shop, one.id).await, JobState::Ready);
}

async fn one_whose_processes_keep_dying_is_given_up(mut shop: Shop) {
    let one = job(&shop, 1);
    send(&mut shop, &[&one]).await;
    let mut at = 1;
    for loss in 1..=MOST_LOSSES {
        let worker = join(&mut shop, false).await;
        let claimed = claim(&mut shop, worker, at, 1).await;
        assert_eq!(claimed[0].attempt, loss, "its pauses are over by then");
        bury_all(&mut shop, at).await;
        let row = now(&shop, one.id).await;
        assert_eq!(row.losses, loss);
        assert!(row.due_at.0 <= at + (1 << loss) * 1_000_000, "{row:?}");
        // A queue's order is kept in a number beside: it moves along.
        at += 1 << 30;
    }
    let row = now(&shop, one.id).await;
    assert_eq!((row.state, row.failures), (JobState::Dead, 0));
    assert!(row.error.is_some_and(|error| error.contains("died")));
}

async fn who_leaves_hands_back_without_a_failure(mut shop: Shop) {
    let (a, b) = (join(&mut shop, false).await, join(&mut shop, false).await);
    let jobs = [job(&shop, 1), job(&shop, 2)];
    send(&mut shop, &[&jobs[0], &jobs[1]]).await;
    let claimed = claim(&mut shop, a, 3, 9).await;
    let back = vec![(claimed[0].id, claimed[0].attempt), (claimed[1].id, 7)];
    let back = JobWrite::HandBack { jobs: back, at: Micros(4) };
    assert_eq!(write(&mut shop, back).await, JobsWritten::Moved(1), "of its own attempt alone");
    let leave = JobWrite::Leave { worker: a, at: Micros(5) };
    assert_eq!(write(&mut shop, leave).await, JobsWritten::Moved(1));
    let again = claim(&mut shop, b, 5, 9).await;
    assert_eq!(ids(&again), ids(&claimed), "in the order that they had");
    for job in again {
        let row = now(&shop, job.id).await;
        assert_eq!((row.attempt, row.failures, row.losses), (2, 0, 0));
    }
}

async fn what_was_claimed_and_is_in_nobodys_hands_goes_back(mut shop: Shop) {
    let (a, b) = (join(&mut shop, false).await, join(&mut shop, false).await);
    let jobs = [job(&shop, 1), job(&shop, 2), job(&shop, 3)];
    send(&mut shop, &[&jobs[0], &jobs[1], &jobs[2]]).await;
    let others = claim(&mut shop, b, 3, 1).await;
    let claimed = claim(&mut shop, a, 3, 9).await;
    let held = vec![(claimed[0].id, claimed[0].attempt), (claimed[1].id, claimed[1].attempt - 1)];
    let let_go = JobWrite::LetGo { worker: a, held, at: Micros(4) };
    assert_eq!(write(&mut shop, let_go).await, JobsWritten::Moved(1));
    assert_eq!(now(&shop, claimed[0].id).await.state, JobState::Running);
    assert_eq!(now(&shop, others[0].id).await.state, JobState::Running, "it is another's");
    let again = claim(&mut shop, b, 5, 9).await;
    assert_eq!(ids(&again), [claimed[1].id]);
    let row = now(&shop, claimed[1].id).await;
    assert_eq!((row.attempt, row.failures, row.losses), (2, 0, 0));
}

async fn jobs_with_which_a_process_died_are_claimed_by_themselves(mut shop: Shop) {
    let dies = join(&mut shop, false).await;
    let jobs = [job(&shop, 1), job(&shop, 2), job(&shop, 3)];
    send(&mut shop, &[&jobs[0], &jobs[1], &jobs[2]]).await;
    let lost = ids(&claim(&mut shop, dies, 3, 2).await);
    bury_all(&mut shop, 4).await;
    // They are due at once, and not made ready yet.
    assert_eq!(due(&shop, 5).await, (true, false, Some(1)));
    let lives = join(&mut shop, false).await;
    let others = claim_of(&mut shop, lives, 5, 9, false).await;
    assert_eq!(ids(&others), [jobs[2].id], "none of them was in front of it");
    assert_eq!(due(&shop, 5).await, (false, true, None));
    assert_eq!(shop.store.queues().await.unwrap()[0].ready, 2);
    let alone = claim_of(&mut shop, lives, 5, 9, true).await;
    assert_eq!(ids(&alone), lost, "at the place that they had");
    assert_eq!(due(&shop, 5).await, (false, false, None));
}

async fn a_worker_that_is_alone_takes_over_at_once(mut shop: Shop) {
    let a = join(&mut shop, true).await;
    let one = job(&shop, 1);
    send(&mut shop, &[&one]).await;
    claim(&mut shop, a, 1, 1).await;
    let b = join(&mut shop, true).await;
    assert_eq!(ids(&claim(&mut shop, b, 2, 1).await), [one.id]);
    assert_eq!(shop.store.workers().await.unwrap().len(), 1);
}

async fn priorities_are_head_starts_and_nothing_waits_for_ever(mut shop: Shop) {
    let worker = join(&mut shop, false).await;
    let of = |shop: &Shop, priority, at| NewJob { priority, ..job(shop, at) };
    let low = of(&shop, Priority::Low, 0);
    let normal = of(&shop, Priority::Normal, 1);
    let highest = of(&shop, Priority::Highest, 2);
    // As long ago as the difference to the highest, and it is at the head.
    let long_ago = of(&shop, Priority::Lowest, -61 * MINUTE);
    send(&mut shop, &[&low, &normal, &highest, &long_ago]).await;
    let mut order = Vec::new();
    for _ in 0..4 {
        order.extend(ids(&claim(&mut shop, worker, 3, 1).await));
    }
    assert_eq!(order, [long_ago.id, highest.id, normal.id, low.id]);
}

async fn a_lane_is_done_in_order_one_at_a_time(mut shop: Shop) {
    let worker = join(&mut shop, false).await;
    let in_lane = |shop: &Shop, lane: &str| NewJob { lane: Some(lane.into()), ..job(shop, 1) };
    let (a, b) = (in_lane(&shop, "x"), in_lane(&shop, "x"));
    let (free, other) = (job(&shop, 1), in_lane(&shop, "y"));
    send(&mut shop, &[&a, &b, &free, &other]).await;
    let later = in_lane(&shop, "x");
    send(&mut shop, &[&later]).await;
    let mut first = claim(&mut shop, worker, 2, 9).await;
    first.sort_by_key(|job| job.id);
    assert_eq!(ids(&first), [a.id, free.id, other.id]);
    // The head failed and waits for its next try: whoever is behind it waits with it.
    assert!(end(&mut shop, &first[0], again(MINUTE), 3).await);
    assert_eq!(claim(&mut shop, worker, 4, 9).await, []);
    let head = claim(&mut shop, worker, MINUTE, 9).await;
    assert_eq!(ids(&head), [a.id]);
    assert!(end(&mut shop, &head[0], Ending::Succeeded, MINUTE).await);
    let next = claim(&mut shop, worker, MINUTE, 9).await;
    assert_eq!(ids(&next), [b.id]);
    assert!(end(&mut shop, &next[0], Ending::Succeeded, MINUTE).await);
    assert_eq!(ids(&claim(&mut shop, worker, MINUTE, 9).await), [later.id]);
}

async fn a_lane_goes_on_behind_what_was_cancelled_or_given_up(mut shop: Shop) {
    let worker = join(&mut shop, false).await;
    let in_lane = |shop: &Shop| NewJob { lane: Some("x".into()), ..job(shop, 1) };
    let jobs: Vec<_> = (0..5).map(|_| in_lane(&shop)).collect();
    send(&mut shop, &jobs.iter().collect::<Vec<_>>()).await;
    assert_eq!(act(&mut shop, JobAct::Cancel, &[jobs[0].id], 2).await, [jobs[0].id]);
    let second = claim(&mut shop, worker, 3, 9).await;
    assert_eq!(ids(&second), [jobs[1].id]);
    end(&mut shop, &second[0], Ending::Dead { error: "no".into() }, 4).await;
    assert_eq!(act(&mut shop, JobAct::Discard, &[jobs[2].id], 5).await, [jobs[2].id]);
    let fourth = claim(&mut shop, worker, 6, 9).await;
    assert_eq!(ids(&fourth), [jobs[3].id]);
    // One that is tried anew is at its old place in the lane, and waits for who runs.
    assert_eq!(act(&mut shop, JobAct::Retry, &[jobs[1].id], 7).await, [jobs[1].id]);
    assert_eq!(claim(&mut shop, worker, 8, 9).await, []);
    end(&mut shop, &fourth[0], Ending::Succeeded, 9).await;
    let anew = claim(&mut shop, worker, 10, 9).await;
    assert_eq!(ids(&anew), [jobs[1].id]);
    end(&mut shop, &anew[0], Ending::Succeeded, 11).await;
    assert_eq!(ids(&claim(&mut shop, worker, 12, 9).await), [jobs[4].id]);
}

async fn one_of_a_unique_key_is_unfinished_and_one_of_a_fold_key_waits(mut shop: Shop) {
    let worker = join(&mut shop, false).await;
    let of = |shop: &Shop, once: Once| NewJob { once, ..job(shop, 1) };
    let unique = |shop: &Shop| of(shop, Once::Unique("u".into()));
    let folded = |shop: &Shop| of(shop, Once::Folded("f".into()));
    let (first, second, other) = (unique(&shop), unique(&shop), folded(&shop));
    assert_eq!(send(&mut shop, &[&first, &second, &other]).await, [first.id, other.id]);
    let claimed = claim(&mut shop, worker, 1, 9).await;
    assert_eq!(claimed.len(), 2);
    // It runs: of the unique key none is put; of the fold key one, as the one that runs may have
    // looked already.
    let next = folded(&shop);
    let (late, more) = (unique(&shop), folded(&shop));
    assert_eq!(send(&mut shop, &[&late, &next, &more]).await, [next.id]);
    // And a try that failed goes back beside it.
    for job in &claimed {
        assert!(end(&mut shop, job, again(2), 2).await);
    }
    assert_eq!(send(&mut shop, &[&late]).await, []);
    let again = claim(&mut shop, worker, 3, 9).await;
    assert_eq!(again.len(), 3);
    for job in &again {
        end(&mut shop, job, Ending::Failed { error: "no".into() }, 4).await;
    }
    assert_eq!(send(&mut shop, &[&late]).await, [late.id]);
    // Two of a unique key are not made by retrying one.
    assert_eq!(act(&mut shop, JobAct::Retry, &[first.id, next.id], 5).await, [next.id]);
}

async fn what_did_not_begin_in_time_is_given_up(mut shop: Shop) {
    let worker = join(&mut shop, false).await;
    let until = |shop: &Shop, at| NewJob { expires_at: Some(Micros(at)), ..job(shop, 1) };
    let (soon, later) = (until(&shop, 100), until(&shop, 200));
    send(&mut shop, &[&soon, &later]).await;
    assert_eq!(shop.store.next_expiry().await.unwrap(), Some(Micros(100)));
    assert_eq!(ids(&claim(&mut shop, worker, 100, 9).await), [later.id], "soon is too late");
    let expire = JobWrite::Expire { at: Micros(100), most: 9 };
    assert_eq!(write(&mut shop, expire).await, JobsWritten::Moved(1));
    let row = now(&shop, soon.id).await;
    assert_eq!((row.state, row.attempt), (JobState::Dead, 0));
    assert!(row.error.is_some_and(|error| error.contains("too late")));
    assert_eq!(shop.store.next_expiry().await.unwrap(), None, "what runs may end");
}

async fn what_is_over_is_forgotten_in_its_time(mut shop: Shop) {
    let worker = join(&mut shop, false).await;
    let jobs: Vec<_> = (0..4).map(|_| job(&shop, 1)).collect();
    send(&mut shop, &jobs.iter().collect::<Vec<_>>()).await;
    let claimed = claim(&mut shop, worker, 1, 3).await;
    end(&mut shop, &claimed[0], Ending::Succeeded, 100).await;
    end(&mut shop, &claimed[1], Ending::Failed { error: "no".into() }, 100).await;
    let forget = |succeeded, others| JobWrite::Forget {
        succeeded: Micros(succeeded),
        others: Micros(others),
        most: 9,
    };
    assert_eq!(write(&mut shop, forget(100, 100)).await, JobsWritten::Moved(0));
    assert_eq!(write(&mut shop, forget(101, 50)).await, JobsWritten::Moved(1));
    assert_eq!(shop.store.job(claimed[0].id).await.unwrap(), None);
    assert_eq!(write(&mut shop, forget(i64::MAX, i64::MAX)).await, JobsWritten::Moved(1));
    let left = shop.store.jobs(&JobFilter::default(), None, 9).await.unwrap();
    assert_eq!(left.len(), 2, "what runs and what waits is kept: {left:?}");
}
