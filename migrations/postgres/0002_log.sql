-- The log. A row is appended without a place, inside the transaction of what it tells, after its
-- subject's row is locked: so `id` rises by commit order per subject. Its place comes later, from
-- a numberer that sees only committed rows, so the log has no holes that fill behind a reader.
CREATE TABLE outbox (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    place       BIGINT UNIQUE,
    kind        TEXT   NOT NULL,
    subject     UUID   NOT NULL,
    payload     JSONB,
    traceparent TEXT,
    at          BIGINT NOT NULL
);
CREATE INDEX outbox_unnumbered ON outbox (id) WHERE place IS NULL;

-- `head`: the last place given. `pruned`: events up to there are gone; a follower behind it must
-- start over.
CREATE TABLE log_mark (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    head   BIGINT  NOT NULL CHECK (head >= 0),
    pruned BIGINT  NOT NULL CHECK (pruned >= 0 AND pruned <= head)
);
INSERT INTO log_mark (one, head, pruned) VALUES (1, 0, 0);
