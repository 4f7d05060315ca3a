//! Lists without words: categories, brands, price ranges.
//!
//! What such a list comes to depends on its filters, its order and what is in the index, and the
//! same few are asked for again and again. So counts, and the beginning of each order, are kept
//! beside the view they were taken from ([`Lists`]) and go with it: a view never changes, so what
//! is kept is what would be found. Questions with words are never kept; nearly every one is asked
//! once.
//!
//! What is not kept yet costs a walk over the category's own products. The counts of all
//! categories leave the category out, as every facet leaves out its own filter, so they are those
//! of the same list without one, which is kept like any other.

use super::{
    collect::Collector,
    error::Failure,
    memo::{Memo, Most},
    view::View,
};
use crate::domain::{
    id::{CategoryId, ProductId},
    scope::Scope,
    search::{Facets, Hit, SearchPage, SearchQuery, Sort},
};
use std::sync::Arc;

/// The products of an order that are kept: ten pages of the shop's.
const KEPT: usize = 240;
/// A few hundred categories with what shoppers choose in them; a crawler's walk goes by.
const MOST_COUNTS: Most = Most { entries: 4_096, bytes: 8 << 20 };
const MOST_ORDERS: Most = Most { entries: 4_096, bytes: 8 << 20 };

/// What makes one list another, but for its order and the place in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Filters {
    scope: Scope,
    category: Option<CategoryId>,
    brands: Vec<String>,
    price_from: Option<i64>,
    price_to: Option<i64>,
    in_stock: bool,
}

struct Counted {
    total: u64,
    facets: Arc<Facets>,
}

type Ordered = Vec<ProductId>;

/// What is known of a view's lists.
pub(super) struct Lists {
    counts: Memo<Filters, Counted>,
    orders: Memo<(Filters, Sort), Ordered>,
}

impl Default for Lists {
    fn default() -> Self {
        let counted =
            |filters: &Filters, counted: &Counted| filters.bytes() + counted.bytes(filters);
        let ordered = |(filters, _): &(Filters, Sort), ordered: &Ordered| {
            filters.bytes() + size_of_val(ordered.as_slice())
        };
        Self { counts: Memo::new(MOST_COUNTS, counted), orders: Memo::new(MOST_ORDERS, ordered) }
    }
}

impl View {
    /// The answer to a question without words.
    pub(super) fn browse(&self, query: &SearchQuery) -> Result<SearchPage, Failure> {
        let filters = Filters::of(query);
        let counted = self.counted(&filters)?;
        let place = Place::of(query, &counted);
        if place.is_kept() {
            let key = (filters, query.sort.without_words());
            let order = || self.order(&key.0, key.1, KEPT);
            let ordered = self.lists.orders.get_or_make(&key, order)?;
            return Ok(self.page(query, &counted, place.of_order(&ordered)));
        }
        let ordered = self.order(&filters, query.sort, place.to)?;
        Ok(self.page(query, &counted, place.of_order(&ordered)))
    }

    /// The same, if all of it is kept.
    pub(super) fn known(&self, query: &SearchQuery) -> Option<SearchPage> {
        let filters = Filters::of(query);
        let counted = self.lists.counts.get(&filters)?;
        let place = Place::of(query, &counted);
        if !place.is_kept() {
            return None;
        }
        let ordered = self.lists.orders.get(&(filters, query.sort.without_words()))?;
        Some(self.page(query, &counted, place.of_order(&ordered)))
    }

    fn page(&self, query: &SearchQuery, counted: &Counted, found: &[ProductId]) -> SearchPage {
        let hit = |product: &ProductId| Hit {
            product: *product,
            name_matches: Vec::new(),
            snippet: None,
        };
        SearchPage {
            hits: found.iter().map(hit).collect(),
            total: counted.total,
            facets: if query.facets { Arc::clone(&counted.facets) } else { Arc::default() },
            generation: self.generation,
            corrected: false,
        }
    }

