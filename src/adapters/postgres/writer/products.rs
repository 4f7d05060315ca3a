//! A batch of products on PostgreSQL: read what the planner asks, then write its plan set by set.
//!
//! Joined statements go out in the order they stand (hence `biased`) without waiting for answers,
//! and the server runs them in that order.

use crate::{
    adapters::postgres::{
        copy::Lines,
        statement::{execute, query, statements},
    },
    domain::{
        catalog_batch::{ContentHash, Plan, Planner, StoredCategory, StoredProduct, Unknown},
        event::EventKind,
        id::{CategoryId, ProductId},
        scope::Site,
    },
    ports::{clock::Ids, imports::ImportCounts, writer::ProductBatch},
};
use deadpool_postgres::{
    Transaction,
    tokio_postgres::{Error, Row},
};
use futures_util::SinkExt;
use std::collections::BTreeSet;
use uuid::Uuid;

/// On each new connection; emptied by every commit.
pub(super) const STAGE: &str = "CREATE TEMPORARY TABLE staged_product (
        id UUID, sku TEXT, status TEXT, variant_of TEXT, category_id UUID, brand TEXT, unit TEXT,
        precision INTEGER, price_minor BIGINT, currency TEXT, popularity BIGINT, images JSONB,
        attributes JSONB, options JSONB, content_hash BYTEA, slug TEXT, name TEXT,
        short_description TEXT, description TEXT) ON COMMIT DELETE ROWS";

