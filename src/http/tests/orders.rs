//! Orders over HTTP: whom they are for, and what is wrong with a wish.

use super::{
    carts,
    shop::{Shop, header, is},
    visitors::Dice,
};
use crate::{
    actors::{
        keepers::{
            limits::Limit,
            orders::{Orders, OrdersParts},
            products::Products,
            stock::Stocks,
            till::{Till, TillParts},
            writer,
        },
        reconcilers::mail::Mails,
    },
    domain::{
        bucket::Rate,
        id::{MailId, OrderId, PaymentIntentId, StockItemId},
        once::{Kept, OnceName},
        order::{Order, OrderNumber, OrderStatus, OrderStep},
        scope::{Scope, Site},
        sku::Sku,
        stock::{LowStock, Movement, StockRecord},
        time::Micros,
    },
    ports::{
        StoreError,
        clock::{Clock, Ids},
        documents::Documents,
        mail::{MailQueue, MailState, QueuedMail, WaitingMail},
        once::KeptAnswers,
        orders::{self as port, OrderFilter, StoredOrder},
        stock::{Drift, Stock, Warehouse},
        till::{self, PaymentNow},
    },
    views::Sender,
};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use supervisors::Nudge;
use uuid::Uuid;

/// No order, no payment and no stock, ever.
pub(super) struct Nothing;

impl Clock for Nothing {
    fn now(&self) -> Micros {
        Micros(1_800_000_000_000_000)
    }
}

impl Ids for Nothing {
    fn next(&self) -> Uuid {
        Uuid::nil()
    }
}

