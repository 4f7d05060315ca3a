-- An index begins with its most selective column, never with the site: a planner without
-- statistics would otherwise take it for a way to find everything of a site.

-- Who this database is. Offsets of the log mean something only within one epoch.
CREATE TABLE meta (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    database_id UUID    NOT NULL,
    epoch       UUID    NOT NULL,
    created_by  TEXT    NOT NULL,
    created_at  BIGINT  NOT NULL
);

CREATE TABLE site (
    code TEXT PRIMARY KEY CHECK (code <> '')
);

CREATE TABLE warehouse (
    id   UUID PRIMARY KEY,
    site TEXT NOT NULL REFERENCES site (code),
    code TEXT NOT NULL CHECK (code <> ''),
    name TEXT NOT NULL,
    UNIQUE (site, code)
);

CREATE TABLE category (
    id         UUID    PRIMARY KEY,
    site       TEXT    NOT NULL REFERENCES site (code),
    parent_id  UUID    REFERENCES category (id) CHECK (parent_id <> id),
    position   INTEGER NOT NULL DEFAULT 0,
    created_at BIGINT  NOT NULL
);

CREATE TABLE category_text (
    category_id UUID NOT NULL REFERENCES category (id) ON DELETE CASCADE,
    locale      TEXT NOT NULL,
    site        TEXT NOT NULL,
    slug        TEXT COLLATE "C" NOT NULL CHECK (slug <> ''),
    name        TEXT NOT NULL,
    PRIMARY KEY (category_id, locale),
    UNIQUE (slug, site, locale)
);
-- An import finds the categories of its paths by name.
CREATE INDEX category_text_name ON category_text (name, site, locale);

CREATE TABLE product (
    id           UUID    PRIMARY KEY,
    site         TEXT    NOT NULL,
    sku          TEXT COLLATE "C" NOT NULL CHECK (sku <> ''),
    status       TEXT    NOT NULL CHECK (status IN ('active', 'disabled')),
    kind         TEXT    NOT NULL DEFAULT 'plain' CHECK (kind IN ('plain', 'bundle')),
    -- The parent's SKU, which may not be there yet: an import brings them in any order.
    variant_of   TEXT COLLATE "C" CHECK (variant_of <> sku),
    category_id  UUID    REFERENCES category (id),
    brand        TEXT,
    unit         TEXT    NOT NULL,
    precision    INTEGER NOT NULL CHECK (precision BETWEEN 0 AND 6),
    price_minor  BIGINT  CHECK (price_minor >= 0),
    currency     TEXT    CHECK (length(currency) = 3),
    popularity   BIGINT  NOT NULL DEFAULT 0,
    images       JSONB   NOT NULL,
    attributes   JSONB   NOT NULL,
    options      JSONB   NOT NULL,
    -- Of the draft this row was last made from; NULL once anything else has changed it.
    content_hash BYTEA   CHECK (octet_length(content_hash) = 16),
    created_at   BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL,
    UNIQUE (sku, site),
    CHECK ((price_minor IS NULL) = (currency IS NULL))
);
CREATE INDEX product_variant_of ON product (variant_of, site) WHERE variant_of IS NOT NULL;

CREATE TABLE product_text (
    product_id        UUID NOT NULL REFERENCES product (id) ON DELETE CASCADE,
    locale            TEXT NOT NULL,
    site              TEXT NOT NULL,
    slug              TEXT COLLATE "C" NOT NULL CHECK (slug <> ''),
    name              TEXT NOT NULL,
    short_description TEXT,
    description       TEXT,
    PRIMARY KEY (product_id, locale),
    UNIQUE (slug, site, locale)
);

-- What is counted. A plain product's own item bears the product's id.
CREATE TABLE stock_item (
    id         UUID    PRIMARY KEY,
    site       TEXT    NOT NULL REFERENCES site (code),
    created_at BIGINT  NOT NULL
);

-- What one of a product consumes: a plain one itself × 1, a bundle several.
CREATE TABLE sku_stock_item (
    product_id UUID    NOT NULL REFERENCES product (id) ON DELETE CASCADE,
    item_id    UUID    NOT NULL REFERENCES stock_item (id),
    quantity   BIGINT  NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (product_id, item_id)
);

CREATE TABLE stock_level (
    item_id      UUID    NOT NULL REFERENCES stock_item (id) ON DELETE CASCADE,
    warehouse_id UUID    NOT NULL REFERENCES warehouse (id),
    on_hand      BIGINT  NOT NULL CHECK (on_hand >= 0),
    reserved     BIGINT  NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    updated_at   BIGINT  NOT NULL,
    PRIMARY KEY (item_id, warehouse_id),
    -- Never one unit oversold, whatever the statement above it believed.
    CHECK (reserved <= on_hand)
);
