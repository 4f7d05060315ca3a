//! Commercial rules, read back; see `ports::rules`. The writer sets them.

use super::{SqlStore, error::not_ours, lists::IdList, on, texts::statements};
use crate::{
    domain::{
        coupon::{CouponUser, CouponUses},
        id::{CouponId, CustomerGroupId, CustomerId, PriceListId, ProductId},
        price::{PriceEntry, PriceKey},
        quantity::Quantity,
        rule::{Rule, RuleKind, StoredRule},
        time::Micros,
    },
    ports::{StoreError, rules::Rules},
};
use async_trait::async_trait;
use sqlx::types::Json;
use sqlx_macros::FromRow;
use uuid::Uuid;

statements! {
    ALL_RULES = "SELECT body, version, created_at, updated_at FROM rule ORDER BY kind, id";
    OF_KIND = "SELECT body, version, created_at, updated_at FROM rule
               WHERE kind = $1 AND id > $2 ORDER BY id LIMIT $3";
    RULE = "SELECT body, version, created_at, updated_at FROM rule WHERE kind = $1 AND id = $2";
    PRICES = [
        "SELECT product_id, list_id, unit, min_quantity, amount FROM price_entry
         WHERE product_id", [ids "$1"]
    ];
    PRICES_AFTER =
        "SELECT product_id, list_id, unit, min_quantity, amount FROM price_entry
         WHERE (product_id, list_id, unit, min_quantity) > ($1, $2, $3, $4)
         ORDER BY product_id, list_id, unit, min_quantity LIMIT $5";
    PRICES_OF =
        "SELECT product_id, list_id, unit, min_quantity, amount FROM price_entry
         WHERE list_id = $1 AND (product_id, unit, min_quantity) > ($2, $3, $4)
         ORDER BY product_id, unit, min_quantity LIMIT $5";
    GROUPS_AFTER =
        "SELECT id, group_id FROM customer WHERE group_id IS NOT NULL AND id > $1
         ORDER BY id LIMIT $2";
    GROUPS_OF = [
        "SELECT id, group_id FROM customer WHERE group_id IS NOT NULL AND id", [ids "$1"]
    ];
    USED = "SELECT used FROM coupon_count WHERE coupon_id = $1";
    USED_BY = "SELECT count(*) FROM coupon_use WHERE coupon_id = $1 AND used_by = $2";
}

#[derive(FromRow)]
pub(super) struct RuleRow {
    body: Json<Rule>,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

impl From<RuleRow> for StoredRule {
    fn from(row: RuleRow) -> Self {
        Self {
            rule: row.body.0,
            version: row.version,
            created_at: Micros(row.created_at),
            updated_at: Micros(row.updated_at),
        }
    }
}

#[derive(FromRow)]
pub(super) struct PriceRow {
    product_id: Uuid,
    list_id: Uuid,
    unit: String,
    min_quantity: i64,
    amount: i64,
}

impl TryFrom<PriceRow> for PriceEntry {
    type Error = StoreError;

