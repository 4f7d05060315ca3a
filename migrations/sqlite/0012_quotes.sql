-- A customer's wish to know what products cost, and the answer. `body`: the lines, with what is
-- offered for each, and what both said. That an offer's time is over follows from `valid_until`.
CREATE TABLE quote (
    id          BLOB    PRIMARY KEY CHECK (length(id) = 16),
    customer_id BLOB    NOT NULL REFERENCES customer (id),
    asked_by    TEXT    NOT NULL,
    -- Where the answer goes.
    email       TEXT    NOT NULL,
    status      TEXT    NOT NULL CHECK (status IN ('requested', 'offered', 'accepted', 'declined',
                                                   'refused', 'withdrawn')),
    version     INTEGER NOT NULL,
    body        TEXT    NOT NULL CHECK (json_valid(body)),
    valid_until INTEGER,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    CHECK (status NOT IN ('offered', 'accepted') OR valid_until IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX quote_by_customer ON quote (customer_id, id);
CREATE INDEX quote_by_status ON quote (status, id);
