//! Carts: edited by their buyers, compared with what their products cost now.
//!
//! Promise: an edit is answered once it is committed, and costs the same however long the cart is;
//! a lost answer is *unknown*, so whoever adds something does it under a name of their choice. Edits
//! of one cart are made one after the other: they are decided inside the writer's transaction, where
//! the cart's row is held, so there is no lock of ours to wait for and nothing to lose when a process
//! dies. What waits is bounded by the writer's mailbox, and what doesn't fit there is refused.
//!
//! Prices and stock come from this node's documents, without a database; what differs from what the
//! buyer last saw is told with the cart until they take note of it, and the sums stay
//! as they were seen until then.

mod prices;
mod review;

#[cfg(test)]
pub(crate) use prices::BasePrices;
pub(crate) use prices::{PriceStamp, Prices};
pub(crate) use review::ShownLine;

use super::writer::{OnceError, StoreHandle, Told, WriteError, unexpected};
use crate::{
    domain::{
        cart::{
            Cart, CartAct, CartAnswer, CartEdit, CartKind, CartOwner, CartRefusal, CartTarget,
            CartWrite, Edited, LineChange, LineRefusal, MOST_NOTE, Offer, RowRefusal,
            compare::Standing,
        },
        id::CartId,
        once::{BodyHash, OnceName},
        principal::Principal,
        quantity::Quantity,
        scope::Scope,
        sku::Sku,
        time::Micros,
    },
    ports::{
        StoreError, carts as port,
        clock::{Clock, Ids},
        documents::{Documents, DocumentsError},
        writer::{Answering, Once, Write, Written},
    },
};
use moka::sync::Cache;
use std::{collections::HashMap, sync::Arc};

/// Reviews in memory: what one of a long cart found spares reading all its lines again. At most
/// [`review::MOST`] changes each.
const MOST_REMEMBERED: u64 = 1_000;

#[derive(Debug, thiserror::Error)]
pub(crate) enum CartsError {
    #[error("the shop itself has no cart; come as a buyer")]
    NoBuyer,
    #[error(transparent)]
    Refused(#[from] CartRefusal),
    /// The changes that were shown are not those there are now.
    #[error("prices or stock have changed again since; look at the cart once more")]
    ChangedAgain,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Documents(#[from] DocumentsError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Once(#[from] OnceError),
}

/// What changes for a row, by the row's number.
pub(crate) type RowChange = (usize, LineChange);

/// A row of what somebody wants, as they wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) sku: String,
    pub(crate) quantity: String,
    pub(crate) note: Option<String>,
}

/// Under which name a write is asked, and what its asker is told.
pub(crate) struct Named {
    pub(crate) name: OnceName,
    pub(crate) body: BodyHash,
    pub(crate) answer: Answering,
}

pub(crate) struct CartsParts {
    pub(crate) store: StoreHandle,
    pub(crate) rows: Arc<dyn port::Carts>,
    pub(crate) documents: Arc<dyn Documents>,
    pub(crate) prices: Arc<dyn Prices>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) scope: Scope,
}

/// Edits and compares carts. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Carts {
    parts: Arc<CartsParts>,
    reviews: Cache<CartId, Arc<review::Found>>,
}

impl Carts {
    pub(crate) fn new(parts: CartsParts) -> Self {
        Self { parts: Arc::new(parts), reviews: Cache::new(MOST_REMEMBERED) }
    }

    /// A buyer's open ones: the active one first, then that for later, then lists by age.
    pub(crate) async fn open(&self, who: &Principal) -> Result<Vec<Cart>, CartsError> {
        Ok(self.parts.rows.open(owner(who)?).await?)
    }

    /// Another buyer's is as one that isn't there.
    pub(crate) async fn cart(&self, who: &Principal, id: CartId) -> Result<Cart, CartsError> {
        let cart = self.parts.rows.cart(owner(who)?, id).await?;
        Ok(cart.ok_or(CartRefusal::Absent)?)
    }

    pub(crate) async fn of_kind(
        &self,
        who: &Principal,
        kind: CartKind,
    ) -> Result<Option<Cart>, CartsError> {
        Ok(self.parts.rows.of_kind(owner(who)?, kind).await?)
    }

    /// The open one of a kind, made by the edit when there is none yet.
    pub(crate) fn of(&self, kind: CartKind) -> CartTarget {
        CartTarget::Kind { kind, new: self.new_id() }
    }

    pub(crate) fn new_id(&self) -> CartId {
        CartId(self.parts.ids.next())
    }

