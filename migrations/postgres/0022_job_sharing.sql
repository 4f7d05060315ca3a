-- How the topics of a queue share what is handed out of it (`domain::job::sharing`).
ALTER TABLE job_queue ADD COLUMN mode TEXT NOT NULL DEFAULT 'strict'
    CHECK (mode IN ('strict', 'weighted', 'fair'));
ALTER TABLE job_queue ADD COLUMN weights JSONB  NOT NULL DEFAULT '{}';

-- How many jobs of a topic may be begun in a time, on all nodes together (`domain::job::rate`).
CREATE TABLE job_rate (
    topic    TEXT    PRIMARY KEY,
    jobs     BIGINT  NOT NULL CHECK (jobs > 0),
    seconds  BIGINT  NOT NULL CHECK (seconds > 0),
    -- Up to when what may be begun is begun already.
    spent_to BIGINT  NOT NULL,
    set_by   TEXT    NOT NULL,
    set_at   BIGINT  NOT NULL
);

-- Each topic's head, however many of another stand in front of it.
CREATE INDEX job_topic ON job (queue, topic, rank_at) WHERE state = 'ready' AND losses = 0;
