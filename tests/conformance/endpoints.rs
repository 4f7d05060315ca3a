//! `ports::webhooks`: an event is one delivery to an endpoint, tried by a job, and what came of each
//! try is kept with that job's end.

use crate::{
    jobs::{self, act, end_with, join, now, state},
    shop::{Shop, on_both_databases},
};
use stoa::{
    domain::{
        event::{EventKind, Position},
        id::{DeliveryId, EndpointId, JobId},
        job::{JobState, Queue},
        secret::Secret,
        time::Micros,
        webhook::{PING, Told},
    },
    ports::{
        clock::Ids,
        jobs::{ClaimedJob, Effect, Ending, JobAct, JobClaim, JobWrite, Jobs, JobsWritten},
        webhooks::{
            BY_HAND, Came, Delivery, DeliveryState, Endpoint, EndpointChange, EndpointSet, FAILING,
            FAILS_FOR, GONE, MOST_ENDPOINTS, NewDelivery, TRIED_FOR, Tried, WebhookWrite, Webhooks,
        },
        writer::{Write, Written},
    },
};
use uuid::Uuid;

on_both_databases![
    an_endpoint_is_kept_and_changed_and_goes_with_its_deliveries,
    there_is_one_endpoint_of_a_url_and_a_bounded_number_of_them,
    a_follower_moves_once_and_puts_each_event_there_once,
    a_try_is_kept_with_its_jobs_end_and_once,
    an_endpoint_that_is_gone_or_fails_for_days_is_disabled,
    a_delivery_is_given_up_with_its_job_and_wanted_again_with_it,
    a_delivery_is_sent_again_by_another_job_under_its_own_id,
    what_is_over_is_forgotten_with_its_tries,
];

const EPOCH: Uuid = Uuid::from_u128(9);

fn at(offset: i64) -> Position {
    Position { epoch: EPOCH, offset }
}

async fn write(shop: &mut Shop, write: WebhookWrite) -> Written {
    shop.commit(Write::Webhooks(write)).await.unwrap()
}

async fn endpoint(shop: &mut Shop, kinds: &[EventKind]) -> EndpointId {
    let id = EndpointId(shop.source.next());
    assert_eq!(add(shop, id, &format!("https://hook.example/{id}"), kinds).await, Written::Done);
    id
}

async fn add(shop: &mut Shop, id: EndpointId, url: &str, kinds: &[EventKind]) -> Written {
    let endpoint = Endpoint {
        id,
        url: url.to_owned(),
        kinds: kinds.to_vec(),
        secret: Secret::new("whsec_one"),
        old_secret: None,
        made_at: Micros(5),
        since: Micros(5),
        disabled: None,
        failing_since: None,
    };
    write(shop, WebhookWrite::Add { endpoint: Box::new(endpoint), by: "ann".into() }).await
}

fn enabled(enabled: bool) -> EndpointChange {
    EndpointChange::Set(EndpointSet { enabled: Some(enabled), ..EndpointSet::default() })
}

async fn known(shop: &Shop, id: EndpointId) -> Endpoint {
    shop.store.endpoint(id).await.unwrap().unwrap()
}

async fn change(shop: &mut Shop, id: EndpointId, change: EndpointChange, at: i64) -> Written {
    write(shop, WebhookWrite::Change { id, change, by: "ann".into(), at: Micros(at) }).await
}

fn told(offset: i64) -> Told {
    let (kind, subject) = (EventKind::OrderPlaced.as_str().to_owned(), Uuid::from_u128(7));
    Told { kind, subject, at: Micros(8), place: Some(at(offset)) }
}

fn delivery(shop: &Shop, endpoint: EndpointId, told: Told) -> NewDelivery {
    let (id, job) = (DeliveryId(shop.source.next()), JobId(shop.source.next()));
    NewDelivery { id, endpoint, told, job }
}

async fn follow(
    shop: &mut Shop,
    from: Option<i64>,
    to: i64,
    deliveries: Vec<NewDelivery>,
) -> Written {
    let (from, to, at) = (from.map(at), at(to), Micros(10));
    write(shop, WebhookWrite::Follow { from, to, deliveries, at }).await
}

/// One on its way.
async fn put(shop: &mut Shop, endpoint: EndpointId) -> DeliveryId {
    let place = shop.store.followed().await.unwrap().map(|place| place.offset);
    let next = place.unwrap_or_default() + 1;
    let delivery = delivery(shop, endpoint, told(next));
    let id = delivery.id;
    assert_eq!(follow(shop, place, next, vec![delivery]).await, Written::Done);
    id
}

async fn stands(shop: &Shop, id: DeliveryId) -> Delivery {
    shop.store.delivery(id).await.unwrap().unwrap()
}

