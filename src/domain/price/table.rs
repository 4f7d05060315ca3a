//! What lists say of products, in memory and as it is edited.

use super::{PriceEntry, PriceSet};
use crate::domain::{
    id::{PriceListId, ProductId},
    quantity::Quantity,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Which entry of a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PriceKey {
    pub product: ProductId,
    pub unit: String,
    pub min_quantity: Quantity,
}

impl From<&PriceEntry> for PriceKey {
    fn from(entry: &PriceEntry) -> Self {
        let PriceEntry { list: _, product, unit, min_quantity, amount: _ } = entry;
        Self { product: *product, unit: unit.clone(), min_quantity: *min_quantity }
    }
}

/// All entries of all lists, by product: what a buyer pays is found without asking a database.
///
/// An entry takes about 40 bytes here and a product some 60 more, so that
/// [`PriceTable::MOST_ENTRIES`] are at most 100 MB.
#[derive(Debug, Default)]
pub struct PriceTable {
    products: HashMap<ProductId, Box<[Kept]>>,
    /// Few are in use, and each would be a piece of the heap with every entry.
    units: Vec<String>,
    entries: usize,
}

#[derive(Debug, Clone, Copy)]
struct Kept {
    list: PriceListId,
    unit: u32,
    min_quantity: Quantity,
    amount: i64,
}

impl PriceTable {
    /// Of a shop, in all its lists. A writer refuses what would be more.
    pub const MOST_ENTRIES: u64 = 1_000_000;

    pub fn new() -> Self {
        Self::default()
    }

    pub fn entries(&self) -> usize {
        self.entries
    }

    /// Takes what is known of these products in place of what was; of those without entries,
    /// nothing is known.
    pub fn replace(&mut self, products: &[ProductId], entries: &[PriceEntry]) {
        let mut found: HashMap<ProductId, Vec<Kept>> = HashMap::new();
        for entry in entries {
            let PriceEntry { list, product, unit, min_quantity, amount } = entry;
            let unit = self.unit(unit);
            let kept = Kept { list: *list, unit, min_quantity: *min_quantity, amount: *amount };
            found.entry(*product).or_default().push(kept);
        }
        for product in products {
            if let Some(gone) = self.products.remove(product) {
                self.entries -= gone.len();
            }
        }
        for (product, kept) in found {
            self.entries += kept.len();
            if let Some(gone) = self.products.insert(product, kept.into()) {
                self.entries -= gone.len();
            }
        }
    }

    /// Adds what follows what was added so far, by product: how it is filled.
    pub fn extend(&mut self, entries: &[PriceEntry]) {
        for one in entries.chunk_by(|a, b| a.product == b.product) {
            let Some(product) = one.first().map(|entry| entry.product) else { continue };
            let known = self.of(product, |_| true);
            let all: Vec<_> = known.iter().chain(one).cloned().collect();
            self.replace(&[product], &all);
        }
    }

    /// Which lists say something.
    pub fn lists(&self) -> BTreeSet<PriceListId> {
        self.products.values().flatten().map(|kept| kept.list).collect()
    }

    /// Forgets what lists that are not there any more said. Looks at every product.
    pub fn forget(&mut self, gone: &BTreeSet<PriceListId>) {
        for kept in self.products.values_mut() {
            if kept.iter().any(|one| gone.contains(&one.list)) {
                *kept = kept.iter().filter(|one| !gone.contains(&one.list)).copied().collect();
            }
        }
        self.products.retain(|_, kept| !kept.is_empty());
        self.entries = self.products.values().map(|kept| kept.len()).sum();
    }

    /// What the lists of a set say of a product.
    pub fn for_set(&self, product: ProductId, set: &PriceSet) -> Vec<PriceEntry> {
        self.of(product, |list| set.rank(list).is_some())
    }

    fn of(&self, product: ProductId, wanted: impl Fn(PriceListId) -> bool) -> Vec<PriceEntry> {
        let kept = self.products.get(&product).map(|kept| &**kept).unwrap_or_default();
        let entry = |kept: &Kept| PriceEntry {
            list: kept.list,
            product,
            unit: self.units.get(kept.unit as usize).cloned().unwrap_or_default(),
            min_quantity: kept.min_quantity,
            amount: kept.amount,
        };
        kept.iter().filter(|kept| wanted(kept.list)).map(entry).collect()
    }

    fn unit(&mut self, unit: &str) -> u32 {
        let place = self.units.iter().position(|known| known == unit).unwrap_or_else(|| {
            self.units.push(unit.to_owned());
            self.units.len() - 1
        });
        // More units than fit a number would be more text than fits a machine.
        u32::try_from(place).unwrap_or(u32::MAX)
    }
}

/// What somebody wants of a list's entries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PriceEdit {
    /// Of one key given twice the later holds.
    pub put: Vec<PriceEntry>,
    /// One that isn't there is none to drop.
    pub drop: Vec<PriceKey>,
    /// What whoever edits was shown of entries; `None`: that there is none. If one of them is
    /// otherwise by now nothing is written.
    pub seen: Vec<(PriceKey, Option<i64>)>,
}

