//! `ports::mail`: what was put into the queue is claimed by one, tried again, and forgotten.

use crate::{
    accounts::{invite, mail},
    shop::{Shop, on_both_databases},
};
use std::time::Duration;
use stoa::{
    domain::time::Micros,
    ports::{
        mail::{MailQueue, MailWrite, NewMail, WaitingMail},
        writer::{Write, Written},
    },
};

on_both_databases![
    a_mail_is_claimed_by_one_and_again_when_the_claim_runs_out,
    one_that_was_sent_is_forgotten_and_swept,
    one_that_failed_is_tried_again_or_given_up,
    the_oldest_go_first_and_no_more_than_asked,
];

const CLAIM: Duration = Duration::from_secs(60);

/// In the queue since `at`; a mail only comes with what it tells of.
async fn put(shop: &mut Shop, n: u8, at: i64) -> NewMail {
    let mail = mail(shop, &format!("reader-{n}@example.com"), at);
    invite(shop, n, mail.clone()).await;
    mail
}

async fn write(shop: &mut Shop, write: MailWrite) -> Written {
    shop.commit(Write::Mail(write)).await.unwrap()
}

async fn claim(shop: &mut Shop, now: i64, most: u32) -> Vec<WaitingMail> {
    let now = Micros(now);
    match write(shop, MailWrite::Claim { now, until: now.plus(CLAIM), most }).await {
        Written::Claimed(mut claimed) => {
            claimed.sort_by_key(|mail| mail.created_at);
            claimed
        }
        other => panic!("{other:?}"),
    }
}

fn claimed(mail: &NewMail, attempts: u32) -> WaitingMail {
    WaitingMail {
        id: mail.id,
        kind: mail.kind.into(),
        recipient: mail.recipient.clone(),
        subject: mail.subject.clone(),
        body: mail.body.clone(),
        attempts,
        created_at: mail.at,
        until: mail.until,
    }
}

async fn a_mail_is_claimed_by_one_and_again_when_the_claim_runs_out(mut shop: Shop) {
    assert_eq!(shop.store.next_due().await.unwrap(), None);
    let mail = put(&mut shop, 1, 1_000).await;
    assert_eq!(shop.store.next_due().await.unwrap(), Some(Micros(1_000)));
    assert_eq!(claim(&mut shop, 999, 10).await, []);
    assert_eq!(claim(&mut shop, 1_000, 10).await, [claimed(&mail, 1)]);
    // Who claimed it may have died: until then it is nobody else's, and then anybody's.
    assert_eq!(claim(&mut shop, 1_001, 10).await, []);
    let over = Micros(1_000).plus(CLAIM);
    assert_eq!(shop.store.next_due().await.unwrap(), Some(over));
    assert_eq!(claim(&mut shop, over.0, 10).await, [claimed(&mail, 2)]);
    assert_eq!(shop.store.counts().await.unwrap(), (1, 0));
}

async fn one_that_was_sent_is_forgotten_and_swept(mut shop: Shop) {
    let mail = put(&mut shop, 1, 1_000).await;
    claim(&mut shop, 1_000, 10).await;
    for _ in 0..2 {
        let sent = MailWrite::Sent { id: mail.id, at: Micros(2_000) };
        assert_eq!(write(&mut shop, sent).await, Written::Done);
    }
    assert_eq!(shop.store.next_due().await.unwrap(), None);
    assert_eq!(claim(&mut shop, i64::MAX / 2, 10).await, []);
    // What it said may have been a token: the row that is left says nothing any more.
    assert!(
        shop.try_execute("UPDATE mail SET state = 'waiting' WHERE body IS NULL").await.is_err()
    );
    let sweep = |older_than| MailWrite::Sweep { older_than: Micros(older_than), most: 10 };
    assert_eq!(write(&mut shop, sweep(1_000)).await, Written::Swept(0));
    assert_eq!(write(&mut shop, sweep(1_001)).await, Written::Swept(1));
}

async fn one_that_failed_is_tried_again_or_given_up(mut shop: Shop) {
    let mail = put(&mut shop, 1, 1_000).await;
    claim(&mut shop, 1_000, 10).await;
    let failed = |again: Option<i64>| MailWrite::Failed {
        id: mail.id,
        again_at: again.map(Micros),
        failure: "450 come back later".into(),
    };
    assert_eq!(write(&mut shop, failed(Some(5_000))).await, Written::Done);
    assert_eq!(claim(&mut shop, 4_999, 10).await, []);
    assert_eq!(claim(&mut shop, 5_000, 10).await, [claimed(&mail, 2)]);
    assert_eq!(write(&mut shop, failed(None)).await, Written::Done);
    assert_eq!(shop.store.next_due().await.unwrap(), None);
    assert_eq!(shop.store.counts().await.unwrap(), (0, 1));
    // One that was given up is not sent by whoever was still at it.
    let sent = MailWrite::Sent { id: mail.id, at: Micros(6_000) };
    write(&mut shop, sent).await;
    assert_eq!(shop.store.counts().await.unwrap(), (0, 1));
}

async fn the_oldest_go_first_and_no_more_than_asked(mut shop: Shop) {
    for (n, at) in [(1, 3_000), (2, 1_000), (3, 2_000), (4, 9_000)] {
        put(&mut shop, n, at).await;
    }
    let times = async |shop: &mut Shop| {
        let claimed = claim(shop, 5_000, 2).await;
        claimed.iter().map(|mail| mail.created_at.0).collect::<Vec<_>>()
    };
    assert_eq!(times(&mut shop).await, [1_000, 2_000]);
    assert_eq!(times(&mut shop).await, [3_000]);
    assert_eq!(times(&mut shop).await, [0; 0]);
}
