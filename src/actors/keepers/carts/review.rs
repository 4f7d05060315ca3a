//! What has changed in a cart since its buyer last looked, and taking note of it.
//!
//! All lines are compared, so this is what reading a cart costs, not editing it. What was found is
//! kept for as long as neither the cart nor the documents move on; an edit through this process
//! carries it on, looking at the lines it touched alone.

use super::{Carts, CartsError, PriceStamp};
use crate::domain::{
    cart::{
        Cart, CartEdit, CartLine, CartTarget, Edited, LineChange,
        compare::{Change, Shown, Standing, changes},
    },
    document::ProductDocument,
    event::Position,
    principal::Principal,
    sku::Sku,
};
use std::{collections::BTreeMap, sync::Arc};

/// Changed lines that are shown at a time; the rest come when these were taken note of.
pub(super) const MOST: usize = 500;
/// Lines read in one go.
const PAGE: u32 = 1_000;

/// A line with its product as it is now.
#[derive(Debug, Clone)]
pub(crate) struct ShownLine {
    pub(crate) line: CartLine,
    /// `None`: there is no such product any more.
    pub(crate) document: Option<Arc<ProductDocument>>,
    pub(crate) standing: Standing,
    pub(crate) changes: Vec<Change>,
}

/// Which lines are otherwise than their buyer saw them.
#[derive(Debug, Clone)]
pub(crate) struct Review {
    /// The first of them, in the cart's order.
    pub(crate) lines: Vec<ShownLine>,
    /// How many there are in all.
    pub(crate) changed: usize,
    /// Stands for `lines` as they are shown here; see [`Carts::take_note`].
    pub(crate) token: String,
}

/// Places and SKUs of what had changed in a version of a cart, compared at a place in the log and
/// with the prices of a moment.
#[derive(Debug)]
pub(super) struct Found {
    version: i64,
    position: Position,
    prices: PriceStamp,
    who: Principal,
    changed: BTreeMap<i64, Sku>,
}

impl Carts {
    pub(super) fn shown(&self, who: &Principal, line: CartLine) -> Result<ShownLine, CartsError> {
        let parts = &self.parts;
        let found = parts.documents.by_sku(&parts.scope, &line.sku)?;
        let document = found.map(|stored| Arc::new(stored.document));
        let standing = parts.prices.standing(who, document.as_deref());
        let changes = changes(&line, &standing);
        Ok(ShownLine { line, document, standing, changes })
    }

    /// Compares a whole cart.
    pub(crate) async fn review(&self, who: &Principal, cart: &Cart) -> Result<Review, CartsError> {
        let found = match self.found(who, cart)? {
            Some(found) => found,
            None => self.find(who, cart).await?,
        };
        let mut shown = Shown::of_version(cart.version);
        let mut lines = Vec::new();
        let first: Vec<_> = found.changed.values().take(MOST).cloned().collect();
        let stored = match first.is_empty() {
            true => Vec::new(),
            false => self.parts.rows.some(cart.id, &first).await?,
        };
        for line in stored {
            let line = self.shown(who, line)?;
            if !line.changes.is_empty() {
                shown.add(&line.line.sku, &line.changes);
                lines.push(line);
            }
        }
        Ok(Review { lines, changed: found.changed.len(), token: shown.token() })
    }

    /// What is remembered of this very cart.
    fn found(&self, who: &Principal, cart: &Cart) -> Result<Option<Arc<Found>>, CartsError> {
        let Some(found) = self.reviews.get(&cart.id) else { return Ok(None) };
        let now = self.parts.documents.position()?;
        let same = found.version == cart.version
            && Some(found.position) == now
            && found.who == *who
            && found.prices == self.parts.prices.stamp(who);
        Ok(same.then_some(found))
    }

    async fn find(&self, who: &Principal, cart: &Cart) -> Result<Arc<Found>, CartsError> {
        // Before the documents are read: what comes in meanwhile makes this one old.
        let position = self.parts.documents.position()?;
        let prices = self.parts.prices.stamp(who);
        let (mut after, mut changed) = (0, BTreeMap::new());
        loop {
            let lines = self.parts.rows.lines(cart.id, after, PAGE).await?;
            let Some(last) = lines.last() else { break };
            after = last.place;
            let more = lines.len() == PAGE as usize;
            for line in lines {
                if self.has_changed(who, &line)? {
                    changed.insert(line.place, line.sku);
                }
            }
            if !more {
                break;
            }
        }
        let version = cart.version;
        let none = Position { epoch: uuid::Uuid::nil(), offset: 0 };
        let place = position.unwrap_or(none);
        let found = Arc::new(Found { version, position: place, prices, who: *who, changed });
        if position.is_some() {
            self.reviews.insert(cart.id, Arc::clone(&found));
        }
        Ok(found)
    }

    fn has_changed(&self, who: &Principal, line: &CartLine) -> Result<bool, CartsError> {
        let parts = &self.parts;
        let found = parts.documents.by_sku(&parts.scope, &line.sku)?;
        let document = found.as_ref().map(|stored| &stored.document);
        Ok(!changes(line, &parts.prices.standing(who, document)).is_empty())
    }

    /// What is remembered of a cart before an edit, made to what there is behind it.
    pub(super) fn carry_on(&self, who: &Principal, edited: &Edited) -> Result<(), CartsError> {
        let cart = &edited.cart;
        let Some(before) = self.reviews.get(&cart.id) else { return Ok(()) };
        if before.version + 1 != cart.version || before.who != *who {
            return Ok(());
        }
        let mut changed = before.changed.clone();
        if !edited.gone.is_empty() {
            changed.retain(|_, sku| !edited.gone.contains(sku));
        }
        for line in &edited.lines {
            match self.has_changed(who, line)? {
                true => changed.insert(line.place, line.sku.clone()),
                false => changed.remove(&line.place),
            };
        }
        let Found { position, prices, who, .. } = *before;
        let found = Found { version: cart.version, position, prices, who, changed };
        self.reviews.insert(cart.id, Arc::new(found));
        Ok(())
    }

    /// The buyer has seen what [`Review::token`] stands for, and takes it as it is. What can't be
    /// taken, as it is no longer sold, stays until it is removed.
    pub(crate) async fn take_note(
        &self,
        who: &Principal,
        cart: &Cart,
        token: &str,
    ) -> Result<Edited, CartsError> {
        let review = self.review(who, cart).await?;
        if review.token != token {
            return Err(CartsError::ChangedAgain);
        }
        let see = |shown: ShownLine| match shown.standing {
            Standing::Offered(offer) if shown.changes.iter().all(Change::can_be_taken) => {
                Some(LineChange::See { offer })
            }
            _ => None,
        };
        let changes = review.lines.into_iter().filter_map(see).collect();
        let edit = CartEdit::Lines { changes, partial: true };
        self.edit(who, CartTarget::Id(cart.id), Some(cart.version), edit).await
    }
}
