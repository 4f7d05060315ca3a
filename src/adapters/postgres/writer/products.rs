//! A batch of products on PostgreSQL: read what the planner asks, then write its plan set by set.
//!
//! New products are copied straight into their tables: the caller holds the site's lock, so nobody
//! makes the same ones meanwhile. Known ones are staged and merged.
//!
//! Joined statements go out in the order they stand (hence `biased`) without waiting for answers,
//! and the server runs them in that order.

use crate::{
    adapters::postgres::{
        copy::Lines,
        statement::{execute, query, statements},
    },
    domain::{
        catalog_batch::{
            ContentHash, Plan, PlannedProduct, Planner, StoredCategory, StoredProduct, Unknown,
        },
        event::EventKind,
        id::{CategoryId, ProductId},
        scope::Site,
    },
    ports::{clock::Ids, imports::ImportCounts, writer::ProductBatch},
};
use deadpool_postgres::{
    Object, Transaction,
    tokio_postgres::{Error, Row},
};
use futures_util::SinkExt;
use std::collections::BTreeSet;
use uuid::Uuid;

/// The advisory lock of who gives places in the log, whichever adapter: "log" in ASCII.
const NUMBERER: i64 = 0x6c_6f_67;
/// Where nodes that LISTEN hear of new events, whichever adapter gave them their places.
const CHANNEL: &str = "stoa_outbox";

/// On each new connection, for products that are there already; emptied by every commit.
pub(super) const STAGE: &str = "CREATE TEMPORARY TABLE staged_product (
        id UUID, sku TEXT, status TEXT, variant_of TEXT, category_id UUID, brand TEXT, unit TEXT,
        precision INTEGER, price_minor BIGINT, currency TEXT, popularity BIGINT, images JSONB,
        attributes JSONB, options JSONB, content_hash BYTEA, tax_category TEXT, slug TEXT, name TEXT,
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
    COPY_PRODUCTS =
        "COPY product (id, sku, status, variant_of, category_id, brand, unit, precision,
             price_minor, currency, popularity, images, attributes, options, content_hash,
             tax_category, site, created_at, updated_at) FROM STDIN";
    COPY_PRODUCT_TEXTS =
        "COPY product_text (product_id, locale, site, slug, name, short_description, description)
         FROM STDIN";
    COPY_EVENTS = "COPY outbox (place, kind, subject, at) FROM STDIN";
    /// The next `$2` places of the log, the first behind the answer; none while another numbers, or
    /// while somebody's committed events still have none.
    TAKE_PLACES =
        "UPDATE log_mark SET head = head + $2
         WHERE one = 1 AND pg_try_advisory_xact_lock($1)
             AND NOT EXISTS (SELECT FROM outbox WHERE place IS NULL)
         RETURNING head - $2";
    NOTIFY = "SELECT pg_notify($1, '')";
    STAGE_PRODUCTS = "COPY staged_product FROM STDIN";
    UNSTAGE_PRODUCTS = "DELETE FROM staged_product";
    PUT_PRODUCTS =
        "INSERT INTO product (id, site, sku, status, variant_of, category_id, brand, unit,
             precision, price_minor, currency, popularity, images, attributes, options,
             content_hash, tax_category, created_at, updated_at)
         SELECT id, $1, sku, status, variant_of, category_id, brand, unit, precision, price_minor,
             currency, popularity, images, attributes, options, content_hash, tax_category, $2, $2
         FROM staged_product
         ON CONFLICT (id) DO UPDATE SET status = excluded.status,
             variant_of = excluded.variant_of, category_id = excluded.category_id,
             brand = excluded.brand, unit = excluded.unit, precision = excluded.precision,
             price_minor = excluded.price_minor, currency = excluded.currency,
             popularity = excluded.popularity, images = excluded.images,
             attributes = excluded.attributes, options = excluded.options,
             content_hash = excluded.content_hash, tax_category = excluded.tax_category,
             updated_at = excluded.updated_at";
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
    /// Those whose document shows one of the changed products, and their variants.
    RELATIVES =
        "SELECT id FROM product WHERE site = $1 AND sku = ANY($2)
         UNION SELECT id FROM product
             WHERE site = $1 AND variant_of IS NOT NULL AND variant_of = ANY($3)";
}

/// Until the transaction ends, nobody else writes products of the site.
pub(super) async fn lock(tx: &Transaction<'_>, site: &Site) -> Result<(), Error> {
    query(tx, LOCK_SITE, [&site.0]).await.map(drop)
}