async fn claimed(shop: &mut Shop, at: i64) -> ClaimedJob {
    let worker = join(shop, false).await;
    let (queue, at) = (Queue::Webhook, Micros(at));
    let claim = JobClaim { worker, queue, at, most: 1, suspects: false };
    match jobs::write(shop, JobWrite::Claim(claim)).await {
        JobsWritten::Claimed(mut claimed) => claimed.remove(0),
        other => panic!("{other:?}"),
    }
}

fn tried(delivery: DeliveryId, at: i64, came: Came, status: Option<u16>) -> Vec<Effect> {
    let (at, said) = (Micros(at), if status.is_some() { "words" } else { "" }.to_owned());
    let error = status.is_none().then(|| "nobody there".to_owned());
    vec![Effect::WebhookTried(Tried { delivery, at, status, said, error, came })]
}

fn failed() -> Ending {
    Ending::Failed { error: "no".into() }
}

async fn an_endpoint_is_kept_and_changed_and_goes_with_its_deliveries(mut shop: Shop) {
    let kinds = [EventKind::OrderPlaced, EventKind::OrderShipped];
    let (one, other) = (endpoint(&mut shop, &kinds).await, endpoint(&mut shop, &[]).await);
    let all = shop.store.endpoints().await.unwrap();
    assert_eq!(all.iter().map(|one| one.id).collect::<Vec<_>>(), [one, other]);
    let kept = known(&shop, one).await;
    assert!(kept.kinds == kinds && kept.wants(EventKind::OrderShipped, Micros(5)));
    assert!(!kept.wants(EventKind::RuleChanged, Micros(5)), "of another kind");
    assert!(!kept.wants(EventKind::OrderShipped, Micros(4)), "before it was there");
    assert!(known(&shop, other).await.wants(EventKind::RuleChanged, Micros(5)));

    let rotate = EndpointChange::Rotate { secret: Secret::new("whsec_two"), until: Micros(50) };
    assert_eq!(change(&mut shop, one, rotate, 20).await, Written::Done);
    let kept = known(&shop, one).await;
    let (old, new) = (Secret::new("whsec_one"), Secret::new("whsec_two"));
    assert_eq!(kept.secrets(Micros(49)), [new.clone(), old]);
    assert_eq!(kept.secrets(Micros(50)), [new]);

    assert_eq!(change(&mut shop, one, enabled(false), 30).await, Written::Done);
    let kept = known(&shop, one).await;
    assert_eq!(kept.disabled, Some((Micros(30), BY_HAND.into())));
    assert!(!kept.wants(EventKind::OrderShipped, Micros(31)));
    assert_eq!(change(&mut shop, one, enabled(true), 40).await, Written::Done);
    let kept = known(&shop, one).await;
    assert!(!kept.wants(EventKind::OrderShipped, Micros(39)), "while it was disabled");
    assert!(kept.wants(EventKind::OrderShipped, Micros(40)));
    let (url, kinds) = (Some("https://hook.example/new".to_owned()), Some(Vec::new()));
    let set = EndpointChange::Set(EndpointSet { url: url.clone(), kinds, enabled: None });
    assert_eq!(change(&mut shop, one, set, 45).await, Written::Done);
    let kept = known(&shop, one).await;
    assert_eq!((Some(kept.url), kept.kinds, kept.disabled), (url, Vec::new(), None));
    assert_eq!(kept.since, Micros(40), "it was told all along");

    let (its, others) = (put(&mut shop, one).await, put(&mut shop, other).await);
    assert_eq!(change(&mut shop, one, EndpointChange::Remove, 60).await, Written::Done);
    assert_eq!(change(&mut shop, one, EndpointChange::Remove, 60).await, Written::Absent);
    assert_eq!(shop.store.endpoint(one).await.unwrap(), None);
    assert_eq!(shop.store.delivery(its).await.unwrap(), None);
    assert_eq!(stands(&shop, others).await.endpoint, other);
}

async fn there_is_one_endpoint_of_a_url_and_a_bounded_number_of_them(mut shop: Shop) {
    let (one, other) = (endpoint(&mut shop, &[]).await, endpoint(&mut shop, &[]).await);
    let url = known(&shop, one).await.url;
    let third = EndpointId(shop.source.next());
    assert_eq!(add(&mut shop, third, &url, &[]).await, Written::Taken);
    assert_eq!(shop.store.endpoint(third).await.unwrap(), None);
    let to = |url: &str| {
        EndpointChange::Set(EndpointSet { url: Some(url.to_owned()), ..EndpointSet::default() })
    };
    let before = known(&shop, other).await;
    assert_eq!(change(&mut shop, other, to(&url), 20).await, Written::Taken);
    assert_eq!(known(&shop, other).await, before);
    assert_eq!(change(&mut shop, one, to(&url), 20).await, Written::Done, "its own");
    let nobody = EndpointId(shop.source.next());
    assert_eq!(change(&mut shop, nobody, to("https://hook.example/"), 20).await, Written::Absent);
    for _ in 2..MOST_ENDPOINTS {
        endpoint(&mut shop, &[]).await;
    }
    assert_eq!(add(&mut shop, nobody, "https://hook.example/", &[]).await, Written::Conflict);
    assert_eq!(add(&mut shop, nobody, &url, &[]).await, Written::Taken);
}

