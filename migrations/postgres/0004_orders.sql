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
