//! `ports::maintenance`: one row, which stays until it is taken back, and what it does to queues.

use crate::{
    jobs::{claim, job, join, send, write},
    shop::{Shop, on_both_databases},
};
use stoa::{
    domain::{job::Queue, time::Micros},
    ports::{
        audit::Audit,
        jobs::{JobWrite, Jobs, JobsWritten},
        maintenance::{Closing, Maintenance, MaintenanceWrite},
        outbox::Outbox,
        writer::{Write, Written},
    },
};

on_both_databases![
    it_is_set_changed_and_taken_back,
    queues_hand_nothing_out_until_its_end_and_go_on_by_themselves,
    what_was_paused_by_hand_stays_paused_behind_it,
];

fn closed(until: i64, pauses: bool) -> Maintenance {
    let message = pauses.then(|| "New shelves.".to_owned());
    Maintenance { until: Micros(until), message, pauses, by: "ann".into(), at: Micros(1) }
}

async fn on(shop: &mut Shop, wanted: &Maintenance) {
    let on = MaintenanceWrite::On(wanted.clone());
    assert_eq!(shop.commit(Write::Maintenance(on)).await, Ok(Written::Done));
}

async fn off(shop: &mut Shop) -> Written {
    let off = MaintenanceWrite::Off { by: "bob".into(), at: Micros(9) };
    shop.commit(Write::Maintenance(off)).await.unwrap()
}

async fn it_is_set_changed_and_taken_back(mut shop: Shop) {
    assert_eq!(shop.store.maintenance().await.unwrap(), None);
    assert_eq!(off(&mut shop).await, Written::Absent);
    for wanted in [closed(100, true), closed(200, false)] {
        on(&mut shop, &wanted).await;
        assert_eq!(shop.store.maintenance().await.unwrap(), Some(wanted));
    }
    assert_eq!(off(&mut shop).await, Written::Done);
    assert_eq!(shop.store.maintenance().await.unwrap(), None);
    shop.store.number().await.unwrap();
    let entries = shop.store.entries_after(0, 50).await.unwrap();
    let told: Vec<_> = entries.iter().map(|one| (one.action.as_str(), one.by.as_str())).collect();
    let expected =
        [("maintenance.on", "ann"), ("maintenance.on", "ann"), ("maintenance.off", "bob")];
    assert_eq!(told, expected);
    assert!(entries[1].old.as_ref().is_some_and(|old| old.contains("New shelves.")));
}

async fn queues_hand_nothing_out_until_its_end_and_go_on_by_themselves(mut shop: Shop) {
    let worker = join(&mut shop, false).await;
    let jobs = [job(&shop, 1), job(&shop, 1), job(&shop, 1)];
    send(&mut shop, &jobs.iter().collect::<Vec<_>>()).await;
    on(&mut shop, &closed(100, false)).await;
    assert_eq!(claim(&mut shop, worker, 50, 1).await.len(), 1, "they are not paused");
    on(&mut shop, &closed(100, true)).await;
    assert_eq!(claim(&mut shop, worker, 99, 1).await, []);
    assert_eq!(shop.store.next_due(Queue::ALL, Micros(99)).await.unwrap(), []);
    // Nobody has taken it back.
    let due = shop.store.next_due(Queue::ALL, Micros(100)).await.unwrap();
    assert_eq!(due.len(), Queue::ALL.len());
    assert_eq!(claim(&mut shop, worker, 100, 1).await.len(), 1);
    on(&mut shop, &closed(1_000, true)).await;
    assert_eq!(claim(&mut shop, worker, 101, 1).await, []);
    off(&mut shop).await;
    assert_eq!(claim(&mut shop, worker, 102, 1).await.len(), 1);
}

async fn what_was_paused_by_hand_stays_paused_behind_it(mut shop: Shop) {
    let worker = join(&mut shop, false).await;
    let one = job(&shop, 1);
    send(&mut shop, &[&one]).await;
    let pause = |paused, at| JobWrite::Pause {
        queue: Queue::Default,
        paused,
        by: "ann".into(),
        at: Micros(at),
    };
    assert_eq!(write(&mut shop, pause(true, 2)).await, JobsWritten::Moved(1));
    on(&mut shop, &closed(100, true)).await;
    off(&mut shop).await;
    assert_eq!(claim(&mut shop, worker, 50, 1).await, []);
    on(&mut shop, &closed(100, true)).await;
    assert_eq!(claim(&mut shop, worker, 200, 1).await, []);
    write(&mut shop, pause(false, 201)).await;
    assert_eq!(claim(&mut shop, worker, 202, 1).await.len(), 1);
}
