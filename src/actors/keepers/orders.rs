//! Orders: made of carts or of lines, and moved on by buyers, staff and time.
//!
//! Promise: an order is placed for exactly what its buyer was shown, or not at all, and its goods
//! are held from that moment on; it is answered once it is committed. Placings that come together
//! are decided and written together by the writer, in the order in which they came, so a hundred
//! buyers of one product cost one transaction. A lost answer is *unknown*: asked again under the
//! same name, it is told what was done. Nothing is kept here, so nothing is lost when a process dies.

mod compose;

pub(crate) use compose::{Basket, Checkout, Reviewed};

use super::{
    carts::{Carts, CartsError, Named},
    limits::{self, Limit},
    rules::Rules,
    writer::{OnceError, StoreHandle, Told, WriteError, unexpected},
};
use crate::{
    domain::{
        bucket::Rate,
        cart::RowRefusal,
        coupon::CouponRefusal,
        id::{OrderId, PaymentIntentId},
        once::{KeptAnswer, OnceName},
        order::{Order, OrderNumber, OrderState, OrderStatus, OrderStep},
        payment::PaymentMethod,
        placing::Placing,
        principal::Principal,
        review::ReviewHash,
        scope::Scope,
        secret::Secret,
        time::Micros,
        totals::TotalsError,
    },
    ports::{
        StoreError,
        chance::Chance,
        clock::{Clock, Ids},
        documents::{Documents, DocumentsError},
        once::KeptAnswers,
        orders::{self as port, OrderFilter, OrderMoved, OrderWrite, StoredOrder},
        writer::{Once, Write, Written},
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};

/// Why nothing is ordered, or shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OrdersError {
    #[error("there is nothing in it to order")]
    Empty,
    /// Lines of the cart are otherwise than its buyer last saw them.
    #[error("{changed} lines of the cart have changed since you looked: take note of them first")]
    CartChanged { changed: usize },
    #[error("some lines can't be had")]
    Lines(Vec<RowRefusal>),
    #[error("prices are in more than one currency: order them apart")]
    Currencies,
    #[error("nothing is delivered to this address")]
    NoDelivery,
    #[error("choose how it is sent")]
    NoShipping,
    #[error("this way of sending is not offered for these goods and this address")]
    OtherShipping,
    #[error(transparent)]
    Coupon(#[from] CouponRefusal),
    /// Codes that are none were tried too often; how long to wait for the next.
    #[error("too many coupon codes were tried; the next one is in {}", limits::words(*.0))]
    Guesses(Duration),
    #[error(transparent)]
    Totals(#[from] TotalsError),
    /// What it comes to now; nothing was ordered.
    #[error("it is not what you were shown any more")]
    Stale(Box<Reviewed>),
    #[error(transparent)]
    Carts(#[from] CartsError),
    #[error(transparent)]
    Documents(#[from] DocumentsError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Once(#[from] OnceError),
}

/// The section `[orders]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrdersConfig {
    pub(crate) hold_minutes: u32,
    /// Coupon codes that are none, from one address or by one account at once, and seconds until
    /// there is one more.
    coupon_burst: u32,
    coupon_every_seconds: u32,
}

impl OrdersConfig {
    /// The key that can't be worked with, and why.
    pub(crate) fn validate(&self) -> Result<(), (&'static str, &'static str)> {
        if !(1..=7 * 24 * 60).contains(&self.hold_minutes) {
            return Err(("hold_minutes", "must be 1 to 10080, which is a week"));
        }
        for (key, value) in [
            ("coupon_burst", self.coupon_burst),
            ("coupon_every_seconds", self.coupon_every_seconds),
        ] {
            if value == 0 {
                return Err((key, "must be at least 1"));
            }
        }
        Ok(())
    }

    pub(crate) fn guesses(&self) -> Rate {
        let every = Duration::from_secs(self.coupon_every_seconds.into());
        Rate { burst: self.coupon_burst, every }
    }
}

pub(crate) struct OrdersParts {
    pub(crate) store: StoreHandle,
    pub(crate) rows: Arc<dyn port::Orders>,
    pub(crate) kept: Arc<dyn KeptAnswers>,
    pub(crate) carts: Carts,
    pub(crate) documents: Arc<dyn Documents>,
    pub(crate) rules: Rules,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) chance: Arc<dyn Chance>,
    pub(crate) scope: Scope,
    /// How long goods are held for an order whose payment has no verdict.
    pub(crate) hold: Duration,
    /// Of coupon codes that are none.
    pub(crate) guesses: Limit,
}

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Orders {
    parts: Arc<OrdersParts>,
}

impl Orders {
    pub(crate) fn new(parts: OrdersParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// Places the order that `shown` stands for, under the name its buyer gave the wish.
    pub(crate) async fn place(
        &self,
        who: &Principal,
        checkout: Checkout,
        shown: ReviewHash,
        method: PaymentMethod,
        named: Named,
    ) -> Result<Told, OrdersError> {
        let (name, body) = (named.name, named.body);
        match self.place_now(who, checkout, shown, method, named).await {
            // A cart that was ordered can't be again; whoever asks again is told what became of it.
            Err(error) if !matches!(error, OrdersError::Once(_) | OrdersError::Write(_)) => {
                match self.parts.kept.find(name).await? {
                    Some(kept) if kept.body == body => Ok(Told::Answer(kept.answer)),
                    Some(_) => Err(OnceError::OtherBody.into()),
                    None => Err(error),
                }
            }
            ended => ended,
        }
    }

    /// What was answered to a wish of this name, if anything was.
    pub(crate) async fn told(&self, name: OnceName) -> Result<Option<KeptAnswer>, OrdersError> {
        Ok(self.parts.kept.find(name).await?.map(|kept| kept.answer))
    }

    async fn place_now(
        &self,
        who: &Principal,
        checkout: Checkout,
        shown: ReviewHash,
        method: PaymentMethod,
        named: Named,
    ) -> Result<Told, OrdersError> {
        let reviewed = self.review(who, &checkout).await?;
        if reviewed.hash != shown {
            return Err(OrdersError::Stale(Box::new(reviewed)));
        }
        let placing = self.placing(who, checkout, reviewed, method);
        let Named { name, body, answer } = named;
        let write = Box::new(Write::Place(Box::new(placing)));
        let once = Once { name, body, at: self.parts.clock.now(), write, answer };
        Ok(self.parts.store.once(once).await?)
    }

    fn placing(
        &self,
        who: &Principal,
        checkout: Checkout,
        reviewed: Reviewed,
        method: PaymentMethod,
    ) -> Placing {
        let parts = &self.parts;
        let now = parts.clock.now();
        let token = Secret::new(URL_SAFE_NO_PAD.encode(parts.chance.bytes()));
        let hold = i64::try_from(parts.hold.as_micros()).unwrap_or(i64::MAX);
        let order = Order {
            id: OrderId(parts.ids.next()),
            number: OrderNumber::NONE,
            scope: parts.scope.clone(),
            state: OrderState::PLACED,
            version: 1,
            cart: reviewed.cart.as_ref().map(|cart| cart.id),
            customer: who.customer(),
            placed_by: who.to_string(),
            email: checkout.email,
            lines: reviewed.lines,
            summary: reviewed.summary,
            coupon: checkout.coupon,
            shipping: reviewed.shipping,
            ship_to: checkout.ship_to,
            bill_to: checkout.bill_to,
            payment: PaymentIntentId(parts.ids.next()),
            provider: method.provider.clone(),
            held_until: Some(Micros(now.0.saturating_add(hold))),
            placed_at: now,
            updated_at: now,
        };
        Placing {
            order,
            access: Sha256::digest(token.expose()).into(),
            // A customer's order is opened by logging in.
            token: who.customer().is_none().then_some(token),
            method,
            cart_version: reviewed.cart.map(|cart| cart.version),
        }
    }

    /// Does what somebody wants of an order. `None`: there is no such order.
    pub(crate) async fn act(&self, write: OrderWrite) -> Result<Option<OrderMoved>, OrdersError> {
        match self.parts.store.write(Write::Order(write)).await? {
            Written::Order(moved) => Ok(Some(moved)),
            Written::Absent => Ok(None),
            other => Err(unexpected(&other).into()),
        }
    }

    pub(crate) async fn get(&self, id: OrderId) -> Result<Option<StoredOrder>, OrdersError> {
        Ok(self.parts.rows.get(id).await?)
    }

    /// The newest first.
    pub(crate) async fn list(
        &self,
        filter: OrderFilter,
        before: Option<OrderNumber>,
        limit: u32,
    ) -> Result<Vec<Order>, OrdersError> {
        Ok(self.parts.rows.list(filter, before, limit).await?)
    }

    /// How many wait for somebody, by status.
    pub(crate) async fn open(&self) -> Result<Vec<(OrderStatus, u64)>, OrdersError> {
        Ok(self.parts.rows.open().await?)
    }

    pub(crate) async fn steps(&self, id: OrderId) -> Result<Vec<OrderStep>, OrdersError> {
        Ok(self.parts.rows.steps(id).await?)
    }
}

impl StoreHandle {
    /// Cancels pending orders whose goods are held no longer, up to `most`; says how many.
    pub(crate) async fn end_holds(&self, now: Micros, most: u32) -> Result<u64, WriteError> {
        match self.write(Write::EndHolds { now, most }).await? {
            Written::Swept(orders) => Ok(orders),
            other => Err(unexpected(&other)),
        }
    }
}

#[cfg(test)]
mod tests;
