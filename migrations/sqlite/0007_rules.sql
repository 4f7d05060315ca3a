-- What staff say about prices, tax, shipping and coupons: documents (`domain::rule`) that are only
-- ever read whole. `unique_key` is what no other of its kind may have, such as a coupon's code.
CREATE TABLE rule (
    id         BLOB    PRIMARY KEY CHECK (length(id) = 16),
    kind       TEXT    NOT NULL CHECK (kind IN ('price_list', 'tax', 'shipping', 'coupon')),
    unique_key TEXT    NOT NULL CHECK (unique_key <> ''),
    body       TEXT    NOT NULL CHECK (json_valid(body)),
    version    INTEGER NOT NULL CHECK (version > 0),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (kind, unique_key)
) STRICT, WITHOUT ROWID;

-- What price lists say of products, in minor units of the list's currency for one whole unit. Those
-- of a dropped list are dropped after it, some at a time, and count for nobody meanwhile.
CREATE TABLE price_entry (
    product_id   BLOB    NOT NULL CHECK (length(product_id) = 16),
    list_id      BLOB    NOT NULL CHECK (length(list_id) = 16),
    unit         TEXT    NOT NULL CHECK (unit <> ''),
    -- In steps of the product.
    min_quantity INTEGER NOT NULL CHECK (min_quantity > 0),
    amount       INTEGER NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (product_id, list_id, unit, min_quantity)
) STRICT, WITHOUT ROWID;
CREATE INDEX price_entry_by_list ON price_entry (list_id, product_id, unit, min_quantity);

-- Orders that used a coupon; gone again when the order was cancelled. `used_by` is half a SHA-256:
-- no address is kept. A coupon may be dropped while its uses stay.
CREATE TABLE coupon_use (
    order_id  BLOB    PRIMARY KEY CHECK (length(order_id) = 16),
    coupon_id BLOB    NOT NULL CHECK (length(coupon_id) = 16),
    used_by   BLOB    NOT NULL CHECK (length(used_by) = 16),
    at        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX coupon_use_by_user ON coupon_use (coupon_id, used_by);

-- How many those are.
CREATE TABLE coupon_count (
    coupon_id BLOB    PRIMARY KEY CHECK (length(coupon_id) = 16),
    used      INTEGER NOT NULL CHECK (used >= 0)
) STRICT, WITHOUT ROWID;
