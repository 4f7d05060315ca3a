-- The log. AUTOINCREMENT: an id is never given twice, also after pruning, and with one writer it
-- rises by commit order without holes, so it is the offset.
CREATE TABLE outbox (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        TEXT    NOT NULL,
    subject     BLOB    NOT NULL CHECK (length(subject) = 16),
    payload     TEXT    CHECK (json_valid(payload)),
    traceparent TEXT,
    at          INTEGER NOT NULL
) STRICT;

-- `pruned`: events up to there are gone; a follower behind it must start over.
CREATE TABLE log_mark (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    pruned INTEGER NOT NULL CHECK (pruned >= 0)
) STRICT;
INSERT INTO log_mark (one, pruned) VALUES (1, 0);
