-- Jobs that are put again and again. Whoever sees to a tick moves `next_at` on in the transaction that
-- puts its job, and only from where it was read.
CREATE TABLE job_schedule (
    name     TEXT    PRIMARY KEY CHECK (name <> ''),
    topic    TEXT    NOT NULL CHECK (topic <> ''),
    version  INTEGER NOT NULL CHECK (version > 0),
    body     TEXT    NOT NULL CHECK (json_valid(body)),
    queue    TEXT    NOT NULL,
    priority INTEGER NOT NULL CHECK (priority BETWEEN 1 AND 5),
    cron     TEXT    NOT NULL,
    zone     TEXT    NOT NULL,
    catch_up TEXT    NOT NULL,
    enabled  INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    -- Another whenever what is above changes.
    revision BLOB    NOT NULL CHECK (length(revision) = 16),
    next_at  INTEGER NOT NULL,
    last_at  INTEGER,
    last_job BLOB    CHECK (length(last_job) = 16),
    set_by   TEXT    NOT NULL,
    set_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX job_schedule_next ON job_schedule (next_at) WHERE enabled = 1;
