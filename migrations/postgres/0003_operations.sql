CREATE TABLE import (
    id           UUID    PRIMARY KEY,
    name         TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    source_hash  TEXT    NOT NULL,
    source_bytes BIGINT  NOT NULL CHECK (source_bytes >= 0),
    options      JSONB   NOT NULL,
    state        TEXT    NOT NULL
        CHECK (state IN ('pending', 'running', 'succeeded', 'failed', 'cancelled')),
    rows_read      BIGINT NOT NULL CHECK (rows_read >= 0),
    rows_created   BIGINT NOT NULL CHECK (rows_created >= 0),
    rows_updated   BIGINT NOT NULL CHECK (rows_updated >= 0),
    rows_unchanged BIGINT NOT NULL CHECK (rows_unchanged >= 0),
    rows_rejected  BIGINT NOT NULL CHECK (rows_rejected >= 0),
    rows_done    BIGINT NOT NULL CHECK (rows_done >= 0),
    bytes_done   BIGINT  NOT NULL CHECK (bytes_done >= 0),
    message      TEXT,
    created_at   BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL,
    CHECK (rows_read = rows_created + rows_updated + rows_unchanged + rows_rejected)
);

CREATE TABLE pool_override (
    pool       TEXT    NOT NULL,
    node       TEXT    NOT NULL,
    workers    BIGINT  CHECK (workers > 0),
    paused     BOOLEAN NOT NULL,
    set_by     TEXT    NOT NULL,
    set_at     BIGINT  NOT NULL,
    expires_at BIGINT,
    PRIMARY KEY (pool, node)
);

CREATE TABLE pool_override_history (
    id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        BIGINT  NOT NULL,
    by_whom   TEXT    NOT NULL,
    pool      TEXT    NOT NULL,
    node      TEXT    NOT NULL,
    old_value JSONB,
    new_value JSONB
);
