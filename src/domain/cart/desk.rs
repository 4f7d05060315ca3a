//! What a batch of edits does to carts, decided before anything is written.
//!
//! The desk does exactly what the edits would do one at a time, in order. It never reads a store:
//! it says what it needs to know ([`Desk::owners`], [`Unknown`]), is told, and gives a [`Plan`] for
//! a set-based write.

use super::{
    Cart, CartAct, CartAnswer, CartEdit, CartKind, CartLine, CartOwner, CartRefusal, CartState,
    CartTarget, CartWrite, Edited, LineChange, LineRefusal, MOST_AT_ONCE, MOST_LINES, MOST_LISTS,
    Offer, RowRefusal, in_precision, together,
};
use crate::domain::{
    cart_sums::CartSums,
    id::CartId,
    line::PricedLine,
    quantity::{Quantity, QuantityError},
    sku::Sku,
    time::Micros,
};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What must be told before a plan can be made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unknown {
    /// These lines, if they are there.
    pub lines: BTreeSet<(CartId, Sku)>,
    /// All lines of these carts.
    pub carts: BTreeSet<CartId>,
}

impl Unknown {
    fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.carts.is_empty()
    }
}

/// What to write, and what to answer.
#[derive(Debug, Default)]
pub struct Plan {
    /// One to each write, in order.
    pub answers: Vec<CartAnswer>,
    pub carts_gone: Vec<CartId>,
    /// New and changed ones, in an order in which no two are ever active at once.
    pub carts: Vec<Cart>,
    pub lines_gone: Vec<(CartId, Sku)>,
    pub lines: Vec<(CartId, CartLine)>,
}

/// Plans one batch; see the module.
#[derive(Debug)]
pub struct Desk<'a> {
    writes: &'a [&'a CartWrite],
    carts: BTreeMap<CartId, Cart>,
    lines: HashMap<(CartId, Sku), CartLine>,
    asked: Unknown,
}

impl<'a> Desk<'a> {
    pub fn new(writes: &'a [&'a CartWrite]) -> Self {
        let (carts, lines) = (BTreeMap::new(), HashMap::new());
        Self { writes, carts, lines, asked: Unknown::default() }
    }

    /// Whose open carts the desk must know first, beside [`Self::ids`].
    pub fn owners(&self) -> Vec<CartOwner> {
        let mut owners = BTreeSet::new();
        for write in self.writes {
            owners.insert(write.owner);
            if let CartAct::TakeOver { from } = write.act {
                owners.insert(CartOwner::Guest(from));
            }
        }
        owners.into_iter().collect()
    }

    /// The carts that are asked for by id.
    pub fn ids(&self) -> Vec<CartId> {
        let mut ids = BTreeSet::new();
        let mut note = |target: &CartTarget| {
            if let CartTarget::Id(id) = target {
                ids.insert(*id);
            }
        };
        for write in self.writes {
            match &write.act {
                CartAct::Edit { target, edit, .. } => {
                    note(target);
                    if let CartEdit::Move { to, .. } = edit {
                        note(to);
                    }
                }
                CartAct::Delete { id, .. } => note(&CartTarget::Id(*id)),
                CartAct::Create { .. } | CartAct::TakeOver { .. } => {}
            }
        }
        ids.into_iter().collect()
    }

    /// The open carts of [`Self::owners`], and those of [`Self::ids`] whoever's they are.
    pub fn carts(&mut self, found: impl IntoIterator<Item = Cart>) {
        self.carts.extend(found.into_iter().map(|cart| (cart.id, cart)));
    }

    /// The answer to an [`Unknown`].
    pub fn lines(&mut self, asked: Unknown, found: impl IntoIterator<Item = (CartId, CartLine)>) {
        let found = found.into_iter().map(|(cart, line)| ((cart, line.sku.clone()), line));
        self.lines.extend(found);
        self.asked.lines.extend(asked.lines);
        self.asked.carts.extend(asked.carts);
    }

    pub fn plan(&self) -> Result<Plan, Unknown> {
        let mut work = Work::new(self);
        let mut answers = Vec::with_capacity(self.writes.len());
        for write in self.writes {
            // One that misses something is planned again when that is known; on to what the others
            // need.
            if let Ok(answer) = work.act(write) {
                answers.push(answer);
            }
        }
        if work.unknown.is_empty() { Ok(work.plan(answers)) } else { Err(work.unknown) }
    }
}

