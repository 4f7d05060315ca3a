//! `ports::jobs`: a root and its children are one piece of work, whoever ends which of them when.

use crate::{
    jobs::{act, claim, end, end_with, ids, job, join, now, send, state, write},
    shop::{Shop, on_both_databases},
};
use stoa::{
    domain::{
        id::JobId,
        job::{Family, JobState, Queue},
        time::Micros,
    },
    ports::{
        jobs::{
            ClaimedJob, Effect, Ended, Ending, JobAct, JobClaim, JobFilter, JobWrite, Jobs,
            JobsWritten, NewJob,
        },
        writer::Write,
    },
};

on_both_databases![
    children_come_with_their_roots_end_and_the_whole_is_over_with_the_last,
    a_childs_child_is_of_the_same_family,
    an_end_of_an_older_attempt_brings_no_children,
    what_comes_into_a_family_that_was_given_up_is_cancelled_as_it_comes,
    a_root_that_ended_well_is_retried_for_its_children,
    a_family_is_forgotten_whole_and_not_before_it_is_over,
    nothing_of_a_family_slips_past_its_cancelling,
    who_waits_for_a_family_is_due_when_the_last_of_it_is_over,
];

async fn family(shop: &Shop, root: JobId) -> Option<Family> {
    shop.store.families(&[root]).await.unwrap().remove(&root)
}

/// As it is shown.
async fn whole(shop: &Shop, root: JobId) -> JobState {
    let own = state(shop, root).await;
    family(shop, root).await.unwrap().state(own)
}

async fn children(shop: &Shop, root: JobId) -> Vec<JobId> {
    let filter = JobFilter { root: Some(root), ..JobFilter::default() };
    let mut rows: Vec<_> =
        shop.store.jobs(&filter, None, 99).await.unwrap().iter().map(|row| row.id).collect();
    rows.reverse();
    rows
}

/// A root that has ended well and put so many children, in other hands than the children will be.
async fn root_of(shop: &mut Shop, count: usize) -> (JobId, Vec<JobId>) {
    let worker = join(shop, false).await;
    let root = job(shop, 1);
    send(shop, &[&root]).await;
    let claimed = claim(shop, worker, 2, 1).await;
    let put: Vec<NewJob> = (0..count).map(|_| job(shop, 3)).collect();
    let effects = put.iter().cloned().map(Effect::Child).collect();
    assert!(end_with(shop, &claimed[0], Ending::Succeeded, effects, 3).await);
    (root.id, put.iter().map(|job| job.id).collect())
}

fn failed() -> Ending {
    Ending::Failed { error: "no".into() }
}

async fn children_come_with_their_roots_end_and_the_whole_is_over_with_the_last(mut shop: Shop) {
    let (root, put) = root_of(&mut shop, 2).await;
    assert_eq!(children(&shop, root).await, put);
    assert_eq!(
        (state(&shop, root).await, whole(&shop, root).await),
        (JobState::Succeeded, JobState::Running)
    );
    let worker = join(&mut shop, false).await;
    let claimed = claim(&mut shop, worker, 4, 9).await;
    assert!(end(&mut shop, &claimed[0], failed(), 5).await);
    let half = family(&shop, root).await.unwrap();
    assert_eq!((half.all(), half.over(), half.of(JobState::Failed)), (2, 1, 1));
    assert_eq!(whole(&shop, root).await, JobState::Running);
    assert!(end(&mut shop, &claimed[1], Ending::Succeeded, 6).await);
    assert_eq!(whole(&shop, root).await, JobState::Failed);
    assert_eq!(family(&shop, put[0]).await, None, "a child is no root");
    let filter =
        JobFilter { root: Some(root), state: Some(JobState::Failed), ..JobFilter::default() };
    let found = shop.store.jobs(&filter, None, 9).await.unwrap();
    assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), [claimed[0].id]);
}