    /// Up to `limit` lines behind a place, each with what has changed.
    pub(crate) async fn lines(
        &self,
        who: &Principal,
        cart: &Cart,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ShownLine>, CartsError> {
        let lines = self.parts.rows.lines(cart.id, after, limit).await?;
        lines.into_iter().map(|line| self.shown(who, line)).collect()
    }

    /// How many there are of these, as one would write it.
    pub(crate) async fn quantities(
        &self,
        cart: &Cart,
        skus: &[Sku],
    ) -> Result<HashMap<String, String>, CartsError> {
        let lines = self.parts.rows.some(cart.id, skus).await?;
        Ok(lines.iter().map(|line| (line.sku.to_string(), line.quantity_text())).collect())
    }

    /// All lines as they were at one moment, for whoever makes an order of them.
    pub(crate) async fn whole(
        &self,
        who: &Principal,
        id: CartId,
    ) -> Result<(Cart, Vec<ShownLine>), CartsError> {
        let whole = self.parts.rows.whole(owner(who)?, id).await?;
        let (cart, lines) = whole.ok_or(CartRefusal::Absent)?;
        let lines = lines.into_iter().map(|line| self.shown(who, line));
        Ok((cart, lines.collect::<Result<_, _>>()?))
    }

    /// What is offered for each row, or which rows ask for what can't be had. With `partial` the
    /// others are given all the same.
    pub(crate) fn offers(
        &self,
        who: &Principal,
        rows: &[Wanted],
    ) -> Result<(Vec<RowChange>, Vec<RowRefusal>), CartsError> {
        let (mut changes, mut refused) = (Vec::with_capacity(rows.len()), Vec::new());
        for (row, wanted) in rows.iter().enumerate() {
            let sku = match Sku::new(&wanted.sku) {
                Ok(sku) => sku,
                Err(error) => {
                    let why = LineRefusal::Sku(error);
                    refused.push(RowRefusal { row, sku: None, why });
                    continue;
                }
            };
            match self.add(who, &sku, wanted)? {
                Ok(change) => changes.push((row, change)),
                Err(why) => refused.push(RowRefusal { row, sku: Some(sku), why }),
            }
        }
        Ok((changes, refused))
    }

    fn add(
        &self,
        who: &Principal,
        sku: &Sku,
        wanted: &Wanted,
    ) -> Result<Result<LineChange, LineRefusal>, CartsError> {
        let offer = match self.offer(who, sku)? {
            Ok(offer) => offer,
            Err(why) => return Ok(Err(why)),
        };
        let quantity = match Quantity::parse(&wanted.quantity, offer.precision) {
            Ok(quantity) => quantity,
            Err(error) => return Ok(Err(error.into())),
        };
        let note = wanted.note.clone();
        if note.as_ref().is_some_and(|note| note.chars().count() > MOST_NOTE) {
            return Ok(Err(LineRefusal::NoteTooLong));
        }
        Ok(Ok(LineChange::Add { offer, quantity, note }))
    }

    /// A line's new quantity, as somebody wrote it.
    pub(crate) fn set(
        &self,
        who: &Principal,
        sku: &Sku,
        quantity: &str,
    ) -> Result<Result<LineChange, LineRefusal>, CartsError> {
        Ok(self.offer(who, sku)?.and_then(|offer| {
            let quantity = Quantity::parse(quantity, offer.precision)?;
            Ok(LineChange::Set { offer, quantity })
        }))
    }

    /// What a product is sold for to this buyer, or why it isn't.
    pub(crate) fn offer(
        &self,
        who: &Principal,
        sku: &Sku,
    ) -> Result<Result<Offer, LineRefusal>, CartsError> {
        let found = self.parts.documents.by_sku(&self.parts.scope, sku)?;
        let Some(found) = found else { return Ok(Err(LineRefusal::Unknown)) };
        Ok(match self.parts.prices.standing(who, Some(&found.document)) {
            Standing::Offered(offer) => Ok(offer),
            Standing::OnRequest => Err(LineRefusal::OnRequest),
            Standing::HasVariants(skus) => Err(LineRefusal::HasVariants(skus)),
            Standing::NotSold => Err(LineRefusal::NotSold),
        })
    }

    /// Changes a cart.
    pub(crate) async fn edit(
        &self,
        who: &Principal,
        target: CartTarget,
        expect: Option<i64>,
        edit: CartEdit,
    ) -> Result<Edited, CartsError> {
        self.act(who, CartAct::Edit { target, expect, edit }).await
    }

    pub(crate) async fn act(&self, who: &Principal, act: CartAct) -> Result<Edited, CartsError> {
        let write = self.write(who, act)?;
        match answer(self.parts.store.write(write).await?)? {
            CartAnswer::Done(edited) => {
                self.carry_on(who, &edited)?;
                Ok(*edited)
            }
            CartAnswer::Refused(refusal) => Err(refusal.into()),
            other @ CartAnswer::TakenOver { .. } => Err(unexpected(&Written::Cart(other)).into()),
        }
    }

    /// Changes a cart under the name its asker gave: asked again, it is answered again.
    pub(crate) async fn act_once(
        &self,
        who: &Principal,
        act: CartAct,
        named: Named,
    ) -> Result<Told, CartsError> {
        let Named { name, body, answer } = named;
        let write = Box::new(self.write(who, act)?);
        let once = Once { name, body, at: self.parts.clock.now(), write, answer };
        Ok(self.parts.store.once(once).await?)
    }

    fn write(&self, who: &Principal, act: CartAct) -> Result<Write, CartsError> {
        let (owner, at) = (owner(who)?, self.parts.clock.now());
        Ok(Write::Carts(CartWrite { owner, at, act }))
    }
}

impl StoreHandle {
    /// Drops carts nobody wants any more, with up to `most` lines; says how many those were.
    pub(crate) async fn sweep_carts(
        &self,
        older_than: Micros,
        most: u32,
    ) -> Result<u64, WriteError> {
        match self.write(Write::SweepCarts { older_than, most }).await? {
            Written::Swept(carts) => Ok(carts),
            other => Err(unexpected(&other)),
        }
    }
}

fn owner(who: &Principal) -> Result<CartOwner, CartsError> {
    CartOwner::of(who).ok_or(CartsError::NoBuyer)
}

fn answer(written: Written) -> Result<CartAnswer, CartsError> {
    match written {
        Written::Cart(answer) => Ok(answer),
        other => Err(unexpected(&other).into()),
    }
}

#[cfg(test)]
mod tests;