/// Something is not known yet; it stands in [`Work::unknown`].
struct Missing;

/// Why nothing came of a write.
enum Stop {
    Missing,
    Refused(CartRefusal),
}

impl From<Missing> for Stop {
    fn from(_: Missing) -> Self {
        Self::Missing
    }
}

impl From<CartRefusal> for Stop {
    fn from(refusal: CartRefusal) -> Self {
        Self::Refused(refusal)
    }
}

/// How carts and lines stand after the writes so far.
struct Work<'a> {
    desk: &'a Desk<'a>,
    carts: BTreeMap<CartId, Cart>,
    /// What differs from the store; `None` for a line that is gone.
    lines: BTreeMap<(CartId, Sku), Option<CartLine>>,
    /// Made here: what isn't in `lines` isn't there.
    new: HashSet<CartId>,
    unknown: Unknown,
}

/// One cart while one write is made; dropped when it can't be.
struct Draft {
    cart: Cart,
    lines: BTreeMap<Sku, Option<CartLine>>,
}

impl<'a> Work<'a> {
    fn new(desk: &'a Desk<'a>) -> Self {
        Self {
            desk,
            carts: desk.carts.clone(),
            lines: BTreeMap::new(),
            new: HashSet::new(),
            unknown: Unknown::default(),
        }
    }

    fn act(&mut self, write: &CartWrite) -> Result<CartAnswer, Missing> {
        let (owner, at) = (write.owner, write.at);
        let done = match &write.act {
            CartAct::Create { id, name, note } => self.create(owner, *id, name, note, at),
            CartAct::Edit { target, expect, edit } => self.edit(owner, target, *expect, edit, at),
            CartAct::Delete { id, expect } => self.delete(owner, *id, *expect),
            CartAct::TakeOver { from } => {
                let carts = self.take_over(CartOwner::Guest(*from), owner, at)?;
                return Ok(CartAnswer::TakenOver { carts });
            }
        };
        match done {
            Ok(edited) => Ok(CartAnswer::Done(Box::new(edited))),
            Err(Stop::Refused(refusal)) => Ok(CartAnswer::Refused(refusal)),
            Err(Stop::Missing) => Err(Missing),
        }
    }

    fn create(
        &mut self,
        owner: CartOwner,
        id: CartId,
        name: &str,
        note: &Option<String>,
        at: Micros,
    ) -> Result<Edited, Stop> {
        if self.lists(owner) >= MOST_LISTS {
            return Err(CartRefusal::TooManyLists.into());
        }
        let cart = self.made(owner, id, CartKind::List, at);
        cart.name = name.to_owned();
        cart.note.clone_from(note);
        Ok(edited(cart.clone()))
    }

    fn made(&mut self, owner: CartOwner, id: CartId, kind: CartKind, at: Micros) -> &mut Cart {
        self.new.insert(id);
        self.carts.entry(id).insert_entry(new_cart(owner, id, kind, at)).into_mut()
    }

    fn lists(&self, owner: CartOwner) -> usize {
        self.open(owner).filter(|cart| cart.kind == CartKind::List).count()
    }

    fn open(&self, owner: CartOwner) -> impl Iterator<Item = &Cart> {
        let open = move |cart: &&Cart| cart.owner == owner && cart.state == CartState::Open;
        self.carts.values().filter(open)
    }

    fn of_kind(&self, owner: CartOwner, kind: CartKind) -> Option<&Cart> {
        self.open(owner).find(|cart| cart.kind == kind)
    }

    /// A cart that its owner may change.
    fn mine(&self, owner: CartOwner, id: CartId, expect: Option<i64>) -> Result<&Cart, Stop> {
        let cart = self.carts.get(&id).filter(|cart| cart.owner == owner);
        let cart = cart.ok_or(CartRefusal::Absent)?;
        if cart.state != CartState::Open {
            return Err(CartRefusal::Ordered.into());
        }
        match expect {
            Some(version) if version != cart.version => {
                Err(CartRefusal::Changed { version: cart.version }.into())
            }
            _ => Ok(cart),
        }
    }