#[async_trait]
impl port::Orders for Nothing {
    async fn get(&self, _: OrderId) -> Result<Option<StoredOrder>, StoreError> {
        Ok(None)
    }
    async fn list(
        &self,
        _: OrderFilter,
        _: Option<OrderNumber>,
        _: u32,
    ) -> Result<Vec<Order>, StoreError> {
        Ok(Vec::new())
    }
    async fn open(&self) -> Result<Vec<(OrderStatus, u64)>, StoreError> {
        Ok(Vec::new())
    }
    async fn steps(&self, _: OrderId) -> Result<Vec<OrderStep>, StoreError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl KeptAnswers for Nothing {
    async fn find(&self, _: OnceName) -> Result<Option<Kept>, StoreError> {
        Ok(None)
    }
}

#[async_trait]
impl till::Till for Nothing {
    async fn due(&self, _: Micros, _: u32) -> Result<Vec<PaymentNow>, StoreError> {
        Ok(Vec::new())
    }
    async fn payment(&self, _: PaymentIntentId) -> Result<Option<PaymentNow>, StoreError> {
        Ok(None)
    }
    async fn of_order(&self, _: OrderId) -> Result<Option<PaymentNow>, StoreError> {
        Ok(None)
    }
}

#[async_trait]
impl Stock for Nothing {
    async fn record(&self, _: &Site, _: &Sku) -> Result<Option<StockRecord>, StoreError> {
        Ok(None)
    }
    async fn movements(
        &self,
        _: StockItemId,
        _: Option<Uuid>,
        _: u32,
    ) -> Result<Vec<Movement>, StoreError> {
        Ok(Vec::new())
    }
    async fn warehouses(&self, _: &Site) -> Result<Vec<Warehouse>, StoreError> {
        Ok(Vec::new())
    }
    async fn low(&self, _: &Scope, _: i64, _: u32) -> Result<Vec<LowStock>, StoreError> {
        Ok(Vec::new())
    }
    async fn drift(&self, _: u32) -> Result<Vec<Drift>, StoreError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl MailQueue for Nothing {
    async fn waiting(&self, _: MailId) -> Result<Option<WaitingMail>, StoreError> {
        Ok(None)
    }
    async fn counts(&self) -> Result<(u64, u64), StoreError> {
        Ok((0, 0))
    }
    async fn queued(&self, _: MailState, _: u32) -> Result<Vec<QueuedMail>, StoreError> {
        Ok(Vec::new())
    }
}

/// A queue that is empty, and whose writer has stopped.
pub(super) fn no_mails() -> Mails {
    let (_gone, store) = writer::store();
    let sender = Sender { shop: "Shop".into(), url: "http://localhost".into() };
    let (queue, clock) = (Arc::new(Nothing), Arc::new(Nothing));
    Mails { queue, store, clock, sender, wake: Nudge::new() }
}

/// A handle whose writer has stopped.
pub(super) fn nowhere(documents: Arc<dyn Documents>) -> Orders {
    let (_gone, store) = writer::store();
    Orders::new(OrdersParts {
        store,
        rows: Arc::new(Nothing),
        kept: Arc::new(Nothing),
        carts: carts::nowhere(Arc::clone(&documents)),
        documents,
        rules: super::rules::nowhere(),
        clock: Arc::new(Nothing),
        ids: Arc::new(Nothing),
        chance: Arc::new(Dice),
        scope: Default::default(),
        hold: Duration::from_secs(60),
        guesses: Limit::new(Rate { burst: 1, every: Duration::from_secs(1) }, Arc::new(Nothing)),
    })
}

pub(super) fn no_till() -> Till {
    let (_gone, store) = writer::store();
    let (rows, clock, ids) = (Arc::new(Nothing), Arc::new(Nothing), Arc::new(Nothing));
    Till::new(TillParts { store, rows, providers: Vec::new(), clock, ids })
}

pub(super) fn no_stocks() -> Stocks {
    let (_gone, store) = writer::store();
    Stocks { store, rows: Arc::new(Nothing) }
}

pub(super) fn no_products() -> Products {
    let (_gone, store) = writer::store();
    let (rows, clock) = (Arc::new(super::shop::Draft), Arc::new(Nothing));
    Products { store, rows, clock, scope: Default::default() }
}

const JSON: (&str, &str) = ("content-type", "application/json");

fn wish(change: impl FnOnce(&mut Value)) -> String {
    let mut wish = json!({
        "lines": [{"sku": "SKU-001", "quantity": "2"}],
        "email": "ada@example.com",
        "ship_to": {
            "name": "Ada", "street": "Way 1", "city": "Berlin", "postcode": "10115", "country": "DE",
        },
    });
    change(&mut wish);
    wish.to_string()
}

#[tokio::test]
async fn a_review_says_what_it_would_come_to_and_keeps_nothing() {
    let shop = Shop::open().await;
    let review = "/api/v1/checkout/review";
    let first = shop.ask("POST", review, &[JSON], &wish(|_| {})).await;
    is(&first, 200);
    let told: Value = serde_json::from_slice(first.body()).unwrap();
    assert_eq!(told["totals"]["total"]["minor"], 2_000);
    assert_eq!(told["lines"][0]["quantity"], "2");
    let again = shop.ask("POST", review, &[JSON], &wish(|_| {})).await;
    assert_eq!(first.body(), again.body(), "the same is shown by the same hash");
    let more = wish(|wish| wish["lines"][0]["quantity"] = json!("3"));
    let more = shop.ask("POST", review, &[JSON], &more).await;
    let more: Value = serde_json::from_slice(more.body()).unwrap();
    assert_ne!(told["hash"], more["hash"]);
    assert_eq!(shop.visitors.count(), 0, "looking begins no session");
    shop.close().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_wish_is_told_with_its_place() {
    let shop = Shop::open().await;
    type Change = Box<dyn Fn(&mut Value)>;
    let cases: [(&str, Change); 9] = [
        ("/lines/0", Box::new(|w| w["lines"][0]["quantity"] = json!("-1"))),
        ("/lines/0", Box::new(|w| w["lines"][0]["quantity"] = json!("1.5"))),
        ("/lines/0", Box::new(|w| w["lines"][0]["quantity"] = json!("99999999999999"))),
        ("/lines/0", Box::new(|w| w["lines"][0]["sku"] = json!("NOBODY"))),
        ("/email", Box::new(|w| w["email"] = json!("ada"))),
        ("/ship_to/country", Box::new(|w| w["ship_to"]["country"] = json!("XX"))),
        ("/ship_to/postcode", Box::new(|w| w["ship_to"]["postcode"] = json!(""))),
        ("/coupon", Box::new(|w| w["coupon"] = json!("NEVER-HEARD"))),
        ("/shipping_method", Box::new(|w| w["shipping_method"] = json!(Uuid::nil()))),
    ];
    for (place, change) in cases {
        let answer = shop.ask("POST", "/api/v1/checkout/review", &[JSON], &wish(change)).await;
        is(&answer, 422);
        let told: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(told["errors"][0]["pointer"], place, "{told}");
    }
    let unknown = wish(|wish| wish["price"] = json!("0.01"));
    is(&shop.ask("POST", "/api/v1/checkout/review", &[JSON], &unknown).await, 422);
    shop.close().await;
}

#[tokio::test]
async fn an_order_needs_a_key_a_review_and_a_way_to_pay() {
    let shop = Shop::open().await;
    let order = |review: &str, provider: &str| {
        let checkout: Value = serde_json::from_str(&wish(|_| {})).unwrap();
        let payment = json!({"provider": provider, "token": "t"});
        json!({"checkout": checkout, "review": review, "payment": payment}).to_string()
    };
    let zeros = "0".repeat(64);
    is(&shop.ask("POST", "/api/v1/orders", &[JSON], &order(&zeros, "test")).await, 400);
    let keyed = [JSON, ("idempotency-key", "k")];
    let nobody = shop.ask("POST", "/api/v1/orders", &keyed, &order(&zeros, "test")).await;
    is(&nobody, 422);
    assert!(String::from_utf8_lossy(nobody.body()).contains("/payment/provider"));
    is(&shop.ask("POST", "/api/v1/orders", &keyed, &order("stale", "test")).await, 422);
    // A place in the order's own body, not in that of its review.
    let mut wrong: Value = serde_json::from_str(&order(&zeros, "test")).unwrap();
    wrong["checkout"]["email"] = json!("ada");
    let wrong = shop.ask("POST", "/api/v1/orders", &keyed, &wrong.to_string()).await;
    is(&wrong, 422);
    let told: Value = serde_json::from_slice(wrong.body()).unwrap();
    assert_eq!(told["errors"][0]["pointer"], "/checkout/email", "{told}");
    shop.close().await;
}

#[tokio::test]
async fn what_is_another_s_is_as_what_is_not_there() {
    let shop = Shop::open().await;
    let id = Uuid::nil();
    is(&shop.get(&format!("/api/v1/orders/{id}")).await, 404);
    is(&shop.get("/api/v1/orders/nonsense").await, 404);
    let cancel = format!("/api/v1/orders/{id}/cancel");
    is(&shop.ask("POST", &cancel, &[JSON], "{}").await, 404);
    let act = format!("/api/v1/orders/{id}/actions");
    is(&shop.ask("POST", &act, &[JSON], r#"{"action":"ship"}"#).await, 401);
    is(&shop.admin("POST", &act, r#"{"action":"ship"}"#).await, 404);
    let guest = shop.get("/api/v1/orders").await;
    is(&guest, 200);
    assert_eq!(header(&guest, "cache-control"), "no-store");
    is(&shop.get("/api/v1/orders?status=lost").await, 400);
    is(&shop.get("/api/v1/orders?after=x").await, 400);
    for path in ["/api/v1/stock/SKU-001", "/api/v1/warehouses"] {
        is(&shop.get(path).await, 401);
    }
    is(&shop.admin("GET", "/api/v1/stock/SKU-001", "").await, 404);
    is(&shop.admin("GET", "/api/v1/warehouses", "").await, 200);
    shop.close().await;
}

#[tokio::test]
async fn a_webhook_of_nobody_is_refused() {
    let shop = Shop::open().await;
    let there = "/api/v1/webhooks/payments/test-cards";
    is(&shop.ask("POST", there, &[JSON], "{}").await, 404);
    is(&shop.ask("POST", there, &[], "{}").await, 415);
    is(&shop.ask("POST", "/api/v1/card-tokens", &[JSON], "{}").await, 404);
    shop.close().await;
}
