-- Work that waits for a free hand (`domain::job`). A row is the truth of a job; `attempt` rises with
-- each claim, and only the word of the newest attempt counts.
CREATE TABLE job (
    id         UUID    PRIMARY KEY,
    topic      TEXT    NOT NULL CHECK (topic <> ''),
    version    BIGINT  NOT NULL CHECK (version > 0),
    body       JSONB   NOT NULL,
    queue      TEXT    NOT NULL,
    priority   BIGINT  NOT NULL CHECK (priority BETWEEN 1 AND 5),
    state      TEXT    NOT NULL CHECK (state IN
        ('scheduled', 'ready', 'running', 'succeeded', 'failed', 'dead', 'cancelled')),
    attempt    BIGINT  NOT NULL CHECK (attempt >= 0),
    failures   BIGINT  NOT NULL CHECK (failures >= 0),
    -- How often a process died while it had this one in hand.
    losses     BIGINT  NOT NULL CHECK (losses >= 0),
    sent_at    BIGINT  NOT NULL,
    due_at     BIGINT  NOT NULL,
    -- `due_at` and the priority's handicap: the order of a queue.
    rank_at    BIGINT  NOT NULL,
    -- Later it is not begun any more.
    expires_at BIGINT,
    -- Of one lane one runs at a time, in the order of their ids; all but one are blocked.
    lane       TEXT,
    blocked    BOOLEAN NOT NULL,
    -- Of one unique key one is unfinished; of one fold key one waits. A claim takes the latter.
    unique_key TEXT,
    fold_key   TEXT,
    worker     UUID,
    started_at BIGINT,
    ended_at   BIGINT,
    -- Somebody wants it cancelled while it runs.
    cancel_at  BIGINT,
    -- Of the last try.
    error      TEXT,
    CHECK ((state = 'running') = (worker IS NOT NULL)),
    CHECK ((state IN ('scheduled', 'ready', 'running')) = (ended_at IS NULL)),
    CHECK (NOT blocked OR (lane IS NOT NULL AND state = 'scheduled'))
);
-- A claim reads as many rows of this as it takes, whatever else the table holds.
CREATE INDEX job_ready ON job (queue, rank_at) WHERE state = 'ready';
CREATE INDEX job_due ON job (queue, due_at) WHERE state = 'scheduled' AND NOT blocked;
CREATE INDEX job_lane ON job (lane, id)
    WHERE lane IS NOT NULL AND state IN ('scheduled', 'ready', 'running');
CREATE UNIQUE INDEX job_head ON job (lane)
    WHERE lane IS NOT NULL AND NOT blocked AND state IN ('scheduled', 'ready', 'running');
CREATE INDEX job_expiry ON job (expires_at)
    WHERE expires_at IS NOT NULL AND state IN ('scheduled', 'ready');
CREATE INDEX job_in_hand ON job (worker) WHERE worker IS NOT NULL;
CREATE INDEX job_over ON job (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX job_trouble ON job (state, id) WHERE state IN ('failed', 'dead', 'cancelled');
CREATE UNIQUE INDEX job_unique ON job (unique_key)
    WHERE unique_key IS NOT NULL AND state IN ('scheduled', 'ready', 'running');
CREATE UNIQUE INDEX job_fold ON job (fold_key)
    WHERE fold_key IS NOT NULL AND state IN ('scheduled', 'ready');
-- A row is written four times in a short life: it goes when it is over, not when a fifth of all are.
ALTER TABLE job SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

-- A process that runs jobs. Its heartbeats raise `beat`; whoever watches and sees it stay the same
-- buries the worker, and others get its jobs.
CREATE TABLE job_worker (
    id        UUID   PRIMARY KEY,
    -- Whose it is, for whoever looks: node and process.
    name      TEXT   NOT NULL,
    beat      BIGINT NOT NULL,
    joined_at BIGINT NOT NULL,
    seen_at   BIGINT NOT NULL
);

-- What operators turned.
CREATE TABLE job_queue (
    queue  TEXT    PRIMARY KEY,
    paused BOOLEAN NOT NULL,
    set_by TEXT    NOT NULL,
    set_at BIGINT  NOT NULL
);

-- Mail is handed over by jobs: a mail's id is its job's. Its tries, their times and what went wrong
-- with the last one are the job's from here on.
INSERT INTO job (id, topic, version, body, queue, priority, state, attempt, failures, losses,
    sent_at, due_at, rank_at, expires_at, blocked, ended_at, error)
SELECT id, 'mail.send', 1, jsonb_build_object('mail', id), 'mail', 2,
    CASE state WHEN 'waiting' THEN 'scheduled' WHEN 'sent' THEN 'succeeded' ELSE 'failed' END,
    attempts, 0, 0, created_at, due_at, due_at + 30000000, until, FALSE,
    CASE state WHEN 'waiting' THEN NULL ELSE coalesce(sent_at, due_at) END, failure
FROM mail;
DROP INDEX mail_waiting;
