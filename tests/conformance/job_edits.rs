//! `ports::jobs`: what was given up is put again with another body.

use crate::{
    jobs::{act, claim, end, job, join, now, send, state, write},
    shop::{Shop, on_both_databases},
};
use serde_json::{Value, json};
use stoa::{
    domain::{
        id::JobId,
        job::{JobState, Queue},
        time::Micros,
    },
    ports::{
        audit::Audit,
        clock::Ids,
        jobs::{Ending, JobAct, JobEdit, JobWrite, JobsWritten, NewJob, Once},
        outbox::Outbox,
    },
};

on_both_databases![
    what_was_given_up_is_tried_again_with_its_new_body,
    what_is_not_given_up_or_was_begun_since_is_left_alone,
    two_of_a_unique_key_are_not_made_by_editing_one,
];

const OTHER: &str = "{\"n\": 2}";

/// True: it was edited.
async fn edit(shop: &mut Shop, id: JobId, attempt: u32, at: i64) -> bool {
    let (body, by, at) = (OTHER.to_owned(), "ann".to_owned(), Micros(at));
    match write(shop, JobWrite::Edit(JobEdit { id, attempt, body, by, at })).await {
        JobsWritten::Acted(done) => done == [id],
        other => panic!("{other:?}"),
    }
}

async fn body(shop: &Shop, id: JobId) -> Value {
    serde_json::from_str(&now(shop, id).await.body).unwrap()
}

fn failed() -> Ending {
    Ending::Failed { error: "no".into() }
}

async fn what_was_given_up_is_tried_again_with_its_new_body(mut shop: Shop) {
    let worker = join(&mut shop, false).await;
    let (first, second) = (job(&shop, 1), job(&shop, 1));
    send(&mut shop, &[&first, &second]).await;
    for claimed in claim(&mut shop, worker, 1, 2).await {
        end(&mut shop, &claimed, failed(), 2).await;
    }
    assert!(edit(&mut shop, first.id, 1, 3).await);
    let edited = now(&shop, first.id).await;
    assert_eq!((edited.failures, edited.ended_at, edited.due_at), (0, None, Micros(3)));
    assert_eq!(edited.queue, Queue::Default.as_str());
    let again = claim(&mut shop, worker, 3, 9).await;
    assert_eq!((again.len(), again[0].id, again[0].attempt), (1, first.id, 2));
    assert_eq!(serde_json::from_str::<Value>(&again[0].body).unwrap(), json!({"n": 2}));
    assert_eq!(body(&shop, second.id).await, json!({"n": 1}));
    shop.store.number().await.unwrap();
    let entries = shop.store.entries_after(0, 50).await.unwrap();
    let told = &entries[0];
    assert_eq!((entries.len(), told.action.as_str(), told.by.as_str()), (1, "job.edit", "ann"));
    let value =
        |text: &Option<String>| serde_json::from_str::<Value>(text.as_ref().unwrap()).unwrap();
    assert_eq!((value(&told.old), value(&told.new)), (json!({"n": 1}), json!({"n": 2})));
}

async fn what_is_not_given_up_or_was_begun_since_is_left_alone(mut shop: Shop) {
    let worker = join(&mut shop, false).await;
    let (first, waits) = (job(&shop, 1), job(&shop, 50));
    send(&mut shop, &[&first, &waits]).await;
    assert!(!edit(&mut shop, waits.id, 0, 2).await, "it waits");
    let claimed = claim(&mut shop, worker, 2, 1).await.remove(0);
    assert!(!edit(&mut shop, first.id, 1, 3).await, "it runs");
    end(&mut shop, &claimed, Ending::Dead { error: "no".into() }, 4).await;
    assert!(!edit(&mut shop, first.id, 0, 5).await, "that was an earlier attempt");
    assert_eq!(body(&shop, first.id).await, json!({"n": 1}));
    assert!(edit(&mut shop, first.id, 1, 6).await);
    let claimed = claim(&mut shop, worker, 7, 1).await.remove(0);
    end(&mut shop, &claimed, Ending::Succeeded, 8).await;
    assert!(!edit(&mut shop, first.id, 2, 9).await, "it is done");
    act(&mut shop, JobAct::Cancel, &[waits.id], 10).await;
    assert!(edit(&mut shop, waits.id, 0, 11).await, "it was cancelled");
    let unknown = JobId(shop.source.next());
    assert!(!edit(&mut shop, unknown, 0, 12).await);
}

async fn two_of_a_unique_key_are_not_made_by_editing_one(mut shop: Shop) {
    let worker = join(&mut shop, false).await;
    let unique = |shop: &Shop| NewJob { once: Once::Unique("u".into()), ..job(shop, 1) };
    let first = unique(&shop);
    send(&mut shop, &[&first]).await;
    let claimed = claim(&mut shop, worker, 1, 1).await.remove(0);
    end(&mut shop, &claimed, failed(), 2).await;
    let second = unique(&shop);
    send(&mut shop, &[&second]).await;
    assert!(!edit(&mut shop, first.id, 1, 3).await);
    assert_eq!(state(&shop, first.id).await, JobState::Failed);
    assert_eq!(body(&shop, first.id).await, json!({"n": 1}));
    shop.store.number().await.unwrap();
    assert!(shop.store.entries_after(0, 50).await.unwrap().is_empty());
}