async fn a_childs_child_is_of_the_same_family(mut shop: Shop) {
    let (root, put) = root_of(&mut shop, 1).await;
    let worker = join(&mut shop, false).await;
    let claimed = claim(&mut shop, worker, 4, 1).await;
    let below = job(&shop, 5);
    let effects = vec![Effect::Child(below.clone())];
    assert!(end_with(&mut shop, &claimed[0], Ending::Succeeded, effects, 5).await);
    assert_eq!(children(&shop, root).await, [put[0], below.id]);
    assert_eq!(now(&shop, below.id).await.root, Some(root));
    assert_eq!(whole(&shop, root).await, JobState::Running);
}

async fn an_end_of_an_older_attempt_brings_no_children(mut shop: Shop) {
    let worker = join(&mut shop, false).await;
    let root = job(&shop, 1);
    send(&mut shop, &[&root]).await;
    let claimed = claim(&mut shop, worker, 2, 1).await;
    let late = ClaimedJob { attempt: 0, ..claimed[0].clone() };
    let effects = vec![Effect::Child(job(&shop, 3))];
    assert!(!end_with(&mut shop, &late, Ending::Succeeded, effects, 3).await);
    assert_eq!(family(&shop, root.id).await, None);
}

async fn what_comes_into_a_family_that_was_given_up_is_cancelled_as_it_comes(mut shop: Shop) {
    let (root, put) = root_of(&mut shop, 2).await;
    let worker = join(&mut shop, false).await;
    let claimed = claim(&mut shop, worker, 4, 1).await;
    let waits = *put.iter().find(|id| **id != claimed[0].id).unwrap();
    // It is over itself, and marked for the others.
    assert_eq!(act(&mut shop, JobAct::Cancel, &[root], 5).await, [root]);
    assert_eq!(state(&shop, root).await, JobState::Succeeded);
    assert_eq!(act(&mut shop, JobAct::Cancel, &[waits], 5).await, [waits]);
    let late = NewJob { lane: Some("x".into()), ..job(&shop, 6) };
    let effects = vec![Effect::Child(late.clone())];
    assert!(end_with(&mut shop, &claimed[0], Ending::Succeeded, effects, 6).await);
    let row = now(&shop, late.id).await;
    assert_eq!((row.state, row.blocked), (JobState::Cancelled, false));
    assert_eq!(whole(&shop, root).await, JobState::Cancelled);
    assert_eq!(act(&mut shop, JobAct::Cancel, &[root], 7).await, [], "there is nothing left");
    assert_eq!(claim(&mut shop, worker, 8, 9).await, []);
}

async fn a_root_that_ended_well_is_retried_for_its_children(mut shop: Shop) {
    let (root, put) = root_of(&mut shop, 1).await;
    assert_eq!(act(&mut shop, JobAct::Retry, &[root], 4).await, [], "nothing of it failed");
    let worker = join(&mut shop, false).await;
    act(&mut shop, JobAct::Cancel, &[root, put[0]], 4).await;
    assert_eq!(act(&mut shop, JobAct::Retry, &[root, put[0]], 5).await, [root, put[0]]);
    assert_eq!(state(&shop, root).await, JobState::Succeeded, "it isn't run again");
    let again = claim(&mut shop, worker, 6, 9).await;
    assert_eq!(ids(&again), put);
    // And what it puts now is wanted.
    let more = job(&shop, 7);
    let effects = vec![Effect::Child(more.clone())];
    assert!(end_with(&mut shop, &again[0], Ending::Succeeded, effects, 7).await);
    assert_eq!(state(&shop, more.id).await, JobState::Ready);
}

async fn a_family_is_forgotten_whole_and_not_before_it_is_over(mut shop: Shop) {
    let (root, put) = root_of(&mut shop, 2).await;
    let worker = join(&mut shop, false).await;
    let claimed = claim(&mut shop, worker, 4, 9).await;
    end(&mut shop, &claimed[0], Ending::Succeeded, 5).await;
    let all = Micros(i64::MAX);
    let forget = async |shop: &mut Shop| {
        write(shop, JobWrite::Forget { succeeded: all, others: all, most: 9 }).await;
        write(shop, JobWrite::Forget { succeeded: all, others: all, most: 9 }).await;
    };
    forget(&mut shop).await;
    assert_eq!(children(&shop, root).await, put, "one of it runs");
    assert_eq!(state(&shop, root).await, JobState::Succeeded);
    end(&mut shop, &claimed[1], Ending::Succeeded, 6).await;
    forget(&mut shop).await;
    assert_eq!(shop.store.jobs(&JobFilter::default(), None, 9).await.unwrap(), []);
}

