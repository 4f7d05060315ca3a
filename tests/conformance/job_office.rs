//! `ports::jobs`: how operators see and turn the queue.

use crate::{
    jobs::{MINUTE, act, again, claim, end, ids, job, join, now, send, state, write},
    shop::{Shop, on_both_databases},
};
use stoa::{
    domain::{
        job::{JobState, Queue},
        time::Micros,
    },
    ports::jobs::{Ending, JobAct, JobClaim, JobFilter, JobWrite, Jobs, JobsWritten, NewJob},
};

on_both_databases![
    operators_retry_cancel_and_discard,
    lists_are_filtered_and_paged,
    jobs_are_found_by_what_they_are_about,
    what_waits_is_moved_to_another_queue,
    a_paused_queue_hands_nothing_out,
];

async fn operators_retry_cancel_and_discard(mut shop: Shop) {
    let worker = join(&mut shop, false).await;
    let jobs: Vec<_> = (0..3).map(|_| job(&shop, 1)).collect();
    send(&mut shop, &jobs.iter().collect::<Vec<_>>()).await;
    let claimed = claim(&mut shop, worker, 1, 2).await;
    let (dead, running) = (&claimed[0], &claimed[1]);
    end(&mut shop, dead, Ending::Dead { error: "no".into() }, 2).await;
    let waiting = jobs.iter().find(|job| !ids(&claimed).contains(&job.id)).unwrap().id;
    let all = [dead.id, running.id, waiting];
    // What runs isn't dropped, and not tried anew either.
    assert_eq!(act(&mut shop, JobAct::Retry, &[running.id, dead.id], 3).await, [dead.id]);
    assert_eq!(now(&shop, dead.id).await.failures, 0);
    let mut cancelled = act(&mut shop, JobAct::Cancel, &all, 4).await;
    cancelled.sort();
    let mut every = all.to_vec();
    every.sort();
    assert_eq!(cancelled, every);
    assert_eq!(state(&shop, waiting).await, JobState::Cancelled);
    assert!(now(&shop, running.id).await.cancelling);
    let beat = JobWrite::Beat { worker, at: Micros(5) };
    assert_eq!(write(&mut shop, beat).await, JobsWritten::Beating(vec![running.id]));
    // It failed on its own meanwhile: it isn't tried again.
    assert!(end(&mut shop, running, again(6), 6).await);
    assert_eq!(state(&shop, running.id).await, JobState::Cancelled);
    assert_eq!(act(&mut shop, JobAct::Discard, &[waiting], 7).await, [waiting]);
    assert_eq!(shop.store.job(waiting).await.unwrap(), None);
}

