//! What staff ask and set. A change is a row, an event and an entry in the audit log, in one
//! transaction; what is refused changes nothing.

use super::Rules;
use crate::{
    actors::keepers::writer::{WriteError, unexpected},
    domain::{
        coupon::CouponUses,
        id::{CouponId, PriceListId, ProductId},
        price::{PriceEdit, PriceEntry, PriceEntryError, PriceKey},
        principal::Principal,
        rule::{Rule, RuleError, RuleKind, StoredRule},
    },
    ports::{
        StoreError,
        rules::{RuleAct, RuleWrite, RuleWritten},
        writer::{Write, Written},
    },
};
use uuid::Uuid;

/// Why nothing was set, or may not have been.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RulesError {
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// Of the entry with this number, counted from 0.
    #[error("entry {row}: {why}")]
    Price { row: usize, why: PriceEntryError },
    #[error("at most {most} prices can be set at once: send the rest after them")]
    TooManyAtOnce { most: usize },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Rules {
    pub(crate) async fn list(
        &self,
        kind: RuleKind,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<StoredRule>, StoreError> {
        self.parts.rows.of_kind(kind, after, limit).await
    }

    pub(crate) async fn get(
        &self,
        kind: RuleKind,
        id: Uuid,
    ) -> Result<Option<StoredRule>, StoreError> {
        self.parts.rows.rule(kind, id).await
    }

    /// Makes one or puts it in the other's place; see [`RuleAct::Put`].
    pub(crate) async fn put(
        &self,
        who: &Principal,
        rule: Rule,
        if_version: Option<i64>,
    ) -> Result<RuleWritten, RulesError> {
        rule.check()?;
        self.act(who, RuleAct::Put { rule: Box::new(rule), if_version }).await
    }

    pub(crate) async fn drop(
        &self,
        who: &Principal,
        kind: RuleKind,
        id: Uuid,
        if_version: Option<i64>,
    ) -> Result<RuleWritten, RulesError> {
        self.act(who, RuleAct::Drop { kind, id, if_version }).await
    }

    /// How often a coupon was used.
    pub(crate) async fn coupon_uses(&self, coupon: CouponId) -> Result<CouponUses, StoreError> {
        self.parts.rows.coupon_uses(coupon, None).await
    }

    /// What a list says of products, by product, unit and quantity.
    pub(crate) async fn prices_of(
        &self,
        list: PriceListId,
        after: Option<&PriceKey>,
        limit: u32,
    ) -> Result<Vec<PriceEntry>, StoreError> {
        self.parts.rows.prices_of(list, after, limit).await
    }

    /// What all lists say of a product.
    pub(crate) async fn prices_for(
        &self,
        product: ProductId,
    ) -> Result<Vec<PriceEntry>, StoreError> {
        self.parts.rows.prices(&[product]).await
    }

    pub(crate) async fn set_prices(
        &self,
        who: &Principal,
        list: PriceListId,
        edit: PriceEdit,
    ) -> Result<RuleWritten, RulesError> {
        let most = PriceEdit::MOST;
        if edit.put.len() + edit.drop.len() > most || edit.seen.len() > most {
            return Err(RulesError::TooManyAtOnce { most });
        }
        for (row, entry) in edit.put.iter().enumerate() {
            entry.check().map_err(|why| RulesError::Price { row, why })?;
        }
        self.act(who, RuleAct::Prices { list, edit }).await
    }

    async fn act(&self, who: &Principal, act: RuleAct) -> Result<RuleWritten, RulesError> {
        let write = RuleWrite { act, by: who.to_string(), at: self.parts.clock.now() };
        match self.parts.store.write(Write::Rules(write)).await? {
            Written::Rule(written) => Ok(written),
            other => Err(unexpected(&other).into()),
        }
    }
}
