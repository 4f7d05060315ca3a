//! Carts of a shop that keeps none: who may ask, and what is refused before anything is written.

use super::shop::{Shop, header, is, json};
use crate::{
    actors::keepers::{
        carts::{BasePrices, Carts, CartsParts},
        writer,
    },
    domain::{
        cart::{Cart, CartKind, CartLine, CartOwner},
        id::CartId,
        money::Currency,
        sku::Sku,
        tax::TaxMode,
        time::Micros,
    },
    ports::{
        StoreError, carts as port,
        clock::{Clock, Ids},
        documents::Documents,
    },
};
use async_trait::async_trait;
use std::sync::Arc;
use uuid::Uuid;

struct Nothing;

#[async_trait]
impl port::Carts for Nothing {
    async fn cart(&self, _: CartOwner, _: CartId) -> Result<Option<Cart>, StoreError> {
        Ok(None)
    }
    async fn of_kind(&self, _: CartOwner, _: CartKind) -> Result<Option<Cart>, StoreError> {
        Ok(None)
    }
    async fn open(&self, _: CartOwner) -> Result<Vec<Cart>, StoreError> {
        Ok(Vec::new())
    }
    async fn lines(&self, _: CartId, _: i64, _: u32) -> Result<Vec<CartLine>, StoreError> {
        Ok(Vec::new())
    }
    async fn some(&self, _: CartId, _: &[Sku]) -> Result<Vec<CartLine>, StoreError> {
        Ok(Vec::new())
    }
    async fn whole(
        &self,
        _: CartOwner,
        _: CartId,
    ) -> Result<Option<(Cart, Vec<CartLine>)>, StoreError> {
        Ok(None)
    }
}

impl Clock for Nothing {
    fn now(&self) -> Micros {
        Micros(0)
    }
}

impl Ids for Nothing {
    fn next(&self) -> Uuid {
        Uuid::nil()
    }
}

/// A handle whose writer has stopped.
pub(super) fn nowhere(documents: Arc<dyn Documents>) -> Carts {
    let (_gone, store) = writer::store();
    Carts::new(CartsParts {
        store,
        rows: Arc::new(Nothing),
        documents,
        prices: Arc::new(BasePrices { currency: Currency::USD, tax: TaxMode::default() }),
        clock: Arc::new(Nothing),
        ids: Arc::new(Nothing),
        scope: Default::default(),
    })
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const HERE: (&str, &str) = ("sec-fetch-site", "same-origin");

#[tokio::test]
async fn looking_at_an_empty_cart_begins_no_session() {
    let shop = Shop::open().await;
    for path in ["/cart", "/cart/summary"] {
        let answer = shop.get(path).await;
        is(&answer, 200);
        assert_eq!(header(&answer, "cache-control"), "no-store");
        assert_eq!(header(&answer, "etag"), "", "it differs by who asks");
    }
    assert_eq!(shop.visitors.count(), 0);
    is(&shop.get("/cart/list/0190").await, 404);
    is(&shop.get("/cart?done=nonsense").await, 400);
    is(&shop.get("/api/v1/carts/active").await, 404);
    is(&shop.admin("GET", "/api/v1/carts/active", "").await, 403);
    shop.close().await;
}

#[tokio::test]
async fn a_script_is_told_in_json_and_a_person_by_a_page() {
    let shop = Shop::open().await;
    let body = "sku=nothing&quantity=1";
    let page = shop.ask("POST", "/cart/add", &[FORM, HERE], body).await;
    is(&page, 422);
    assert!(header(&page, "content-type").starts_with("text/html"));
    let scripted = [FORM, HERE, ("accept", "application/json")];
    let told = shop.ask("POST", "/cart/add", &scripted, body).await;
    is(&told, 422);
    assert_eq!(json(&told)["told"], "There is no product with this SKU.");
    shop.close().await;
}

#[tokio::test]
async fn a_writer_that_is_away_is_no_lost_cart() {
    let shop = Shop::open().await;
    let answer = shop.ask("POST", "/cart/add", &[FORM, HERE], "sku=SKU-001").await;
    is(&answer, 503);
    assert_ne!(header(&answer, "retry-after"), "");
    shop.close().await;
}
