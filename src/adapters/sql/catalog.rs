//! Product documents out of their rows, a thousand in a handful of statements; see
//! `ports::catalog`.
//!
//! The statements of one call are not one snapshot: a document may mix two commits that happen
//! while it is read. The later commit's event is then still to come, and makes it again.

use super::{
    SqlStore,
    error::not_ours,
    lists::{IdList, TextList},
    on,
    texts::statements,
};
use crate::{
    domain::{
        category::{Category, CategoryRef, CategoryTree},
        document::{ProductDocument, VariantRef},
        id::{CategoryId, ProductId},
        money::Money,
        product::ProductStatus,
        scope::Scope,
        sku::Sku,
        stock::StockBand,
        tax::TaxCategory,
        time::Micros,
    },
    ports::{StoreError, catalog::Catalog},
};
use async_trait::async_trait;
use sqlx::types::Json;
use sqlx_macros::FromRow;
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

/// Ids of one round of statements; more are read in several.
const MOST_AT_ONCE: usize = 1_000;
/// No category lies deeper; a loop in the data ends here.
const MOST_DEPTH: usize = 32;

statements! {
    PRODUCTS = [
        "SELECT p.id, p.sku, p.status, p.variant_of, p.category_id, p.brand, p.unit, p.precision,
                p.price_minor, p.currency, p.tax_category, p.popularity, p.images, p.attributes,
                p.options, p.created_at, p.updated_at, t.slug, t.name, t.short_description, t.description
         FROM product p JOIN product_text t ON t.product_id = p.id AND t.locale = $2
         WHERE p.site = $1 AND p.id", [ids "$3"]
    ];
    /// What documents show of other products: those with these SKUs, and the variants of these.
    REFERENCES = [
        "SELECT p.id, p.sku, p.variant_of, p.price_minor, p.currency, p.options, t.slug, t.name
         FROM product p JOIN product_text t ON t.product_id = p.id AND t.locale = $2
         WHERE p.site = $1 AND p.sku", [texts "$3"],
        " UNION ALL
         SELECT p.id, p.sku, p.variant_of, p.price_minor, p.currency, p.options, t.slug, t.name
         FROM product p JOIN product_text t ON t.product_id = p.id AND t.locale = $2
         WHERE p.site = $1 AND p.variant_of IS NOT NULL AND p.variant_of", [texts "$4"]
    ];
    /// How many can be had of each, less what is kept back: the scarcest of the items it consumes
    /// decides. One that may be ordered back is never scarce.
    AVAILABLE = [
        "SELECT u.product_id,
                MIN(CASE WHEN u.back_order AND u.n <= 0 THEN NULL ELSE u.n / u.quantity END)
                AS available
         FROM (SELECT s.product_id, s.quantity, i.back_order,
                      (SELECT CAST(COALESCE(SUM(l.on_hand - l.reserved), 0) AS BIGINT)
                       FROM stock_level l WHERE l.item_id = s.item_id) - i.threshold AS n
               FROM sku_stock_item s JOIN stock_item i ON i.id = s.item_id
               WHERE s.product_id", [ids "$1"],
        ") u GROUP BY u.product_id"
    ];
    /// These categories and all above them.
    PATHS = [
        "WITH RECURSIVE up (id, depth) AS (
             SELECT c.id, 0 FROM category c WHERE c.id", [ids "$1"],
        "    UNION
             SELECT c.parent_id, up.depth + 1 FROM category c JOIN up ON c.id = up.id
             WHERE c.parent_id IS NOT NULL AND up.depth < 32)
         SELECT DISTINCT c.id, c.parent_id, c.position, t.slug, t.name
         FROM up JOIN category c ON c.id = up.id
         JOIN category_text t ON t.category_id = c.id AND t.locale = $2"
    ];
    CATEGORIES = "SELECT c.id, c.parent_id, c.position, t.slug, t.name FROM category c
                  JOIN category_text t ON t.category_id = c.id AND t.locale = $2
                  WHERE c.site = $1";
    FIRST_IDS = "SELECT id FROM product WHERE site = $1 ORDER BY id LIMIT $2";
    NEXT_IDS = "SELECT id FROM product WHERE site = $1 AND id > $2 ORDER BY id LIMIT $3";
    COUNT = "SELECT count(*) FROM product";
}

#[derive(FromRow)]
struct ProductRow {
    id: Uuid,
    sku: String,
    status: String,
    variant_of: Option<String>,
    category_id: Option<Uuid>,
    brand: Option<String>,
    unit: String,
    precision: i32,
    price_minor: Option<i64>,
    currency: Option<String>,
    tax_category: String,
    popularity: i64,
    images: Json<Vec<String>>,
    attributes: Json<BTreeMap<String, String>>,
    options: Json<BTreeMap<String, String>>,
    created_at: i64,
    updated_at: i64,
    slug: String,
    name: String,
    short_description: Option<String>,
    description: Option<String>,
}

