//! The most popular products with a word: all that a suggestion for a single word is.
//!
//! A letter or two stand at the beginning of a word in half of the catalogue. So nothing is
//! gathered, scored or sorted: the word's lists are read once, and a product that isn't more
//! popular than the last of those in hand is passed over at the first look.

use super::{
    error::Failure,
    matching,
    plan::Word,
    view::{Segment, View},
};
use crate::domain::{id::ProductId, scope::Scope};
use std::{cmp::Reverse, collections::BinaryHeap};
use tantivy::DocId;

/// Higher is better; as lists by popularity have it.
type Rank = (i64, Reverse<u128>);

struct Best {
    keep: usize,
    /// The worst on top.
    ranks: BinaryHeap<Reverse<Rank>>,
}

impl View {
    /// The first `keep` products of the scope that hold the word, most popular first.
    pub(super) fn most_popular(
        &self,
        scope: &Scope,
        word: &Word,
        keep: usize,
    ) -> Result<Vec<ProductId>, Failure> {
        let mut best = Best { keep, ranks: BinaryHeap::new() };
        for (segment, lists) in self.segments.iter().zip(&word.lists) {
            let Some(scope) = segment.rows.scope(scope) else { continue };
            matching::each(segment, lists, |doc| best.offer(segment, scope, doc))?;
        }
        let ranks = best.ranks.into_sorted_vec();
        let product = |Reverse((_, Reverse(id))): &Reverse<Rank>| uuid::Uuid::from_u128(*id);
        Ok(ranks.iter().map(product).map(ProductId).collect())
    }
}

impl Best {
    /// May be offered the same product again: a word has several lists.
    fn offer(&mut self, segment: &Segment, scope: u16, doc: DocId) {
        let cold = &segment.rows.cold[doc as usize];
        let rank = Reverse((cold.popularity, Reverse(cold.id)));
        let full = self.ranks.len() >= self.keep;
        if full && self.ranks.peek().is_none_or(|worst| rank >= *worst) {
            return;
        }
        let there = segment.rows.hot[doc as usize].scope == scope && segment.is_alive(doc);
        if !there || self.ranks.iter().any(|known| *known == rank) {
            return;
        }
        if full {
            self.ranks.pop();
        }
        self.ranks.push(rank);
    }
}
