//! Filters, counts and the best hits, in one pass over what the words matched.
//!
//! A product that fails no filter is a hit and counts in every facet; one that fails a single
//! filter counts in that filter's own facet only, which is what leaving out a facet's own filter
//! means; one that fails two counts nowhere.

use super::{
    error::Failure,
    rows::{Cold, Hot, NO_PRICE, NONE},
    view::{Segment, View},
};
use crate::domain::{
    id::CategoryId,
    search::{Facets, PRICE_BOUNDS, PriceBucket, SearchQuery, Sort},
};
use std::{
    cmp::{Ordering, Reverse},
    collections::{BTreeMap, BinaryHeap},
};
use tantivy::DocId;

/// Brands that are listed in a facet.
const MOST_BRANDS: usize = 50;

const FAILS_CATEGORY: u8 = 1;
const FAILS_BRAND: u8 = 2;
const FAILS_PRICE: u8 = 4;
const FAILS_STOCK: u8 = 8;

/// Higher is better; the id makes the order total and the same on every node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    first: u64,
    second: u64,
    id: Reverse<u128>,
}

/// A hit on its way to the page.
#[derive(Debug, Clone)]
pub(super) struct Found {
    rank: Rank,
    /// Only when sorted by name: ranks by name hold within one segment alone.
    name: String,
    pub(super) segment: usize,
    pub(super) doc: DocId,
}

pub(super) struct Collector<'a> {
    view: &'a View,
    query: &'a SearchQuery,
    /// Wanted brands by the view's numbers; unknown ones match nothing.
    brands: Vec<u32>,
    /// Whether scores order the hits.
    scored: bool,
    keep: usize,
    found: Vec<Found>,
    pub(super) total: u64,
    facets: Counts,
}

#[derive(Default)]
struct Counts {
    categories: BTreeMap<CategoryId, u64>,
    /// By the view's numbers.
    brands: Vec<u64>,
    prices: [u64; PRICE_BOUNDS.len()],
    without_price: u64,
    in_stock: u64,
}

impl<'a> Collector<'a> {
    pub(super) fn new(view: &'a View, query: &'a SearchQuery, scored: bool, keep: usize) -> Self {
        let brands = query.brands.iter().filter_map(|name| view.brands.find(name)).collect();
        let mut facets = Counts::default();
        if query.facets {
            facets.brands = vec![0; view.brands.names.len()];
        }
        Self { view, query, brands, scored, keep, found: Vec::new(), total: 0, facets }
    }

    /// Takes a segment's matches, by number, of the right scope and not deleted.
    pub(super) fn segment(
        &mut self,
        number: usize,
        matches: impl Iterator<Item = (DocId, f32)>,
    ) -> Result<(), Failure> {
        let segment = &self.view.segments[number];
        let filter = Filter::new(self, segment);
        let mut brands = vec![0u64; segment.rows.brands.len()];
        let mut paths = vec![0u64; segment.rows.paths.len()];
        let mut best: BinaryHeap<Reverse<(Rank, DocId)>> = BinaryHeap::new();
        for (doc, score) in matches {
            let row = &segment.rows.hot[doc as usize];
            let fails = filter.fails(row);
            if fails == 0 {
                self.total += 1;
                self.rank(&mut best, &segment.rows.cold[doc as usize], row, doc, score);
            }
            if !self.query.facets {
                continue;
            }
            if fails & !FAILS_CATEGORY == 0 && row.path != NONE {
                paths[row.path as usize] += 1;
            }
            if fails & !FAILS_BRAND == 0 && row.brand != NONE {
                brands[row.brand as usize] += 1;
            }
            if fails & !FAILS_PRICE == 0 {
                if row.price == NO_PRICE {
                    self.facets.without_price += 1;
                } else {
                    self.facets.prices[bucket(row.price)] += 1;
                }
            }
            if fails & !FAILS_STOCK == 0 && row.in_stock {
                self.facets.in_stock += 1;
            }
        }
        self.fold(segment, &brands, &paths);
        for Reverse((rank, doc)) in best {
            let name = match self.query.sort {
                Sort::Name => segment.rows.name(segment.rows.cold[doc as usize].name)?,
                _ => String::new(),
            };
            self.found.push(Found { rank, name, segment: number, doc });
        }
        Ok(())
    }

    fn rank(
        &self,
        best: &mut BinaryHeap<Reverse<(Rank, DocId)>>,
        cold: &Cold,
        row: &Hot,
        doc: DocId,
        score: f32,
    ) {
        if self.keep == 0 {
            return;
        }
        let first = match self.query.sort {
            Sort::Relevance if self.scored => u64::from((score * row.boost).to_bits()),
            Sort::Relevance | Sort::Popularity => rising(cold.popularity),
            Sort::PriceAscending if row.price == NO_PRICE => 0,
            Sort::PriceAscending => u64::MAX - rising(row.price),
            Sort::PriceDescending => rising(row.price),
            Sort::Name => u64::from(u32::MAX - cold.name),
            Sort::Newest => rising(cold.created),
        };
        let rank = Rank { first, second: rising(cold.popularity), id: Reverse(cold.id) };
        if best.len() < self.keep {
            best.push(Reverse((rank, doc)));
        } else if let Some(mut worst) = best.peek_mut()
            && rank > worst.0.0
        {
            *worst = Reverse((rank, doc));
        }
    }

