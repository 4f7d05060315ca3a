//! Products as an import would bring them; see `ports::catalog`.
//!
//! The statements of one page are not one snapshot: stock counted in between may be newer than its
//! product.

use super::{
    SqlStore,
    catalog::{path, price, sku},
    error::not_ours,
    lists::IdList,
    on,
    texts::{pattern, statements},
};
use crate::{
    domain::{
        id::ProductId,
        product::{ProductDraft, ProductRow, ProductStatus, StockDraft},
        scope::Scope,
        sku::Sku,
        tax::TaxCategory,
    },
    ports::{
        StoreError,
        catalog::Drafts,
        products::{ProductFilter, StoredDraft},
    },
};
use async_trait::async_trait;
use sqlx::types::Json;
use sqlx_macros::FromRow;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

macro_rules! draft_columns {
    ($rest:literal) => {
        concat!(
            "SELECT p.id, p.sku, p.status, p.variant_of, p.category_id, p.brand, p.unit,
                    p.precision, p.price_minor, p.currency, p.tax_category, p.popularity, p.images,
                    p.attributes, p.options, p.updated_at, t.name, t.slug, t.short_description, t.description
             FROM product p JOIN product_text t ON t.product_id = p.id AND t.locale = $2
             WHERE p.site = $1 AND ",
            $rest
        )
    };
}
/// The list's; `LIKE` is what folds the case of letters, which is SQLite's way and `ILIKE`
/// PostgreSQL's.
macro_rules! find {
    ($like:literal) => {
        concat!(
            "SELECT p.sku, t.name, p.brand, p.status, p.price_minor, p.currency, p.precision, p.unit,
                    (SELECT CAST(SUM(l.on_hand - l.reserved) AS BIGINT) FROM stock_level l
                     WHERE l.item_id = p.id) - i.threshold AS available
             FROM product p JOIN product_text t ON t.product_id = p.id AND t.locale = $2
             LEFT JOIN stock_item i ON i.id = p.id
             WHERE p.site = $1 AND p.sku > $3 AND ($5 = '' OR p.status = $5)
                 AND ($6 = '' OR p.sku ", $like, " $6 ESCAPE '!' OR t.name ", $like,
            " $6 ESCAPE '!' OR p.brand ", $like, " $6 ESCAPE '!')
             ORDER BY p.sku LIMIT $4"
        )
    };
}

const PAGE_TEXT: &str = draft_columns!("p.sku > $3 ORDER BY p.sku LIMIT $4");
const ONE_TEXT: &str = draft_columns!("p.sku = $3");
const FIND_ON_SQLITE: &str = find!("LIKE");
const FIND_ON_POSTGRES: &str = find!("ILIKE");

statements! {
    PAGE = (PAGE_TEXT);
    ONE = (ONE_TEXT);
    FIND = { sqlite: (FIND_ON_SQLITE), postgres: (FIND_ON_POSTGRES) };
    /// A plain product's own item bears its id.
    LEVELS = [
        "SELECT l.item_id, w.code, l.on_hand FROM stock_level l
         JOIN warehouse w ON w.id = l.warehouse_id WHERE l.item_id", [ids "$1"],
        " ORDER BY w.code"
    ];
}

#[derive(FromRow)]
struct DraftRow {
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
    name: String,
    slug: String,
    short_description: Option<String>,
    description: Option<String>,
    updated_at: i64,
}

#[derive(FromRow)]
struct FoundRow {
    sku: String,
    name: String,
    brand: Option<String>,
    status: String,
    price_minor: Option<i64>,
    currency: Option<String>,
    precision: i32,
    unit: String,
    available: Option<i64>,
}

#[derive(FromRow)]
struct LevelRow {
    item_id: Uuid,
    code: String,
    on_hand: i64,
}

#[async_trait]
impl Drafts for SqlStore {
    async fn drafts(
        &self,
        scope: &Scope,
        after: Option<&Sku>,
        limit: u32,
    ) -> Result<Vec<ProductDraft>, StoreError> {
        // No SKU is empty, so all sort behind it.
        let after = after.map_or("", Sku::as_str);
        let (site, locale) = (&scope.site.0, &scope.locale.0);
        let rows: Vec<DraftRow> = on!(self, PAGE, |pool, text| {
            let query = sqlx::query_as(text).bind(site).bind(locale);
            query.bind(after).bind(i64::from(limit)).fetch_all(pool).await
        })?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let levels: Vec<LevelRow> = on!(self, LEVELS, |pool, text| {
            sqlx::query_as(text).bind(IdList(ids)).fetch_all(pool).await
        })?;
        let mut stock: HashMap<Uuid, Vec<StockDraft>> = HashMap::new();
        for level in levels {
            let counted = StockDraft { warehouse: level.code, quantity: level.on_hand };
            stock.entry(level.item_id).or_default().push(counted);
        }
        let categories = rows.iter().filter_map(|row| row.category_id).collect();
        let categories = self.paths(categories, locale).await?;
        rows.into_iter()
            .map(|row| {
                let way = row.category_id.map(|id| path(&categories, id)).unwrap_or_default();
                let stock = stock.remove(&row.id);
                draft(row, way.into_iter().map(|category| category.name).collect(), stock)
            })
            .collect()
    }

    async fn draft(&self, scope: &Scope, sku: &Sku) -> Result<Option<StoredDraft>, StoreError> {
        let (site, locale) = (&scope.site.0, &scope.locale.0);
        let row: Option<DraftRow> = on!(self, ONE, |pool, text| {
            let query = sqlx::query_as(text).bind(site).bind(locale);
            query.bind(sku.as_str()).fetch_optional(pool).await
        })?;
        let Some(row) = row else { return Ok(None) };
        let categories = self.paths(row.category_id.into_iter().collect(), locale).await?;
        let way = row.category_id.map(|id| path(&categories, id)).unwrap_or_default();
        let (id, version) = (ProductId(row.id), row.updated_at);
        let names = way.into_iter().map(|category| category.name).collect();
        Ok(Some(StoredDraft { id, version, draft: draft(row, names, None)? }))
    }

    async fn find(
        &self,
        scope: &Scope,
        filter: &ProductFilter,
        after: Option<&Sku>,
        limit: u32,
    ) -> Result<Vec<ProductRow>, StoreError> {
        let after = after.map_or("", Sku::as_str);
        let status = filter.status.map_or("", ProductStatus::as_str);
        let rows: Vec<FoundRow> = on!(self, FIND, |pool, text| {
            let query = sqlx::query_as(text).bind(&scope.site.0).bind(&scope.locale.0);
            let query = query.bind(after).bind(i64::from(limit)).bind(status);
            query.bind(pattern(&filter.text)).fetch_all(pool).await
        })?;
        rows.into_iter().map(found).collect()
    }
}

fn found(row: FoundRow) -> Result<ProductRow, StoreError> {
    Ok(ProductRow {
        status: status(&row.sku, &row.status)?,
        price: price(row.price_minor, row.currency)?,
        precision: u8::try_from(row.precision).map_err(not_ours)?,
        sku: sku(&row.sku)?,
        name: row.name,
        brand: row.brand,
        available: row.available,
        unit: row.unit,
    })
}

fn status(sku: &str, text: &str) -> Result<ProductStatus, StoreError> {
    ProductStatus::parse(text).ok_or_else(|| not_ours(format!("{sku}: its status is {text:?}")))
}

fn draft(
    row: DraftRow,
    categories: Vec<String>,
    stock: Option<Vec<StockDraft>>,
) -> Result<ProductDraft, StoreError> {
    Ok(ProductDraft {
        status: status(&row.sku, &row.status)?,
        price: price(row.price_minor, row.currency)?,
        tax_category: TaxCategory::new(&row.tax_category).map_err(not_ours)?,
        precision: u8::try_from(row.precision).map_err(not_ours)?,
        sku: sku(&row.sku)?,
        variant_of: row.variant_of.as_deref().map(sku).transpose()?,
        name: row.name,
        slug: Some(row.slug),
        brand: row.brand,
        short_description: row.short_description,
        description: row.description,
        categories,
        images: row.images.0,
        attributes: row.attributes.0,
        unit: row.unit,
        stock,
        options: row.options.0,
        popularity: row.popularity,
    })
}
