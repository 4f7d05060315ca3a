//! Commercial rules of a shop that keeps none: who may ask, and what is refused before anything is
//! written.

use super::{
    shop::{Shop, header, is, json},
    visitors::{buyer, staff},
};
use crate::{
    actors::keepers::{
        rules::{RuleShelf, Rules, RulesParts},
        writer,
    },
    domain::{
        coupon::{CouponUser, CouponUses},
        id::{CouponId, CustomerGroupId, CustomerId, PriceListId, ProductId},
        money::Currency,
        policy::{BuyerRole, StaffRole},
        price::{PriceEntry, PriceKey},
        rule::{RuleKind, StoredRule},
        scope::Site,
        session::Via,
        tax::TaxMode,
        time::Micros,
    },
    ports::{StoreError, clock::Clock, rules as port},
};
use async_trait::async_trait;
use std::sync::Arc;
use uuid::Uuid;

struct Nothing;

type Found<T> = Result<Vec<T>, StoreError>;

#[async_trait]
impl port::Rules for Nothing {
    async fn all(&self) -> Found<StoredRule> {
        Ok(Vec::new())
    }
    async fn of_kind(&self, _: RuleKind, _: Option<Uuid>, _: u32) -> Found<StoredRule> {
        Ok(Vec::new())
    }
    async fn rule(&self, _: RuleKind, _: Uuid) -> Result<Option<StoredRule>, StoreError> {
        Ok(None)
    }
    async fn prices(&self, _: &[ProductId]) -> Found<PriceEntry> {
        Ok(Vec::new())
    }
    async fn prices_after(&self, _: Option<&PriceEntry>, _: u32) -> Found<PriceEntry> {
        Ok(Vec::new())
    }
    async fn prices_of(&self, _: PriceListId, _: Option<&PriceKey>, _: u32) -> Found<PriceEntry> {
        Ok(Vec::new())
    }
    async fn groups_after(
        &self,
        _: Option<CustomerId>,
        _: u32,
    ) -> Found<(CustomerId, CustomerGroupId)> {
        Ok(Vec::new())
    }
    async fn groups_of(&self, _: &[CustomerId]) -> Found<(CustomerId, CustomerGroupId)> {
        Ok(Vec::new())
    }
    async fn coupon_uses(
        &self,
        _: CouponId,
        _: Option<CouponUser>,
    ) -> Result<CouponUses, StoreError> {
        Ok(CouponUses::default())
    }
}

impl Clock for Nothing {
    fn now(&self) -> Micros {
        Micros(0)
    }
}

/// A handle whose writer has stopped.
pub(super) fn nowhere() -> Rules {
    let (_gone, store) = writer::store();
    Rules::new(RulesParts {
        shelf: RuleShelf::default(),
        rows: Arc::new(Nothing),
        store,
        clock: Arc::new(Nothing),
        site: Site("main".into()),
        currency: Currency::USD,
        base_tax: TaxMode::Exclusive,
    })
}

const FAMILIES: [&str; 4] =
    ["/api/v1/price-lists", "/api/v1/tax-rates", "/api/v1/shipping-methods", "/api/v1/coupons"];
const ID: &str = "00000000-0000-0000-0000-000000000001";