async fn a_follower_moves_once_and_puts_each_event_there_once(mut shop: Shop) {
    let one = endpoint(&mut shop, &[]).await;
    assert_eq!(shop.store.followed().await.unwrap(), None);
    assert_eq!(follow(&mut shop, None, 3, Vec::new()).await, Written::Done);
    let new = delivery(&shop, one, told(4));
    assert_eq!(follow(&mut shop, Some(3), 4, vec![new.clone()]).await, Written::Done);
    assert_eq!(shop.store.followed().await.unwrap(), Some(at(4)));
    let kept = stands(&shop, new.id).await;
    assert_eq!((&kept.told, kept.state, kept.tries), (&new.told, DeliveryState::Waiting, 0));
    let job = now(&shop, new.job).await;
    assert_eq!(job.expires_at, Some(Micros(10).plus(TRIED_FOR)));

    // Who was slower puts nothing there.
    let late = delivery(&shop, one, told(4));
    for from in [None, Some(3)] {
        let slower = follow(&mut shop, from, 4, vec![late.clone()]).await;
        assert_eq!(slower, Written::Superseded);
    }
    assert_eq!(shop.store.delivery(late.id).await.unwrap(), None);
    // A place that went back gives none twice, and one to nobody is passed over.
    let nobody = delivery(&shop, EndpointId(shop.source.next()), told(5));
    let again = vec![late.clone(), nobody.clone()];
    assert_eq!(follow(&mut shop, Some(4), 5, again).await, Written::Done);
    for id in [late.id, nobody.id] {
        assert_eq!(shop.store.delivery(id).await.unwrap(), None);
    }
    assert_eq!(shop.store.job(late.job).await.unwrap(), None, "nor a job");

    // Pings have no place, so there may be many.
    for _ in 0..2 {
        let told = Told { kind: PING.into(), place: None, ..told(0) };
        let ping = delivery(&shop, one, told);
        let (id, by, at) = (ping.id, "ann".to_owned(), Micros(11));
        let ping = WebhookWrite::Ping { delivery: ping, by, at };
        assert_eq!(write(&mut shop, ping).await, Written::Done);
        assert_eq!(stands(&shop, id).await.told.kind, PING);
    }
    let page = shop.store.deliveries(one, None, None, 2).await.unwrap();
    let waiting = Some(DeliveryState::Waiting);
    let rest = shop.store.deliveries(one, waiting, Some(page[1].id), 2).await.unwrap();
    assert_eq!(rest.iter().map(|one| one.id).collect::<Vec<_>>(), [new.id]);
    let failed = Some(DeliveryState::Failed);
    assert_eq!(shop.store.deliveries(one, failed, None, 2).await.unwrap(), []);
}

async fn a_try_is_kept_with_its_jobs_end_and_once(mut shop: Shop) {
    let one = endpoint(&mut shop, &[]).await;
    let id = put(&mut shop, one).await;
    let job = claimed(&mut shop, 20).await;
    let again = Ending::Again { at: Micros(30), error: "no".into() };
    let effects = tried(id, 20, Came::Failed, None);
    assert!(end_with(&mut shop, &job, again.clone(), effects.clone(), 21).await);
    assert!(!end_with(&mut shop, &job, again, effects, 22).await, "said again");
    let kept = stands(&shop, id).await;
    assert_eq!((kept.state, kept.tries), (DeliveryState::Waiting, 1));
    assert_eq!(kept.next_at, Some(Micros(30)));
    assert_eq!(kept.last_try.unwrap().error.as_deref(), Some("nobody there"));
    assert_eq!(known(&shop, one).await.failing_since, Some(Micros(20)));

    let job = claimed(&mut shop, 30).await;
    let effects = tried(id, 30, Came::Delivered, Some(204));
    assert!(end_with(&mut shop, &job, Ending::Succeeded, effects, 31).await);
    let kept = stands(&shop, id).await;
    assert_eq!((kept.state, kept.ended_at), (DeliveryState::Delivered, Some(Micros(30))));
    assert_eq!((kept.next_at, kept.last_try.unwrap().status), (None, Some(204)));
    assert_eq!(known(&shop, one).await.failing_since, None);
    let log = shop.store.tries(id).await.unwrap();
    let log: Vec<_> = log.iter().map(|line| (line.n, line.status, line.said.as_str())).collect();
    assert_eq!(log, [(1, None, ""), (2, Some(204), "words")]);
}

