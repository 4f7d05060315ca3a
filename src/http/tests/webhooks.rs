//! Endpoints over the API: what an operator is shown, and what is refused before it does anything.

use super::{
    orders::Nothing,
    shop::{Shop, is, json},
    visitors::Dice,
};
use crate::{
    actors::keepers::{endpoints::Endpoints, writer},
    domain::{
        event::{EventKind, Position},
        id::{DeliveryId, EndpointId, JobId},
        secret::Secret,
        time::Micros,
        webhook::Told,
    },
    ports::{
        StoreError,
        webhooks::{
            Courier, CourierError, Delivery, DeliveryState, Endpoint, GONE, Parcel, Receipt,
            TryLine, Webhooks,
        },
    },
};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::sync::Arc;
use supervisors::Nudge;
use uuid::Uuid;

const ALIVE: Uuid = Uuid::from_u128(1);
const DISABLED: Uuid = Uuid::from_u128(2);
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Two endpoints, one of them disabled, with three deliveries each.
struct Two;

fn endpoint(id: Uuid) -> Endpoint {
    Endpoint {
        id: EndpointId(id),
        url: "https://hooks.example/in".into(),
        kinds: vec![EventKind::OrderPlaced],
        secret: Secret::new(SECRET),
        old_secret: Some((Secret::new(SECRET), Micros(1_800_000_000_000_000))),
        made_at: Micros(5),
        since: Micros(5),
        disabled: (id == DISABLED).then(|| (Micros(6), GONE.to_owned())),
        failing_since: None,
    }
}

fn line(n: u32, status: Option<u16>) -> TryLine {
    let error = status.is_none().then(|| "nobody there".to_owned());
    TryLine { n, at: Micros(7), status, said: "words".into(), error }
}

/// `id`: the endpoint's behind a number.
fn delivery(id: Uuid) -> Delivery {
    let place = Some(Position { epoch: Uuid::from_u128(9), offset: 41 });
    let endpoint = Uuid::from_u128(id.as_u128() & 0xff);
    Delivery {
        id: DeliveryId(id),
        endpoint: EndpointId(endpoint),
        told: Told { kind: "order_placed".into(), subject: endpoint, at: Micros(5), place },
        state: DeliveryState::Waiting,
        job: JobId(Uuid::from_u128(8)),
        tries: 2,
        last_try: Some(line(2, Some(500))),
        next_at: Some(Micros(1_800_000_000_000_000)),
        made_at: Micros(5),
        ended_at: None,
    }
}

#[async_trait]
impl Webhooks for Two {
    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError> {
        Ok(vec![endpoint(ALIVE), endpoint(DISABLED)])
    }
    async fn endpoint(&self, id: EndpointId) -> Result<Option<Endpoint>, StoreError> {
        Ok([ALIVE, DISABLED].contains(&id.0).then(|| endpoint(id.0)))
    }
    async fn followed(&self) -> Result<Option<Position>, StoreError> {
        Ok(None)
    }
    async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        Ok((id.0.as_u128() >= 0x100).then(|| delivery(id.0)))
    }
    async fn deliveries(
        &self,
        endpoint: EndpointId,
        _: Option<DeliveryState>,
        after: Option<DeliveryId>,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let all = [0x300, 0x200, 0x100].map(|n| Uuid::from_u128(endpoint.0.as_u128() | n));
        let behind = |id: &Uuid| after.is_none_or(|after| *id < after.0);
        Ok(all.into_iter().filter(behind).take(limit as usize).map(delivery).collect())
    }
    async fn tries(&self, _: DeliveryId) -> Result<Vec<TryLine>, StoreError> {
        Ok(vec![line(1, None), line(2, Some(500))])
    }
}

#[async_trait]
impl Courier for Nothing {
    fn admits(&self, url: &str) -> Result<(), String> {
        match url.starts_with("https://") {
            true => Ok(()),
            false => Err("the URL must begin with https://".into()),
        }
    }
    fn new_secret(&self, _: &[u8; 32]) -> Secret {
        Secret::new(SECRET)
    }
    async fn post(&self, _: &Parcel) -> Result<Receipt, CourierError> {
        Err(CourierError::Later("nobody there".into()))
    }
}

/// Whose writer has stopped.
pub(super) fn endpoints() -> Endpoints {
    let (_gone, store) = writer::store();
    Endpoints {
        rows: Arc::new(Two),
        store,
        courier: Arc::new(Nothing),
        clock: Arc::new(Nothing),
        ids: Arc::new(Nothing),
        chance: Arc::new(Dice),
        wake: Nudge::new(),
    }
}

