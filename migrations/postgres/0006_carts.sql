-- What buyers mean to buy. Owners are sessions and accounts, which come and go by themselves.
CREATE TABLE cart (
    id         UUID    PRIMARY KEY,
    owner_kind TEXT    NOT NULL CHECK (owner_kind IN ('guest', 'user')),
    owner_id   UUID    NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('list', 'later', 'active')),
    state      TEXT    NOT NULL CHECK (state IN ('open', 'ordered')),
    name       TEXT    NOT NULL CHECK (name <> ''),
    note       TEXT,
    version    BIGINT  NOT NULL CHECK (version > 0),
    lines      BIGINT  NOT NULL CHECK (lines >= 0),
    -- What the lines come to, moved with each of them.
    sums       JSONB   NOT NULL,
    next_place BIGINT  NOT NULL,
    created_at BIGINT  NOT NULL,
    updated_at BIGINT  NOT NULL
);
CREATE INDEX cart_by_owner ON cart (owner_id) WHERE state = 'open';
CREATE UNIQUE INDEX cart_one_of_kind ON cart (owner_id, kind)
    WHERE state = 'open' AND kind <> 'list';
-- The sweep takes what was left alone for longest.
CREATE INDEX cart_by_age ON cart (updated_at) WHERE owner_kind = 'guest' OR state = 'ordered';

-- One product in a cart, with what its buyer last saw of it. The product may be gone since.
CREATE TABLE cart_line (
    cart_id      UUID    NOT NULL REFERENCES cart (id) ON DELETE CASCADE,
    -- In the order in which they came; a reader goes on behind it.
    place        BIGINT  NOT NULL,
    sku          TEXT COLLATE "C" NOT NULL CHECK (sku <> ''),
    product_id   UUID    NOT NULL,
    quantity     BIGINT  NOT NULL CHECK (quantity > 0),
    precision    INTEGER NOT NULL CHECK (precision BETWEEN 0 AND 6),
    price        JSONB   NOT NULL,
    tax_category TEXT    NOT NULL,
    band         TEXT    NOT NULL,
    note         TEXT,
    added_at     BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL,
    PRIMARY KEY (cart_id, place),
    UNIQUE (cart_id, sku)
);
