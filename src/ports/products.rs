//! Products one at a time, as people look for them and change them; whole files go by imports.

use super::writer::{ProductBatch, Written};
use crate::domain::{
    audit::Change,
    id::ProductId,
    product::{ProductDraft, ProductStatus},
    scope::Scope,
    time::Micros,
};

/// A product as it stands, without its stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDraft {
    pub id: ProductId,
    pub draft: ProductDraft,
    /// Rises with each change, by whomever.
    pub version: i64,
}

/// A product as somebody wants it.
#[derive(Debug, Clone)]
pub struct ProductWrite {
    pub scope: Scope,
    /// The whole of it. Its stock stays as it is, whatever this says.
    pub draft: ProductDraft,
    /// What it is to replace; `None`: nothing, it is new.
    pub before: Option<StoredDraft>,
    /// Who, as the audit log names them.
    pub by: String,
    pub at: Micros,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProductWritten {
    /// It is this version now.
    Put(i64),
    /// It is another version, this one; nothing was changed.
    Stale(i64),
    /// There is a product with this SKU already; nothing was changed.
    Taken,
}

impl ProductWrite {
    /// Why nothing may be written where the product is of this version now (`None`: it isn't
    /// there).
    pub fn refused(&self, now: Option<i64>) -> Option<Written> {
        match (&self.before, now) {
            (None, None) => None,
            (None, Some(_)) => Some(Written::Product(ProductWritten::Taken)),
            (Some(_), None) => Some(Written::Absent),
            (Some(before), Some(now)) if before.version == now => None,
            (Some(_), Some(now)) => Some(Written::Product(ProductWritten::Stale(now))),
        }
    }

    /// What is written, at a time behind that of the version before.
    pub fn batch(&self) -> ProductBatch {
        let behind = self.before.as_ref().map_or(i64::MIN, |before| before.version + 1);
        ProductBatch {
            scope: self.scope.clone(),
            products: vec![ProductDraft { stock: None, ..self.draft.clone() }],
            checkpoint: None,
            supposed: Vec::new(),
            dry_run: false,
            at: Micros(self.at.0.max(behind)),
        }
    }

    /// For the audit log.
    pub fn told(&self) -> Change {
        let action = if self.before.is_some() { "product.change" } else { "product.make" };
        let subject = format!("product:{}", self.draft.sku);
        let before = self.before.as_ref().map(|before| &before.draft);
        Change::new(self.at, &self.by, action, subject, before, Some(&self.draft))
    }
}

/// Which products of a list: those that fit all that is given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProductFilter {
    /// Part of a SKU, a name or a brand.
    pub text: String,
    pub status: Option<ProductStatus>,
}
