//! `ports::jobs`: how topics share a queue, and how many of a topic may be begun in a time.

use crate::{
    jobs::{bury_all, claim_of, job, join, send, write},
    shop::{Shop, on_both_databases},
};
use stoa::{
    domain::{
        job::{Queue, Sharing},
        time::Micros,
    },
    ports::{
        StoreError,
        jobs::{ClaimedJob, JobClaim, JobWrite, Jobs, JobsWritten, NewJob},
        writer::{Write, Written},
    },
};

on_both_databases![
    topics_share_a_queue_as_is_wanted,
    suspects_go_in_order_however_the_queue_is_shared,
    of_a_topic_no_more_are_begun_than_its_rate_allows,
    two_that_claim_at_once_keep_to_the_rate_together,
];

async fn share(shop: &mut Shop, mode: &str, weights: &str) -> JobsWritten {
    let sharing = Sharing::of_row(mode, weights).unwrap();
    let (queue, by) = (Queue::Default, "ann".to_owned());
    write(shop, JobWrite::Share { queue, sharing, by, at: Micros(1) }).await
}

/// So many of each topic, the first in front.
async fn of_topics(shop: &mut Shop, topics: &[(&str, usize)]) {
    let mut jobs = Vec::new();
    for (topic, count) in topics {
        for _ in 0..*count {
            jobs.push(NewJob { topic: (*topic).into(), ..job(shop, 1) });
        }
    }
    send(shop, &jobs.iter().collect::<Vec<_>>()).await;
}

fn topics_of(jobs: &[ClaimedJob]) -> String {
    jobs.iter().map(|job| job.topic.as_str()).collect()
}

async fn topics_share_a_queue_as_is_wanted(mut shop: Shop) {
    let (a, b) = (join(&mut shop, false).await, join(&mut shop, false).await);
    of_topics(&mut shop, &[("a", 30), ("b", 3), ("c", 1)]).await;
    assert_eq!(topics_of(&claim_of(&mut shop, a, 1, 3, false).await), "aaa", "it is strict");
    assert_eq!(share(&mut shop, "fair", "{}").await, JobsWritten::Moved(1));
    assert_eq!(share(&mut shop, "fair", "{}").await, JobsWritten::Moved(0));
    // What is in whoever's hands counts.
    assert_eq!(topics_of(&claim_of(&mut shop, b, 1, 4, false).await), "bcbb");
    assert_eq!(topics_of(&claim_of(&mut shop, a, 1, 2, false).await), "aa");
    of_topics(&mut shop, &[("b", 20)]).await;
    share(&mut shop, "weighted", r#"{"b": 4}"#).await;
    // Of a 5 are in hand and of b 3: b is to have four times as many.
    let next = topics_of(&claim_of(&mut shop, b, 1, 22, false).await);
    assert_eq!((next.matches('b').count(), next.matches('a').count()), (20, 2), "{next}");
    let queues = shop.store.queues().await.unwrap();
    assert_eq!(queues[0].sharing, Sharing::of_row("weighted", r#"{"b": 4}"#).unwrap());
    assert_eq!(queues[0].paused, None);
    let pause = |paused| {
        let (queue, by, at) = (Queue::Default, "ann".to_owned(), Micros(2));
        JobWrite::Pause { queue, paused, by, at }
    };
    write(&mut shop, pause(true)).await;
    assert_eq!(claim_of(&mut shop, a, 1, 9, false).await, []);
    let expired = NewJob { expires_at: Some(Micros(5)), topic: "d".into(), ..job(&shop, 1) };
    send(&mut shop, &[&expired]).await;
    write(&mut shop, pause(false)).await;
    let left = topics_of(&claim_of(&mut shop, a, 5, 99, false).await);
    assert_eq!(left, "a".repeat(23), "one that is too late isn't begun");
}

async fn suspects_go_in_order_however_the_queue_is_shared(mut shop: Shop) {
    let dies = join(&mut shop, false).await;
    for (at, topic) in [(1, "a"), (2, "a"), (3, "a"), (4, "b")] {
        let one = NewJob { topic: topic.into(), ..job(&shop, at) };
        send(&mut shop, &[&one]).await;
    }
    assert_eq!(claim_of(&mut shop, dies, 5, 9, false).await.len(), 4);
    bury_all(&mut shop, 6).await;
    share(&mut shop, "fair", "{}").await;
    let lives = join(&mut shop, false).await;
    assert_eq!(topics_of(&claim_of(&mut shop, lives, 7, 3, true).await), "aaa");
}

async fn of_a_topic_no_more_are_begun_than_its_rate_allows(mut shop: Shop) {
    const SECOND: i64 = 1_000_000;
    let worker = join(&mut shop, false).await;
    let limit = |rate: Option<&str>| JobWrite::Limit {
        topic: "a".into(),
        rate: rate.map(|rate| rate.parse().unwrap()),
        by: "ann".into(),
        at: Micros(10 * SECOND),
    };
    assert_eq!(write(&mut shop, limit(Some("2/s"))).await, JobsWritten::Moved(1));
    assert_eq!(write(&mut shop, limit(Some("2/s"))).await, JobsWritten::Moved(0));
    let rates = shop.store.rates().await.unwrap();
    let of_rate = (rates[0].topic.as_str(), rates[0].rate.to_string(), rates[0].set_by.as_str());
    assert_eq!(of_rate, ("a", "2/s".to_owned(), "ann"));
    of_topics(&mut shop, &[("a", 9), ("b", 2)]).await;
    let at = 10 * SECOND;
    let first = claim_of(&mut shop, worker, at, 9, false).await;
    assert_eq!(topics_of(&first), "abb", "it lets the others by");
    assert_eq!(claim_of(&mut shop, worker, at + SECOND / 2 - 1, 9, false).await, []);
    let second = claim_of(&mut shop, worker, at + SECOND, 9, false).await;
    assert_eq!(topics_of(&second), "aa");
    // Those with which a process died, too.
    bury_all(&mut shop, at + SECOND).await;
    let worker = join(&mut shop, false).await;
    let alone = claim_of(&mut shop, worker, at + SECOND, 9, true).await;
    assert_eq!(topics_of(&alone), "bb");
    let alone = claim_of(&mut shop, worker, at + 2 * SECOND, 9, true).await;
    assert_eq!(topics_of(&alone), "aa");
    assert_eq!(write(&mut shop, limit(None)).await, JobsWritten::Moved(1));
    assert_eq!(shop.store.rates().await.unwrap(), []);
    assert_eq!(claim_of(&mut shop, worker, at + 2 * SECOND, 9, false).await.len(), 6);
}

async fn two_that_claim_at_once_keep_to_the_rate_together(mut shop: Shop) {
    let worker = join(&mut shop, false).await;
    let (rate, at) = (Some("10/s".parse().unwrap()), Micros(100));
    write(&mut shop, JobWrite::Limit { topic: "a".into(), rate, by: "ann".into(), at }).await;
    of_topics(&mut shop, &[("a", 40)]).await;
    let at = Micros(10_000_000);
    let mut other = shop.another_writer().await;
    let wish = JobClaim { worker, queue: Queue::Default, at, most: 20, suspects: false };
    let claim = || vec![Write::Jobs(JobWrite::Claim(wish))];
    let (one, two) = tokio::join!(shop.writer.commit(claim()), other.commit(claim()));
    let claimed = |written: Vec<Result<Written, StoreError>>| match written.as_slice() {
        [Ok(Written::Jobs(JobsWritten::Claimed(jobs)))] => jobs.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(claimed(one) + claimed(two), 11, "a second's, and the one whose time has come");
}