#[tokio::test]
async fn rules_are_for_staff_and_changes_for_who_may_make_them() {
    let shop = Shop::open().await;
    shop.visitors.admit("buyer", buyer(1, BuyerRole::Admin), Via::Bearer);
    shop.visitors.admit("clerk", staff(StaffRole::Clerk), Via::Bearer);
    shop.visitors.admit("manager", staff(StaffRole::Manager), Via::Bearer);
    for family in FAMILIES {
        let one = format!("{family}/{ID}");
        for (token, read, write) in
            [("", 401, 401), ("buyer", 403, 403), ("clerk", 200, 403), ("manager", 200, 404)]
        {
            let bearer = format!("Bearer {token}");
            let headers = [("authorization", bearer.as_str())];
            let headers = if token.is_empty() { &headers[..0] } else { &headers[..] };
            is(&shop.ask("GET", family, headers, "").await, read);
            is(&shop.ask("DELETE", &one, headers, "").await, write);
        }
        is(&shop.admin("GET", &one, "").await, 404);
    }
    shop.close().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_rule_is_named_by_its_place() {
    let shop = Shop::open().await;
    let drafts = [
        (0, r#"{"name":"","currency":"EUR"}"#, "/name"),
        (0, r#"{"name":"A","currency":"euro"}"#, "/currency"),
        (0, r#"{"name":"A","currency":"EUR","from":"soon"}"#, "/from"),
        (
            0,
            r#"{"name":"A","currency":"EUR","from":"2030-01-02T00:00:00Z","until":"2030-01-01T00:00:00Z"}"#,
            "/until",
        ),
        (1, r#"{"name":"VAT","country":"UK","rate":"19"}"#, "/country"),
        (1, r#"{"name":"VAT","country":"DE","rate":"119"}"#, "/rate"),
        (1, r#"{"name":"VAT","country":"DE","rate":"19","region":" "}"#, "/region"),
        (1, r#"{"name":"VAT","country":"DE","rate":"19","category":"Big"}"#, "/category"),
        (
            2,
            r#"{"name":"P","currency":"EUR","rate":{"kind":"flat","amount":"-1"}}"#,
            "/rate/amount",
        ),
        (2, r#"{"name":"P","currency":"EUR","rate":{"kind":"by_units","bands":[]}}"#, "/rate"),
        (
            2,
            r#"{"name":"P","currency":"EUR","rate":{"kind":"flat","amount":"1"},"countries":["DE","XX"]}"#,
            "/countries/1",
        ),
        (3, r#"{"code":"a b","takes_off":{"kind":"percent","percent":"10"}}"#, "/code"),
        (3, r#"{"code":"TEN","takes_off":{"kind":"percent","percent":"0"}}"#, "/takes_off"),
        (
            3,
            r#"{"code":"TEN","takes_off":{"kind":"fixed","money":{"amount":"0.001","currency":"EUR"}}}"#,
            "/takes_off/money/amount",
        ),
    ];
    for (family, body, place) in drafts {
        let answer = shop.admin("PUT", &format!("{}/{ID}", FAMILIES[family]), body).await;
        is(&answer, 422);
        assert_eq!(json(&answer)["errors"][0]["pointer"], place, "{body}");
    }
    let unknown = shop.admin("PUT", &format!("{}/{ID}", FAMILIES[1]), r#"{"nme":"VAT"}"#).await;
    is(&unknown, 422);
    // Nothing is wrong with it, but nobody can write it down.
    let sound = r#"{"name":"VAT","country":"de","rate":"19"}"#;
    is(&shop.admin("PUT", &format!("{}/{ID}", FAMILIES[1]), sound).await, 503);
    is(&shop.admin("PUT", &format!("{}/not-an-id", FAMILIES[1]), sound).await, 404);
    shop.close().await;
}

#[tokio::test]
async fn a_cursor_of_one_kind_is_refused_by_another() {
    let shop = Shop::open().await;
    let cursor = crate::http::cursor::write(crate::http::cursor::BehindRule::new(
        RuleKind::Coupon,
        Uuid::nil(),
    ));
    is(&shop.admin("GET", &format!("/api/v1/coupons?after={cursor}"), "").await, 200);
    is(&shop.admin("GET", &format!("/api/v1/tax-rates?after={cursor}"), "").await, 400);
    shop.close().await;
}

#[tokio::test]
async fn without_lists_everybody_pays_the_products_own_price() {
    let shop = Shop::open().await;
    let answer = shop.get("/api/v1/products/SKU-001/price?quantity=3").await;
    is(&answer, 200);
    assert_eq!(header(&answer, "cache-control"), "no-store");
    let price = json(&answer);
    assert_eq!(price["unit_price"]["amount"], "10.00");
    assert_eq!(price["tiers"].as_array().unwrap().len(), 1);
    is(&shop.get("/api/v1/products/SKU-001/price?quantity=0").await, 400);
    is(&shop.get("/api/v1/products/NOTHING/price").await, 404);
    assert_eq!(shop.visitors.count(), 0, "looking at a price begins no session");
    shop.close().await;
}
