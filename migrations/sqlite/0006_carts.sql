-- What buyers mean to buy. Owners are sessions and accounts, which come and go by themselves.
CREATE TABLE cart (
    id         BLOB    PRIMARY KEY CHECK (length(id) = 16),
    owner_kind TEXT    NOT NULL CHECK (owner_kind IN ('guest', 'user')),
    owner_id   BLOB    NOT NULL CHECK (length(owner_id) = 16),
    kind       TEXT    NOT NULL CHECK (kind IN ('list', 'later', 'active')),
    state      TEXT    NOT NULL CHECK (state IN ('open', 'ordered')),
    name       TEXT    NOT NULL CHECK (name <> ''),
    note       TEXT,
    version    INTEGER NOT NULL CHECK (version > 0),
    lines      INTEGER NOT NULL CHECK (lines >= 0),
    -- What the lines come to, moved with each of them.
    sums       TEXT    NOT NULL CHECK (json_valid(sums)),
    next_place INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX cart_by_owner ON cart (owner_id) WHERE state = 'open';
CREATE UNIQUE INDEX cart_one_of_kind ON cart (owner_id, kind)
    WHERE state = 'open' AND kind <> 'list';
-- The sweep takes what was left alone for longest.
CREATE INDEX cart_by_age ON cart (updated_at) WHERE owner_kind = 'guest' OR state = 'ordered';

-- One product in a cart, with what its buyer last saw of it. The product may be gone since.
CREATE TABLE cart_line (
    cart_id      BLOB    NOT NULL REFERENCES cart (id) ON DELETE CASCADE,
    -- In the order in which they came; a reader goes on behind it.
    place        INTEGER NOT NULL,
    sku          TEXT    NOT NULL CHECK (sku <> ''),
    product_id   BLOB    NOT NULL CHECK (length(product_id) = 16),
    quantity     INTEGER NOT NULL CHECK (quantity > 0),
    precision    INTEGER NOT NULL CHECK (precision BETWEEN 0 AND 6),
    price        TEXT    NOT NULL CHECK (json_valid(price)),
    tax_category TEXT    NOT NULL,
    band         TEXT    NOT NULL,
    note         TEXT,
    added_at     INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    PRIMARY KEY (cart_id, place),
    UNIQUE (cart_id, sku)
) STRICT, WITHOUT ROWID;