async fn an_endpoint_that_is_gone_or_fails_for_days_is_disabled(mut shop: Shop) {
    let one = endpoint(&mut shop, &[]).await;
    let id = put(&mut shop, one).await;
    let job = claimed(&mut shop, 20).await;
    let effects = tried(id, 20, Came::Gone, Some(410));
    assert!(end_with(&mut shop, &job, failed(), effects, 21).await);
    assert_eq!(known(&shop, one).await.disabled, Some((Micros(20), GONE.into())));
    assert_eq!(stands(&shop, id).await.state, DeliveryState::Failed);

    let two = endpoint(&mut shop, &[]).await;
    let late = Micros(30).plus(FAILS_FOR).0;
    for (at, disabled) in [(30, false), (late - 1, false), (late, true)] {
        let id = put(&mut shop, two).await;
        let job = claimed(&mut shop, 20).await;
        let effects = tried(id, at, Came::Failed, Some(500));
        assert!(end_with(&mut shop, &job, failed(), effects, at).await);
        let kept = known(&shop, two).await;
        assert_eq!(kept.failing_since, Some(Micros(30)));
        let why = disabled.then(|| (Micros(at), FAILING.to_owned()));
        assert_eq!(kept.disabled, why, "at {at}");
    }
    // It begins anew.
    assert_eq!(change(&mut shop, two, enabled(true), late + 1).await, Written::Done);
    let kept = known(&shop, two).await;
    assert_eq!((kept.disabled, kept.failing_since), (None, None));
}

async fn a_delivery_is_given_up_with_its_job_and_wanted_again_with_it(mut shop: Shop) {
    let one = endpoint(&mut shop, &[]).await;
    let id = put(&mut shop, one).await;
    let job = stands(&shop, id).await.job;
    assert_eq!(act(&mut shop, JobAct::Cancel, &[job], 20).await, [job]);
    let kept = stands(&shop, id).await;
    assert_eq!((kept.state, kept.ended_at), (DeliveryState::Failed, Some(Micros(20))));
    assert_eq!(act(&mut shop, JobAct::Retry, &[job], 30).await, [job]);
    let kept = stands(&shop, id).await;
    assert_eq!((kept.state, kept.ended_at), (DeliveryState::Waiting, None));
    assert_eq!(act(&mut shop, JobAct::Discard, &[job], 40).await, [job]);
    assert_eq!(stands(&shop, id).await.state, DeliveryState::Failed);
}

async fn a_delivery_is_sent_again_by_another_job_under_its_own_id(mut shop: Shop) {
    let one = endpoint(&mut shop, &[]).await;
    let id = put(&mut shop, one).await;
    let first = claimed(&mut shop, 20).await;
    let effects = tried(id, 20, Came::Delivered, Some(200));
    assert!(end_with(&mut shop, &first, Ending::Succeeded, effects, 20).await);
    let resend = |id, job| WebhookWrite::Resend { id, job, by: "ann".into(), at: Micros(30) };
    let (absent, job) = (DeliveryId(shop.source.next()), JobId(shop.source.next()));
    assert_eq!(write(&mut shop, resend(absent, job)).await, Written::Absent);
    assert_eq!(shop.store.job(job).await.unwrap(), None);
    assert_eq!(write(&mut shop, resend(id, job)).await, Written::Done);
    let kept = stands(&shop, id).await;
    assert_eq!((kept.state, kept.job), (DeliveryState::Waiting, job));
    let second = claimed(&mut shop, 30).await;
    assert!(second.id == job && second.body == first.body, "{second:?}");
    assert!(end_with(&mut shop, &second, failed(), Vec::new(), 31).await);
    assert_eq!(stands(&shop, id).await.state, DeliveryState::Failed);
    assert_eq!(state(&shop, job).await, JobState::Failed);
}

async fn what_is_over_is_forgotten_with_its_tries(mut shop: Shop) {
    let one = endpoint(&mut shop, &[]).await;
    let (old, waits) = (put(&mut shop, one).await, put(&mut shop, one).await);
    let job = claimed(&mut shop, 20).await;
    let effects = tried(old, 20, Came::Delivered, Some(200));
    assert!(end_with(&mut shop, &job, Ending::Succeeded, effects, 20).await);
    for (older_than, swept) in [(20, 0), (21, 1), (1_000, 0)] {
        let sweep = WebhookWrite::Sweep { older_than: Micros(older_than), most: 9 };
        assert_eq!(write(&mut shop, sweep).await, Written::Swept(swept));
    }
    assert_eq!(shop.store.delivery(old).await.unwrap(), None);
    assert_eq!(shop.store.tries(old).await.unwrap(), []);
    assert_eq!(stands(&shop, waits).await.state, DeliveryState::Waiting);
}