/// What a node does that cancels a root: the root, and then each of the children it finds.
async fn cancel_all(shop: &mut Shop, root: JobId) {
    act(shop, JobAct::Cancel, &[root], 5).await;
    let found = children(shop, root).await;
    act(shop, JobAct::Cancel, &found, 5).await;
}

async fn nothing_of_a_family_slips_past_its_cancelling(mut shop: Shop) {
    let mut other = shop.another_writer().await;
    for _ in 0..20 {
        let (root, _) = root_of(&mut shop, 1).await;
        let worker = join(&mut shop, false).await;
        let claimed = claim(&mut shop, worker, 4, 1).await.remove(0);
        let effects = vec![Effect::Child(job(&shop, 5))];
        let ended = Ended {
            id: claimed.id,
            attempt: claimed.attempt,
            ending: Ending::Succeeded,
            effects,
            stuck: false,
        };
        let end = Write::Jobs(JobWrite::End { ended: vec![ended], at: Micros(5) });
        let (written, ()) = tokio::join!(other.commit(vec![end]), cancel_all(&mut shop, root));
        assert!(written[0].is_ok(), "{written:?}");
        assert_eq!(children(&shop, root).await.len(), 2);
        assert!(whole(&shop, root).await.is_over(), "one of it is left to itself");
    }
    let claim = JobWrite::Claim(JobClaim {
        worker: join(&mut shop, false).await,
        queue: Queue::Default,
        at: Micros(9),
        most: 99,
        suspects: false,
    });
    let left = write(&mut shop, claim).await;
    assert_eq!(left, JobsWritten::Claimed(Vec::new()));
}

async fn who_waits_for_a_family_is_due_when_the_last_of_it_is_over(mut shop: Shop) {
    let release = |at| JobWrite::Release { at: Micros(at) };
    let root = job(&shop, 1);
    let waits = job(&shop, 1).after(root.id);
    let other = job(&shop, 1).after(waits.id);
    send(&mut shop, &[&root, &waits, &other]).await;
    assert_eq!(now(&shop, waits.id).await.after, Some(root.id));
    let worker = join(&mut shop, false).await;
    let first = claim(&mut shop, worker, 2, 9).await;
    assert_eq!(first.iter().map(|one| one.id).collect::<Vec<_>>(), [root.id]);
    let child = job(&shop, 3);
    let effects = vec![Effect::Child(child.clone())];
    assert!(end_with(&mut shop, &first[0], Ending::Succeeded, effects, 3).await);
    assert!(!shop.store.are_released().await.unwrap(), "its child isn't over");
    assert_eq!(write(&mut shop, release(4)).await, JobsWritten::Moved(0));
    let second = claim(&mut shop, worker, 5, 9).await;
    assert_eq!(second.iter().map(|one| one.id).collect::<Vec<_>>(), [child.id]);
    assert!(end(&mut shop, &second[0], failed(), 6).await);
    assert!(shop.store.are_released().await.unwrap(), "however it ended");
    assert_eq!(write(&mut shop, release(7)).await, JobsWritten::Moved(1));
    assert!(!shop.store.are_released().await.unwrap());
    let row = now(&shop, waits.id).await;
    assert_eq!((row.due_at, row.after), (Micros(7), None));
    let third = claim(&mut shop, worker, 8, 9).await;
    assert_eq!(third.iter().map(|one| one.id).collect::<Vec<_>>(), [waits.id]);
    // One whose time has come by hand waits no more.
    act(&mut shop, JobAct::Retry, &[other.id], 9).await;
    assert!(end(&mut shop, &third[0], Ending::Succeeded, 10).await);
    assert_eq!(write(&mut shop, release(11)).await, JobsWritten::Moved(0));
    assert_eq!(now(&shop, other.id).await.due_at, Micros(9));
}
