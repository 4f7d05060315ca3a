//! `ports::mail`: what was put into the queue is claimed by one, tried again, and forgotten.

use crate::{
    accounts::{invite, mail},
    shop::{Shop, on_both_databases},
};
use std::time::Duration;
use stoa::{
    domain::{
        id::OrderId,
        order::{Action, Order},
        placing::Placed,
        time::Micros,
    },
    ports::{
        clock::Clock,
        mail::{MailQueue, MailState, MailWrite, NewMail, WaitingMail},
        writer::{Write, Written},
    },
};

on_both_databases![
    a_mail_is_claimed_by_one_and_again_when_the_claim_runs_out,
    one_that_was_sent_is_forgotten_and_swept,
    one_that_failed_is_tried_again_or_given_up,
    the_oldest_go_first_and_no_more_than_asked,
    what_waits_is_due_when_its_sender_starts_anew,
    an_order_is_confirmed_by_mail_with_its_placing_and_once,
    moves_that_a_buyer_waits_for_are_told_and_others_not,
    what_was_given_up_of_an_order_can_be_tried_again,
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
        order: None,
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

async fn what_waits_is_due_when_its_sender_starts_anew(mut shop: Shop) {
    let mail = put(&mut shop, 1, 1_000).await;
    claim(&mut shop, 1_000, 10).await;
    let now = Micros(2_000);
    assert_eq!(write(&mut shop, MailWrite::Release { now }).await, Written::Done);
    assert_eq!(claim(&mut shop, 2_000, 10).await, [claimed(&mail, 2)]);
}

/// What is in the queue of orders, as kind, order and body.
async fn told(shop: &mut Shop) -> Vec<(String, Option<OrderId>, String)> {
    let now = shop.source.now();
    let claimed = claim(shop, now.0, 100).await;
    claimed.into_iter().map(|mail| (mail.kind, mail.order, mail.body.0)).collect()
}

async fn an_order_is_confirmed_by_mail_with_its_placing_and_once(mut shop: Shop) {
    shop.stocked(&[("A", 9)]).await;
    let documents = shop.documents().await;
    let placings: Vec<_> = [5, 5, 1].map(|n| shop.placing_of(&documents, &[("A", n)])).into();
    let names: Vec<_> = placings.iter().map(|one| one.order.id).collect();
    let placed = shop.place_all(placings.clone()).await;
    assert!(matches!(placed[1], Placed::SoldOut(_)), "{placed:?}");
    let mut found = told(&mut shop).await;
    found.sort_by_key(|(_, order, _)| *order);
    let one = |id| ("order_placed".to_owned(), Some(id), "its-token".to_owned());
    assert_eq!(found, [one(names[0]), one(names[2])]);
    // Placed again it is refused by its row, and nothing is mailed of it.
    let again = Write::Place(Box::new(placings[2].clone()));
    assert!(shop.commit(again).await.is_err());
    // A customer logs in: their mail holds no token. Whoever gave no address gets none.
    shop.stocked(&[("B", 9)]).await;
    let mut quiet = shop.placing(&[("B", 1)]).await;
    quiet.token = None;
    let mut nobody = shop.placing(&[("B", 1)]).await;
    nobody.order.email = String::new();
    let id = quiet.order.id;
    shop.place_all(vec![quiet, nobody]).await;
    assert_eq!(told(&mut shop).await, [("order_placed".to_owned(), Some(id), String::new())]);
    let all = shop.store.counts().await.unwrap();
    assert_eq!(all, (3, 0));
}

async fn kinds(shop: &mut Shop, of: &Order) -> Vec<String> {
    let found = told(shop).await;
    assert!(found.iter().all(|(_, order, _)| *order == Some(of.id)), "{found:?}");
    found.into_iter().map(|(kind, ..)| kind).collect()
}

async fn moves_that_a_buyer_waits_for_are_told_and_others_not(mut shop: Shop) {
    use stoa::domain::payment::PaymentState::{Captured, Declined};
    shop.stocked(&[("A", 20)]).await;
    let order = shop.place(&[("A", 1)]).await;
    assert_eq!(kinds(&mut shop, &order).await, ["order_placed"]);
    for (action, told) in [
        (Action::PaymentIs { state: Captured }, None),
        (Action::Process, None),
        (Action::Ship, Some("order_shipped")),
        // It can't be done, so nothing is told.
        (Action::Cancel, None),
        (Action::Complete, None),
        (Action::Refund { restock: false }, Some("order_refunded")),
    ] {
        shop.act(order.id, action).await;
        assert_eq!(kinds(&mut shop, &order).await, told.into_iter().collect::<Vec<_>>());
    }
    for action in [Action::Cancel, Action::HoldEnds, Action::PaymentIs { state: Declined }] {
        let order = shop.place(&[("A", 1)]).await;
        kinds(&mut shop, &order).await;
        shop.act(order.id, action).await;
        assert_eq!(kinds(&mut shop, &order).await, ["order_cancelled"], "{action:?}");
    }
    let order = shop.place(&[("A", 1)]).await;
    kinds(&mut shop, &order).await;
    let now = order.held_until.unwrap();
    shop.commit(Write::EndHolds { now, most: 9 }).await.unwrap();
    let claimed = claim(&mut shop, now.0, 9).await;
    assert_eq!(
        claimed.iter().map(|mail| mail.kind.as_str()).collect::<Vec<_>>(),
        ["order_cancelled"]
    );
    assert_eq!(
        (claimed[0].recipient.as_str(), claimed[0].order),
        ("ada@example.com", Some(order.id))
    );
}

async fn what_was_given_up_of_an_order_can_be_tried_again(mut shop: Shop) {
    shop.stocked(&[("A", 9)]).await;
    let order = shop.place(&[("A", 1)]).await;
    let now = shop.source.now();
    let id = claim(&mut shop, now.0, 1).await[0].id;
    let failure = "550 no such user".to_owned();
    let gone = MailWrite::Failed { id, again_at: None, failure: failure.clone() };
    write(&mut shop, gone).await;
    let found = shop.store.queued(MailState::Failed, 9).await.unwrap();
    assert_eq!((found.len(), found[0].id, found[0].order), (1, id, Some(order.id)));
    assert_eq!((found[0].failure.as_ref(), found[0].attempts), (Some(&failure), 1));
    assert_eq!(shop.store.queued(MailState::Waiting, 9).await.unwrap(), []);
    let at = shop.source.now();
    let again = |id| MailWrite::Retry { id, at, until: at.plus(CLAIM), by: "operator".to_owned() };
    assert_eq!(write(&mut shop, again(id)).await, Written::Done);
    // What a link to set a password said is forgotten when it is given up.
    let mail = put(&mut shop, 1, at.0).await;
    write(&mut shop, MailWrite::Failed { id: mail.id, again_at: None, failure }).await;
    assert_eq!(write(&mut shop, again(mail.id)).await, Written::Absent);
    assert_eq!(
        told(&mut shop).await,
        [("order_placed".to_owned(), Some(order.id), "its-token".to_owned())]
    );
}