    fn counted(&self, filters: &Filters) -> Result<Arc<Counted>, Failure> {
        self.lists.counts.get_or_make(filters, || self.count(filters))
    }

    fn count(&self, filters: &Filters) -> Result<Counted, Failure> {
        let query = SearchQuery { facets: true, ..filters.query() };
        let mut collector = Collector::new(self, &query, false, 0);
        self.walk(filters, &mut collector)?;
        let total = collector.total;
        let mut facets = collector.finish().1;
        if filters.category.is_some() {
            let anywhere = self.counted(&Filters { category: None, ..filters.clone() })?;
            facets.categories = Arc::clone(&anywhere.facets.categories);
        }
        Ok(Counted { total, facets: Arc::new(facets) })
    }

    /// The first `keep` products in an order.
    fn order(&self, filters: &Filters, sort: Sort, keep: usize) -> Result<Ordered, Failure> {
        let query = SearchQuery { sort, ..filters.query() };
        let mut collector = Collector::new(self, &query, false, keep);
        self.walk(filters, &mut collector)?;
        Ok(collector.finish().0.iter().map(|found| self.row(found).product()).collect())
    }

    /// Shows the collector every product that may be on the list.
    fn walk(&self, filters: &Filters, collector: &mut Collector<'_>) -> Result<(), Failure> {
        for (number, segment) in self.segments.iter().enumerate() {
            let Some(scope) = segment.rows.scope(&filters.scope) else { continue };
            let rows = &segment.rows;
            let is_there =
                |doc: &u32| rows.hot[*doc as usize].scope == scope && segment.is_alive(*doc);
            match filters.category {
                Some(category) => {
                    let here = rows.below(category).filter(is_there);
                    collector.segment(number, here.map(|doc| (doc, 1.0)))?;
                }
                None => {
                    let all = (0..).take(rows.hot.len()).filter(is_there);
                    collector.segment(number, all.map(|doc| (doc, 1.0)))?;
                }
            }
        }
        Ok(())
    }
}

/// Which part of an order a page shows.
#[derive(Debug, Clone, Copy)]
struct Place {
    from: usize,
    to: usize,
}

impl Place {
    fn of(query: &SearchQuery, counted: &Counted) -> Self {
        let total = usize::try_from(counted.total).unwrap_or(usize::MAX);
        let to = query.offset.saturating_add(query.limit).min(total);
        Self { from: query.offset.min(to), to }
    }

    fn is_kept(self) -> bool {
        self.to <= KEPT
    }

    fn of_order(self, ordered: &[ProductId]) -> &[ProductId] {
        ordered.get(self.from..self.to).unwrap_or_default()
    }
}

impl Filters {
    fn of(query: &SearchQuery) -> Self {
        Self {
            scope: query.scope.clone(),
            category: query.category,
            brands: query.brands.clone(),
            price_from: query.price_from,
            price_to: query.price_to,
            in_stock: query.in_stock,
        }
    }

    fn query(&self) -> SearchQuery {
        SearchQuery {
            category: self.category,
            brands: self.brands.clone(),
            price_from: self.price_from,
            price_to: self.price_to,
            in_stock: self.in_stock,
            ..SearchQuery::everything(self.scope.clone())
        }
    }

    fn bytes(&self) -> usize {
        let Scope { site, locale } = &self.scope;
        let brands: usize = self.brands.iter().map(|brand| size_of::<String>() + brand.len()).sum();
        2 * size_of::<Self>() + site.0.len() + locale.0.len() + brands
    }
}

impl Counted {
    /// The categories of a list in one category are another's.
    fn bytes(&self, filters: &Filters) -> usize {
        let facets = &self.facets;
        let brands: usize = facets.brands.iter().map(|(name, _)| 32 + name.len()).sum();
        let categories = match filters.category {
            Some(_) => 0,
            None => size_of_val(&*facets.categories),
        };
        size_of::<Facets>() + brands + size_of_val(facets.prices.as_slice()) + categories
    }
}
