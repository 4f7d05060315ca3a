//! A batch of products on SQLite: read what the planner asks, then write its plan set by set.
//!
//! Lists of one column travel as a JSON array; rows are bound, see [`rows`].

use super::rows::{self, Values};
use crate::{
    adapters::sql::{lists::TextList, texts::statements},
    domain::{
        catalog_batch::{
            ContentHash, Plan, PlannedProduct, Planner, StoredCategory, StoredProduct, Unknown,
        },
        event::EventKind,
        id::{CategoryId, ProductId},
    },
    ports::{clock::Ids, imports::ImportCounts, writer::ProductBatch},
};
use serde::Serialize;
use sqlx::{SqliteConnection, types::Json};
use sqlx_macros::FromRow;
use std::collections::BTreeSet;
use uuid::Uuid;

statements! {
    // CROSS JOIN fixes the order: the list outside, the index inside.
    STORED_PRODUCTS = { sqlite:
        "SELECT p.id, p.sku, p.content_hash, p.variant_of, t.slug
         FROM json_each($3) j CROSS JOIN product p ON p.site = $1 AND p.sku = j.value
         LEFT JOIN product_text t ON t.product_id = p.id AND t.locale = $2" };
    STORED_CATEGORIES = { sqlite:
        "SELECT c.id, c.parent_id, t.slug, t.name
         FROM json_each($3) j
         CROSS JOIN category_text t ON t.site = $1 AND t.locale = $2 AND t.name = j.value
         CROSS JOIN category c ON c.id = t.category_id" };
    TAKEN_PRODUCT_SLUGS = { sqlite:
        "SELECT t.slug FROM json_each($3) j
         CROSS JOIN product_text t ON t.site = $1 AND t.locale = $2 AND t.slug = j.value" };
    TAKEN_CATEGORY_SLUGS = { sqlite:
        "SELECT t.slug FROM json_each($3) j
         CROSS JOIN category_text t ON t.site = $1 AND t.locale = $2 AND t.slug = j.value" };
    PUT_SITE = { sqlite:
        "INSERT INTO site (code) VALUES ($1) ON CONFLICT DO NOTHING" };
    PUT_CATEGORIES = { sqlite:
        "INSERT INTO category (id, site, parent_id, created_at)
         VALUES (?, ?, ?, ?)" };
    PUT_CATEGORY_TEXTS = { sqlite:
        "INSERT INTO category_text (category_id, locale, site, slug, name)
         VALUES (?, ?, ?, ?, ?)" };
    PUT_PRODUCTS = { sqlite:
        "INSERT INTO product (id, site, sku, status, variant_of, category_id, brand, unit,
             precision, price_minor, currency, popularity, images, attributes, options,
             content_hash, tax_category, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET status = excluded.status,
             variant_of = excluded.variant_of, category_id = excluded.category_id,
             brand = excluded.brand, unit = excluded.unit, precision = excluded.precision,
             price_minor = excluded.price_minor, currency = excluded.currency,
             popularity = excluded.popularity, images = excluded.images,
             attributes = excluded.attributes, options = excluded.options,
             content_hash = excluded.content_hash, tax_category = excluded.tax_category,
             updated_at = excluded.updated_at" };
    PUT_PRODUCT_TEXTS = { sqlite:
        "INSERT INTO product_text (product_id, locale, site, slug, name, short_description,
             description)
         VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (product_id, locale) DO UPDATE SET name = excluded.name,
             short_description = excluded.short_description, description = excluded.description" };
    PUT_WAREHOUSES = { sqlite:
        "INSERT INTO warehouse (id, site, code, name)
         VALUES (?, ?, ?, ?)
         ON CONFLICT (site, code) DO NOTHING" };
    PUT_ITEMS = { sqlite:
        "INSERT INTO stock_item (id, site, created_at)
         SELECT unhex(value), $1, $3 FROM json_each($2) WHERE true
         ON CONFLICT (id) DO UPDATE SET version = stock_item.version + 1" };
    PUT_OWN_ITEMS = { sqlite:
        "INSERT INTO sku_stock_item (product_id, item_id, quantity)
         SELECT unhex(value), unhex(value), 1 FROM json_each($1) WHERE true
         ON CONFLICT (product_id, item_id) DO NOTHING" };
    /// Before the levels are put: by how much each count changes.
    KEEP_COUNTS = { sqlite:
        "WITH j (item, site, code, on_hand, id, at) AS (VALUES (?, ?, ?, ?, ?, ?))
         INSERT INTO stock_movement (item_id, id, warehouse_id, kind, on_hand, promised, by_whom,
             note, at)
         SELECT j.item, j.id, w.id, 'import',
             max(j.on_hand, COALESCE(l.reserved, 0)) - COALESCE(l.on_hand, 0), 0, 'import', '', j.at
         FROM j CROSS JOIN warehouse w ON w.site = j.site AND w.code = j.code
         LEFT JOIN stock_level l ON l.item_id = j.item AND l.warehouse_id = w.id
         WHERE max(j.on_hand, COALESCE(l.reserved, 0)) <> COALESCE(l.on_hand, 0)" };
    /// What was owed is promised out of what has come.
    PUT_LEVELS = { sqlite:
        "WITH j (item, site, code, on_hand, at) AS (VALUES (?, ?, ?, ?, ?))
         INSERT INTO stock_level (item_id, warehouse_id, on_hand, updated_at)
         SELECT j.item, w.id, j.on_hand, j.at
         FROM j CROSS JOIN warehouse w ON w.site = j.site AND w.code = j.code WHERE true
         ON CONFLICT (item_id, warehouse_id) DO UPDATE SET
             on_hand = max(excluded.on_hand, stock_level.reserved),
             reserved = stock_level.reserved
                 + min(stock_level.owed, max(excluded.on_hand - stock_level.reserved, 0)),
             owed = stock_level.owed
                 - min(stock_level.owed, max(excluded.on_hand - stock_level.reserved, 0)),
             updated_at = excluded.updated_at" };
    TELL_CATEGORIES = { sqlite:
        "INSERT INTO outbox (kind, subject, at) VALUES (?, ?, ?)" };
    /// Of the changed products, of those whose document shows one of them, and of their variants.
    TELL_PRODUCTS = { sqlite:
        "INSERT INTO outbox (kind, subject, at) SELECT $2, id, $3 FROM (
             SELECT unhex(value) AS id FROM json_each($4)
             UNION SELECT p.id FROM json_each($5) j
                 CROSS JOIN product p ON p.site = $1 AND p.sku = j.value
             UNION SELECT p.id FROM json_each($6) j
                 CROSS JOIN product p ON p.site = $1 AND p.variant_of = j.value)
         ORDER BY id" };
}

#[derive(FromRow)]
struct StoredProductRow {
    id: Uuid,
    sku: String,
    content_hash: Option<Vec<u8>>,
    variant_of: Option<String>,
    slug: Option<String>,
}

#[derive(FromRow)]
struct StoredCategoryRow {
    id: Uuid,
    parent_id: Option<Uuid>,
    slug: String,
    name: String,
}

/// Hex without hyphens, as `unhex` reads it.
#[derive(Serialize)]
pub(super) struct Hex(#[serde(serialize_with = "uuid::serde::simple::serialize")] pub(super) Uuid);

/// Whose products they are, and when they are written.
struct Whose<'a> {
    site: &'a str,
    locale: &'a str,
    at: i64,
}

impl Whose<'_> {
    fn product(&self, values: &mut Values, product: &PlannedProduct<'_>) {
        let draft = product.draft;
        let price = draft.price.as_ref();
        values
            .bind(product.id.0)
            .bind(self.site)
            .bind(draft.sku.as_str())
            .bind(draft.status.as_str())
            .bind(product.variant_of.map(|sku| sku.as_str()))
            .bind(product.category.map(|id| id.0))
            .bind(draft.brand.as_deref())
            .bind(&draft.unit)
            .bind(draft.precision)
            .bind(price.map(|price| price.minor))
            .bind(price.map(|price| price.currency.code()))
            .bind(draft.popularity)
            .bind(Json(&draft.images))
            .bind(Json(&draft.attributes))
            .bind(Json(&draft.options))
            .bind(&product.hash.0[..])
            .bind(draft.tax_category.as_str())
            .bind(self.at)
            .bind(self.at);
    }

    fn text(&self, values: &mut Values, product: &PlannedProduct<'_>) {
        let draft = product.draft;
        values
            .bind(product.id.0)
            .bind(self.locale)
            .bind(self.site)
            .bind(&product.slug)
            .bind(&draft.name)
            .bind(draft.short_description.as_deref())
            .bind(draft.description.as_deref());
    }
}

/// Inside the caller's transaction.
pub(super) async fn put(
    conn: &mut SqliteConnection,
    batch: &ProductBatch,
    ids: &dyn Ids,
) -> Result<ImportCounts, sqlx::Error> {
    let mut planner = Planner::new(&batch.scope, &batch.products);
    read(conn, batch, &mut planner).await?;
    planner.suppose(&batch.supposed, &mut || ids.next());
    let plan = loop {
        match planner.plan(&mut || ids.next()) {
            Ok(plan) => break plan,
            Err(unknown) => answer(conn, batch, unknown, &mut planner).await?,
        }
    };
    write(conn, batch, &plan, ids).await?;
    let counts = plan.counts;
    Ok(ImportCounts {
        read: batch.products.len() as u64,
        created: counts.created,
        updated: counts.updated,
        unchanged: counts.unchanged,
        rejected: 0,
    })
}

async fn read(
    conn: &mut SqliteConnection,
    batch: &ProductBatch,
    planner: &mut Planner<'_>,
) -> Result<(), sqlx::Error> {
    let (site, locale) = (&batch.scope.site.0, &batch.scope.locale.0);
    let products: Vec<StoredProductRow> = sqlx::query_as(STORED_PRODUCTS.sqlite)
        .bind(site)
        .bind(locale)
        .bind(Json(planner.skus()))
        .fetch_all(&mut *conn)
        .await?;
    let names = planner.category_names();
    let categories: Vec<StoredCategoryRow> = match names.is_empty() {
        true => Vec::new(),
        false => {
            let query = sqlx::query_as(STORED_CATEGORIES.sqlite).bind(site).bind(locale);
            query.bind(Json(names)).fetch_all(conn).await?
        }
    };
    let product = |row: StoredProductRow| StoredProduct {
        id: ProductId(row.id),
        sku: row.sku,
        hash: row.content_hash.and_then(|hash| hash.try_into().ok()).map(ContentHash),
        variant_of: row.variant_of,
        slug: row.slug,
    };
    let category = |row: StoredCategoryRow| StoredCategory {
        id: CategoryId(row.id),
        parent: row.parent_id.map(CategoryId),
        slug: row.slug,
        name: row.name,
    };
    planner.stored(
        products.into_iter().map(product).collect(),
        categories.into_iter().map(category).collect(),
    );
    Ok(())
}

async fn answer(
    conn: &mut SqliteConnection,
    batch: &ProductBatch,
    unknown: Unknown,
    planner: &mut Planner<'_>,
) -> Result<(), sqlx::Error> {
    let scope = &batch.scope;
    let mut taken = async |text: &'static str, slugs: Vec<String>| match slugs.is_empty() {
        true => Ok(Vec::new()),
        false => {
            let query = sqlx::query_scalar(text).bind(&scope.site.0).bind(&scope.locale.0);
            query.bind(TextList(slugs)).fetch_all(&mut *conn).await
        }
    };
    let products = taken(TAKEN_PRODUCT_SLUGS.sqlite, unknown.product_slugs).await?;
    let categories = taken(TAKEN_CATEGORY_SLUGS.sqlite, unknown.category_slugs).await?;
    planner.slugs(products, categories);
    Ok(())
}

async fn write(
    conn: &mut SqliteConnection,
    batch: &ProductBatch,
    plan: &Plan<'_>,
    ids: &dyn Ids,
) -> Result<(), sqlx::Error> {
    if plan.products.is_empty() {
        return Ok(());
    }
    let (site, locale, at) = (&batch.scope.site.0, &batch.scope.locale.0, batch.at.0);
    let whose = Whose { site, locale, at };
    sqlx::query(PUT_SITE.sqlite).bind(site).execute(&mut *conn).await?;
    let new = &plan.categories;
    rows::put(conn, PUT_CATEGORIES, new, |values, category| {
        let parent = category.parent.map(|id| id.0);
        values.bind(category.id.0).bind(site).bind(parent).bind(at);
    })
    .await?;
    rows::put(conn, PUT_CATEGORY_TEXTS, new, |values, category| {
        values.bind(category.id.0).bind(locale).bind(site).bind(&category.slug).bind(category.name);
    })
    .await?;
    rows::put(conn, TELL_CATEGORIES, new, |values, category| {
        values.bind(EventKind::CategoryChanged.as_str()).bind(category.id.0).bind(at);
    })
    .await?;
    rows::put(conn, PUT_PRODUCTS, &plan.products, |values, one| whose.product(values, one)).await?;
    rows::put(conn, PUT_PRODUCT_TEXTS, &plan.products, |values, one| whose.text(values, one))
        .await?;
    if !plan.levels.is_empty() {
        put_stock(&mut *conn, batch, plan, ids).await?;
    }
    let changed: Vec<_> = plan.products.iter().map(|p| Hex(p.id.0)).collect();
    let skus: Vec<_> = plan.products.iter().map(|p| p.draft.sku.as_str()).collect();
    sqlx::query(TELL_PRODUCTS.sqlite)
        .bind(site)
        .bind(EventKind::ProductChanged.as_str())
        .bind(at)
        .bind(Json(changed))
        .bind(Json(&plan.parents))
        .bind(Json(skus))
        .execute(conn)
        .await?;
    Ok(())
}

async fn put_stock(
    conn: &mut SqliteConnection,
    batch: &ProductBatch,
    plan: &Plan<'_>,
    ids: &dyn Ids,
) -> Result<(), sqlx::Error> {
    let (site, at) = (&batch.scope.site.0, batch.at.0);
    let codes: BTreeSet<_> = plan.levels.iter().map(|level| level.warehouse).collect();
    let codes: Vec<_> = codes.into_iter().collect();
    rows::put(conn, PUT_WAREHOUSES, &codes, |values, code| {
        values.bind(ids.next()).bind(site).bind(*code).bind(*code);
    })
    .await?;
    let items: BTreeSet<_> = plan.levels.iter().map(|level| level.product.0).collect();
    let items = Json(items.into_iter().map(Hex).collect::<Vec<_>>());
    let put = sqlx::query(PUT_ITEMS.sqlite).bind(site).bind(&items).bind(at);
    put.execute(&mut *conn).await?;
    sqlx::query(PUT_OWN_ITEMS.sqlite).bind(&items).execute(&mut *conn).await?;
    rows::put(conn, KEEP_COUNTS, &plan.levels, |values, level| {
        values.bind(level.product.0).bind(site).bind(level.warehouse).bind(level.on_hand);
        values.bind(ids.next()).bind(at);
    })
    .await?;
    let put = rows::put(conn, PUT_LEVELS, &plan.levels, |values, level| {
        values.bind(level.product.0).bind(site).bind(level.warehouse).bind(level.on_hand).bind(at);
    });
    put.await.map(drop)
}
