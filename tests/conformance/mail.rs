//! `ports::mail`: a mail comes with a job that hands it over, is forgotten when that was done, and
//! given up with it.

use crate::{
    accounts::{invite, mail},
    shop::{Shop, on_both_databases},
};
use std::time::Duration;
use stoa::{
    domain::{
        id::{JobId, MailId, OrderId, WorkerId},
        job::Queue,
        order::{Action, Order},
        placing::Placed,
        time::Micros,
    },
    ports::{
        clock::{Clock, Ids},
        jobs::{
            ClaimedJob, Effect, Ended, Ending, JobAct, JobActs, JobClaim, JobWrite, JobsWritten,
            NewWorker, Topic,
        },
        mail::{MailQueue, MailState, MailWrite, NewMail, SendMail, WaitingMail},
        writer::{Write, Written},
    },
};

on_both_databases![
    a_mail_comes_with_its_job_and_is_forgotten_once_sent,
    a_mail_is_given_up_with_its_job_and_wanted_again_with_it,
    a_mail_whose_job_is_forgotten_can_be_tried_again,
    an_order_is_confirmed_by_mail_with_its_placing_and_once,
    moves_that_a_buyer_waits_for_are_told_and_others_not,
    what_was_given_up_of_an_order_can_be_tried_again,
];

const MINUTE: Duration = Duration::from_secs(60);

/// In the queue since `at`; a mail only comes with what it tells of.
async fn put(shop: &mut Shop, n: u8, at: i64) -> NewMail {
    let mail = mail(shop, &format!("reader-{n}@example.com"), at);
    invite(shop, n, mail.clone()).await;
    mail
}

async fn write(shop: &mut Shop, write: MailWrite) -> Written {
    shop.commit(Write::Mail(write)).await.unwrap()
}

async fn jobs(shop: &mut Shop, write: JobWrite) -> JobsWritten {
    match shop.commit(Write::Jobs(write)).await.unwrap() {
        Written::Jobs(written) => written,
        other => panic!("{other:?}"),
    }
}

/// The jobs of mails that may be sent at that time, the oldest first.
async fn claim(shop: &mut Shop, at: Micros) -> Vec<ClaimedJob> {
    let worker = WorkerId(shop.source.next());
    let new = NewWorker { id: worker, name: "here 1".into(), at, alone: false };
    jobs(shop, JobWrite::Join(new)).await;
    match jobs(
        shop,
        JobWrite::Claim(JobClaim { worker, queue: Queue::Mail, at, most: 100, suspects: false }),
    )
    .await
    {
        JobsWritten::Claimed(claimed) => claimed,
        other => panic!("{other:?}"),
    }
}

async fn end(shop: &mut Shop, job: &ClaimedJob, ending: Ending, effects: Vec<Effect>) {
    let (ended, at) =
        (Ended { id: job.id, attempt: job.attempt, ending, effects, stuck: false }, Micros(9));
    let ended = jobs(shop, JobWrite::End { ended: vec![ended], at }).await;
    assert_eq!(ended, JobsWritten::Ended(vec![job.id]));
}

fn refused() -> Ending {
    Ending::Failed { error: "550 no such user".into() }
}

fn waiting(mail: &NewMail) -> WaitingMail {
    WaitingMail {
        id: mail.id,
        kind: mail.kind.into(),
        recipient: mail.recipient.clone(),
        subject: mail.subject.clone(),
        body: mail.body.clone(),
        order: None,
        created_at: mail.at,
    }
}

async fn a_mail_comes_with_its_job_and_is_forgotten_once_sent(mut shop: Shop) {
    let mail = put(&mut shop, 1, 1_000).await;
    assert_eq!(shop.store.waiting(mail.id).await.unwrap(), Some(waiting(&mail)));
    let claimed = claim(&mut shop, Micros(1_000)).await;
    assert_eq!(claimed.len(), 1);
    let job = &claimed[0];
    assert_eq!((job.id, job.topic.as_str()), (JobId(mail.id.0), SendMail::TOPIC));
    assert_eq!(job.expires_at, Some(mail.until));
    let body: SendMail = serde_json::from_str(&job.body).unwrap();
    assert_eq!(body, SendMail { mail: mail.id });
    let sent = Effect::MailSent { id: mail.id, at: Micros(2_000) };
    end(&mut shop, job, Ending::Succeeded, vec![sent]).await;
    assert_eq!(shop.store.waiting(mail.id).await.unwrap(), None);
    let listed = shop.store.queued(MailState::Sent, 9).await.unwrap();
    assert_eq!((listed[0].id, listed[0].attempts), (mail.id, 1));
    assert_eq!(listed[0].sent_at, Some(Micros(2_000)));
    // What it said may have been a token: the row that is left says nothing any more.
    assert!(
        shop.try_execute("UPDATE mail SET state = 'waiting' WHERE body IS NULL").await.is_err()
    );
    let (at, until) = (Micros(3_000), Micros(9_000));
    let again = MailWrite::Retry { id: mail.id, at, until, by: "operator".into() };
    assert_eq!(write(&mut shop, again).await, Written::Absent);
    let sweep = |older_than| MailWrite::Sweep { older_than: Micros(older_than), most: 10 };
    assert_eq!(write(&mut shop, sweep(1_000)).await, Written::Swept(0));
    assert_eq!(write(&mut shop, sweep(1_001)).await, Written::Swept(1));
}

