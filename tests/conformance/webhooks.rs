//! Webhooks of the card network: when they come, how often, and which are believed.

use crate::payments::{AMOUNT, SetClock, TIMES, capture, intent, method, open, refund, send};
use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};
use stoa::{
    adapters::payments::{TestCards, cards},
    domain::payment::{Fact, Payment, PaymentIntent, Step},
    ports::{
        clock::Clock,
        payments::{PaymentProvider, WEBHOOK_TOLERANCE_S, WebhookError, WebhookSink},
    },
};

const GOOD: &str = "4242 4242 4242 4242";

/// A shop's door for webhooks: keeps them, and answers as it is told.
#[derive(Default)]
struct Door {
    came: Mutex<Vec<(HeaderMap, Bytes)>>,
    /// Statuses of the next answers; then 204.
    answers: Mutex<Vec<Option<u16>>>,
}

#[async_trait]
impl WebhookSink for Door {
    async fn post(&self, headers: HeaderMap, body: Bytes) -> Option<u16> {
        self.came.lock().unwrap().push((headers, body));
        let mut answers = self.answers.lock().unwrap();
        if answers.is_empty() { Some(204) } else { answers.remove(0) }
    }
}

impl Door {
    fn take(&self) -> Vec<(HeaderMap, Bytes)> {
        std::mem::take(&mut self.came.lock().unwrap())
    }

    /// Id and fact of each that came since, in order; all of them are believed.
    fn facts(&self, network: &TestCards) -> Vec<(String, Fact)> {
        let believed = |(headers, body): (HeaderMap, Bytes)| {
            assert_eq!(headers["content-type"], "application/json");
            let event = network.read_webhook(&headers, &body).unwrap();
            assert_eq!(event.record.facts.len(), 1, "an event is of one fact");
            (event.id, *event.record.facts.first().unwrap())
        };
        self.take().into_iter().map(believed).collect()
    }
}

struct Rig {
    folder: tempfile::TempDir,
    clock: Arc<SetClock>,
    network: TestCards,
    door: Door,
}

impl Rig {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = SetClock::new();
        let network = open(&folder.path().join("cards.jsonl"), &clock);
        Self { folder, clock, network, door: Door::default() }
    }

    fn reopen(&mut self) {
        self.network = open(&self.folder.path().join("cards.jsonl"), &self.clock);
    }

    fn intent(&self, number: &str) -> PaymentIntent {
        intent(method(&self.network, number))
    }

    async fn pay(&self, number: &str, steps: &[Step]) -> PaymentIntent {
        let intent = self.intent(number);
        for step in steps {
            send(&self.network, &intent, *step).await.unwrap();
        }
        intent
    }

    /// Everything that is due, until nothing is left.
    async fn post_all(&self) -> Vec<(String, Fact)> {
        while let Some(next) = self.network.post_due(&self.door).await {
            self.clock.set(next);
        }
        self.door.facts(&self.network)
    }
}

fn is_capture(fact: &Fact) -> bool {
    matches!(fact, Fact::Captured { .. })
}

#[tokio::test]
async fn each_fact_is_told_once_under_an_id_of_its_own() {
    let rig = Rig::new();
    rig.pay(GOOD, &[Step::Authorise, capture(AMOUNT), refund(1), refund(2)]).await;
    // Asked again, it is no news.
    rig.pay(GOOD, &[Step::Authorise, Step::Authorise, Step::Void]).await;
    let told = rig.post_all().await;
    let ids: BTreeSet<_> = told.iter().map(|(id, _)| id).collect();
    assert_eq!((told.len(), ids.len()), (6, 6));
    assert!(rig.post_all().await.is_empty());
}

#[tokio::test]
async fn a_card_has_its_webhooks_thrice_reordered_or_never() {
    let rig = Rig::new();
    let steps = [Step::Authorise, capture(AMOUNT)];

    rig.pay("4000 0000 0000 1059", &steps).await;
    let told = rig.post_all().await;
    let ids: BTreeSet<_> = told.iter().map(|(id, _)| id).collect();
    assert_eq!((told.len(), ids.len()), (6, 2));

    rig.pay("4000 0000 0000 1067", &[Step::Authorise]).await;
    assert!(rig.network.post_due(&rig.door).await.is_some(), "it waits to be overtaken");
    assert!(rig.door.facts(&rig.network).is_empty());
    rig.pay("4000 0000 0000 1067", &steps).await;
    rig.network.post_due(&rig.door).await;
    let told = rig.door.facts(&rig.network);
    assert!(is_capture(&told[0].1) && !is_capture(&told[1].1) && told.len() == 2, "{told:?}");
    // Nothing overtakes the first: it comes in the end.
    rig.clock.advance(TIMES.held);
    assert_eq!(rig.post_all().await.len(), 1);

    rig.pay("4000 0000 0000 1075", &steps).await;
    assert!(rig.post_all().await.is_empty());
}

#[tokio::test]
async fn one_that_is_not_taken_comes_again_with_its_id_and_a_new_time() {
    let rig = Rig::new();
    rig.pay(GOOD, &[Step::Authorise]).await;
    let answers = [None, Some(500), Some(302), Some(404), Some(200)];
    *rig.door.answers.lock().unwrap() = answers.to_vec();
    let mut seen = Vec::new();
    while let Some(next) = rig.network.post_due(&rig.door).await {
        let came = rig.door.take();
        assert_eq!(came.len(), 1);
        let event = rig.network.read_webhook(&came[0].0, &came[0].1).unwrap();
        seen.push((event.id, came[0].0["webhook-timestamp"].clone()));
        let doubled = TIMES.retry.as_micros() as i64 * (1 << (seen.len() - 1));
        assert_eq!(next.0 - rig.clock.now().0, doubled);
        rig.clock.set(next);
    }
    let ids: BTreeSet<_> = seen.iter().map(|(id, _)| id).collect();
    let times: BTreeSet<_> = seen.iter().map(|(_, time)| time.to_str().unwrap()).collect();
    assert_eq!((seen.len(), ids.len(), times.len()), (4, 1, 4));
    assert_eq!(rig.door.take().len(), 1, "the fifth was taken");
}