#[derive(FromRow)]
struct ReferenceRow {
    id: Uuid,
    sku: String,
    variant_of: Option<String>,
    price_minor: Option<i64>,
    currency: Option<String>,
    options: Json<BTreeMap<String, String>>,
    slug: String,
    name: String,
}

#[derive(FromRow)]
struct AvailableRow {
    product_id: Uuid,
    available: Option<i64>,
}

#[derive(FromRow)]
pub(super) struct CategoryRow {
    id: Uuid,
    parent_id: Option<Uuid>,
    position: i32,
    slug: String,
    name: String,
}

impl From<CategoryRow> for Category {
    fn from(row: CategoryRow) -> Self {
        Self {
            id: CategoryId(row.id),
            parent: row.parent_id.map(CategoryId),
            slug: row.slug,
            name: row.name,
            position: row.position,
        }
    }
}

#[async_trait]
impl Catalog for SqlStore {
    async fn documents(
        &self,
        scope: &Scope,
        products: &[ProductId],
    ) -> Result<Vec<ProductDocument>, StoreError> {
        let mut documents = Documents::default();
        for asked in products.chunks(MOST_AT_ONCE) {
            let ids = asked.iter().map(|id| id.0).collect();
            let shown = documents.take(self.read(scope, ids).await?);
            let new: Vec<Uuid> = shown.into_iter().filter(|id| !documents.has(*id)).collect();
            for relatives in new.chunks(MOST_AT_ONCE) {
                documents.take(self.read(scope, relatives.to_vec()).await?);
            }
        }
        Ok(documents.list)
    }

    async fn product_ids(
        &self,
        scope: &Scope,
        after: Option<ProductId>,
        limit: u32,
    ) -> Result<Vec<ProductId>, StoreError> {
        let (site, limit) = (&scope.site.0, i64::from(limit));
        let ids: Vec<Uuid> = match after {
            None => on!(self, FIRST_IDS, |pool, text| {
                sqlx::query_scalar(text).bind(site).bind(limit).fetch_all(pool).await
            })?,
            Some(after) => on!(self, NEXT_IDS, |pool, text| {
                let query = sqlx::query_scalar(text).bind(site).bind(after.0).bind(limit);
                query.fetch_all(pool).await
            })?,
        };
        Ok(ids.into_iter().map(ProductId).collect())
    }

    async fn categories(&self, scope: &Scope) -> Result<CategoryTree, StoreError> {
        let rows: Vec<CategoryRow> = on!(self, CATEGORIES, |pool, text| {
            let query = sqlx::query_as(text).bind(&scope.site.0).bind(&scope.locale.0);
            query.fetch_all(pool).await
        })?;
        Ok(CategoryTree::new(rows.into_iter().map(Into::into).collect()))
    }

    async fn product_count(&self) -> Result<u64, StoreError> {
        let count: i64 =
            on!(self, COUNT, |pool, text| sqlx::query_scalar(text).fetch_one(pool).await)?;
        Ok(count.unsigned_abs())
    }
}

/// Each once.
#[derive(Default)]
struct Documents {
    list: Vec<ProductDocument>,
    seen: HashSet<Uuid>,
}

impl Documents {
    /// Keeps what is new and hands the relatives back.
    fn take(&mut self, (found, relatives): Read) -> HashSet<Uuid> {
        self.list.extend(found.into_iter().filter(|document| self.seen.insert(document.id.0)));
        relatives
    }

    fn has(&self, id: Uuid) -> bool {
        self.seen.contains(&id)
    }
}

/// Documents, and who is shown in them: their parents and variants, whose own documents show them.
type Read = (Vec<ProductDocument>, HashSet<Uuid>);

impl SqlStore {
    async fn read(&self, scope: &Scope, ids: Vec<Uuid>) -> Result<Read, StoreError> {
        let (site, locale) = (&scope.site.0, &scope.locale.0);
        let rows: Vec<ProductRow> = on!(self, PRODUCTS, |pool, text| {
            let query = sqlx::query_as(text).bind(site).bind(locale).bind(IdList(ids));
            query.fetch_all(pool).await
        })?;
        let parents: Vec<String> = rows.iter().filter_map(|p| p.variant_of.clone()).collect();
        let skus: Vec<String> = rows.iter().map(|p| p.sku.clone()).collect();
        let references: Vec<ReferenceRow> = on!(self, REFERENCES, |pool, text| {
            let query = sqlx::query_as(text).bind(site).bind(locale);
            query.bind(TextList(parents)).bind(TextList(skus)).fetch_all(pool).await
        })?;

        let relatives: HashSet<Uuid> = references.iter().map(|r| r.id).collect();
        let ids = rows.iter().map(|p| p.id).chain(relatives.iter().copied()).collect();
        let available = self.available(ids).await?;
        let band = |id: Uuid| StockBand::of(available.get(&id).copied().flatten());

        let categories: HashSet<Uuid> = rows.iter().filter_map(|p| p.category_id).collect();
        let categories = self.paths(categories, locale).await?;

        let mut by_sku = HashMap::new();
        let mut variants: HashMap<String, Vec<VariantRef>> = HashMap::new();
        for row in references {
            let variant_of = row.variant_of.clone();
            let sku = row.sku.clone();
            let reference = reference(row, band)?;
            // One that is somebody's parent and somebody's variant comes by both ways.
            let first = by_sku.insert(sku, reference.clone()).is_none();
            if let Some(parent) = variant_of.filter(|_| first) {
                variants.entry(parent).or_default().push(reference);
            }
        }
        for sisters in variants.values_mut() {
            sisters.sort_by(|a, b| (&a.options, &a.sku).cmp(&(&b.options, &b.sku)));
        }
        let documents = rows
            .into_iter()
            .map(|row| {
                let parent = row.variant_of.as_ref().and_then(|sku| by_sku.get(sku)).cloned();
                let variants = variants.remove(&row.sku).unwrap_or_default();
                let path = row.category_id.map(|id| path(&categories, id)).unwrap_or_default();
                let own = band(row.id);
                let stock = match own {
                    StockBand::Untracked => {
                        StockBand::of_variants(variants.iter().map(|v| v.stock)).unwrap_or(own)
                    }
                    counted => counted,
                };
                document(row, path, stock, parent, variants)
            })
            .collect::<Result<_, _>>()?;
        Ok((documents, relatives))
    }