    fn target(
        &self,
        owner: CartOwner,
        target: &CartTarget,
        expect: Option<i64>,
        at: Micros,
    ) -> Result<Draft, Stop> {
        let cart = match target {
            CartTarget::Id(id) => self.mine(owner, *id, expect)?.clone(),
            CartTarget::Kind { kind, new } => match self.of_kind(owner, *kind) {
                Some(cart) => self.mine(owner, cart.id, expect)?.clone(),
                None => new_cart(owner, *new, *kind, at),
            },
        };
        Ok(Draft { cart, lines: BTreeMap::new() })
    }

    /// Notes what of these isn't known.
    fn know<'s>(
        &mut self,
        cart: CartId,
        skus: impl Iterator<Item = &'s Sku>,
    ) -> Result<(), Missing> {
        if !self.carts.contains_key(&cart) || self.new.contains(&cart) {
            return Ok(());
        }
        let asked = &self.desk.asked;
        let mut missing = false;
        for sku in skus {
            let place = (cart, sku.clone());
            let known = self.lines.contains_key(&place)
                || asked.lines.contains(&place)
                || asked.carts.contains(&cart);
            if !known {
                missing = true;
                self.unknown.lines.insert(place);
            }
        }
        if missing { Err(Missing) } else { Ok(()) }
    }

    /// A line that is known, as it stands.
    fn line(&self, cart: CartId, sku: &Sku) -> Option<&CartLine> {
        let place = (cart, sku.clone());
        match self.lines.get(&place) {
            Some(line) => line.as_ref(),
            None => self.desk.lines.get(&place),
        }
    }

    /// All lines of a cart, in their order.
    fn whole(&mut self, cart: CartId) -> Result<Vec<CartLine>, Missing> {
        if !self.new.contains(&cart) && !self.desk.asked.carts.contains(&cart) {
            self.unknown.carts.insert(cart);
            return Err(Missing);
        }
        let stored = self.desk.lines.iter().filter(|((of, _), _)| *of == cart);
        let mut all: BTreeMap<_, _> = stored.map(|((_, sku), line)| (sku, line)).collect();
        for ((of, sku), line) in &self.lines {
            match line {
                Some(line) if *of == cart => all.insert(sku, line),
                None if *of == cart => all.remove(sku),
                _ => None,
            };
        }
        let mut all: Vec<_> = all.into_values().cloned().collect();
        all.sort_by_key(|line| line.place);
        Ok(all)
    }

    fn edit(
        &mut self,
        owner: CartOwner,
        target: &CartTarget,
        expect: Option<i64>,
        edit: &CartEdit,
        at: Micros,
    ) -> Result<Edited, Stop> {
        let draft = self.target(owner, target, expect, at)?;
        match edit {
            CartEdit::Lines { changes, partial } => self.lines(draft, changes, *partial, at),
            CartEdit::Move { sku, to } => self.transfer(owner, draft, sku, to, at),
            CartEdit::Describe { name, note, kind } => {
                let mut draft = draft;
                if let Some(kind) = kind {
                    self.become_kind(&draft.cart, *kind, at)?;
                    draft.cart.kind = *kind;
                }
                if let Some(name) = name {
                    draft.cart.name.clone_from(name);
                }
                if let Some(note) = note {
                    draft.cart.note.clone_from(note);
                }
                Ok(self.keep(draft, at))
            }
        }
    }

    /// Whether a cart can be of this kind; who is active before it makes room.
    fn become_kind(&mut self, cart: &Cart, kind: CartKind, at: Micros) -> Result<(), Stop> {
        if cart.kind == kind {
            return Ok(());
        }
        if cart.kind == CartKind::Later || kind == CartKind::Later {
            return Err(CartRefusal::NotThisKind.into());
        }
        if kind == CartKind::List {
            return match self.lists(cart.owner) >= MOST_LISTS {
                true => Err(CartRefusal::TooManyLists.into()),
                false => Ok(()),
            };
        }
        let before = self.of_kind(cart.owner, CartKind::Active).map(|active| active.id);
        if let Some(active) = before.and_then(|id| self.carts.get_mut(&id)) {
            active.kind = CartKind::List;
            active.version += 1;
            active.updated_at = at;
        }
        Ok(())
    }

    fn lines(
        &mut self,
        mut draft: Draft,
        changes: &[LineChange],
        partial: bool,
        at: Micros,
    ) -> Result<Edited, Stop> {
        if changes.len() > MOST_AT_ONCE {
            return Err(CartRefusal::TooManyAtOnce.into());
        }
        self.know(draft.cart.id, changes.iter().map(LineChange::sku))?;
        let mut refused = Vec::new();
        for (row, change) in changes.iter().enumerate() {
            let sku = change.sku();
            let stored = self.line(draft.cart.id, sku).cloned();
            let before = draft.lines.get(sku).cloned().unwrap_or(stored);
            let made = change.apply(before.as_ref(), draft.cart.next_place, at);
            if let Err(why) = made.and_then(|after| draft.put(sku, before, after)) {
                refused.push(RowRefusal { row, sku: Some(sku.clone()), why });
            }
        }
        if !refused.is_empty() && !partial {
            return Err(CartRefusal::Rows(refused).into());
        }
        let mut edited = self.keep(draft, at);
        edited.left_out = refused;
        Ok(edited)
    }

    fn transfer(
        &mut self,
        owner: CartOwner,
        mut from: Draft,
        sku: &Sku,
        to: &CartTarget,
        at: Micros,
    ) -> Result<Edited, Stop> {
        let mut to = self.target(owner, to, None, at)?;
        let source = self.know(from.cart.id, std::iter::once(sku));
        self.know(to.cart.id, std::iter::once(sku))?;
        source?;
        if from.cart.id == to.cart.id {
            return Ok(edited(from.cart));
        }
        let refuse =
            |why| CartRefusal::Rows(vec![RowRefusal { row: 0, sku: Some(sku.clone()), why }]);
        let line = self.line(from.cart.id, sku).cloned();
        let line = line.ok_or_else(|| refuse(LineRefusal::NoSuchLine))?;
        let there = self.line(to.cart.id, sku).cloned();
        let merged = merged(there.as_ref(), &line, to.cart.next_place, at);
        let put = merged.and_then(|merged| to.put(sku, there, Some(merged)));
        put.map_err(refuse)?;
        from.put(sku, Some(line), None).map_err(refuse)?;
        self.keep(to, at);
        Ok(self.keep(from, at))
    }

    /// Takes a draft's cart and lines as they are now.
    fn keep(&mut self, draft: Draft, at: Micros) -> Edited {
        let Draft { mut cart, lines } = draft;
        let id = cart.id;
        match self.carts.get(&id) {
            None => {
                self.new.insert(id);
            }
            Some(before) => {
                let touched = lines.iter().any(|(sku, line)| self.line(id, sku) != line.as_ref());
                if touched || cart != *before {
                    cart.version = before.version + 1;
                    cart.updated_at = at;
                }
            }
        }
        let mut edited = edited(cart.clone());
        self.carts.insert(id, cart);
        for (sku, line) in lines {
            if self.line(id, &sku) != line.as_ref() {
                self.lines.insert((id, sku.clone()), line.clone());
            }
            match line {
                Some(line) => edited.lines.push(line),
                None => edited.gone.push(sku),
            }
        }
        edited
    }

    fn delete(
        &mut self,
        owner: CartOwner,
        id: CartId,
        expect: Option<i64>,
    ) -> Result<Edited, Stop> {
        let cart = self.mine(owner, id, expect)?.clone();
        self.carts.remove(&id);
        self.lines.retain(|(of, _), _| *of != id);
        Ok(edited(cart))
    }

    /// The guest's active cart goes into the buyer's, the one for later likewise, and lists change
    /// hands; so does what can't be put together, as a list. Says how many carts that were.
    fn take_over(
        &mut self,
        guest: CartOwner,
        owner: CartOwner,
        at: Micros,
    ) -> Result<usize, Missing> {
        let theirs: Vec<_> = self.open(guest).cloned().collect();
        let mut missing = false;
        for cart in &theirs {
            let mine = self.of_kind(owner, cart.kind).map(|mine| mine.id);
            match mine.filter(|_| cart.kind != CartKind::List) {
                None => {
                    let mut cart = cart.clone();
                    cart.owner = owner;
                    cart.version += 1;
                    cart.updated_at = at;
                    self.carts.insert(cart.id, cart);
                }
                Some(mine) => missing |= self.pour(cart.id, mine, owner, at).is_err(),
            }
        }
        if missing { Err(Missing) } else { Ok(theirs.len()) }
    }

    /// Each line goes over as far as it fits; what doesn't stays behind in a list of the buyer's.
    fn pour(
        &mut self,
        from: CartId,
        to: CartId,
        owner: CartOwner,
        at: Micros,
    ) -> Result<(), Missing> {
        let lines = self.whole(from)?;
        self.know(to, lines.iter().map(|line| &line.sku))?;
        let cart = |id| self.carts.get(&id).cloned().ok_or(Missing);
        let (mut from, mut to) = (cart(from).map(Draft::of)?, cart(to).map(Draft::of)?);
        for line in lines {
            let sku = line.sku.clone();
            let there = self.line(to.cart.id, &sku).cloned();
            let merged = merged(there.as_ref(), &line, to.cart.next_place, at);
            // More than fits is cut to the most there is; all else stays behind.
            let merged = match (merged, &there) {
                (Err(LineRefusal::Quantity(QuantityError::TooMany)), Some(there)) => {
                    filled(there, at)
                }
                (merged, _) => merged,
            };
            let put = merged.and_then(|merged| to.put(&sku, there, Some(merged)));
            if put.is_ok() {
                // It was in there, so it can be taken out.
                let _taken = from.put(&sku, Some(line), None);
            }
        }
        self.keep(to, at);
        if from.cart.lines() == 0 {
            self.carts.remove(&from.cart.id);
            let gone = from.cart.id;
            self.lines.retain(|(of, _), _| *of != gone);
        } else {
            (from.cart.owner, from.cart.kind) = (owner, CartKind::List);
            self.keep(from, at);
        }
        Ok(())
    }

    fn plan(self, answers: Vec<CartAnswer>) -> Plan {
        let stored = &self.desk.carts;
        let gone = stored.keys().filter(|id| !self.carts.contains_key(id)).copied().collect();
        let changed = self.carts.into_values().filter(|cart| stored.get(&cart.id) != Some(cart));
        let mut carts: Vec<_> = changed.collect();
        // Who stops being active is written before who becomes it.
        carts.sort_by_key(|cart| (cart.kind, cart.id));
        let mut plan = Plan { answers, carts_gone: gone, carts, ..Plan::default() };
        for ((cart, sku), line) in self.lines {
            match line {
                Some(line) => plan.lines.push((cart, line)),
                None if self.desk.lines.contains_key(&(cart, sku.clone())) => {
                    plan.lines_gone.push((cart, sku));
                }
                None => {}
            }
        }
        plan
    }
}