statements! {
    /// Two nodes write products of one site one after the other.
    LOCK_SITE = "SELECT pg_advisory_xact_lock(1936683873, hashtext($1))";
    STORED_PRODUCTS =
        "SELECT p.id, p.sku, p.content_hash, p.variant_of, t.slug FROM product p
         LEFT JOIN product_text t ON t.product_id = p.id AND t.locale = $2
         WHERE p.site = $1 AND p.sku = ANY($3)";
    STORED_CATEGORIES =
        "SELECT c.id, c.parent_id, t.slug, t.name
         FROM category_text t JOIN category c ON c.id = t.category_id
         WHERE t.site = $1 AND t.locale = $2 AND t.name = ANY($3)";
    TAKEN_PRODUCT_SLUGS =
        "SELECT slug FROM product_text WHERE site = $1 AND locale = $2 AND slug = ANY($3)";
    TAKEN_CATEGORY_SLUGS =
        "SELECT slug FROM category_text WHERE site = $1 AND locale = $2 AND slug = ANY($3)";
    PUT_SITE = "INSERT INTO site (code) VALUES ($1) ON CONFLICT DO NOTHING";
    PUT_CATEGORIES =
        "INSERT INTO category (id, site, parent_id, created_at)
         SELECT id, $1, parent_id, $4 FROM unnest($2::uuid[], $3::uuid[]) c (id, parent_id)";
    PUT_CATEGORY_TEXTS =
        "INSERT INTO category_text (category_id, locale, site, slug, name)
         SELECT id, $2, $1, slug, name
         FROM unnest($3::uuid[], $4::text[], $5::text[]) c (id, slug, name)";
    STAGE_PRODUCTS = "COPY staged_product FROM STDIN";
    UNSTAGE_PRODUCTS = "DELETE FROM staged_product";
    PUT_PRODUCTS =
        "INSERT INTO product (id, site, sku, status, variant_of, category_id, brand, unit,
             precision, price_minor, currency, popularity, images, attributes, options,
             content_hash, created_at, updated_at)
         SELECT id, $1, sku, status, variant_of, category_id, brand, unit, precision, price_minor,
             currency, popularity, images, attributes, options, content_hash, $2, $2
         FROM staged_product
         ON CONFLICT (id) DO UPDATE SET status = excluded.status,
             variant_of = excluded.variant_of, category_id = excluded.category_id,
             brand = excluded.brand, unit = excluded.unit, precision = excluded.precision,
             price_minor = excluded.price_minor, currency = excluded.currency,
             popularity = excluded.popularity, images = excluded.images,
             attributes = excluded.attributes, options = excluded.options,
             content_hash = excluded.content_hash, updated_at = excluded.updated_at";
    PUT_PRODUCT_TEXTS =
        "INSERT INTO product_text (product_id, locale, site, slug, name, short_description,
             description)
         SELECT id, $2, $1, slug, name, short_description, description FROM staged_product
         ON CONFLICT (product_id, locale) DO UPDATE SET name = excluded.name,
             short_description = excluded.short_description, description = excluded.description";
    PUT_WAREHOUSES =
        "INSERT INTO warehouse (id, site, code, name)
         SELECT id, $1, code, code FROM unnest($2::uuid[], $3::text[]) w (id, code)
         ON CONFLICT (site, code) DO NOTHING";
    PUT_ITEMS =
        "INSERT INTO stock_item (id, site, created_at) SELECT id, $1, $3 FROM unnest($2::uuid[]) i (id)
         ON CONFLICT (id) DO UPDATE SET version = stock_item.version + 1";
    PUT_OWN_ITEMS =
        "INSERT INTO sku_stock_item (product_id, item_id, quantity)
         SELECT id, id, 1 FROM unnest($1::uuid[]) i (id)
         ON CONFLICT (product_id, item_id) DO NOTHING";
    /// Locked before they are counted, by item and warehouse as everybody locks them.
    LOCK_LEVELS =
        "SELECT FROM stock_level WHERE item_id = ANY($1) ORDER BY item_id, warehouse_id FOR UPDATE";
    /// Before the levels are put: by how much each count changes.
    KEEP_COUNTS =
        "INSERT INTO stock_movement (item_id, id, warehouse_id, kind, on_hand, promised, by_whom,
             note, at)
         SELECT n.item, n.id, w.id, 'import',
             GREATEST(n.on_hand, COALESCE(l.reserved, 0)) - COALESCE(l.on_hand, 0), 0, 'import',
             '', $5
         FROM unnest($2::uuid[], $3::text[], $4::bigint[], $6::uuid[]) n (item, code, on_hand, id)
         JOIN warehouse w ON w.site = $1 AND w.code = n.code
         LEFT JOIN stock_level l ON l.item_id = n.item AND l.warehouse_id = w.id
         WHERE GREATEST(n.on_hand, COALESCE(l.reserved, 0)) <> COALESCE(l.on_hand, 0)";
    /// What was owed is promised out of what has come.
    PUT_LEVELS =
        "INSERT INTO stock_level (item_id, warehouse_id, on_hand, updated_at)
         SELECT l.item, w.id, l.on_hand, $5
         FROM unnest($2::uuid[], $3::text[], $4::bigint[]) l (item, code, on_hand)
         JOIN warehouse w ON w.site = $1 AND w.code = l.code ORDER BY l.item, w.id
         ON CONFLICT (item_id, warehouse_id) DO UPDATE SET
             on_hand = GREATEST(excluded.on_hand, stock_level.reserved),
             reserved = stock_level.reserved
                 + LEAST(stock_level.owed, GREATEST(excluded.on_hand - stock_level.reserved, 0)),
             owed = stock_level.owed
                 - LEAST(stock_level.owed, GREATEST(excluded.on_hand - stock_level.reserved, 0)),
             updated_at = excluded.updated_at";
    TELL_CATEGORIES =
        "INSERT INTO outbox (kind, subject, at)
         SELECT $1, id, $3 FROM unnest($2::uuid[]) WITH ORDINALITY c (id, n) ORDER BY n";
    /// Of the changed products, of those whose document shows one of them, and of their variants.
    TELL_PRODUCTS =
        "INSERT INTO outbox (kind, subject, at) SELECT $2, id, $3 FROM (
             SELECT id FROM unnest($4::uuid[]) c (id)
             UNION SELECT id FROM product WHERE site = $1 AND sku = ANY($5)
             UNION SELECT id FROM product
                 WHERE site = $1 AND variant_of IS NOT NULL AND variant_of = ANY($6)) t
         ORDER BY id";
}

/// Until the transaction ends, nobody else writes products of the site.
pub(super) async fn lock(tx: &Transaction<'_>, site: &Site) -> Result<(), Error> {
    query(tx, LOCK_SITE, [&site.0]).await.map(drop)
}