#[tokio::test]
async fn an_endpoint_is_shown_without_its_secrets_and_to_nobody_else() {
    let shop = Shop::open().await;
    let list = shop.admin("GET", "/ops/webhooks.json", "").await;
    let items = json(&list)["items"].clone();
    assert_eq!((&items[0]["enabled"], &items[1]["enabled"]), (&true.into(), &false.into()));
    assert_eq!(items[1]["disabled_why"], GONE);
    assert_eq!(items[0]["topics"], json!(["order_placed"]));
    assert_eq!(items[0]["old_secret_until"], "2027-01-15T08:00:00Z");
    let one = shop.admin("GET", &format!("/ops/webhooks/{ALIVE}"), "").await;
    assert_eq!(json(&one), items[0]);
    for shown in [&list, &one] {
        assert!(!json(shown).to_string().contains("whsec_"));
    }
    for path in ["/ops/webhooks.json", &format!("/ops/webhooks/{ALIVE}/deliveries")] {
        is(&shop.get(path).await, 401);
    }
    shop.close().await;
}

#[tokio::test]
async fn deliveries_are_listed_page_by_page_with_what_was_answered() {
    let shop = Shop::open().await;
    let path = format!("/ops/webhooks/{ALIVE}/deliveries?limit=2");
    let first = json(&shop.admin("GET", &path, "").await);
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let last = &first["items"][0]["last_try"];
    assert_eq!((&last["status"], &last["said"]), (&500.into(), &"words".into()));
    let next = first["next"].as_str().unwrap();
    let second = json(&shop.admin("GET", &format!("{path}&after={next}"), "").await);
    assert_eq!((second["items"].as_array().unwrap().len(), &second["next"]), (1, &Value::Null));
    let id = second["items"][0]["id"].as_str().unwrap();
    let whole = json(&shop.admin("GET", &format!("/ops/webhook-deliveries/{id}"), "").await);
    assert_eq!((&whole["id"], &whole["offset"]), (&id.into(), &41.into()));
    let tries = &whole["all_tries"];
    assert_eq!((&tries[0]["error"], &tries[1]["status"]), (&"nobody there".into(), &500.into()));
    is(&shop.admin("GET", &format!("{path}&state=lost"), "").await, 400);
    shop.close().await;
}

#[tokio::test]
async fn what_can_not_be_told_is_refused_with_its_place() {
    let shop = Shop::open().await;
    let (alive, disabled) = (format!("/ops/webhooks/{ALIVE}"), format!("/ops/webhooks/{DISABLED}"));
    let good = json!({"url": "https://hooks.example/"});
    for (method, path, body, pointer, told) in [
        ("POST", "/ops/webhooks", json!({"url": "http://hooks.example/"}), "/url", "https://"),
        (
            "POST",
            "/ops/webhooks",
            json!({"url": "https://hooks.example/", "topics": ["order_placed", "order"]}),
            "/topics/1",
            "`order` is none; one of product_changed, ",
        ),
        ("PATCH", &alive, json!({"topics": ["*"]}), "/topics/0", "`*` is none"),
        ("PATCH", &alive, json!({"url": "ftp://hooks.example/"}), "/url", "https://"),
    ] {
        let refused = shop.admin(method, path, &body.to_string()).await;
        is(&refused, 422);
        let error = &json(&refused)["errors"][0];
        assert_eq!(error["pointer"], pointer, "{body}");
        assert!(error["detail"].as_str().unwrap().contains(told), "{error}");
    }
    let long = json!({"keep_hours": 721}).to_string();
    is(&shop.admin("POST", &format!("{alive}/rotate"), &long).await, 422);
    is(&shop.admin("POST", &format!("{disabled}/test"), "").await, 409);
    let its = Uuid::from_u128(DISABLED.as_u128() | 0x100);
    is(&shop.admin("POST", &format!("/ops/webhook-deliveries/{its}/resend"), "").await, 409);
    let nobody = Uuid::from_u128(3);
    for (method, path) in [
        ("GET", format!("/ops/webhooks/{nobody}")),
        ("GET", format!("/ops/webhooks/{nobody}/deliveries")),
        ("POST", format!("/ops/webhooks/{nobody}/test")),
        ("GET", format!("/ops/webhook-deliveries/{nobody}")),
        ("POST", format!("/ops/webhook-deliveries/{nobody}/resend")),
        ("GET", "/ops/webhooks/x".to_owned()),
    ] {
        is(&shop.admin(method, &path, "").await, 404);
    }
    // It goes to the writer, which has stopped.
    is(&shop.admin("POST", "/ops/webhooks", &good.to_string()).await, 503);
    is(&shop.admin("DELETE", &alive, "").await, 503);
    shop.close().await;
}