impl Draft {
    fn of(cart: Cart) -> Self {
        Self { cart, lines: BTreeMap::new() }
    }

    /// Puts a line in another's place, with what that does to the cart; changes nothing when it
    /// can't be.
    fn put(
        &mut self,
        sku: &Sku,
        before: Option<CartLine>,
        after: Option<CartLine>,
    ) -> Result<(), LineRefusal> {
        let cart = &mut self.cart;
        let mut sums = cart.sums.clone();
        if let Some(line) = &before {
            sums.remove(&line.priced)?;
        }
        if let Some(line) = &after {
            let has = line.priced.amount().currency;
            match sums.groups().first().map(|group| group.currency) {
                Some(cart) if cart != has => return Err(LineRefusal::OtherCurrency { has, cart }),
                _ => sums.add(&line.priced)?,
            }
            if sums.lines() > MOST_LINES {
                return Err(LineRefusal::TooManyLines);
            }
            // Sums of several kinds could each fit and not their whole.
            sums.subtotal(has)?;
            cart.next_place = cart.next_place.max(line.place + 1);
        }
        cart.sums = sums;
        self.lines.insert(sku.clone(), after);
        Ok(())
    }
}

impl LineChange {
    /// What becomes of a line.
    fn apply(
        &self,
        before: Option<&CartLine>,
        place: i64,
        at: Micros,
    ) -> Result<Option<CartLine>, LineRefusal> {
        let there = || before.cloned().ok_or(LineRefusal::NoSuchLine);
        let after = match self {
            Self::Remove { .. } => {
                there()?;
                return Ok(None);
            }
            Self::Note { note, .. } => CartLine { note: note.clone(), ..there()? },
            Self::See { offer } => {
                let line = there()?;
                let quantity = offer.quantity_of(&line).ok_or(LineRefusal::Uneven)?;
                CartLine { priced: offer.priced(quantity)?, band: offer.band, ..line }
            }
            Self::Set { offer, quantity } => offer.resized(&there()?, *quantity)?,
            Self::Add { offer, quantity, note } => match before {
                None => CartLine {
                    sku: offer.sku.clone(),
                    product: offer.product,
                    place,
                    priced: offer.priced(*quantity)?,
                    band: offer.band,
                    note: note.clone(),
                    added_at: at,
                    updated_at: at,
                },
                Some(line) => {
                    let there = offer.quantity_of(line).ok_or(LineRefusal::Uneven)?;
                    let line = offer.resized(line, together(there, *quantity, offer.precision)?)?;
                    let note = note.clone().or_else(|| line.note.clone());
                    CartLine { note, ..line }
                }
            },
        };
        let same = before == Some(&after);
        Ok(Some(if same { after } else { CartLine { updated_at: at, ..after } }))
    }
}

