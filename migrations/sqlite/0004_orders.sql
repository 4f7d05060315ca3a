-- Warehouses are drawn on by `priority`, the lowest first, then by code.
ALTER TABLE warehouse ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;

-- With no more than `threshold` left it counts as sold out; with `back_order` more may be promised
-- than there are. `version` rises with each change of these and of what is there.
ALTER TABLE stock_item ADD COLUMN threshold INTEGER NOT NULL DEFAULT 0 CHECK (threshold >= 0);
ALTER TABLE stock_item ADD COLUMN back_order INTEGER NOT NULL DEFAULT 0
    CHECK (back_order IN (0, 1));
ALTER TABLE stock_item ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

-- Promised beyond what is there. `reserved + owed` is the sum of the reservations.
ALTER TABLE stock_level ADD COLUMN owed INTEGER NOT NULL DEFAULT 0 CHECK (owed >= 0);

-- Whose stock band may move when an item's does.
CREATE INDEX sku_stock_item_by_item ON sku_stock_item (item_id);

-- The ledger of stock, only ever appended to. `promised`: reserved and owed.
CREATE TABLE stock_movement (
    item_id      BLOB    NOT NULL CHECK (length(item_id) = 16),
    id           BLOB    NOT NULL CHECK (length(id) = 16),
    warehouse_id BLOB    NOT NULL CHECK (length(warehouse_id) = 16),
    kind         TEXT    NOT NULL CHECK (kind IN ('opening', 'import', 'set', 'adjust', 'reserve',
                                                  'release', 'ship', 'restock')),
    on_hand      INTEGER NOT NULL,
    promised     INTEGER NOT NULL,
    order_id     BLOB    CHECK (length(order_id) = 16),
    by_whom      TEXT    NOT NULL,
    note         TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    PRIMARY KEY (item_id, id)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER stock_movement_stays BEFORE UPDATE ON stock_movement
BEGIN SELECT raise(ABORT, 'a stock movement is never changed'); END;
CREATE TRIGGER stock_movement_is_kept BEFORE DELETE ON stock_movement
BEGIN SELECT raise(ABORT, 'a stock movement is never dropped'); END;

-- Half an id of zeros: these sort before all that follow.
INSERT INTO stock_movement (item_id, id, warehouse_id, kind, on_hand, promised, by_whom, note, at)
SELECT item_id, unhex(hex(zeroblob(8)) || hex(randomblob(8))), warehouse_id, 'opening', on_hand,
    reserved, 'system', '', updated_at
FROM stock_level WHERE on_hand <> 0 OR reserved <> 0;

-- What was agreed, as it was agreed; only state, `held_until` and `updated_at` ever change.
CREATE TABLE sales_order (
    number       INTEGER PRIMARY KEY,
    id           BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    site         TEXT    NOT NULL,
    locale       TEXT    NOT NULL,
    status       TEXT    NOT NULL CHECK (status IN ('pending', 'confirmed', 'processing', 'shipped',
                                                    'completed', 'cancelled', 'refunded')),
    payment      TEXT    NOT NULL,
    fulfilment   TEXT    NOT NULL CHECK (fulfilment IN ('unfulfilled', 'shipped', 'delivered',
                                                        'returned')),
    version      INTEGER NOT NULL,
    -- No cart becomes two orders.
    cart_id      BLOB    UNIQUE CHECK (length(cart_id) = 16),
    customer_id  BLOB    CHECK (length(customer_id) = 16),
    placed_by    TEXT    NOT NULL,
    email        TEXT    NOT NULL,
    -- SHA-256 of the token by which a guest may look at it.
    access_hash  BLOB    NOT NULL CHECK (length(access_hash) = 32),
    currency     TEXT    NOT NULL CHECK (length(currency) = 3),
    subtotal     INTEGER NOT NULL CHECK (subtotal >= 0),
    discount     INTEGER NOT NULL CHECK (discount BETWEEN 0 AND subtotal),
    shipping     INTEGER NOT NULL CHECK (shipping >= 0),
    shipping_tax INTEGER NOT NULL CHECK (shipping_tax >= 0),
    tax          INTEGER NOT NULL CHECK (tax >= 0),
    tax_on_top   INTEGER NOT NULL CHECK (tax_on_top BETWEEN 0 AND tax),
    total        INTEGER NOT NULL,
    taxes        TEXT    NOT NULL CHECK (json_valid(taxes)),
    coupon       TEXT,
    sent_by      TEXT    CHECK (json_valid(sent_by)),
    ship_to      TEXT    NOT NULL CHECK (json_valid(ship_to)),
    bill_to      TEXT    CHECK (json_valid(bill_to)),
    payment_id   BLOB    NOT NULL CHECK (length(payment_id) = 16),
    provider     TEXT    NOT NULL,
    held_until   INTEGER,
    placed_at    INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    CHECK (total = subtotal - discount + shipping + tax_on_top),
    CHECK (held_until IS NULL OR status = 'pending')
) STRICT;
CREATE INDEX sales_order_by_status ON sales_order (status, number);
CREATE INDEX sales_order_by_customer ON sales_order (customer_id, number)
    WHERE customer_id IS NOT NULL;
CREATE INDEX sales_order_held ON sales_order (held_until) WHERE held_until IS NOT NULL;

CREATE TABLE sales_order_line (
    order_id     BLOB    NOT NULL REFERENCES sales_order (id),
    position     INTEGER NOT NULL,
    product_id   BLOB    NOT NULL CHECK (length(product_id) = 16),
    sku          TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    unit         TEXT    NOT NULL,
    quantity     INTEGER NOT NULL CHECK (quantity > 0),
    precision    INTEGER NOT NULL CHECK (precision BETWEEN 0 AND 6),
    unit_minor   INTEGER NOT NULL CHECK (unit_minor >= 0),
    price_tax    TEXT    NOT NULL CHECK (price_tax IN ('exclusive', 'inclusive')),
    -- NULL: the product's own price.
    price_list   BLOB    CHECK (length(price_list) = 16),
    price_from   INTEGER NOT NULL,
    tax_category TEXT    NOT NULL,
    amount       INTEGER NOT NULL CHECK (amount >= 0),
    discount     INTEGER NOT NULL CHECK (discount BETWEEN 0 AND amount),
    net          INTEGER NOT NULL CHECK (net >= 0),
    tax          INTEGER NOT NULL CHECK (tax >= 0),
    gross        INTEGER NOT NULL,
    PRIMARY KEY (order_id, position),
    CHECK (gross = net + tax)
) STRICT, WITHOUT ROWID;

-- What happened to it since it was placed.
CREATE TABLE sales_order_step (
    order_id   BLOB    NOT NULL REFERENCES sales_order (id),
    version    INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    by_whom    TEXT    NOT NULL,
    action     TEXT    NOT NULL CHECK (json_valid(action)),
    note       TEXT    NOT NULL,
    status     TEXT    NOT NULL,
    payment    TEXT    NOT NULL,
    fulfilment TEXT    NOT NULL,
    PRIMARY KEY (order_id, version)
) STRICT, WITHOUT ROWID;

-- What is set aside for an open order; gone once it has left or was let go.
CREATE TABLE reservation (
    order_id     BLOB    NOT NULL REFERENCES sales_order (id),
    item_id      BLOB    NOT NULL CHECK (length(item_id) = 16),
    warehouse_id BLOB    NOT NULL CHECK (length(warehouse_id) = 16),
    quantity     INTEGER NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (order_id, item_id, warehouse_id)
) STRICT, WITHOUT ROWID;

-- What has left for an order, from where.
CREATE TABLE shipped_item (
    order_id     BLOB    NOT NULL REFERENCES sales_order (id),
    item_id      BLOB    NOT NULL CHECK (length(item_id) = 16),
    warehouse_id BLOB    NOT NULL CHECK (length(warehouse_id) = 16),
    quantity     INTEGER NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (order_id, item_id, warehouse_id)
) STRICT, WITHOUT ROWID;

-- A wish to be paid; written with its order, before any provider hears of it.
CREATE TABLE payment_intent (
    id           BLOB    PRIMARY KEY CHECK (length(id) = 16),
    order_id     BLOB    NOT NULL REFERENCES sales_order (id),
    provider     TEXT    NOT NULL,
    token        TEXT    NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),
    currency     TEXT    NOT NULL CHECK (length(currency) = 3),
    created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What was answered to whom under which Idempotency-Key, for a day. `name` and `body_hash` are
-- halves of a SHA-256: neither key nor principal is kept. By `id` is by age.
CREATE TABLE idempotency (
    id        INTEGER PRIMARY KEY,
    name      BLOB    NOT NULL UNIQUE CHECK (length(name) = 16),
    body_hash BLOB    NOT NULL CHECK (length(body_hash) = 16),
    status    INTEGER NOT NULL CHECK (status BETWEEN 200 AND 499),
    headers   TEXT    NOT NULL CHECK (json_valid(headers)),
    body      TEXT    NOT NULL,
    at        INTEGER NOT NULL
) STRICT;
