-- When somebody is to look at a payment next; NULL: nothing is left to be done.
ALTER TABLE payment_intent ADD COLUMN due_at BIGINT;
UPDATE payment_intent SET due_at = created_at;
CREATE INDEX payment_intent_due ON payment_intent (due_at) WHERE due_at IS NOT NULL;
CREATE UNIQUE INDEX payment_intent_of_order ON payment_intent (order_id);

-- What was asked of the provider, written before it was asked. What it refused is gone again.
CREATE TABLE payment_step (
    intent_id UUID   NOT NULL REFERENCES payment_intent (id),
    step      TEXT   NOT NULL,
    by_whom   TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (intent_id, step)
);

-- What the provider said: each fact once, however often it was told.
CREATE TABLE payment_fact (
    intent_id UUID   NOT NULL REFERENCES payment_intent (id),
    fact      TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (intent_id, fact)
);