async fn a_mail_is_given_up_with_its_job_and_wanted_again_with_it(mut shop: Shop) {
    shop.stocked(&[("A", 9)]).await;
    let order = shop.place(&[("A", 1)]).await;
    let at = shop.source.now();
    let job = claim(&mut shop, at).await.remove(0);
    // A try that failed: it waits, and says why.
    let again = Ending::Again { at: at.plus(MINUTE), error: "450".into() };
    end(&mut shop, &job, again, Vec::new()).await;
    let listed = shop.store.queued(MailState::Waiting, 9).await.unwrap();
    assert_eq!((listed[0].failure.as_deref(), listed[0].order), (Some("450"), Some(order.id)));
    assert_eq!(shop.store.counts().await.unwrap(), (1, 0));
    let acts = |act| JobWrite::Act(JobActs { act, jobs: vec![job.id], by: "ann".into(), at });
    jobs(&mut shop, acts(JobAct::Cancel)).await;
    assert_eq!(shop.store.counts().await.unwrap(), (0, 1));
    jobs(&mut shop, acts(JobAct::Retry)).await;
    assert_eq!(shop.store.counts().await.unwrap(), (1, 0));
    // Nobody began it in time.
    jobs(&mut shop, JobWrite::Expire { at: Micros(i64::MAX), most: 9 }).await;
    assert_eq!(shop.store.counts().await.unwrap(), (0, 1));
}

async fn a_mail_whose_job_is_forgotten_can_be_tried_again(mut shop: Shop) {
    shop.stocked(&[("A", 9)]).await;
    shop.place(&[("A", 1)]).await;
    let at = shop.source.now();
    let job = claim(&mut shop, at).await.remove(0);
    end(&mut shop, &job, refused(), Vec::new()).await;
    let forget = JobWrite::Forget { succeeded: Micros(10), others: Micros(10), most: 9 };
    assert_eq!(jobs(&mut shop, forget).await, JobsWritten::Moved(1));
    let (id, until) = (MailId(job.id.0), at.plus(MINUTE));
    let again = MailWrite::Retry { id, at, until, by: "operator".into() };
    assert_eq!(write(&mut shop, again).await, Written::Done);
    assert_eq!(claim(&mut shop, at).await.len(), 1);
}

/// What is in the queue of orders, as kind, order and body.
async fn told(shop: &mut Shop) -> Vec<(String, Option<OrderId>, String)> {
    let now = shop.source.now();
    told_by(shop, now).await
}

async fn told_by(shop: &mut Shop, at: Micros) -> Vec<(String, Option<OrderId>, String)> {
    let mut told = Vec::new();
    for job in claim(shop, at).await {
        let mail = shop.store.waiting(MailId(job.id.0)).await.unwrap().unwrap();
        told.push((mail.kind, mail.order, mail.body.0));
    }
    told
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
    let told = told_by(&mut shop, now).await;
    assert_eq!(told, [("order_cancelled".to_owned(), Some(order.id), String::new())]);
    let listed = shop.store.queued(MailState::Waiting, 1).await.unwrap();
    assert_eq!(listed[0].recipient, "ada@example.com");
}

async fn what_was_given_up_of_an_order_can_be_tried_again(mut shop: Shop) {
    shop.stocked(&[("A", 9)]).await;
    let order = shop.place(&[("A", 1)]).await;
    let now = shop.source.now();
    let job = claim(&mut shop, now).await.remove(0);
    let id = MailId(job.id.0);
    end(&mut shop, &job, refused(), Vec::new()).await;
    let found = shop.store.queued(MailState::Failed, 9).await.unwrap();
    assert_eq!((found.len(), found[0].id, found[0].order), (1, id, Some(order.id)));
    assert_eq!((found[0].failure.as_deref(), found[0].attempts), (Some("550 no such user"), 1));
    assert_eq!(shop.store.queued(MailState::Waiting, 9).await.unwrap(), []);
    let at = shop.source.now();
    let until = at.plus(MINUTE);
    let again = |id| MailWrite::Retry { id, at, until, by: "operator".to_owned() };
    assert_eq!(write(&mut shop, again(id)).await, Written::Done);
    // What a link to set a password said is forgotten when it is given up.
    let mail = put(&mut shop, 1, at.0).await;
    let claimed = claim(&mut shop, at).await;
    assert_eq!(claimed.len(), 2);
    let other = claimed.iter().find(|job| job.id.0 == mail.id.0).unwrap();
    end(&mut shop, other, refused(), Vec::new()).await;
    assert_eq!(write(&mut shop, again(mail.id)).await, Written::Absent);
    // One that is under way is not begun beside it.
    assert_eq!(write(&mut shop, again(id)).await, Written::Done);
    assert_eq!(claim(&mut shop, at).await, []);
    let mail = shop.store.waiting(id).await.unwrap().unwrap();
    assert_eq!((mail.kind.as_str(), mail.body.0.as_str()), ("order_placed", "its-token"));
}
