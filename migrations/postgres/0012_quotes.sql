-- A customer's wish to know what products cost, and the answer. `body`: the lines, with what is
-- offered for each, and what both said. That an offer's time is over follows from `valid_until`.
CREATE TABLE quote (
    id          UUID   PRIMARY KEY,
    customer_id UUID   NOT NULL REFERENCES customer (id),
    asked_by    TEXT   NOT NULL,
    -- Where the answer goes.
    email       TEXT   NOT NULL,
    status      TEXT   NOT NULL CHECK (status IN ('requested', 'offered', 'accepted', 'declined',
                                                  'refused', 'withdrawn')),
    version     BIGINT NOT NULL,
    body        JSONB  NOT NULL,
    valid_until BIGINT,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    CHECK (status NOT IN ('offered', 'accepted') OR valid_until IS NOT NULL)
);
CREATE INDEX quote_by_customer ON quote (customer_id, id);
CREATE INDEX quote_by_status ON quote (status, id);