    /// Of products that somebody counts; `None`: as many as anybody likes.
    pub(super) async fn available(
        &self,
        ids: Vec<Uuid>,
    ) -> Result<HashMap<Uuid, Option<i64>>, StoreError> {
        let rows: Vec<AvailableRow> = on!(self, AVAILABLE, |pool, text| {
            sqlx::query_as(text).bind(IdList(ids)).fetch_all(pool).await
        })?;
        Ok(rows.into_iter().map(|row| (row.product_id, row.available)).collect())
    }

    pub(super) async fn paths(
        &self,
        categories: HashSet<Uuid>,
        locale: &str,
    ) -> Result<HashMap<Uuid, CategoryRow>, StoreError> {
        if categories.is_empty() {
            return Ok(HashMap::new());
        }
        let ids = categories.into_iter().collect();
        let rows: Vec<CategoryRow> = on!(self, PATHS, |pool, text| {
            sqlx::query_as(text).bind(IdList(ids)).bind(locale).fetch_all(pool).await
        })?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

/// From the root down.
pub(super) fn path(categories: &HashMap<Uuid, CategoryRow>, of: Uuid) -> Vec<CategoryRef> {
    let up = std::iter::successors(categories.get(&of), |below| {
        below.parent_id.and_then(|id| categories.get(&id))
    });
    let mut path: Vec<_> = up
        .take(MOST_DEPTH)
        .map(|row| CategoryRef {
            id: CategoryId(row.id),
            slug: row.slug.clone(),
            name: row.name.clone(),
        })
        .collect();
    path.reverse();
    path
}

fn document(
    row: ProductRow,
    categories: Vec<CategoryRef>,
    stock: StockBand,
    parent: Option<VariantRef>,
    variants: Vec<VariantRef>,
) -> Result<ProductDocument, StoreError> {
    Ok(ProductDocument {
        id: ProductId(row.id),
        status: ProductStatus::parse(&row.status)
            .ok_or_else(|| not_ours(format!("{}: its status is {:?}", row.sku, row.status)))?,
        price: price(row.price_minor, row.currency)?,
        tax_category: TaxCategory::new(&row.tax_category).map_err(not_ours)?,
        precision: u8::try_from(row.precision).map_err(not_ours)?,
        sku: sku(&row.sku)?,
        slug: row.slug,
        name: row.name,
        brand: row.brand,
        short_description: row.short_description,
        description: row.description,
        stock,
        unit: row.unit,
        categories,
        images: row.images.0,
        attributes: row.attributes.0,
        options: row.options.0,
        parent,
        variants,
        popularity: row.popularity,
        created_at: Micros(row.created_at),
        updated_at: Micros(row.updated_at),
    })
}

fn reference(
    row: ReferenceRow,
    band: impl Fn(Uuid) -> StockBand,
) -> Result<VariantRef, StoreError> {
    Ok(VariantRef {
        sku: sku(&row.sku)?,
        price: price(row.price_minor, row.currency)?,
        stock: band(row.id),
        slug: row.slug,
        name: row.name,
        options: row.options.0,
    })
}

pub(super) fn sku(text: &str) -> Result<Sku, StoreError> {
    Sku::new(text).map_err(|e| not_ours(format!("{text:?}: {e}")))
}

pub(super) fn price(
    minor: Option<i64>,
    currency: Option<String>,
) -> Result<Option<Money>, StoreError> {
    let (Some(minor), Some(currency)) = (minor, currency) else { return Ok(None) };
    let currency = currency.parse().map_err(|e| not_ours(format!("{currency:?}: {e}")))?;
    Ok(Some(Money { minor, currency }))
}
