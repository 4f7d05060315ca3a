//! The newest product given to an index, by scope.
//!
//! Ids rise with time, so most of an import lies behind every id that was there before it and
//! can't be in the index yet.

use super::{schema::scope_key, view::View};
use crate::domain::{id::ProductId, scope::Scope};
use std::collections::HashMap;
use uuid::Uuid;

#[derive(Debug, Default)]
pub(super) struct Newest(HashMap<String, ProductId>);

/// That of one scope.
pub(super) struct NewestOf<'a>(&'a mut ProductId);

impl Newest {
    /// Of all that is in a view, what is deleted in it included.
    pub(super) fn of(view: &View) -> Self {
        let mut newest = Self::default();
        for segment in &view.segments {
            let rows = &segment.rows;
            for (scope, number) in rows.scopes() {
                let of_scope =
                    rows.hot.iter().zip(&rows.cold).filter(|(hot, _)| hot.scope == *number);
                let Some(id) = of_scope.map(|(_, cold)| cold.product()).max() else { continue };
                let known = newest.entry(scope.clone());
                *known = id.max(*known);
            }
        }
        newest
    }

    pub(super) fn of_scope(&mut self, scope: &Scope) -> NewestOf<'_> {
        NewestOf(self.entry(scope_key(scope)))
    }

    fn entry(&mut self, scope: String) -> &mut ProductId {
        self.0.entry(scope).or_insert(ProductId(Uuid::nil()))
    }
}

impl NewestOf<'_> {
    /// Whether `id` lies behind all before it; then it is the newest from now on.
    pub(super) fn is_passed_by(&mut self, id: ProductId) -> bool {
        let passed = id > *self.0;
        if passed {
            *self.0 = id;
        }
        passed
    }
}
