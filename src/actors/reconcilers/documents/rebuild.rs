//! All documents anew from the database, while the old ones can still be read.

use super::{Applying, Batch, Follower, limit, store_fault};
use crate::domain::category::{Category, CategoryTree};
use std::collections::{BTreeSet, HashMap};
use supervisors::{Context, Fault, Next};

impl Follower {
    /// Walks all products by id, puts each and drops what lies between them in the store. The log
    /// goes on meanwhile: the position that is set at the end is the log's head before the
    /// beginning, so whatever changed since is followed.
    pub(super) async fn rebuild(
        &self,
        applying: &mut Applying,
        ctx: &Context,
    ) -> Result<Next, Fault> {
        let parts = &*self.parts;
        // First of all: a rebuild that dies half-way must not leave a position that looks fine.
        applying.forget_position().await?;
        let head = parts.outbox.head().await.map_err(store_fault)?;
        tracing::info!(outbox.head = head.offset, "local documents are built anew");
        let (mut behind, mut built) = (None, 0);
        loop {
            let ids = parts.catalog.product_ids(&parts.scope, behind, limit(parts.batch)).await;
            let ids = ids.map_err(store_fault)?;
            let mut found = Vec::new();
            if !ids.is_empty() {
                found = parts.catalog.documents(&parts.scope, &ids).await.map_err(store_fault)?;
                // Their relatives come in their own turn.
                let asked: BTreeSet<_> = ids.iter().copied().collect();
                found.retain(|document| asked.contains(&document.id));
            }
            built += found.len();
            let last = ids.last().copied();
            let whole = Some((behind, last));
            applying.start(Batch { found, whole, ..Batch::default() }).await?;
            if last.is_none() {
                break;
            }
            if ctx.stopping() {
                return Ok(Next::Idle);
            }
            behind = last;
        }
        let categories = parts.catalog.categories(&parts.scope).await.map_err(store_fault)?;
        let (categories, position) = (Some(categories), Some(head));
        applying.start(Batch { categories, position, ..Batch::default() }).await?;
        applying.finish().await?;
        tracing::info!(documents.count = built, "local documents are built");
        Ok(Next::Again)
    }
}

/// Whether products' documents, which carry their category with its way from the root, are out of
/// date: a category that was there has another name, address or place, or is gone.
pub(super) fn touches_products(old: &CategoryTree, new: &CategoryTree) -> bool {
    let shown = |c: &Category| (c.slug.clone(), c.name.clone(), c.parent);
    let new: HashMap<_, _> = new.all().iter().map(|c| (c.id, shown(c))).collect();
    old.all().iter().any(|c| new.get(&c.id) != Some(&shown(c)))
}
