-- Warehouses are drawn on by `priority`, the lowest first, then by code.
ALTER TABLE warehouse ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;

-- With no more than `threshold` left it counts as sold out; with `back_order` more may be promised
-- than there are. `version` rises with each change of these and of what is there.
ALTER TABLE stock_item ADD COLUMN threshold BIGINT NOT NULL DEFAULT 0 CHECK (threshold >= 0);
ALTER TABLE stock_item ADD COLUMN back_order BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE stock_item ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

-- Promised beyond what is there. `reserved + owed` is the sum of the reservations.
ALTER TABLE stock_level ADD COLUMN owed BIGINT NOT NULL DEFAULT 0 CHECK (owed >= 0);

-- Whose stock band may move when an item's does.
CREATE INDEX sku_stock_item_by_item ON sku_stock_item (item_id);

-- The ledger of stock, only ever appended to. `promised`: reserved and owed.
CREATE TABLE stock_movement (
    item_id      UUID    NOT NULL,
    id           UUID    NOT NULL,
    warehouse_id UUID    NOT NULL,
    kind         TEXT    NOT NULL CHECK (kind IN ('opening', 'import', 'set', 'adjust', 'reserve',
                                                  'release', 'ship', 'restock')),
    on_hand      BIGINT  NOT NULL,
    promised     BIGINT  NOT NULL,
    order_id     UUID,
    by_whom      TEXT    NOT NULL,
    note         TEXT    NOT NULL,
    at           BIGINT  NOT NULL,
    PRIMARY KEY (item_id, id)
);
CREATE FUNCTION refuse_stock_movement_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'a stock movement is never changed or dropped'; END $$;
CREATE TRIGGER stock_movement_stays BEFORE UPDATE OR DELETE ON stock_movement
FOR EACH ROW EXECUTE FUNCTION refuse_stock_movement_change();

-- Half an id of zeros: these sort before all that follow.
INSERT INTO stock_movement (item_id, id, warehouse_id, kind, on_hand, promised, by_whom, note, at)
SELECT item_id, (repeat('0', 16) || left(replace(gen_random_uuid()::text, '-', ''), 16))::uuid,
    warehouse_id, 'opening', on_hand, reserved, 'system', '', updated_at
FROM stock_level WHERE on_hand <> 0 OR reserved <> 0;

-- What was agreed, as it was agreed; only state, `held_until` and `updated_at` ever change.
CREATE TABLE sales_order (
    id           UUID    PRIMARY KEY,
    number       BIGINT  GENERATED ALWAYS AS IDENTITY (START WITH 1001) UNIQUE,
    site         TEXT    NOT NULL,
    locale       TEXT    NOT NULL,
    status       TEXT    NOT NULL CHECK (status IN ('pending', 'confirmed', 'processing', 'shipped',
                                                    'completed', 'cancelled', 'refunded')),
    payment      TEXT    NOT NULL,
    fulfilment   TEXT    NOT NULL CHECK (fulfilment IN ('unfulfilled', 'shipped', 'delivered',
                                                        'returned')),
    version      BIGINT  NOT NULL,
    -- No cart becomes two orders.
    cart_id      UUID    UNIQUE,
    customer_id  UUID,
    placed_by    TEXT    NOT NULL,
    email        TEXT    NOT NULL,
    -- SHA-256 of the token by which a guest may look at it.
    access_hash  BYTEA   NOT NULL CHECK (octet_length(access_hash) = 32),
    currency     TEXT    NOT NULL CHECK (length(currency) = 3),
    subtotal     BIGINT  NOT NULL CHECK (subtotal >= 0),
    discount     BIGINT  NOT NULL CHECK (discount BETWEEN 0 AND subtotal),
    shipping     BIGINT  NOT NULL CHECK (shipping >= 0),
    shipping_tax BIGINT  NOT NULL CHECK (shipping_tax >= 0),
    tax          BIGINT  NOT NULL CHECK (tax >= 0),
    tax_on_top   BIGINT  NOT NULL CHECK (tax_on_top BETWEEN 0 AND tax),
    total        BIGINT  NOT NULL,
    taxes        JSONB   NOT NULL,
    coupon       TEXT,
    sent_by      JSONB,
    ship_to      JSONB   NOT NULL,
    bill_to      JSONB,
    payment_id   UUID    NOT NULL,
    provider     TEXT    NOT NULL,
    held_until   BIGINT,
    placed_at    BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL,
    CHECK (total = subtotal - discount + shipping + tax_on_top),
    CHECK (held_until IS NULL OR status = 'pending')
);
CREATE INDEX sales_order_by_status ON sales_order (status, number);
CREATE INDEX sales_order_by_customer ON sales_order (customer_id, number)
    WHERE customer_id IS NOT NULL;
