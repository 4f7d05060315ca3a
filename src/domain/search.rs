//! A question to the search index and its answer.

use crate::domain::{
    id::{CategoryId, ProductId},
    scope::Scope,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The deepest hit that can be paged to.
pub const MOST_OFFSET: usize = 10_000;
/// The most hits of one page.
pub const MOST_LIMIT: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// By score; by popularity when there is no text.
    #[default]
    Relevance,
    Popularity,
    /// Products without a price come last, here and below.
    PriceAscending,
    PriceDescending,
    Name,
    Newest,
}

impl Sort {
    /// The same order of a list without words, where the best match is what sells best.
    pub fn without_words(self) -> Self {
        match self {
            Self::Relevance => Self::Popularity,
            other => other,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SearchQuery {
    pub scope: Scope,
    /// Empty: everything the filters keep.
    pub text: String,
    /// This category and all below it.
    pub category: Option<CategoryId>,
    /// Any of these; empty: all.
    pub brands: Vec<String>,
    /// Minor units, both ends included. A product without a price is outside every range.
    pub price_from: Option<i64>,
    pub price_to: Option<i64>,
    pub in_stock: bool,
    pub sort: Sort,
    pub offset: usize,
    pub limit: usize,
    pub facets: bool,
}

impl SearchQuery {
    /// The first 24 of everything, without facets.
    pub fn everything(scope: Scope) -> Self {
        Self {
            scope,
            text: String::new(),
            category: None,
            brands: Vec::new(),
            price_from: None,
            price_to: None,
            in_stock: false,
            sort: Sort::default(),
            offset: 0,
            limit: 24,
            facets: false,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct SearchPage {
    pub hits: Vec<Hit>,
    /// Exact.
    pub total: u64,
    /// All empty unless asked for.
    pub facets: Arc<Facets>,
    /// Rises whenever the index shows something new; part of a cached list's key.
    pub generation: u64,
    /// True when no product held the words as typed and near spellings were taken.
    pub corrected: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    pub product: ProductId,
    /// Byte ranges of the document's name that matched, in order, not overlapping.
    pub name_matches: Vec<(usize, usize)>,
    /// A piece of the description with the byte ranges that matched in it.
    pub snippet: Option<(String, Vec<(usize, usize)>)>,
}

/// Counts over all that match. A facet's counts leave out that facet's own filter, so a second
/// brand can be added to the first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facets {
    /// Every category that holds a match, itself or below it; by id. Lists that differ in their
    /// category alone have the same, so they share them.
    pub categories: Arc<[(CategoryId, u64)]>,
    /// The 50 with most matches, most first, then by name.
    pub brands: Vec<(String, u64)>,
    pub prices: Vec<PriceBucket>,
    pub in_stock: u64,
    pub without_price: u64,
}

impl Facets {
    /// How many of a category match.
    pub fn of_category(&self, id: CategoryId) -> u64 {
        let place = self.categories.binary_search_by_key(&id, |(id, _)| *id);
        place.map_or(0, |place| self.categories[place].1)
    }
}

/// Minor units: `from` is included, `to` is not; `None` is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceBucket {
    pub from: i64,
    pub to: Option<i64>,
    pub count: u64,
}

/// The bounds of [`Facets::prices`], in minor units.
pub const PRICE_BOUNDS: &[i64] = &[0, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000];

/// What the search field offers while typing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Suggestions {
    /// Best first.
    pub products: Vec<ProductId>,
    pub brands: Vec<String>,
}