/// Inside the caller's transaction, which holds the site's lock. `again`: it has staged before.
pub(super) async fn put(
    tx: &Transaction<'_>,
    batch: &ProductBatch,
    ids: &dyn Ids,
    again: bool,
) -> Result<ImportCounts, Error> {
    let mut planner = Planner::new(&batch.scope, &batch.products);
    read(tx, batch, &mut planner).await?;
    let plan = loop {
        let plan = planner.plan(&mut || ids.next());
        match plan {
            Ok(plan) => break plan,
            Err(unknown) => answer(tx, batch, unknown, &mut planner).await?,
        }
    };
    if !plan.products.is_empty() {
        stage(tx, &plan, again).await?;
        write(tx, batch, &plan, ids).await?;
    }
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
    tx: &Transaction<'_>,
    batch: &ProductBatch,
    planner: &mut Planner<'_>,
) -> Result<(), Error> {
    let (site, locale) = (&batch.scope.site.0, &batch.scope.locale.0);
    let (skus, names) = (planner.skus(), planner.category_names());
    let (products, categories) = tokio::try_join!(
        biased;
        query(tx, STORED_PRODUCTS, [site, locale, &skus]),
        query(tx, STORED_CATEGORIES, [site, locale, &names]),
    )?;
    planner.stored(
        products.iter().map(stored_product).collect::<Result<_, _>>()?,
        categories.iter().map(stored_category).collect::<Result<_, _>>()?,
    );
    Ok(())
}

fn stored_product(row: &Row) -> Result<StoredProduct, Error> {
    let hash: Option<&[u8]> = row.try_get("content_hash")?;
    Ok(StoredProduct {
        id: ProductId(row.try_get("id")?),
        sku: row.try_get("sku")?,
        hash: hash.and_then(|hash| hash.try_into().ok()).map(ContentHash),
        variant_of: row.try_get("variant_of")?,
        slug: row.try_get("slug")?,
    })
}

fn stored_category(row: &Row) -> Result<StoredCategory, Error> {
    let parent: Option<Uuid> = row.try_get("parent_id")?;
    Ok(StoredCategory {
        id: CategoryId(row.try_get("id")?),
        parent: parent.map(CategoryId),
        slug: row.try_get("slug")?,
        name: row.try_get("name")?,
    })
}

async fn answer(
    tx: &Transaction<'_>,
    batch: &ProductBatch,
    unknown: Unknown,
    planner: &mut Planner<'_>,
) -> Result<(), Error> {
    let (site, locale) = (&batch.scope.site.0, &batch.scope.locale.0);
    let (products, categories) = tokio::try_join!(
        biased;
        query(tx, TAKEN_PRODUCT_SLUGS, [site, locale, &unknown.product_slugs]),
        query(tx, TAKEN_CATEGORY_SLUGS, [site, locale, &unknown.category_slugs]),
    )?;
    let slugs = |rows: Vec<Row>| rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>();
    planner.slugs(slugs(products)?, slugs(categories)?);
    Ok(())
}

async fn stage(tx: &Transaction<'_>, plan: &Plan<'_>, again: bool) -> Result<(), Error> {
    if again {
        execute(tx, UNSTAGE_PRODUCTS, []).await?;
    }
    let mut lines = Lines::with_capacity(plan.products.len() * 1_024);
    for product in &plan.products {
        let draft = product.draft;
        let price = draft.price.as_ref();
        lines
            .plain(product.id)
            .text(draft.sku.as_str())
            .plain(draft.status.as_str())
            .maybe(product.variant_of.map(|sku| sku.as_str()))
            .maybe_plain(product.category)
            .maybe(draft.brand.as_deref())
            .text(&draft.unit)
            .plain(draft.precision)
            .maybe_plain(price.map(|price| price.minor))
            .maybe_plain(price.map(|price| price.currency))
            .plain(draft.popularity)
            .json(&draft.images)
            .json(&draft.attributes)
            .json(&draft.options)
            .bytes(&product.hash.0)
            .text(&product.slug)
            .text(&draft.name)
            .maybe(draft.short_description.as_deref())
            .maybe(draft.description.as_deref())
            .end();
    }
    let statement = tx.prepare_cached(STAGE_PRODUCTS).await?;
    let mut sink = std::pin::pin!(tx.copy_in(&statement).await?);
    sink.send(lines.into_bytes()).await?;
    sink.finish().await?;
    Ok(())
}

