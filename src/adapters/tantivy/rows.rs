//! A segment's columns, decoded once when the segment is opened.
//!
//! Every question with facets looks at several columns of every matching product; from packed
//! columns that is most of its time. Decoded they take about 80 bytes a product and are shared
//! by all views that hold the segment, as segments never change.

use super::schema::{column, scope_key};
use crate::domain::{
    id::{CategoryId, ProductId},
    scope::Scope,
};
use std::{collections::HashMap, sync::Arc};
use tantivy::{
    DocId, SegmentReader, TantivyError,
    columnar::{Column, StrColumn},
};
use uuid::Uuid;

/// Stands for no brand and no category.
pub(super) const NONE: u32 = u32::MAX;
/// Stands for no price.
pub(super) const NO_PRICE: i64 = i64::MIN;

/// What filters, facets and scores look at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hot {
    pub(super) price: i64,
    /// Into [`Rows::brands`].
    pub(super) brand: u32,
    /// Into [`Rows::paths`].
    pub(super) path: u32,
    /// Popularity and brevity of the name, as a factor on the score.
    pub(super) boost: f32,
    /// Into [`Rows::scopes`].
    pub(super) scope: u16,
    pub(super) in_stock: bool,
}

/// What only sorting and the hits themselves need.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cold {
    pub(super) id: u128,
    pub(super) popularity: i64,
    pub(super) created: i64,
    /// Order of the name among the segment's.
    pub(super) name: u32,
}

pub(super) struct Rows {
    pub(super) hot: Vec<Hot>,
    pub(super) cold: Vec<Cold>,
    pub(super) brands: Vec<Arc<str>>,
    /// Category and all above it, root first.
    pub(super) paths: Vec<Vec<CategoryId>>,
    by_path: ByPath,
    scopes: HashMap<String, u16>,
    names: Option<StrColumn>,
}

impl Cold {
    pub(super) fn product(&self) -> ProductId {
        ProductId(Uuid::from_u128(self.id))
    }
}

impl Rows {
    pub(super) fn load(reader: &SegmentReader) -> Result<Self, TantivyError> {
        let fast = reader.fast_fields();
        let scope = fast.str(column::SCOPE)?;
        let brand = fast.str(column::BRAND)?;
        let path = fast.bytes(column::PATH)?;
        let names = fast.str(column::NAME_KEY)?;
        let id_high = fast.column_opt::<u64>(column::ID_HIGH)?;
        let id_low = fast.column_opt::<u64>(column::ID_LOW)?;
        let price = fast.column_opt::<i64>(column::PRICE)?;
        let in_stock = fast.column_opt::<bool>(column::IN_STOCK)?;
        let popularity = fast.column_opt::<i64>(column::POPULARITY)?;
        let created = fast.column_opt::<i64>(column::CREATED)?;
        let name_words = fast.column_opt::<u64>(column::NAME_WORDS)?;

        let count = reader.max_doc();
        let mut hot = Vec::with_capacity(count as usize);
        let mut cold = Vec::with_capacity(count as usize);
        let ordinal = |column: Option<&Column<u64>>, doc| {
            first(column, doc).map_or(NONE, |ord| u32::try_from(ord).unwrap_or(NONE))
        };
        let scope_ords = scope.as_ref().map(|c| c.ords());
        let brand_ords = brand.as_ref().map(|c| c.ords());
        let path_ords = path.as_ref().map(|c| c.ords());
        let name_ords = names.as_ref().map(|c| c.ords());
        for doc in 0..count {
            let popularity = first(popularity.as_ref(), doc).unwrap_or_default();
            let high = first(id_high.as_ref(), doc).unwrap_or_default();
            let low = first(id_low.as_ref(), doc).unwrap_or_default();
            hot.push(Hot {
                price: first(price.as_ref(), doc).unwrap_or(NO_PRICE),
                brand: ordinal(brand_ords, doc),
                path: ordinal(path_ords, doc),
                boost: boost(popularity, first(name_words.as_ref(), doc).unwrap_or(1)),
                scope: u16::try_from(ordinal(scope_ords, doc)).unwrap_or(u16::MAX),
                in_stock: first(in_stock.as_ref(), doc).unwrap_or_default(),
            });
            cold.push(Cold {
                id: u128::from(high) << 64 | u128::from(low),
                popularity,
                created: first(created.as_ref(), doc).unwrap_or_default(),
                name: ordinal(name_ords, doc),
            });
        }

        let mut brands = Vec::new();
        if let Some(column) = &brand {
            let mut stream = column.dictionary().stream()?;
            while stream.advance() {
                brands.push(Arc::from(String::from_utf8_lossy(stream.key())));
            }
        }
        let mut paths = Vec::new();
        if let Some(column) = &path {
            let mut stream = column.dictionary().stream()?;
            while stream.advance() {
                let ids = stream.key().as_chunks::<16>().0;
                paths.push(ids.iter().map(|id| CategoryId(Uuid::from_bytes(*id))).collect());
            }
        }
        let mut scopes = HashMap::new();
        if let Some(column) = &scope {
            let mut stream = column.dictionary().stream()?;
            while stream.advance() {
                let number = u16::try_from(scopes.len()).unwrap_or(u16::MAX);
                scopes.insert(String::from_utf8_lossy(stream.key()).into_owned(), number);
            }
        }
        let by_path = ByPath::new(&hot, paths.len());
        Ok(Self { hot, cold, brands, paths, by_path, scopes, names })
    }

