//! Whoever keeps what was made of documents, such as finished pages, and must not keep it longer.

use crate::domain::id::ProductId;

pub trait Invalidate: Send + Sync {
    /// These changed; readers get the new documents already. With each the slug it has or had.
    fn products(&self, changed: &[(ProductId, String)]);
    /// Anything may have changed: the category tree, or all of it after a rebuild.
    fn everything(&self);
}

/// For a process that keeps nothing.
#[derive(Debug)]
pub struct Nobody;

impl Invalidate for Nobody {
    fn products(&self, _: &[(ProductId, String)]) {}
    fn everything(&self) {}
}
