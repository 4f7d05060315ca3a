//! One whole state of the index, as questions see it.
//!
//! A view never changes; a commit or swap makes a new one and questions under way keep theirs.

use super::{
    browse::Lists,
    error::Failure,
    rows::{NONE, Rows},
    schema::{Fields, scope_key},
    words::Analyzer,
};
use crate::domain::scope::Scope;
use std::{collections::HashMap, sync::Arc};
use tantivy::{
    DocId, Searcher, fastfield::AliveBitSet, index::InvertedIndexReader, index::SegmentId,
};

pub(super) struct View {
    pub(super) searcher: Searcher,
    pub(super) fields: Fields,
    pub(super) segments: Vec<Segment>,
    pub(super) brands: Brands,
    pub(super) lists: Arc<Lists>,
    pub(super) generation: u64,
    /// Products that can be found, of all scopes.
    pub(super) count: u64,
}

pub(super) struct Segment {
    id: SegmentId,
    pub(super) rows: Arc<Rows>,
    pub(super) words: Arc<InvertedIndexReader>,
    pub(super) starts: Arc<InvertedIndexReader>,
    /// From the segment's brand to the view's.
    pub(super) brands: Vec<u32>,
    pub(super) alive: Option<AliveBitSet>,
}

/// All brands of the view's segments.
#[derive(Default)]
pub(super) struct Brands {
    pub(super) names: Vec<Arc<str>>,
    by_name: HashMap<Arc<str>, u32>,
    /// By scope: folded words of the name, brand, products; most products first.
    suggested: HashMap<String, Vec<(String, u32, u64)>>,
}

impl View {
    /// Looks at what is committed; columns of segments that `before` had are taken from it.
    pub(super) fn build(
        searcher: Searcher,
        fields: Fields,
        generation: u64,
        before: Option<&Self>,
    ) -> Result<Self, Failure> {
        let mut segments = Vec::new();
        let mut brands = Brands::default();
        for reader in searcher.segment_readers() {
            let known =
                before.and_then(|v| v.segments.iter().find(|s| s.id == reader.segment_id()));
            let rows = match known {
                Some(segment) => Arc::clone(&segment.rows),
                None => Arc::new(Rows::load(reader)?),
            };
            segments.push(Segment {
                id: reader.segment_id(),
                words: reader.inverted_index(fields.words)?,
                starts: reader.inverted_index(fields.starts)?,
                brands: rows.brands.iter().map(|name| brands.number(name)).collect(),
                alive: reader.alive_bitset().cloned(),
                rows,
            });
        }
        brands.count(&segments);
        let count = searcher.num_docs();
        let lists = Arc::default();
        Ok(Self { searcher, fields, segments, brands, lists, generation, count })
    }

    /// Shows the same products as `other` in other segments: what is known of its lists stays true.
    pub(super) fn merged_from(self, other: &Self) -> Self {
        Self { lists: Arc::clone(&other.lists), ..self }
    }
}

impl Segment {
    pub(super) fn is_alive(&self, doc: DocId) -> bool {
        self.alive.as_ref().is_none_or(|alive| alive.is_alive(doc))
    }
}

impl Brands {
    fn number(&mut self, name: &Arc<str>) -> u32 {
        if let Some(number) = self.by_name.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(NONE);
        self.names.push(Arc::clone(name));
        self.by_name.insert(Arc::clone(name), number);
        number
    }

    pub(super) fn find(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    /// Brands of which a word begins so, and whose other words are all typed; most products first.
    pub(super) fn beginning(&self, scope: &Scope, typed: &str, limit: usize) -> Vec<String> {
        let brands = self.suggested.get(&scope_key(scope)).map_or(&[][..], Vec::as_slice);
        let mut folded = String::new();
        Analyzer::new().words(typed, |_, word| {
            folded.push(' ');
            folded.push_str(word);
        });
        if folded.is_empty() {
            return Vec::new();
        }
        brands
            .iter()
            .filter(|(words, ..)| words.contains(&folded))
            .take(limit)
            .map(|(_, brand, _)| self.names[*brand as usize].to_string())
            .collect()
    }

    fn count(&mut self, segments: &[Segment]) {
        let mut analyzer = Analyzer::new();
        let mut counts: HashMap<String, Vec<u64>> = HashMap::new();
        for segment in segments {
            for (scope, number) in segment.rows.scopes() {
                let counts = counts.entry(scope.clone()).or_default();
                counts.resize(self.names.len(), 0);
                for (doc, row) in (0..).zip(&segment.rows.hot) {
                    if row.scope == *number && row.brand != NONE && segment.is_alive(doc) {
                        counts[segment.brands[row.brand as usize] as usize] += 1;
                    }
                }
            }
        }
        for (scope, counts) in counts {
            let mut brands: Vec<(String, u32, u64)> = Vec::new();
            for (number, count) in (0..).zip(counts) {
                if count > 0 {
                    let mut words = String::new();
                    analyzer.words(&self.names[number as usize], |_, word| {
                        words.push(' ');
                        words.push_str(word);
                    });
                    brands.push((words, number, count));
                }
            }
            brands.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
            self.suggested.insert(scope, brands);
        }
    }
}