async fn write(
    tx: &Transaction<'_>,
    batch: &ProductBatch,
    plan: &Plan<'_>,
    ids: &dyn Ids,
) -> Result<(), Error> {
    let (site, locale, at) = (&batch.scope.site.0, &batch.scope.locale.0, batch.at.0);
    if !plan.categories.is_empty() {
        put_categories(tx, batch, plan).await?;
    }
    let changed: Vec<_> = plan.products.iter().map(|p| p.id.0).collect();
    let skus: Vec<_> = plan.products.iter().map(|p| p.draft.sku.as_str()).collect();
    let kind = EventKind::ProductChanged.as_str();
    tokio::try_join!(
        biased;
        execute(tx, PUT_SITE, [site]),
        execute(tx, PUT_PRODUCTS, [site, &at]),
        execute(tx, PUT_PRODUCT_TEXTS, [site, locale]),
        execute(tx, TELL_PRODUCTS, [site, &kind, &at, &changed, &plan.parents, &skus]),
    )?;
    if !plan.levels.is_empty() {
        put_stock(tx, batch, plan, ids).await?;
    }
    Ok(())
}

async fn put_categories(
    tx: &Transaction<'_>,
    batch: &ProductBatch,
    plan: &Plan<'_>,
) -> Result<(), Error> {
    let (site, locale, at) = (&batch.scope.site.0, &batch.scope.locale.0, batch.at.0);
    let made: Vec<_> = plan.categories.iter().map(|c| c.id.0).collect();
    let parents: Vec<_> = plan.categories.iter().map(|c| c.parent.map(|id| id.0)).collect();
    let slugs: Vec<_> = plan.categories.iter().map(|c| c.slug.as_str()).collect();
    let names: Vec<_> = plan.categories.iter().map(|c| c.name).collect();
    let kind = EventKind::CategoryChanged.as_str();
    tokio::try_join!(
        biased;
        execute(tx, PUT_SITE, [site]),
        execute(tx, PUT_CATEGORIES, [site, &made, &parents, &at]),
        execute(tx, PUT_CATEGORY_TEXTS, [site, locale, &made, &slugs, &names]),
        execute(tx, TELL_CATEGORIES, [&kind, &made, &at]),
    )?;
    Ok(())
}

async fn put_stock(
    tx: &Transaction<'_>,
    batch: &ProductBatch,
    plan: &Plan<'_>,
    ids: &dyn Ids,
) -> Result<(), Error> {
    let (site, at) = (&batch.scope.site.0, batch.at.0);
    let codes: BTreeSet<_> = plan.levels.iter().map(|level| level.warehouse).collect();
    let codes: Vec<_> = codes.into_iter().collect();
    let made: Vec<_> = codes.iter().map(|_| ids.next()).collect();
    let items: BTreeSet<_> = plan.levels.iter().map(|level| level.product.0).collect();
    let items: Vec<_> = items.into_iter().collect();
    let of: Vec<_> = plan.levels.iter().map(|level| level.product.0).collect();
    let warehouses: Vec<_> = plan.levels.iter().map(|level| level.warehouse).collect();
    let on_hand: Vec<_> = plan.levels.iter().map(|level| level.on_hand).collect();
    let counts: Vec<_> = plan.levels.iter().map(|_| ids.next()).collect();
    tokio::try_join!(
        biased;
        execute(tx, PUT_WAREHOUSES, [site, &made, &codes]),
        execute(tx, PUT_ITEMS, [site, &items, &at]),
        execute(tx, PUT_OWN_ITEMS, [&items]),
        query(tx, LOCK_LEVELS, [&items]),
        execute(tx, KEEP_COUNTS, [site, &of, &warehouses, &on_hand, &at, &counts]),
        execute(tx, PUT_LEVELS, [site, &of, &warehouses, &on_hand, &at]),
    )?;
    Ok(())
}
