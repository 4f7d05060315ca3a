//! What a batch of drafts does to a catalogue, decided before anything is written.
//!
//! A batch does exactly what its rows would do one at a time, in order, so neither its size nor
//! the place where an import was cut changes the outcome, down to slugs and counts: a SKU that
//! comes twice counts twice (created, then updated or unchanged), and the later row wins.
//!
//! The planner never reads a store. It says what it needs to know ([`Planner::skus`],
//! [`Planner::category_names`], [`Unknown`]), is told, and gives a [`Plan`] for a set-based write.

use crate::domain::{
    id::{CategoryId, ProductId},
    product::ProductDraft,
    scope::Scope,
    sku::Sku,
    slug,
};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// The first half of a SHA-256 over a draft and the locale it is in: equal, and there is nothing
/// to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentHash(pub [u8; 16]);

impl ContentHash {
    pub fn of(scope: &Scope, draft: &ProductDraft) -> Self {
        // Fields come in the struct's order and maps are sorted, so equal drafts give equal bytes.
        let canonical = serde_json::to_vec(&(&scope.locale, draft)).unwrap_or_default();
        let digest = Sha256::digest(canonical);
        let mut half = [0; 16];
        half.copy_from_slice(&digest[..16]);
        Self(half)
    }
}

/// A product that the store has under one of [`Planner::skus`].
#[derive(Debug, Clone)]
pub struct StoredProduct {
    pub id: ProductId,
    pub sku: String,
    /// `None`: something else than an import has changed it since.
    pub hash: Option<ContentHash>,
    pub variant_of: Option<String>,
    /// In the batch's site and locale; `None` when it has no text there yet.
    pub slug: Option<String>,
}

/// A category that the store has under one of [`Planner::category_names`].
#[derive(Debug, Clone)]
pub struct StoredCategory {
    pub id: CategoryId,
    pub parent: Option<CategoryId>,
    pub slug: String,
    pub name: String,
}

/// Which of these does the store have in the batch's site and locale? Tell [`Planner::slugs`].
#[derive(Debug, PartialEq, Eq)]
pub struct Unknown {
    pub product_slugs: Vec<String>,
    pub category_slugs: Vec<String>,
}

/// One row per product that really changes, in the order of first change.
#[derive(Debug)]
pub struct PlannedProduct<'a> {
    pub id: ProductId,
    pub is_new: bool,
    /// The last of the batch's drafts for it.
    pub draft: &'a ProductDraft,
    pub hash: ContentHash,
    pub slug: String,
    pub category: Option<CategoryId>,
    pub variant_of: Option<&'a Sku>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct PlannedCategory<'a> {
    pub id: CategoryId,
    pub parent: Option<CategoryId>,
    pub slug: String,
    pub name: &'a str,
}

/// Sets what is on hand of the product's own stock item, though never below what is reserved:
/// that much is promised to somebody, whatever a file says.
#[derive(Debug, PartialEq, Eq)]
pub struct PlannedLevel<'a> {
    pub product: ProductId,
    pub warehouse: &'a str,
    pub on_hand: i64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BatchCounts {
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
}

#[derive(Debug)]
pub struct Plan<'a> {
    pub counts: BatchCounts,
    /// Parents before their children.
    pub categories: Vec<PlannedCategory<'a>>,
    pub products: Vec<PlannedProduct<'a>>,
    pub levels: Vec<PlannedLevel<'a>>,
    /// SKUs whose document shows, or showed, a changed one among its variants.
    pub parents: Vec<String>,
}

/// Plans one batch; see the module.
#[derive(Debug)]
pub struct Planner<'a> {
    drafts: &'a [ProductDraft],
    hashes: Vec<ContentHash>,
    /// Slugs that the drafts ask for, or of their names, once needed: each attempt at a plan needs them again.
    plain_slugs: Vec<Option<String>>,
    products: HashMap<String, StoredProduct>,
    categories: HashMap<(Option<CategoryId>, String), (CategoryId, String)>,
    product_slugs: SlugBook,
    category_slugs: SlugBook,
}

impl<'a> Planner<'a> {
    pub fn new(scope: &Scope, drafts: &'a [ProductDraft]) -> Self {
        Self {
            drafts,
            hashes: drafts.iter().map(|draft| ContentHash::of(scope, draft)).collect(),
            plain_slugs: vec![None; drafts.len()],
            products: HashMap::new(),
            categories: HashMap::new(),
            product_slugs: SlugBook::default(),
            category_slugs: SlugBook::default(),
        }
    }

