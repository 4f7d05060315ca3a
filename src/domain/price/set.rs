//! The price lists that count for a buyer at a moment, in their order.

use super::{Assignment, Buyer, PriceList};
use crate::domain::{id::PriceListId, money::Currency, tax::TaxMode, time::Micros};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{cmp::Reverse, fmt};

/// Everything that decides which entries count. Buyers with equal sets see equal prices, so the
/// set's hash, and no buyer, stands in the key of a cached page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceSet {
    pub currency: Currency,
    /// Whether products' own prices contain their tax.
    pub base_tax: TaxMode,
    /// The first that has a price wins.
    lists: Vec<(PriceListId, TaxMode)>,
}

/// Names a [`PriceSet`] in a cache's key: half of a SHA-256, stable across processes and versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PriceSetHash(pub [u8; 16]);

impl fmt::Display for PriceSetHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl PriceSet {
    /// No lists: products' own prices.
    pub fn base(currency: Currency, base_tax: TaxMode) -> Self {
        Self { currency, base_tax, lists: Vec::new() }
    }

    /// The lists of the currency that hold now and are for the buyer: those for the customer,
    /// then for its group, then for the site; within each by priority, and by id where that is
    /// equal. A list that is assigned twice counts where it is closest.
    pub fn resolve(
        buyer: &Buyer,
        currency: Currency,
        base_tax: TaxMode,
        lists: &[PriceList],
        assignments: &[Assignment],
        now: Micros,
    ) -> Self {
        let mut found: Vec<_> = lists
            .iter()
            .filter(|list| list.currency == currency && list.counts_at(now))
            .filter_map(|list| {
                let closest = assignments
                    .iter()
                    .filter(|one| one.list == list.id && buyer.is_meant_by(&one.audience))
                    .map(|one| &one.audience)
                    .min()?;
                Some((closest, Reverse(list.priority), list.id, list.tax))
            })
            .collect();
        found.sort();
        let lists = found.into_iter().map(|(_, _, id, tax)| (id, tax)).collect();
        Self { currency, base_tax, lists }
    }

    /// The first wins.
    pub fn lists(&self) -> impl ExactSizeIterator<Item = PriceListId> {
        self.lists.iter().map(|(id, _)| *id)
    }

    /// A list's rank, 0 for the first, and its tax mode; `None` when it doesn't count.
    pub(super) fn rank(&self, list: PriceListId) -> Option<(usize, TaxMode)> {
        let rank = self.lists.iter().position(|(id, _)| *id == list)?;
        Some((rank, self.lists[rank].1))
    }

    pub fn hash(&self) -> PriceSetHash {
        let mode = |tax| match tax {
            TaxMode::Exclusive => [0u8],
            TaxMode::Inclusive => [1u8],
        };
        let mut digest = Sha256::new();
        digest.update(b"stoa price set 1\0");
        digest.update(self.currency.code());
        digest.update(mode(self.base_tax));
        for (id, tax) in &self.lists {
            digest.update(id.0.as_bytes());
            digest.update(mode(*tax));
        }
        let mut half = [0; 16];
        half.copy_from_slice(&digest.finalize()[..16]);
        PriceSetHash(half)
    }
}