/// What has to be written for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PricePlan {
    pub put: Vec<PriceEntry>,
    pub drop: Vec<PriceKey>,
    /// Of `put`, how many were not there.
    pub added: u64,
    /// What was there of those that change.
    pub before: Vec<PriceEntry>,
}

impl PriceEdit {
    /// Entries put or dropped at once.
    pub const MOST: usize = 500;

    pub fn products(&self) -> BTreeSet<ProductId> {
        let put = self.put.iter().map(|entry| entry.product);
        let keys = self.drop.iter().chain(self.seen.iter().map(|(key, _)| key));
        put.chain(keys.map(|key| key.product)).collect()
    }

    /// `known` is what the list says of [`Self::products`]. What is already so is not written.
    /// `None`: something is otherwise than it was seen.
    pub fn plan(&self, known: Vec<PriceEntry>) -> Option<PricePlan> {
        let known: BTreeMap<PriceKey, PriceEntry> =
            known.into_iter().map(|entry| (PriceKey::from(&entry), entry)).collect();
        let is_so = |(key, amount): &(PriceKey, Option<i64>)| {
            known.get(key).map(|entry| entry.amount) == *amount
        };
        if !self.seen.iter().all(is_so) {
            return None;
        }
        let mut wanted: BTreeMap<PriceKey, Option<&PriceEntry>> =
            self.drop.iter().map(|key| (key.clone(), None)).collect();
        wanted.extend(self.put.iter().map(|entry| (PriceKey::from(entry), Some(entry))));
        let mut plan = PricePlan::default();
        for (key, entry) in wanted {
            let before = known.get(&key);
            match entry {
                Some(entry) if before.is_some_and(|before| before.amount == entry.amount) => {
                    continue;
                }
                None if before.is_none() => continue,
                Some(entry) => {
                    plan.added += u64::from(before.is_none());
                    plan.put.push(entry.clone());
                }
                None => plan.drop.push(key),
            }
            plan.before.extend(before.cloned());
        }
        Some(plan)
    }
}

impl PricePlan {
    pub fn is_nothing(&self) -> bool {
        self.put.is_empty() && self.drop.is_empty()
    }

