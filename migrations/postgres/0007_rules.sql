-- What staff say about prices, tax, shipping and coupons: documents (`domain::rule`) that are only
-- ever read whole. `unique_key` is what no other of its kind may have, such as a coupon's code.
CREATE TABLE rule (
    id         UUID   PRIMARY KEY,
    kind       TEXT   NOT NULL CHECK (kind IN ('price_list', 'tax', 'shipping', 'coupon')),
    unique_key TEXT   NOT NULL CHECK (unique_key <> ''),
    body       JSONB  NOT NULL,
    version    BIGINT NOT NULL CHECK (version > 0),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (kind, unique_key)
);

-- What price lists say of products, in minor units of the list's currency for one whole unit. Those
-- of a dropped list are dropped after it, some at a time, and count for nobody meanwhile.
CREATE TABLE price_entry (
    product_id   UUID   NOT NULL,
    list_id      UUID   NOT NULL,
    unit         TEXT COLLATE "C" NOT NULL CHECK (unit <> ''),
    -- In steps of the product.
    min_quantity BIGINT NOT NULL CHECK (min_quantity > 0),
    amount       BIGINT NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (product_id, list_id, unit, min_quantity)
);
CREATE INDEX price_entry_by_list ON price_entry (list_id, product_id, unit, min_quantity);

-- Orders that used a coupon; gone again when the order was cancelled. `used_by` is half a SHA-256:
-- no address is kept. A coupon may be dropped while its uses stay.
CREATE TABLE coupon_use (
    order_id  UUID   PRIMARY KEY,
    coupon_id UUID   NOT NULL,
    used_by   UUID   NOT NULL,
    at        BIGINT NOT NULL
);
CREATE INDEX coupon_use_by_user ON coupon_use (coupon_id, used_by);

-- How many those are.
CREATE TABLE coupon_count (
    coupon_id UUID   PRIMARY KEY,
    used      BIGINT NOT NULL CHECK (used >= 0)
);