/// Apart from the transaction that wrote: NOTIFY takes a database-wide lock at commit. Lost, it
/// costs a listener one poll.
pub(super) async fn notify(client: &Object) {
    let notified = async {
        let statement = client.prepare_cached(NOTIFY).await?;
        client.execute(&statement, &[&CHANNEL]).await
    };
    if let Err(error) = notified.await {
        tracing::warn!(%error, "could not notify the other nodes of new events");
    }
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
    planner.suppose(&batch.supposed, &mut || ids.next());
    let plan = loop {
        let plan = planner.plan(&mut || ids.next());
        match plan {
            Ok(plan) => break plan,
            Err(unknown) => answer(tx, batch, unknown, &mut planner).await?,
        }
    };
    if !plan.products.is_empty() {
        write(tx, batch, &plan, ids, again).await?;
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

async fn write(
    tx: &Transaction<'_>,
    batch: &ProductBatch,
    plan: &Plan<'_>,
    ids: &dyn Ids,
    again: bool,
) -> Result<(), Error> {
    execute(tx, PUT_SITE, [&batch.scope.site.0]).await?;
    if !plan.categories.is_empty() {
        put_categories(tx, batch, plan).await?;
    }
    let (new, known): (Vec<_>, Vec<_>) = plan.products.iter().partition(|p| p.is_new);
    if !new.is_empty() {
        copy_products(tx, batch, &new).await?;
    }
    if !known.is_empty() {
        merge_products(tx, batch, &known, again).await?;
    }
    if !plan.levels.is_empty() {
        put_stock(tx, batch, plan, ids).await?;
    }
    tell(tx, batch, plan).await
}

async fn copy_products(
    tx: &Transaction<'_>,
    batch: &ProductBatch,
    new: &[&PlannedProduct<'_>],
) -> Result<(), Error> {
    let (site, locale, at) = (&batch.scope.site.0, &batch.scope.locale.0, batch.at.0);
    copy(tx, COPY_PRODUCTS, new, |lines, product| {
        product_fields(lines, product).text(site).plain(at).plain(at).end();
    })
    .await?;
    copy(tx, COPY_PRODUCT_TEXTS, new, |lines, product| {
        lines.plain(product.id).text(locale).text(site);
        text_fields(lines, product).end();
    })
    .await
}

/// `again`: this transaction has staged before.
async fn merge_products(
    tx: &Transaction<'_>,
    batch: &ProductBatch,
    known: &[&PlannedProduct<'_>],
    again: bool,
) -> Result<(), Error> {
    if again {
        execute(tx, UNSTAGE_PRODUCTS, []).await?;
    }
    copy(tx, STAGE_PRODUCTS, known, |lines, product| {
        text_fields(product_fields(lines, product), product).end();
    })
    .await?;
    let (site, locale, at) = (&batch.scope.site.0, &batch.scope.locale.0, batch.at.0);
    tokio::try_join!(
        biased;
        execute(tx, PUT_PRODUCTS, [site, &at]),
        execute(tx, PUT_PRODUCT_TEXTS, [site, locale]),
    )?;
    Ok(())
}

fn product_fields<'l>(lines: &'l mut Lines, product: &PlannedProduct<'_>) -> &'l mut Lines {
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
        .plain(draft.tax_category.as_str())
}

fn text_fields<'l>(lines: &'l mut Lines, product: &PlannedProduct<'_>) -> &'l mut Lines {
    let draft = product.draft;
    lines
        .text(&product.slug)
        .text(&draft.name)
        .maybe(draft.short_description.as_deref())
        .maybe(draft.description.as_deref())
}

/// Sends a line of each to a COPY statement, in pieces.
async fn copy<T>(
    tx: &Transaction<'_>,
    text: &str,
    each: &[T],
    line: impl Fn(&mut Lines, &T),
) -> Result<(), Error> {
    let statement = tx.prepare_cached(text).await?;
    let mut sink = std::pin::pin!(tx.copy_in(&statement).await?);
    let mut lines = Lines::default();
    for one in each {
        line(&mut lines, one);
        if let Some(piece) = lines.full_piece() {
            sink.send(piece).await?;
        }
    }
    sink.send(lines.into_bytes()).await?;
    sink.finish().await?;
    Ok(())
}

/// An event for each new category, then for each product that changed, shows one that did, or is
/// shown by it.
///
/// Numbering thousands of rows afterwards rewrites them all, so they get their places at once when
/// nobody else numbers (decision 0007). The numberer's lock is then held until the commit: this
/// comes last.
async fn tell(tx: &Transaction<'_>, batch: &ProductBatch, plan: &Plan<'_>) -> Result<(), Error> {
    let skus: Vec<_> = plan.products.iter().map(|p| p.draft.sku.as_str()).collect();
    let relatives = query(tx, RELATIVES, [&batch.scope.site.0, &plan.parents, &skus]).await?;
    let mut products: BTreeSet<Uuid> = plan.products.iter().map(|p| p.id.0).collect();
    for row in relatives {
        products.insert(row.try_get(0)?);
    }
    let count = i64::try_from(plan.categories.len() + products.len()).unwrap_or(i64::MAX);
    let taken = query(tx, TAKE_PLACES, [&NUMBERER, &count]).await?;
    let before: Option<i64> = taken.first().map(|row| row.try_get(0)).transpose()?;
    let categories = plan.categories.iter().map(|c| (EventKind::CategoryChanged, c.id.0));
    let events = categories.chain(products.into_iter().map(|id| (EventKind::ProductChanged, id)));
    let events: Vec<_> = (1..).zip(events).collect();
    copy(tx, COPY_EVENTS, &events, |lines, (n, (kind, subject))| {
        let place = before.map(|before| before + n);
        lines.maybe_plain(place).plain(kind.as_str()).plain(subject).plain(batch.at.0).end();
    })
    .await
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
    tokio::try_join!(
        biased;
        execute(tx, PUT_CATEGORIES, [site, &made, &parents, &at]),
        execute(tx, PUT_CATEGORY_TEXTS, [site, locale, &made, &slugs, &names]),
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