impl Offer {
    /// The line with another quantity. Its price follows the quantity, unless something has
    /// changed that the buyer hasn't seen: that stays to be shown.
    fn resized(&self, line: &CartLine, quantity: Quantity) -> Result<CartLine, LineRefusal> {
        let now = self.priced(quantity)?;
        let priced = if self.is_seen(line) {
            now
        } else {
            let (price, category) = (*line.priced.price(), line.priced.tax_category().clone());
            PricedLine::new(quantity, self.precision, price, category)?
        };
        Ok(CartLine { priced, product: self.product, ..line.clone() })
    }
}

/// A line of another cart, put to what is there. What the buyer last saw here counts.
fn merged(
    there: Option<&CartLine>,
    line: &CartLine,
    place: i64,
    at: Micros,
) -> Result<CartLine, LineRefusal> {
    let Some(there) = there else {
        return Ok(CartLine { place, updated_at: at, ..line.clone() });
    };
    let precision = there.priced.precision();
    let more = in_precision(line.priced.quantity(), line.priced.precision(), precision);
    let more = more.ok_or(LineRefusal::Uneven)?;
    let priced = repriced(there, together(there.priced.quantity(), more, precision)?)?;
    let note = there.note.clone().or_else(|| line.note.clone());
    Ok(CartLine { priced, note, updated_at: at, ..there.clone() })
}

/// As many as a line may hold.
fn filled(line: &CartLine, at: Micros) -> Result<CartLine, LineRefusal> {
    let most = Quantity::of_units(Quantity::MOST_UNITS, line.priced.precision())?;
    Ok(CartLine { priced: repriced(line, most)?, updated_at: at, ..line.clone() })
}

/// At the price the buyer last saw.
fn repriced(line: &CartLine, quantity: Quantity) -> Result<PricedLine, LineRefusal> {
    let (price, category) = (*line.priced.price(), line.priced.tax_category().clone());
    Ok(PricedLine::new(quantity, line.priced.precision(), price, category)?)
}

fn new_cart(owner: CartOwner, id: CartId, kind: CartKind, at: Micros) -> Cart {
    Cart {
        id,
        owner,
        kind,
        state: CartState::Open,
        name: kind.name().to_owned(),
        note: None,
        version: 1,
        sums: CartSums::default(),
        next_place: 1,
        created_at: at,
        updated_at: at,
    }
}

fn edited(cart: Cart) -> Edited {
    Edited { cart, lines: Vec::new(), gone: Vec::new(), left_out: Vec::new() }
}

#[cfg(test)]
mod tests;