    /// Whose prices change.
    pub fn products(&self) -> BTreeSet<ProductId> {
        let put = self.put.iter().map(|entry| entry.product);
        put.chain(self.drop.iter().map(|key| key.product)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};
    use uuid::Uuid;

    fn entry((list, product, unit, from, amount): (u8, u8, u8, i64, i64)) -> PriceEntry {
        PriceEntry {
            list: PriceListId(Uuid::from_u128(list.into())),
            product: ProductId(Uuid::from_u128(product.into())),
            unit: format!("u{unit}"),
            min_quantity: Quantity::of_steps(from).unwrap(),
            amount,
        }
    }

    fn entries(lists: std::ops::Range<u8>) -> impl Strategy<Value = Vec<PriceEntry>> {
        vec((lists, 0u8..4, 0u8..2, 1i64..4, 0i64..3).prop_map(entry), 0..12)
    }

    type Content = BTreeMap<(PriceListId, PriceKey), i64>;

    fn content(all: &[PriceEntry]) -> Content {
        all.iter().map(|e| ((e.list, e.into()), e.amount)).collect()
    }

    fn listed(content: Content) -> Vec<PriceEntry> {
        let entry = |((list, key), amount)| {
            let PriceKey { product, unit, min_quantity } = key;
            PriceEntry { list, product, unit, min_quantity, amount }
        };
        content.into_iter().map(entry).collect()
    }

    fn all(table: &PriceTable) -> Content {
        let products = table.products.keys();
        content(&products.flat_map(|product| table.of(*product, |_| true)).collect::<Vec<_>>())
    }

    proptest! {
        #[test]
        fn a_plan_makes_what_was_wanted_and_nothing_twice(
            before in entries(1..2), put in entries(1..2), dropped in entries(1..2),
        ) {
            let drop = dropped.iter().map(PriceKey::from).collect();
            let edit = PriceEdit { put, drop, seen: Vec::new() };
            let known = listed(content(&before));
            let plan = edit.plan(known.clone()).unwrap();
            let mut after = content(&known);
            for key in &plan.drop {
                let list = PriceListId(Uuid::from_u128(1));
                prop_assert!(after.remove(&(list, key.clone())).is_some());
            }
            after.extend(content(&plan.put));
            let mut wanted = content(&known);
            wanted.retain(|(_, key), _| !edit.drop.contains(key));
            wanted.extend(content(&edit.put));
            prop_assert_eq!(&after, &wanted);
            prop_assert_eq!(known.len() + plan.added as usize - plan.drop.len(), after.len());
            let now = listed(after);
            prop_assert!(edit.plan(now).unwrap().is_nothing());
        }

        #[test]
        fn an_edit_of_what_is_otherwise_than_it_was_seen_is_none(
            before in entries(1..2), now in entries(1..2), put in entries(1..2),
        ) {
            let (before, now) = (content(&before), content(&now));
            let keys = put.iter().map(PriceKey::from);
            let list = PriceListId(Uuid::from_u128(1));
            let of = |content: &Content, key| content.get(&(list, key)).copied();
            let seen: Vec<_> = keys.map(|key| (key.clone(), of(&before, key))).collect();
            let as_seen = seen.iter().all(|(key, amount)| of(&now, key.clone()) == *amount);
            let edit = PriceEdit { put, drop: Vec::new(), seen };
            prop_assert_eq!(edit.plan(listed(now)).is_some(), as_seen);
        }

        #[test]
        fn a_table_holds_what_it_was_filled_with_and_what_replaced_it(
            first in entries(1..4), then in entries(1..4), of in vec(0u8..4, 0..3),
        ) {
            let mut sorted = listed(content(&first));
            sorted.sort_by_key(|entry| entry.product);
            let mut table = PriceTable::new();
            for page in sorted.chunks(3) {
                table.extend(page);
            }
            prop_assert_eq!(all(&table), content(&first));
            let of: BTreeSet<_> =
                of.into_iter().map(|n| ProductId(Uuid::from_u128(n.into()))).collect();
            let then: Vec<_> = then.into_iter().filter(|e| of.contains(&e.product)).collect();
            let mut wanted = content(&first);
            wanted.retain(|(_, key), _| !of.contains(&key.product));
            wanted.extend(content(&then));
            let unique = listed(content(&then));
            table.replace(&of.into_iter().collect::<Vec<_>>(), &unique);
            prop_assert_eq!(table.entries(), wanted.len());
            prop_assert_eq!(all(&table), wanted.clone());
            let gone = BTreeSet::from([PriceListId(Uuid::from_u128(1))]);
            table.forget(&gone);
            wanted.retain(|(list, _), _| !gone.contains(list));
            prop_assert_eq!(table.entries(), wanted.len());
            prop_assert!(table.lists().is_disjoint(&gone));
            prop_assert_eq!(all(&table), wanted);
        }
    }
}
