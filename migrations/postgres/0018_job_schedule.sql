-- Jobs that are put again and again. Whoever sees to a tick moves `next_at` on in the transaction that
-- puts its job, and only from where it was read.
CREATE TABLE job_schedule (
    name     TEXT    PRIMARY KEY CHECK (name <> ''),
    topic    TEXT    NOT NULL CHECK (topic <> ''),
    version  BIGINT  NOT NULL CHECK (version > 0),
    body     JSONB   NOT NULL,
    queue    TEXT    NOT NULL,
    priority BIGINT  NOT NULL CHECK (priority BETWEEN 1 AND 5),
    cron     TEXT    NOT NULL,
    zone     TEXT    NOT NULL,
    catch_up TEXT    NOT NULL,
    enabled  BOOLEAN NOT NULL,
    -- Another whenever what is above changes.
    revision UUID    NOT NULL,
    next_at  BIGINT  NOT NULL,
    last_at  BIGINT,
    last_job UUID,
    set_by   TEXT    NOT NULL,
    set_at   BIGINT  NOT NULL
);
CREATE INDEX job_schedule_next ON job_schedule (next_at) WHERE enabled;
