use super::{turns::AT_A_TIME, *};
use crate::{
    domain::{
        event::{EventKind, Position},
        id::{DeliveryId, EndpointId},
        secret::Secret,
        time::Micros,
        webhook::Told,
    },
    ports::webhooks::{TRIED_FOR, TryLine},
};
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
};
use uuid::Uuid;

const DEAD: EndpointId = EndpointId(Uuid::from_u128(1));
const ALIVE: EndpointId = EndpointId(Uuid::from_u128(2));
const JOB: JobId = JobId(Uuid::from_u128(7));

/// Any delivery there is, to the endpoint that its id ends with.
#[derive(Default)]
struct Rows {
    delivered: bool,
}

fn endpoint(id: EndpointId) -> Endpoint {
    Endpoint {
        id,
        url: if id == DEAD { "dead" } else { "alive" }.to_owned(),
        kinds: Vec::new(),
        secret: Secret::new("whsec_"),
        old_secret: None,
        made_at: Micros(0),
        since: Micros(0),
        disabled: None,
        failing_since: None,
    }
}

#[async_trait]
impl Webhooks for Rows {
    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError> {
        Ok(vec![endpoint(DEAD), endpoint(ALIVE)])
    }
    async fn endpoint(&self, id: EndpointId) -> Result<Option<Endpoint>, StoreError> {
        Ok(Some(endpoint(id)))
    }
    async fn followed(&self) -> Result<Option<Position>, StoreError> {
        Ok(None)
    }
    async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        let (kind, at) = (EventKind::OrderPlaced.as_str().to_owned(), Micros(0));
        Ok(Some(Delivery {
            id,
            endpoint: EndpointId(id.0),
            told: Told { kind, subject: id.0, at, place: None },
            state: match self.delivered {
                true => DeliveryState::Delivered,
                false => DeliveryState::Waiting,
            },
            job: JOB,
            tries: 0,
            last_try: None,
            next_at: None,
            made_at: at,
            ended_at: None,
        }))
    }
    async fn deliveries(
        &self,
        _: EndpointId,
        _: Option<DeliveryState>,
        _: Option<DeliveryId>,
        _: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        Ok(Vec::new())
    }
    async fn tries(&self, _: DeliveryId) -> Result<Vec<TryLine>, StoreError> {
        Ok(Vec::new())
    }
}

/// Counts what goes where, and waits for ever with whoever is slow.
#[derive(Default)]
struct Tally {
    posted: Mutex<BTreeMap<String, u32>>,
    slow: bool,
    under_way: AtomicU32,
}

#[async_trait]
impl Courier for Tally {
    fn admits(&self, _: &str) -> Result<(), String> {
        Ok(())
    }
    fn new_secret(&self, _: &[u8; 32]) -> Secret {
        Secret::new("whsec_")
    }
    async fn post(&self, parcel: &Parcel) -> Result<Receipt, CourierError> {
        *self.posted.lock().unwrap().entry(parcel.url.clone()).or_default() += 1;
        match parcel.url.as_str() {
            "dead" if self.slow => {
                self.under_way.fetch_add(1, Ordering::Relaxed);
                std::future::pending().await
            }
            "dead" => Err(CourierError::Later("nobody there".to_owned())),
            _ => Ok(Receipt { status: 204, said: String::new(), wait: None }),
        }
    }
}

impl Tally {
    fn of(&self, url: &str) -> u32 {
        self.posted.lock().unwrap().get(url).copied().unwrap_or_default()
    }
}

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Micros {
        Micros(1_000_000)
    }
}

fn deliverer(courier: &Arc<Tally>, rows: Rows) -> Deliverer {
    Deliverer {
        rows: Arc::new(rows),
        courier: courier.clone(),
        clock: Arc::new(Noon),
        turns: Turns::default(),
        source: "https://shop.example".to_owned(),
    }
}

async fn deliver(world: &Deliverer, to: EndpointId, job: JobId) -> Verdict {
    world.deliver(&DeliverWebhook { delivery: DeliveryId(to.0) }, job).await.unwrap()
}

#[tokio::test]
async fn a_dead_endpoint_is_left_alone_soon_and_another_is_told_at_once() {
    let courier = Arc::new(Tally::default());
    let world = deliverer(&courier, Rows::default());
    let mut put_off = 0;
    for _ in 0..1_000 {
        match deliver(&world, DEAD, JOB).await {
            Verdict::Snooze(_) => put_off += 1,
            verdict => assert!(matches!(verdict, Verdict::Retry(_)), "{verdict:?}"),
        }
    }
    assert_eq!((courier.of("dead"), put_off), (5, 995));
    assert!(matches!(deliver(&world, ALIVE, JOB).await, Verdict::Done(_)));
}

#[tokio::test]
async fn a_slow_endpoint_keeps_few_hands_waiting() {
    let courier = Arc::new(Tally { slow: true, ..Tally::default() });
    let world = deliverer(&courier, Rows::default());
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let world = world.clone();
        waiting.spawn(async move { deliver(&world, DEAD, JOB).await });
    }
    for _ in 0..100 - AT_A_TIME {
        let verdict = waiting.join_next().await.unwrap().unwrap();
        assert!(matches!(verdict, Verdict::Snooze(_)), "{verdict:?}");
    }
    assert_eq!(courier.under_way.load(Ordering::Relaxed), AT_A_TIME);
    assert!(matches!(deliver(&world, ALIVE, JOB).await, Verdict::Done(_)));
    // Their hands come back with them.
    waiting.abort_all();
    while waiting.join_next().await.is_some() {}
    let again = tokio::time::timeout(Duration::ZERO, deliver(&world, DEAD, JOB)).await;
    assert!(again.is_err(), "it is posted");
}

#[tokio::test]
async fn what_was_sent_again_or_taken_is_not_posted_by_the_job_of_before() {
    let courier = Arc::new(Tally::default());
    let older = JobId(Uuid::from_u128(3));
    let world = deliverer(&courier, Rows::default());
    assert_eq!(deliver(&world, ALIVE, older).await, Verdict::Done(Vec::new()));
    let world = deliverer(&courier, Rows { delivered: true });
    assert_eq!(deliver(&world, ALIVE, JOB).await, Verdict::Done(Vec::new()));
    assert_eq!(courier.of("alive"), 0);
}

#[test]
fn receivers_are_told_when_it_is_tried_again() {
    let text = include_str!("../../../../docs/webhooks.md").replace('\n', " ");
    let (first, most) = (DeliverWebhook::RETRY.first, DeliverWebhook::RETRY.most);
    let days = |time: Duration| time.as_secs() / (24 * 60 * 60);
    for told in [
        format!("{} seconds later", first.as_secs()),
        format!("double up to {} hours", most.as_secs() / (60 * 60)),
        format!("until {} days are over", days(TRIED_FOR)),
        format!("fails for {} days", days(FAILS_FOR)),
    ] {
        assert!(text.contains(&told), "docs/webhooks.md doesn't say: {told}");
    }
}