CREATE INDEX sales_order_held ON sales_order (held_until) WHERE held_until IS NOT NULL;

CREATE TABLE sales_order_line (
    order_id     UUID    NOT NULL REFERENCES sales_order (id),
    position     INTEGER NOT NULL,
    product_id   UUID    NOT NULL,
    sku          TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    unit         TEXT    NOT NULL,
    quantity     BIGINT  NOT NULL CHECK (quantity > 0),
    precision    INTEGER NOT NULL CHECK (precision BETWEEN 0 AND 6),
    unit_minor   BIGINT  NOT NULL CHECK (unit_minor >= 0),
    price_tax    TEXT    NOT NULL CHECK (price_tax IN ('exclusive', 'inclusive')),
    -- NULL: the product's own price.
    price_list   UUID,
    price_from   BIGINT  NOT NULL,
    tax_category TEXT    NOT NULL,
    amount       BIGINT  NOT NULL CHECK (amount >= 0),
    discount     BIGINT  NOT NULL CHECK (discount BETWEEN 0 AND amount),
    net          BIGINT  NOT NULL CHECK (net >= 0),
    tax          BIGINT  NOT NULL CHECK (tax >= 0),
    gross        BIGINT  NOT NULL,
    PRIMARY KEY (order_id, position),
    CHECK (gross = net + tax)
);

-- What happened to it since it was placed.
CREATE TABLE sales_order_step (
    order_id   UUID    NOT NULL REFERENCES sales_order (id),
    version    BIGINT  NOT NULL,
    at         BIGINT  NOT NULL,
    by_whom    TEXT    NOT NULL,
    action     JSONB   NOT NULL,
    note       TEXT    NOT NULL,
    status     TEXT    NOT NULL,
    payment    TEXT    NOT NULL,
    fulfilment TEXT    NOT NULL,
    PRIMARY KEY (order_id, version)
);

-- What is set aside for an open order; gone once it has left or was let go.
CREATE TABLE reservation (
    order_id     UUID    NOT NULL REFERENCES sales_order (id),
    item_id      UUID    NOT NULL,
    warehouse_id UUID    NOT NULL,
    quantity     BIGINT  NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (order_id, item_id, warehouse_id)
);

-- What has left for an order, from where.
CREATE TABLE shipped_item (
    order_id     UUID    NOT NULL REFERENCES sales_order (id),
    item_id      UUID    NOT NULL,
    warehouse_id UUID    NOT NULL,
    quantity     BIGINT  NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (order_id, item_id, warehouse_id)
);

-- A wish to be paid; written with its order, before any provider hears of it.
CREATE TABLE payment_intent (
    id           UUID    PRIMARY KEY,
    order_id     UUID    NOT NULL REFERENCES sales_order (id),
    provider     TEXT    NOT NULL,
    token        TEXT    NOT NULL,
    amount_minor BIGINT  NOT NULL CHECK (amount_minor >= 0),
    currency     TEXT    NOT NULL CHECK (length(currency) = 3),
    created_at   BIGINT  NOT NULL
);

-- What was answered to whom under which Idempotency-Key, for a day. `name` and `body_hash` are
-- halves of a SHA-256: neither key nor principal is kept. By `id` is by age.
CREATE TABLE idempotency (
    id        BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name      BYTEA   NOT NULL UNIQUE CHECK (octet_length(name) = 16),
    body_hash BYTEA   NOT NULL CHECK (octet_length(body_hash) = 16),
    status    INTEGER NOT NULL CHECK (status BETWEEN 200 AND 499),
    headers   JSONB   NOT NULL,
    body      TEXT    NOT NULL,
    at        BIGINT  NOT NULL
);