#[tokio::test]
async fn one_that_is_never_taken_is_given_up() {
    let rig = Rig::new();
    rig.pay(GOOD, &[Step::Authorise]).await;
    *rig.door.answers.lock().unwrap() = vec![Some(500); 1000];
    while let Some(next) = rig.network.post_due(&rig.door).await {
        rig.clock.set(next);
    }
    let tries = rig.door.take().len();
    assert!((10..100).contains(&tries), "{tries} tries");
}

#[tokio::test]
async fn after_a_crash_what_was_not_taken_comes_again_and_nothing_else() {
    let mut rig = Rig::new();
    rig.pay(GOOD, &[Step::Authorise]).await;
    let taken = rig.post_all().await;
    rig.pay(GOOD, &[Step::Authorise]).await;
    *rig.door.answers.lock().unwrap() = vec![None];
    rig.network.post_due(&rig.door).await;
    let lost = rig.door.facts(&rig.network);
    rig.reopen();
    let again = rig.post_all().await;
    assert_eq!(again, lost);
    assert_ne!(again, taken);
    rig.reopen();
    assert!(rig.post_all().await.is_empty());
}

#[tokio::test]
async fn what_is_forged_old_or_of_another_body_is_not_believed() {
    let rig = Rig::new();
    let other = Rig::new();
    rig.pay(GOOD, &[Step::Authorise]).await;
    rig.network.post_due(&rig.door).await;
    let (headers, body) = rig.door.take().remove(0);
    let read = |headers: &HeaderMap, body: &[u8]| {
        rig.network.read_webhook(headers, body).map(|event| event.id)
    };

    // The same again is the same event: it is for the shop to keep its id under a unique key.
    assert_eq!(read(&headers, &body), read(&headers, &body));
    assert!(read(&headers, &body).is_ok());
    let mut wrong = body.to_vec();
    wrong[10] ^= 1;
    assert_eq!(read(&headers, &wrong), Err(WebhookError::Signature));
    let mut spaced = body.to_vec();
    spaced.push(b'\n');
    assert_eq!(read(&headers, &spaced), Err(WebhookError::Signature), "the bytes are signed");
    let mut forged = headers.clone();
    forged.insert("webhook-signature", "v1,bm90IGEgc2lnbmF0dXJl".parse().unwrap());
    assert_eq!(read(&forged, &body), Err(WebhookError::Signature));
    let mut renewed = headers.clone();
    renewed.insert("webhook-timestamp", "1800000001".parse().unwrap());
    assert_eq!(read(&renewed, &body), Err(WebhookError::Signature));
    assert_eq!(
        other.network.read_webhook(&headers, &body),
        Err(WebhookError::Signature),
        "each network has a key of its own"
    );
    rig.clock.advance(Duration::from_secs(WEBHOOK_TOLERANCE_S.unsigned_abs()));
    assert!(read(&headers, &body).is_ok());
    rig.clock.advance(Duration::from_secs(1));
    assert_eq!(read(&headers, &body), Err(WebhookError::Time));
}

/// Whatever a card does to its webhooks, a shop that hears them backwards, twice, ends where one
/// ends that looks up.
#[tokio::test]
async fn webhooks_in_any_order_end_where_a_look_up_does() {
    let rig = Rig::new();
    let take = [Step::Authorise, capture(6_000), capture(4_000), refund(3_000), refund(7_000)];
    for card in cards() {
        let intent = rig.intent(card.number);
        for step in take {
            // Until it is answered, or is given up.
            for _ in 0..4 {
                if send(&rig.network, &intent, step).await.is_ok() {
                    break;
                }
            }
        }
        rig.post_all().await;
        let known = rig.network.look_up(intent.id).await.unwrap();
        let mut looked_up = Payment::of(&intent);
        if let Some(record) = &known {
            looked_up.learn(record).unwrap();
        }
        assert_eq!(looked_up.gap(), None, "{}", card.number);
    }
    let intent = rig.pay("4000 0000 0000 1067", &take).await;
    while rig.network.post_due(&rig.door).await.is_some() {
        rig.clock.advance(TIMES.held);
    }
    let mut came = rig.door.take();
    came.reverse();
    let mut heard = Payment::of(&intent);
    for (headers, body) in came.iter().chain(&came) {
        heard.learn(&rig.network.read_webhook(headers, body).unwrap().record).unwrap();
    }
    let record = rig.network.look_up(intent.id).await.unwrap().unwrap();
    assert_eq!((heard.facts(), heard.gap()), (&record.facts, None));
    assert_eq!(heard.refunded(), AMOUNT);
}

/// As boot runs it: nobody calls for each webhook.
#[tokio::test]
async fn posting_goes_on_by_itself_while_payments_are_made() {
    let rig = Arc::new(Rig::new());
    let pay = async {
        for _ in 0..20 {
            rig.pay(GOOD, &[Step::Authorise, capture(AMOUNT)]).await;
        }
        while rig.door.came.lock().unwrap().len() < 40 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = rig.network.post(&rig.door) => unreachable!("it never ends by itself"),
        () = pay => {}
    }
    assert_eq!(rig.post_all().await.len(), 40);
}
