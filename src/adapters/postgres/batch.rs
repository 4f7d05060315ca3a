//! A batch of products on PostgreSQL: read what the planner asks, then write its plan set by set.
//!
//! Joined statements go out in the order they stand (hence `biased`) without waiting for answers,
//! and the server runs them in that order.

use super::{copy::Lines, texts::*};
use crate::{
    domain::{
        catalog_batch::{ContentHash, Plan, Planner, StoredCategory, StoredProduct, Unknown},
        event::EventKind,
        id::{CategoryId, ProductId},
    },
    ports::{clock::Ids, imports::ImportCounts, writer::ProductBatch},
};
use deadpool_postgres::{
    Transaction,
    tokio_postgres::{Error, Row, types::ToSql},
};
use futures_util::SinkExt;
use std::collections::BTreeSet;
use uuid::Uuid;

type Param<'a> = &'a (dyn ToSql + Sync);

pub(super) async fn execute<const N: usize>(
    tx: &Transaction<'_>,
    text: &str,
    params: [Param<'_>; N],
) -> Result<u64, Error> {
    let statement = tx.prepare_cached(text).await?;
    tx.execute(&statement, &params).await
}

pub(super) async fn query<const N: usize>(
    tx: &Transaction<'_>,
    text: &str,
    params: [Param<'_>; N],
) -> Result<Vec<Row>, Error> {
    let statement = tx.prepare_cached(text).await?;
    tx.query(&statement, &params).await
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
    tokio::try_join!(
        biased;
        execute(tx, PUT_WAREHOUSES, [site, &made, &codes]),
        execute(tx, PUT_ITEMS, [site, &items, &at]),
        execute(tx, PUT_OWN_ITEMS, [&items]),
        execute(tx, PUT_LEVELS, [site, &of, &warehouses, &on_hand, &at]),
    )?;
    Ok(())
}