    /// Each SKU of the batch once.
    pub fn skus(&self) -> Vec<&'a str> {
        let skus: BTreeSet<_> = self.drafts.iter().map(|draft| draft.sku.as_str()).collect();
        skus.into_iter().collect()
    }

    /// Each category name of the batch once.
    pub fn category_names(&self) -> Vec<&'a str> {
        let names: BTreeSet<_> =
            self.drafts.iter().flat_map(|draft| &draft.categories).map(String::as_str).collect();
        names.into_iter().collect()
    }

    pub fn stored(&mut self, products: Vec<StoredProduct>, mut categories: Vec<StoredCategory>) {
        self.products = products.into_iter().map(|p| (p.sku.clone(), p)).collect();
        // Were there two of one name under one parent, each run must choose the same.
        categories.sort_by_key(|category| category.id);
        for category in categories {
            self.categories
                .entry((category.parent, category.name))
                .or_insert((category.id, category.slug));
        }
    }

    /// The answer to [`Unknown`]: those of the asked slugs that the store has.
    pub fn slugs(&mut self, products: Vec<String>, categories: Vec<String>) {
        self.product_slugs.taken.extend(products);
        self.category_slugs.taken.extend(categories);
    }

    /// What rows before these would have made of some SKUs, had a dry run left them in. Behind
    /// [`Self::stored`].
    pub fn suppose(&mut self, rows: &[(Sku, ContentHash)], next_id: &mut dyn FnMut() -> Uuid) {
        for (sku, hash) in rows {
            let sku = sku.as_str();
            match self.products.get_mut(sku) {
                Some(product) => product.hash = Some(*hash),
                None => {
                    let id = ProductId(next_id());
                    let (hash, sku) = (Some(*hash), sku.to_owned());
                    let product = StoredProduct { id, sku, hash, variant_of: None, slug: None };
                    self.products.insert(product.sku.clone(), product);
                }
            }
        }
    }

    /// `Err` asks a question; answer it and call again. Draws an id per new product and category.
    pub fn plan(&mut self, next_id: &mut dyn FnMut() -> Uuid) -> Result<Plan<'a>, Unknown> {
        let mut fold = Fold::default();
        let hashes = std::mem::take(&mut self.hashes);
        for (n, hash) in hashes.iter().enumerate() {
            self.fold(&mut fold, n, *hash, next_id);
        }
        self.hashes = hashes;
        let unknown = Unknown {
            product_slugs: self.product_slugs.questions(),
            category_slugs: self.category_slugs.questions(),
        };
        if !unknown.product_slugs.is_empty() || !unknown.category_slugs.is_empty() {
            return Err(unknown);
        }
        Ok(fold.into_plan())
    }

    fn fold(
        &mut self,
        fold: &mut Fold<'a>,
        n: usize,
        hash: ContentHash,
        next_id: &mut dyn FnMut() -> Uuid,
    ) {
        let draft = &self.drafts[n];
        let sku = draft.sku.as_str();
        let stored = self.products.get(sku);
        let before = fold.changed.get(sku).map(|&at| &fold.products[at]);
        let hash_before = before.map(|p| p.hash).or_else(|| stored.and_then(|p| p.hash));
        if hash_before == Some(hash) {
            fold.counts.unchanged += 1;
            return;
        }
        let is_new = before.map_or(stored.is_none(), |p| p.is_new);
        match before.is_none() && is_new {
            true => fold.counts.created += 1,
            false => fold.counts.updated += 1,
        }
        // A product that names itself is no variant of anything.
        let variant_of = draft.variant_of.as_ref().filter(|parent| **parent != draft.sku);
        let parents = [
            stored.and_then(|p| p.variant_of.as_deref()),
            before.and_then(|p| p.variant_of).map(Sku::as_str),
            variant_of.map(Sku::as_str),
        ];
        fold.parents.extend(parents.into_iter().flatten().map(str::to_owned));

        let id = match (before, stored) {
            (Some(product), _) => product.id,
            (None, Some(product)) => product.id,
            (None, None) => ProductId(next_id()),
        };
        let slug = match (before, stored.and_then(|p| p.slug.clone())) {
            (Some(product), _) => product.slug.clone(),
            (None, Some(slug)) => slug,
            (None, None) => self.product_slug(n),
        };
        let category = self.category(fold, &draft.categories, next_id);
        let product = PlannedProduct { id, is_new, draft, hash, slug, category, variant_of };
        match fold.changed.get(sku) {
            Some(&at) => fold.products[at] = product,
            None => {
                fold.changed.insert(sku, fold.products.len());
                fold.products.push(product);
            }
        }
        for level in draft.stock.iter().flatten() {
            fold.levels.insert((id, &level.warehouse), level.quantity);
        }
    }

    fn product_slug(&mut self, n: usize) -> String {
        let draft = &self.drafts[n];
        let plain = self.plain_slugs[n].get_or_insert_with(|| {
            draft.slug.clone().unwrap_or_else(|| slug::from_name(&draft.name))
        });
        self.product_slugs.claim(plain, || slug::with_sku(plain, &draft.sku))
    }

    /// The category at the end of a path, making those on the way that are missing.
    fn category(
        &mut self,
        fold: &mut Fold<'a>,
        path: &'a [String],
        next_id: &mut dyn FnMut() -> Uuid,
    ) -> Option<CategoryId> {
        if let Some(known) = fold.paths.get(path) {
            return *known;
        }
        let mut parent: Option<(CategoryId, String)> = None;
        for name in path {
            let key = (parent.as_ref().map(|(id, _)| *id), name.as_str());
            let made = fold.made.get(&key);
            // The map's key owns its name; a borrowed look-up would need a second map.
            let known = made.or_else(|| self.categories.get(&(key.0, name.clone()))).cloned();
            parent = Some(known.unwrap_or_else(|| {
                let plain = match slug::from_name(name) {
                    empty if empty.is_empty() => "category".to_owned(),
                    plain => plain,
                };
                let below = || match &parent {
                    Some((_, above)) => format!("{above}-{plain}"),
                    None => plain.clone(),
                };
                let slug = self.category_slugs.claim(&plain, below);
                let id = CategoryId(next_id());
                fold.made.insert(key, (id, slug.clone()));
                let slug_below = slug.clone();
                fold.categories.push(PlannedCategory { id, parent: key.0, slug, name });
                (id, slug_below)
            }));
        }
        let end = parent.map(|(id, _)| id);
        fold.paths.insert(path, end);
        end
    }
}

