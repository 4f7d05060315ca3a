CREATE TABLE import (
    id           BLOB    PRIMARY KEY CHECK (length(id) = 16),
    name         TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    source_hash  TEXT    NOT NULL,
    source_bytes INTEGER NOT NULL CHECK (source_bytes >= 0),
    options      TEXT    NOT NULL CHECK (json_valid(options)),
    state        TEXT    NOT NULL
        CHECK (state IN ('pending', 'running', 'succeeded', 'failed', 'cancelled')),
    rows_read      INTEGER NOT NULL CHECK (rows_read >= 0),
    rows_created   INTEGER NOT NULL CHECK (rows_created >= 0),
    rows_updated   INTEGER NOT NULL CHECK (rows_updated >= 0),
    rows_unchanged INTEGER NOT NULL CHECK (rows_unchanged >= 0),
    rows_rejected  INTEGER NOT NULL CHECK (rows_rejected >= 0),
    rows_done    INTEGER NOT NULL CHECK (rows_done >= 0),
    bytes_done   INTEGER NOT NULL CHECK (bytes_done >= 0),
    message      TEXT,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    CHECK (rows_read = rows_created + rows_updated + rows_unchanged + rows_rejected)
) STRICT, WITHOUT ROWID;

CREATE TABLE pool_override (
    pool       TEXT    NOT NULL,
    node       TEXT    NOT NULL,
    workers    INTEGER CHECK (workers > 0),
    paused     INTEGER NOT NULL CHECK (paused IN (0, 1)),
    set_by     TEXT    NOT NULL,
    set_at     INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (pool, node)
) STRICT, WITHOUT ROWID;

CREATE TABLE pool_override_history (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    by_whom   TEXT    NOT NULL,
    pool      TEXT    NOT NULL,
    node      TEXT    NOT NULL,
    old_value TEXT    CHECK (json_valid(old_value)),
    new_value TEXT    CHECK (json_valid(new_value))
) STRICT;