    /// `None`: the segment holds nothing of that scope.
    pub(super) fn scope(&self, scope: &Scope) -> Option<u16> {
        self.scopes.get(&scope_key(scope)).copied()
    }

    /// The products of a category and all below it, deleted ones and all scopes among them.
    pub(super) fn below(&self, category: CategoryId) -> impl Iterator<Item = DocId> {
        let paths = self.paths.iter().enumerate().filter(move |(_, path)| path.contains(&category));
        paths.flat_map(|(path, _)| self.by_path.on(path)).copied()
    }

    pub(super) fn scopes(&self) -> &HashMap<String, u16> {
        &self.scopes
    }

    /// The folded name that [`Cold::name`] stands for; comparable between segments.
    pub(super) fn name(&self, ord: u32) -> Result<String, TantivyError> {
        let mut name = String::new();
        if let Some(column) = &self.names {
            column.ord_to_str(u64::from(ord), &mut name)?;
        }
        Ok(name)
    }
}

/// The segment's products by their path.
struct ByPath {
    docs: Vec<DocId>,
    /// Where in `docs` each path ends; it begins where the one before ends.
    ends: Vec<usize>,
}

impl ByPath {
    fn new(hot: &[Hot], paths: usize) -> Self {
        let mut ends = vec![0; paths];
        let on_paths = || (0..).zip(hot).filter(|(_, row)| (row.path as usize) < paths);
        for (_, row) in on_paths() {
            ends[row.path as usize] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            // Where the path begins, until its products are put in.
            sum += std::mem::replace(end, sum);
        }
        let mut docs = vec![0; sum];
        for (doc, row) in on_paths() {
            let end = &mut ends[row.path as usize];
            docs[*end] = doc;
            *end += 1;
        }
        Self { docs, ends }
    }

    fn on(&self, path: usize) -> &[DocId] {
        let from = if path == 0 { 0 } else { self.ends[path - 1] };
        &self.docs[from..self.ends[path]]
    }
}

fn first<T: PartialOrd + Copy + Send + Sync + std::fmt::Debug + 'static>(
    column: Option<&Column<T>>,
    doc: u32,
) -> Option<T> {
    column.and_then(|column| column.first(doc))
}

/// Gentle: a thousand times as popular is worth a third more, a name of one word half more than
/// a long one, while the weights of name, brand and description differ by factors.
#[expect(clippy::cast_precision_loss, reason = "a factor needs no more precision")]
fn boost(popularity: i64, name_words: u64) -> f32 {
    let popular = 1.0 + 0.1 * (1.0 + popularity.max(0) as f32).log10();
    let brief = 1.0 + 0.5 / (name_words.max(1) as f32);
    popular * brief
}
