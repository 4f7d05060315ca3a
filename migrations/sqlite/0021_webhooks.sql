-- Webhooks out: who is told of what, and what came of telling them.
CREATE TABLE webhook_endpoint (
    id            BLOB    PRIMARY KEY CHECK (length(id) = 16),
    url           TEXT    NOT NULL CHECK (url <> ''),
    -- Kinds of events with a space between; empty for every kind.
    kinds         TEXT    NOT NULL,
    -- They sign, so they can't be kept as hashes. The old one signs too until then.
    secret        TEXT    NOT NULL,
    old_secret    TEXT,
    old_until     INTEGER,
    made_at       INTEGER NOT NULL,
    -- Of what happened before this it is told nothing.
    since         INTEGER NOT NULL,
    disabled_at   INTEGER,
    disabled_why  TEXT,
    -- Since when nothing was taken, while something was offered.
    failing_since INTEGER,
    CHECK ((old_secret IS NULL) = (old_until IS NULL)),
    CHECK ((disabled_at IS NULL) = (disabled_why IS NULL))
) STRICT, WITHOUT ROWID;

-- Whoever registers one twice by mistake is told.
CREATE UNIQUE INDEX webhook_endpoint_by_url ON webhook_endpoint (url);

CREATE TABLE webhook_delivery (
    id       BLOB    PRIMARY KEY CHECK (length(id) = 16),
    endpoint BLOB    NOT NULL CHECK (length(endpoint) = 16),
    kind     TEXT    NOT NULL CHECK (kind <> ''),
    subject  BLOB    NOT NULL CHECK (length(subject) = 16),
    event_at INTEGER NOT NULL,
    -- The event's place in the log; none for one that was made to try an endpoint.
    epoch    BLOB    CHECK (length(epoch) = 16),
    place    INTEGER,
    state    TEXT    NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    -- The job that tries it, the newest if it was sent again.
    job      BLOB    NOT NULL CHECK (length(job) = 16),
    tries    INTEGER NOT NULL CHECK (tries >= 0),
    made_at  INTEGER NOT NULL,
    ended_at INTEGER,
    CHECK ((epoch IS NULL) = (place IS NULL)),
    CHECK ((state = 'waiting') = (ended_at IS NULL))
) STRICT, WITHOUT ROWID;
-- An event is one delivery to an endpoint, however often the log is followed.
CREATE UNIQUE INDEX webhook_once ON webhook_delivery (endpoint, place, epoch)
    WHERE place IS NOT NULL;
CREATE INDEX webhook_by_endpoint ON webhook_delivery (endpoint, id);
CREATE INDEX webhook_by_job ON webhook_delivery (job);
CREATE INDEX webhook_over ON webhook_delivery (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE webhook_try (
    delivery BLOB    NOT NULL CHECK (length(delivery) = 16),
    n        INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    -- What it was answered; none: why not.
    status   INTEGER,
    said     TEXT    NOT NULL,
    error    TEXT,
    PRIMARY KEY (delivery, n)
) STRICT, WITHOUT ROWID;

-- How far the log was followed.
CREATE TABLE webhook_follower (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    epoch BLOB    NOT NULL CHECK (length(epoch) = 16),
    place INTEGER NOT NULL
) STRICT;
