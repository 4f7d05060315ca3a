//! `ports::overrides` and `ports::jobs`: which pools follow their queues, and how long those make jobs
//! wait.

use crate::{
    jobs::{act, claim, job, join, send, write},
    shop::{Shop, on_both_databases},
};
use stoa::{
    domain::{
        autoscale::Bounds,
        job::{Priority, Queue},
        time::Micros,
    },
    ports::{
        audit::Audit,
        jobs::{JobAct, JobWrite, NewJob, Waits},
        outbox::Outbox,
        overrides::{AutoscaleWrite, Overrides, PoolAutoscale},
        writer::{Write, Written},
    },
};

on_both_databases![
    it_is_set_turned_off_and_taken_back_and_told,
    the_wait_is_that_of_the_job_that_is_next,
    what_hands_nothing_out_makes_nobody_wait,
];

fn wanted(bounds: Option<Bounds>, at: i64) -> PoolAutoscale {
    PoolAutoscale { pool: "default".into(), bounds, by: "ann".into(), at: Micros(at) }
}

async fn commit(shop: &mut Shop, write: AutoscaleWrite) -> Written {
    shop.commit(Write::Autoscale(write)).await.unwrap()
}

async fn it_is_set_turned_off_and_taken_back_and_told(mut shop: Shop) {
    let revert =
        || AutoscaleWrite::Revert { pool: "default".into(), by: "bob".into(), at: Micros(9) };
    assert_eq!(commit(&mut shop, revert()).await, Written::Absent);
    let bounds = Bounds { min: 2, max: 32, wait_ms: 5_000 };
    for wanted in [wanted(Some(bounds), 1), wanted(None, 2)] {
        assert_eq!(commit(&mut shop, AutoscaleWrite::Set(wanted.clone())).await, Written::Done);
        assert_eq!(shop.store.autoscales().await.unwrap(), [wanted]);
    }
    assert_eq!(commit(&mut shop, revert()).await, Written::Done);
    assert_eq!(shop.store.autoscales().await.unwrap(), []);
    shop.store.number().await.unwrap();
    let entries = shop.store.entries_after(0, 50).await.unwrap();
    let told: Vec<_> = entries.iter().map(|one| (one.action.as_str(), one.by.as_str())).collect();
    let expected =
        [("pool.autoscale", "ann"), ("pool.autoscale", "ann"), ("pool.autoscale_revert", "bob")];
    assert_eq!(told, expected);
    assert!(entries[1].old.as_ref().is_some_and(|old| old.contains("5000")));
    assert!(entries[1].new.as_ref().is_some_and(|new| new.contains("null")));
}

async fn since(shop: &Shop, now: i64) -> Vec<(Queue, i64)> {
    let since = shop.store.waiting_since(Queue::ALL, Micros(now)).await.unwrap();
    since.into_iter().map(|(queue, at)| (queue, at.0)).collect()
}

async fn the_wait_is_that_of_the_job_that_is_next(mut shop: Shop) {
    let worker = join(&mut shop, false).await;
    assert_eq!(since(&shop, 50).await, []);
    let jobs = [job(&shop, 20), job(&shop, 10), job(&shop, 90)];
    let mail = NewJob { queue: Queue::Mail, ..job(&shop, 30) };
    send(&mut shop, &[&jobs[0], &jobs[1], &jobs[2], &mail]).await;
    assert_eq!(since(&shop, 5).await, [], "nobody could have begun one");
    let mut both = since(&shop, 50).await;
    both.sort();
    assert_eq!(both, [(Queue::Default, 10), (Queue::Mail, 30)]);
    // A claim makes ready what is due, and takes the first of it.
    assert_eq!(claim(&mut shop, worker, 50, 1).await[0].id, jobs[1].id);
    assert!(since(&shop, 50).await.contains(&(Queue::Default, 20)));
    let ahead = NewJob { priority: Priority::Highest, ..job(&shop, 40) };
    send(&mut shop, &[&ahead]).await;
    assert_eq!(claim(&mut shop, worker, 50, 2).await.len(), 2);
    assert_eq!(since(&shop, 50).await, [(Queue::Mail, 30)]);
    assert!(since(&shop, 95).await.contains(&(Queue::Default, 90)));
    act(&mut shop, JobAct::Cancel, &[jobs[2].id, mail.id], 95).await;
    assert_eq!(since(&shop, 99).await, []);
}

async fn what_hands_nothing_out_makes_nobody_wait(mut shop: Shop) {
    let waits = job(&shop, 1);
    send(&mut shop, &[&waits]).await;
    for (paused, waiting) in [(true, 0), (false, 1)] {
        let (by, at) = ("ann".to_owned(), Micros(2));
        write(&mut shop, JobWrite::Pause { queue: Queue::Default, paused, by, at }).await;
        assert_eq!(since(&shop, 5).await.len(), waiting);
    }
}
