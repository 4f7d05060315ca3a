-- Pools whose size follows the wait of their queue because an operator said so, or doesn't although it
-- is configured (no bounds). On every node, over restarts, until it is taken back.
CREATE TABLE pool_autoscale (
    pool    TEXT    PRIMARY KEY,
    -- Workers in each process, and how long a job may wait.
    min     INTEGER CHECK (min >= 1),
    max     INTEGER CHECK (max >= min),
    wait_ms INTEGER CHECK (wait_ms >= 1),
    set_by  TEXT    NOT NULL,
    set_at  INTEGER NOT NULL,
    CHECK ((min IS NULL) = (max IS NULL) AND (max IS NULL) = (wait_ms IS NULL))
) STRICT, WITHOUT ROWID;
