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
