-- An index begins with its most selective column, never with the site: a planner without
-- statistics would otherwise take it for a way to find everything of a site.

-- Who this database is. Offsets of the log mean something only within one epoch.
CREATE TABLE meta (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    database_id BLOB    NOT NULL CHECK (length(database_id) = 16),
    epoch       BLOB    NOT NULL CHECK (length(epoch) = 16),
    created_by  TEXT    NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE site (
    code TEXT PRIMARY KEY CHECK (code <> '')
) STRICT, WITHOUT ROWID;

CREATE TABLE warehouse (
    id   BLOB PRIMARY KEY CHECK (length(id) = 16),
    site TEXT NOT NULL REFERENCES site (code),
    code TEXT NOT NULL CHECK (code <> ''),
    name TEXT NOT NULL,
    UNIQUE (site, code)
) STRICT, WITHOUT ROWID;

CREATE TABLE category (
    id         BLOB    PRIMARY KEY CHECK (length(id) = 16),
    site       TEXT    NOT NULL REFERENCES site (code),
    parent_id  BLOB    REFERENCES category (id) CHECK (parent_id <> id),
    position   INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE category_text (
    category_id BLOB NOT NULL REFERENCES category (id) ON DELETE CASCADE,
    locale      TEXT NOT NULL,
    site        TEXT NOT NULL,
    slug        TEXT NOT NULL CHECK (slug <> ''),
    name        TEXT NOT NULL,
    PRIMARY KEY (category_id, locale),
    UNIQUE (slug, site, locale)
) STRICT, WITHOUT ROWID;
-- An import finds the categories of its paths by name.
CREATE INDEX category_text_name ON category_text (name, site, locale);

CREATE TABLE product (
    id           BLOB    PRIMARY KEY CHECK (length(id) = 16),
    site         TEXT    NOT NULL,
    sku          TEXT    NOT NULL CHECK (sku <> ''),
    status       TEXT    NOT NULL CHECK (status IN ('active', 'disabled')),
    kind         TEXT    NOT NULL DEFAULT 'plain' CHECK (kind IN ('plain', 'bundle')),
    -- The parent's SKU, which may not be there yet: an import brings them in any order.
    variant_of   TEXT    CHECK (variant_of <> sku),
    category_id  BLOB    REFERENCES category (id),
    brand        TEXT,
    unit         TEXT    NOT NULL,
    precision    INTEGER NOT NULL CHECK (precision BETWEEN 0 AND 6),
    price_minor  INTEGER CHECK (price_minor >= 0),
    currency     TEXT    CHECK (length(currency) = 3),
    popularity   INTEGER NOT NULL DEFAULT 0,
    images       TEXT    NOT NULL CHECK (json_valid(images)),
    attributes   TEXT    NOT NULL CHECK (json_valid(attributes)),
    options      TEXT    NOT NULL CHECK (json_valid(options)),
    -- Of the draft this row was last made from; NULL once anything else has changed it.
    content_hash BLOB    CHECK (length(content_hash) = 16),
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    UNIQUE (sku, site),
    CHECK ((price_minor IS NULL) = (currency IS NULL))
) STRICT;
CREATE INDEX product_variant_of ON product (variant_of, site) WHERE variant_of IS NOT NULL;

CREATE TABLE product_text (
    product_id        BLOB NOT NULL REFERENCES product (id) ON DELETE CASCADE,
    locale            TEXT NOT NULL,
    site              TEXT NOT NULL,
    slug              TEXT NOT NULL CHECK (slug <> ''),
    name              TEXT NOT NULL,
    short_description TEXT,
    description       TEXT,
    PRIMARY KEY (product_id, locale),
    UNIQUE (slug, site, locale)
) STRICT;

-- What is counted. A plain product's own item bears the product's id.
CREATE TABLE stock_item (
    id         BLOB    PRIMARY KEY CHECK (length(id) = 16),
    site       TEXT    NOT NULL REFERENCES site (code),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What one of a product consumes: a plain one itself × 1, a bundle several.
CREATE TABLE sku_stock_item (
    product_id BLOB    NOT NULL REFERENCES product (id) ON DELETE CASCADE,
    item_id    BLOB    NOT NULL REFERENCES stock_item (id),
    quantity   INTEGER NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (product_id, item_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE stock_level (
    item_id      BLOB    NOT NULL REFERENCES stock_item (id) ON DELETE CASCADE,
    warehouse_id BLOB    NOT NULL REFERENCES warehouse (id),
    on_hand      INTEGER NOT NULL CHECK (on_hand >= 0),
    reserved     INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    updated_at   INTEGER NOT NULL,
    PRIMARY KEY (item_id, warehouse_id),
    -- Never one unit oversold, whatever the statement above it believed.
    CHECK (reserved <= on_hand)
) STRICT, WITHOUT ROWID;
