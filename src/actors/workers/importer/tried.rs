//! What a dry run remembers of the rows it has tried.
//!
//! Each batch is taken back, so the database can't tell the next one which SKUs came before: one
//! that stands in two batches would be created twice. About 50 bytes a row are kept for it, which
//! only a dry run pays. A run that goes on reads what was done once more.

use super::rows::ReadRow;
use crate::domain::{catalog_batch::ContentHash, product::ProductDraft, scope::Scope, sku::Sku};
use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
};

pub(super) struct Tried {
    scope: Scope,
    keys: RandomState,
    /// By a hash of the SKU; two that fall together would cost one wrong count.
    last: HashMap<u64, ContentHash>,
}

impl Tried {
    pub(super) fn new(scope: Scope) -> Self {
        Self { scope, keys: RandomState::new(), last: HashMap::new() }
    }

    pub(super) fn note(&mut self, row: &ReadRow) {
        if let Ok(draft) = &row.draft {
            let key = self.keys.hash_one(&draft.sku);
            self.last.insert(key, ContentHash::of(&self.scope, draft));
        }
    }

    /// What those of these products that came before were made into.
    pub(super) fn of(&self, products: &[ProductDraft]) -> Vec<(Sku, ContentHash)> {
        let before = |draft: &ProductDraft| {
            let hash = self.last.get(&self.keys.hash_one(&draft.sku))?;
            Some((draft.sku.clone(), *hash))
        };
        products.iter().filter_map(before).collect()
    }
}