    fn try_from(row: PriceRow) -> Result<Self, StoreError> {
        let min_quantity = Quantity::of_steps(row.min_quantity);
        Ok(Self {
            list: PriceListId(row.list_id),
            product: ProductId(row.product_id),
            unit: row.unit,
            min_quantity: min_quantity.map_err(|_| not_ours("a price's quantity"))?,
            amount: row.amount,
        })
    }
}

fn prices(rows: Vec<PriceRow>) -> Result<Vec<PriceEntry>, StoreError> {
    rows.into_iter().map(TryInto::try_into).collect()
}

fn groups(rows: Vec<(Uuid, Uuid)>) -> Vec<(CustomerId, CustomerGroupId)> {
    let one = |(customer, group)| (CustomerId(customer), CustomerGroupId(group));
    rows.into_iter().map(one).collect()
}

fn count(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[async_trait]
impl Rules for SqlStore {
    async fn all(&self) -> Result<Vec<StoredRule>, StoreError> {
        let rows: Vec<RuleRow> =
            on!(self, ALL_RULES, |pool, text| sqlx::query_as(text).fetch_all(pool).await)?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    async fn of_kind(
        &self,
        kind: RuleKind,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<StoredRule>, StoreError> {
        let rows: Vec<RuleRow> = on!(self, OF_KIND, |pool, text| sqlx::query_as(text)
            .bind(kind.as_str())
            .bind(after.unwrap_or_default())
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await)?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    async fn rule(&self, kind: RuleKind, id: Uuid) -> Result<Option<StoredRule>, StoreError> {
        let row: Option<RuleRow> = on!(self, RULE, |pool, text| sqlx::query_as(text)
            .bind(kind.as_str())
            .bind(id)
            .fetch_optional(pool)
            .await)?;
        Ok(row.map(Into::into))
    }

    async fn prices(&self, products: &[ProductId]) -> Result<Vec<PriceEntry>, StoreError> {
        let ids = IdList(products.iter().map(|product| product.0).collect());
        let rows: Vec<PriceRow> =
            on!(self, PRICES, |pool, text| sqlx::query_as(text).bind(&ids).fetch_all(pool).await)?;
        prices(rows)
    }

    async fn prices_after(
        &self,
        after: Option<&PriceEntry>,
        limit: u32,
    ) -> Result<Vec<PriceEntry>, StoreError> {
        let rows: Vec<PriceRow> = on!(self, PRICES_AFTER, |pool, text| sqlx::query_as(text)
            .bind(after.map_or(Uuid::nil(), |entry| entry.product.0))
            .bind(after.map_or(Uuid::nil(), |entry| entry.list.0))
            .bind(after.map_or("", |entry| entry.unit.as_str()))
            .bind(after.map_or(0, |entry| entry.min_quantity.steps()))
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await)?;
        prices(rows)
    }

    async fn prices_of(
        &self,
        list: PriceListId,
        after: Option<&PriceKey>,
        limit: u32,
    ) -> Result<Vec<PriceEntry>, StoreError> {
        let rows: Vec<PriceRow> = on!(self, PRICES_OF, |pool, text| sqlx::query_as(text)
            .bind(list.0)
            .bind(after.map_or(Uuid::nil(), |key| key.product.0))
            .bind(after.map_or("", |key| key.unit.as_str()))
            .bind(after.map_or(0, |key| key.min_quantity.steps()))
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await)?;
        prices(rows)
    }

    async fn groups_after(
        &self,
        after: Option<CustomerId>,
        limit: u32,
    ) -> Result<Vec<(CustomerId, CustomerGroupId)>, StoreError> {
        let rows = on!(self, GROUPS_AFTER, |pool, text| sqlx::query_as(text)
            .bind(after.map_or(Uuid::nil(), |customer| customer.0))
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await)?;
        Ok(groups(rows))
    }

    async fn groups_of(
        &self,
        customers: &[CustomerId],
    ) -> Result<Vec<(CustomerId, CustomerGroupId)>, StoreError> {
        let ids = IdList(customers.iter().map(|customer| customer.0).collect());
        let rows = on!(self, GROUPS_OF, |pool, text| sqlx::query_as(text)
            .bind(&ids)
            .fetch_all(pool)
            .await)?;
        Ok(groups(rows))
    }

    async fn coupon_uses(
        &self,
        coupon: CouponId,
        user: Option<CouponUser>,
    ) -> Result<CouponUses, StoreError> {
        let used: Option<i64> = on!(self, USED, |pool, text| sqlx::query_scalar(text)
            .bind(coupon.0)
            .fetch_optional(pool)
            .await)?;
        let by_this_customer = match user {
            None => 0,
            Some(user) => on!(self, USED_BY, |pool, text| sqlx::query_scalar(text)
                .bind(coupon.0)
                .bind(Uuid::from_bytes(user.0))
                .fetch_one(pool)
                .await)?,
        };
        let by_anyone = count(used.unwrap_or_default());
        Ok(CouponUses { by_anyone, by_this_customer: count(by_this_customer) })
    }
}