#[derive(Default)]
struct Fold<'a> {
    counts: BatchCounts,
    products: Vec<PlannedProduct<'a>>,
    /// SKU → where in `products`.
    changed: HashMap<&'a str, usize>,
    categories: Vec<PlannedCategory<'a>>,
    made: HashMap<(Option<CategoryId>, &'a str), (CategoryId, String)>,
    /// Category paths met so far, with the category at their end.
    paths: HashMap<&'a [String], Option<CategoryId>>,
    levels: BTreeMap<(ProductId, &'a str), i64>,
    parents: BTreeSet<String>,
}

impl<'a> Fold<'a> {
    fn into_plan(self) -> Plan<'a> {
        let levels = self.levels.into_iter();
        Plan {
            counts: self.counts,
            categories: self.categories,
            products: self.products,
            levels: levels
                .map(|((product, warehouse), on_hand)| PlannedLevel { product, warehouse, on_hand })
                .collect(),
            parents: self.parents.into_iter().collect(),
        }
    }
}

/// Slugs of one kind: what the store has, as far as asked, and what this batch claims.
#[derive(Debug, Default)]
struct SlugBook {
    asked: HashSet<String>,
    taken: HashSet<String>,
    /// Of this attempt at a plan.
    claimed: HashSet<String>,
    questions: Vec<String>,
}

impl SlugBook {
    /// The first that is free: plain, the fallback, then the fallback with a number behind it.
    /// One nobody has asked the store about counts as free, and becomes a question.
    fn claim(&mut self, plain: &str, fallback: impl FnOnce() -> String) -> String {
        if self.took(plain) {
            return plain.to_owned();
        }
        let fallback = fallback();
        if self.took(&fallback) {
            return fallback;
        }
        for n in 2u32.. {
            let numbered = format!("{fallback}-{n}");
            if self.took(&numbered) {
                return numbered;
            }
        }
        unreachable!("there is always another number")
    }

    /// Takes it if it is free.
    fn took(&mut self, slug: &str) -> bool {
        if slug.is_empty() || self.claimed.contains(slug) || self.taken.contains(slug) {
            return false;
        }
        if self.asked.insert(slug.to_owned()) {
            self.questions.push(slug.to_owned());
        }
        self.claimed.insert(slug.to_owned())
    }

    /// What became a question in this attempt; ends it.
    fn questions(&mut self) -> Vec<String> {
        self.claimed.clear();
        std::mem::take(&mut self.questions)
    }
}

#[cfg(test)]
mod tests;