    fn fold(&mut self, segment: &Segment, brands: &[u64], paths: &[u64]) {
        for (number, count) in brands.iter().enumerate().filter(|(_, count)| **count > 0) {
            self.facets.brands[segment.brands[number] as usize] += count;
        }
        for (path, count) in segment.rows.paths.iter().zip(paths).filter(|(_, count)| **count > 0) {
            for category in path {
                *self.facets.categories.entry(*category).or_default() += count;
            }
        }
    }

    /// The hits of the page, best first, and the counts.
    pub(super) fn finish(mut self) -> (Vec<Found>, Facets) {
        let by_name = self.query.sort == Sort::Name;
        let order = |a: &Found, b: &Found| -> Ordering {
            let names = if by_name { a.name.cmp(&b.name) } else { Ordering::Equal };
            let first = if by_name { Ordering::Equal } else { b.rank.first.cmp(&a.rank.first) };
            names
                .then(first)
                .then_with(|| (b.rank.second, b.rank.id).cmp(&(a.rank.second, a.rank.id)))
        };
        self.found.sort_unstable_by(order);
        let from = self.query.offset.min(self.found.len());
        let to = self.keep.min(self.found.len()).max(from);
        let page = self.found[from..to].to_vec();
        let facets =
            if self.query.facets { self.facets.finish(self.view) } else { Facets::default() };
        (page, facets)
    }
}

impl Counts {
    fn finish(self, view: &View) -> Facets {
        let name = |number: usize| view.brands.names[number].to_string();
        let mut brands: Vec<(usize, u64)> =
            self.brands.into_iter().enumerate().filter(|(_, count)| *count > 0).collect();
        let order = |a: &(usize, u64), b: &(usize, u64)| {
            b.1.cmp(&a.1).then_with(|| view.brands.names[a.0].cmp(&view.brands.names[b.0]))
        };
        if brands.len() > MOST_BRANDS {
            brands.select_nth_unstable_by(MOST_BRANDS, order);
            brands.truncate(MOST_BRANDS);
        }
        brands.sort_unstable_by(order);
        let to = PRICE_BOUNDS.iter().skip(1).copied().map(Some).chain([None]);
        let prices = PRICE_BOUNDS
            .iter()
            .zip(to)
            .zip(self.prices)
            .map(|((from, to), count)| PriceBucket { from: *from, to, count })
            .collect();
        Facets {
            // By id, as the map has them.
            categories: self.categories.into_iter().collect(),
            brands: brands.into_iter().map(|(number, count)| (name(number), count)).collect(),
            prices,
            in_stock: self.in_stock,
            without_price: self.without_price,
        }
    }
}

/// A question's filters in one segment's numbers.
struct Filter {
    /// By path; `None`: any.
    paths: Option<Vec<bool>>,
    brands: Option<Vec<bool>>,
    price: Option<(i64, i64)>,
    in_stock: bool,
}

impl Filter {
    fn new(collector: &Collector, segment: &Segment) -> Self {
        let query = collector.query;
        let paths = query
            .category
            .map(|wanted| segment.rows.paths.iter().map(|path| path.contains(&wanted)).collect());
        let brands = (!query.brands.is_empty())
            .then(|| segment.brands.iter().map(|b| collector.brands.contains(b)).collect());
        let price = (query.price_from.is_some() || query.price_to.is_some()).then(|| {
            // Above what stands for no price.
            let from = query.price_from.unwrap_or(i64::MIN).max(NO_PRICE + 1);
            (from, query.price_to.unwrap_or(i64::MAX))
        });
        Self { paths, brands, price, in_stock: query.in_stock }
    }

    fn fails(&self, row: &Hot) -> u8 {
        let holds = |set: &Option<Vec<bool>>, number: u32| {
            set.as_ref().is_none_or(|set| set.get(number as usize).copied().unwrap_or(false))
        };
        let mut fails = 0;
        if !holds(&self.paths, row.path) {
            fails |= FAILS_CATEGORY;
        }
        if !holds(&self.brands, row.brand) {
            fails |= FAILS_BRAND;
        }
        if self.price.is_some_and(|(from, to)| row.price < from || row.price > to) {
            fails |= FAILS_PRICE;
        }
        if self.in_stock && !row.in_stock {
            fails |= FAILS_STOCK;
        }
        fails
    }
}

/// The same order as unsigned; 0 only for the lowest of all.
fn rising(value: i64) -> u64 {
    value.cast_unsigned() ^ (1 << 63)
}

/// Prices are never negative; one that is counts with the lowest.
fn bucket(price: i64) -> usize {
    PRICE_BOUNDS.partition_point(|bound| *bound <= price).saturating_sub(1)
}
