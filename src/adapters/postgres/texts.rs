//! Every statement of the writer, in one place so that connecting prepares them all: a schema that
//! doesn't fit is noticed before the first write.

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub(super) const $name: &str = $text;)*
        pub(super) const ALL: &[&str] = &[$($name),*];
    };
}

/// On each new connection, for products that are there already; emptied by every commit.
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
    COPY_PRODUCTS =
        "COPY product (id, sku, status, variant_of, category_id, brand, unit, precision,
             price_minor, currency, popularity, images, attributes, options, content_hash, site,
             created_at, updated_at) FROM STDIN";
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
         ON CONFLICT (id) DO NOTHING";
    PUT_OWN_ITEMS =
        "INSERT INTO sku_stock_item (product_id, item_id, quantity)
         SELECT id, id, 1 FROM unnest($1::uuid[]) i (id)
         ON CONFLICT (product_id, item_id) DO NOTHING";
    /// In the order of the list, which is by item: two writers lock the same rows the same way.
    PUT_LEVELS =
        "INSERT INTO stock_level (item_id, warehouse_id, on_hand, updated_at)
         SELECT l.item, w.id, l.on_hand, $5
         FROM unnest($2::uuid[], $3::text[], $4::bigint[]) WITH ORDINALITY
             l (item, warehouse, on_hand, n)
         JOIN warehouse w ON w.site = $1 AND w.code = l.warehouse ORDER BY l.n
         ON CONFLICT (item_id, warehouse_id) DO UPDATE SET
             on_hand = GREATEST(excluded.on_hand, stock_level.reserved),
             updated_at = excluded.updated_at";
    /// Those whose document shows one of the changed products, and their variants.
    RELATIVES =
        "SELECT id FROM product WHERE site = $1 AND sku = ANY($2)
         UNION SELECT id FROM product
             WHERE site = $1 AND variant_of IS NOT NULL AND variant_of = ANY($3)";
    CREATE_IMPORT =
        "INSERT INTO import (id, name, source, source_hash, source_bytes, options, state,
             rows_read, rows_created, rows_updated, rows_unchanged, rows_rejected, rows_done,
             bytes_done, message, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, $7, $8, $9, $10, $11, $12, $13, $14, $15,
             $16, $17)";
    END_IMPORT = "UPDATE import SET state = $2, message = $3, updated_at = $4 WHERE id = $1";
    /// Claims the import's next stretch, if it is still where the batch believes.
    CLAIM_IMPORT =
        "UPDATE import SET rows_done = $3, bytes_done = $4, updated_at = $5
         WHERE id = $1 AND rows_done = $2 AND state NOT IN ('succeeded', 'cancelled')";
    IMPORT_EXISTS = "SELECT count(*) FROM import WHERE id = $1";
    COUNT_IMPORT =
        "UPDATE import SET rows_read = rows_read + $2, rows_created = rows_created + $3,
             rows_updated = rows_updated + $4, rows_unchanged = rows_unchanged + $5,
             rows_rejected = rows_rejected + $6 WHERE id = $1";
    GET_OVERRIDE =
        "SELECT pool, node, workers, paused, set_by, set_at, expires_at FROM pool_override
         WHERE pool = $1 AND node = $2 FOR UPDATE";
    PUT_OVERRIDE =
        "INSERT INTO pool_override (pool, node, workers, paused, set_by, set_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (pool, node) DO UPDATE SET workers = excluded.workers,
             paused = excluded.paused, set_by = excluded.set_by, set_at = excluded.set_at,
             expires_at = excluded.expires_at";
    DROP_OVERRIDE = "DELETE FROM pool_override WHERE pool = $1 AND node = $2";
    KEEP_CHANGE =
        "INSERT INTO pool_override_history (at, by_whom, pool, node, old_value, new_value)
         VALUES ($1, $2, $3, $4, $5::text::jsonb, $6::text::jsonb)";
}