async fn lists_are_filtered_and_paged(mut shop: Shop) {
    let worker = join(&mut shop, false).await;
    let jobs: Vec<_> = (0..5).map(|_| job(&shop, 1)).collect();
    let mail = NewJob { queue: Queue::Mail, topic: "other".into(), ..job(&shop, 1) };
    send(&mut shop, &jobs.iter().chain([&mail]).collect::<Vec<_>>()).await;
    let claimed = claim(&mut shop, worker, 1, 2).await;
    let why = |error: &str| Ending::Dead { error: error.into() };
    end(&mut shop, &claimed[0], why("450 come back"), 2).await;
    end(&mut shop, &claimed[1], why("100% gone"), 2).await;
    let found = async |filter: JobFilter, after, limit| {
        let rows = shop.store.jobs(&filter, after, limit).await.unwrap();
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    let none = JobFilter::default;
    let mut newest: Vec<_> = jobs.iter().map(|job| job.id).chain([mail.id]).collect();
    newest.sort();
    newest.reverse();
    assert_eq!(found(none(), None, 9).await, newest);
    assert_eq!(found(none(), Some(newest[1]), 2).await, newest[2..4]);
    let dead = JobFilter { state: Some(JobState::Dead), ..none() };
    assert_eq!(found(dead.clone(), None, 9).await.len(), 2);
    let gone = JobFilter { error: Some("100%".into()), ..dead };
    assert_eq!(found(gone, None, 9).await, [claimed[1].id]);
    let topic = JobFilter { topic: Some("other".into()), ..none() };
    assert_eq!(found(topic, None, 9).await, [mail.id]);
    let queue = JobFilter { queue: Some(Queue::Mail), state: Some(JobState::Ready), ..none() };
    assert_eq!(found(queue, None, 9).await, [mail.id]);
    let counted = shop.store.queues().await.unwrap();
    let default = counted.iter().find(|one| one.queue == Queue::Default).unwrap();
    assert_eq!((default.ready, default.given_up, default.running), (3, 2, 0));
    assert_eq!(default.oldest_due_at, Some(Micros(1)));
}

async fn jobs_are_found_by_what_they_are_about(mut shop: Shop) {
    let with = |shop: &Shop, body: &str| NewJob { body: body.into(), ..job(shop, 1) };
    let mail = with(&shop, "{\"mail\": \"a-1\", \"n\": 7, \"odd name\": {\"x/y\": null}}");
    let list = with(
        &shop,
        "{\"items\": [{\"sku\": \"Ä\"}, {\"sku\": \"7\"}], \"n\": \"7\", \"on\": true}",
    );
    let bare = with(&shop, "[1, 2]");
    send(&mut shop, &[&mail, &list, &bare]).await;
    for (place, found) in [
        ("mail=a-1", vec![mail.id]),
        ("mail=a-", vec![]),
        ("n=7", vec![mail.id, list.id]),
        ("/odd name/x~1y=null", vec![mail.id]),
        ("/items/0/sku=Ä", vec![list.id]),
        ("/items/1/sku=7", vec![list.id]),
        ("/items/2/sku=7", vec![]),
        ("on=true", vec![list.id]),
        ("/1=2", vec![bare.id]),
        ("none=null", vec![]),
    ] {
        for state in [None, Some(JobState::Ready)] {
            let body = Some(place.parse().unwrap());
            let filter = JobFilter { state, body, ..JobFilter::default() };
            let rows = shop.store.jobs(&filter, None, 9).await.unwrap();
            let mut ids: Vec<_> = rows.into_iter().map(|row| row.id).collect();
            ids.sort();
            assert_eq!(ids, found, "{place}");
        }
    }
    let worker = join(&mut shop, false).await;
    for one in claim(&mut shop, worker, 1, 9).await {
        end(&mut shop, &one, Ending::Dead { error: "no".into() }, 2).await;
    }
    let body = Some("mail=a-1".parse().unwrap());
    let filter = JobFilter { state: Some(JobState::Dead), body, ..JobFilter::default() };
    assert_eq!(shop.store.jobs(&filter, None, 9).await.unwrap().len(), 1);
}

async fn what_waits_is_moved_to_another_queue(mut shop: Shop) {
    let worker = join(&mut shop, false).await;
    let in_lane = |shop: &Shop| NewJob { lane: Some("x".into()), ..job(shop, 1) };
    let (runs, first, second) = (job(&shop, 0), in_lane(&shop), in_lane(&shop));
    let later = NewJob { due_at: Micros(MINUTE), ..job(&shop, 1) };
    send(&mut shop, &[&runs, &first, &second, &later]).await;
    assert_eq!(ids(&claim(&mut shop, worker, 2, 1).await), [runs.id]);
    let all = [runs.id, first.id, second.id, later.id];
    let to_mail = JobAct::Move(Queue::Mail);
    let mut moved = act(&mut shop, to_mail, &all, 3).await;
    moved.sort();
    assert_eq!(moved, all[1..], "what is in hand stays");
    assert_eq!(act(&mut shop, to_mail, &all, 4).await, [], "they are there");
    assert_eq!(claim(&mut shop, worker, 2 * MINUTE, 9).await, []);
    let mail = JobWrite::Claim(JobClaim {
        worker,
        queue: Queue::Mail,
        at: Micros(2 * MINUTE),
        most: 9,
        suspects: false,
    });
    let JobsWritten::Claimed(claimed) = write(&mut shop, mail).await else { panic!() };
    let mut claimed = ids(&claimed);
    claimed.sort();
    assert_eq!(claimed, [first.id, later.id], "a lane is one in whatever queue");
}

async fn a_paused_queue_hands_nothing_out(mut shop: Shop) {
    let worker = join(&mut shop, false).await;
    let one = job(&shop, 1);
    send(&mut shop, &[&one]).await;
    let pause =
        |paused| JobWrite::Pause { queue: Queue::Default, paused, by: "ann".into(), at: Micros(2) };
    assert_eq!(write(&mut shop, pause(true)).await, JobsWritten::Moved(1));
    assert_eq!(write(&mut shop, pause(true)).await, JobsWritten::Moved(0));
    assert_eq!(claim(&mut shop, worker, 3, 9).await, []);
    let others = shop.store.next_due(Queue::ALL, Micros(9)).await.unwrap();
    assert!(others.iter().all(|due| due.queue != Queue::Default), "{others:?}");
    let queues = shop.store.queues().await.unwrap();
    let default = queues.iter().find(|one| one.queue == Queue::Default).unwrap();
    assert_eq!((default.ready, &default.paused), (1, &Some(("ann".to_owned(), Micros(2)))));
    write(&mut shop, pause(false)).await;
    assert_eq!(claim(&mut shop, worker, 4, 9).await.len(), 1);
}
