//! `ports::jobs`: how far a job is stands in its row while that try of it says so.

use crate::{
    jobs::{claim, end, job, join, now, send, write},
    shop::{Shop, on_both_databases},
};
use stoa::{
    domain::{id::JobId, time::Micros},
    ports::{
        clock::Ids,
        jobs::{Ending, JobProgress, JobWrite, JobsWritten, Steps},
    },
};

on_both_databases![what_a_try_said_last_is_kept_until_the_next_try_or_its_good_end];

/// How many of those it was kept of.
async fn tell(shop: &mut Shop, told: &[(JobId, u32, u64)]) -> u64 {
    let of = |(id, attempt, done): &(JobId, u32, u64)| JobProgress {
        id: *id,
        attempt: *attempt,
        steps: Steps { done: *done, of: 10 },
    };
    match write(shop, JobWrite::Progress(told.iter().map(of).collect())).await {
        JobsWritten::Moved(kept) => kept,
        other => panic!("{other:?}"),
    }
}

async fn done(shop: &Shop, id: JobId) -> Option<u64> {
    now(shop, id).await.progress.map(|steps| {
        assert_eq!(steps.of, 10);
        steps.done
    })
}

async fn what_a_try_said_last_is_kept_until_the_next_try_or_its_good_end(mut shop: Shop) {
    let worker = join(&mut shop, false).await;
    let (first, second) = (job(&shop, 1), job(&shop, 1));
    send(&mut shop, &[&first, &second]).await;
    assert_eq!(tell(&mut shop, &[(first.id, 0, 1)]).await, 0, "it doesn't run");
    let claimed = claim(&mut shop, worker, 1, 2).await;
    assert_eq!(claimed.len(), 2);
    assert_eq!(done(&shop, first.id).await, None);
    let unknown = JobId(shop.source.next());
    let told = [(first.id, 1, 3), (second.id, 1, 5), (unknown, 1, 7)];
    assert_eq!(tell(&mut shop, &told).await, 2);
    assert_eq!(tell(&mut shop, &[(first.id, 2, 9), (second.id, 1, 6)]).await, 1);
    assert_eq!((done(&shop, first.id).await, done(&shop, second.id).await), (Some(3), Some(6)));
    // How far a try came that failed is told until the next begins.
    let of = |id: JobId| claimed.iter().find(|job| job.id == id).unwrap();
    end(&mut shop, of(first.id), Ending::Again { at: Micros(5), error: "no".into() }, 4).await;
    assert_eq!(tell(&mut shop, &[(first.id, 1, 4)]).await, 0, "it has ended");
    assert_eq!(done(&shop, first.id).await, Some(3));
    assert_eq!(claim(&mut shop, worker, 6, 1).await[0].id, first.id);
    assert_eq!(done(&shop, first.id).await, None);
    end(&mut shop, of(second.id), Ending::Succeeded, 7).await;
    assert_eq!(done(&shop, second.id).await, None, "all of it");
}
