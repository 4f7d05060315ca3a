-- Webhooks out: who is told of what, and what came of telling them.
CREATE TABLE webhook_endpoint (
    id            UUID   PRIMARY KEY,
    url           TEXT   NOT NULL CHECK (url <> ''),
    -- Kinds of events with a space between; empty for every kind.
    kinds         TEXT   NOT NULL,
    -- They sign, so they can't be kept as hashes. The old one signs too until then.
    secret        TEXT   NOT NULL,
    old_secret    TEXT,
    old_until     BIGINT,
    made_at       BIGINT NOT NULL,
    -- Of what happened before this it is told nothing.
    since         BIGINT NOT NULL,
    disabled_at   BIGINT,
    disabled_why  TEXT,
    -- Since when nothing was taken, while something was offered.
    failing_since BIGINT,
    CHECK ((old_secret IS NULL) = (old_until IS NULL)),
    CHECK ((disabled_at IS NULL) = (disabled_why IS NULL))
);

-- Whoever registers one twice by mistake is told.
CREATE UNIQUE INDEX webhook_endpoint_by_url ON webhook_endpoint (url);

CREATE TABLE webhook_delivery (
    id       UUID   PRIMARY KEY,
    endpoint UUID   NOT NULL,
    kind     TEXT   NOT NULL CHECK (kind <> ''),
    subject  UUID   NOT NULL,
    event_at BIGINT NOT NULL,
    -- The event's place in the log; none for one that was made to try an endpoint.
    epoch    UUID,
    place    BIGINT,
    state    TEXT   NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    -- The job that tries it, the newest if it was sent again.
    job      UUID   NOT NULL,
    tries    BIGINT NOT NULL CHECK (tries >= 0),
    made_at  BIGINT NOT NULL,
    ended_at BIGINT,
    CHECK ((epoch IS NULL) = (place IS NULL)),
    CHECK ((state = 'waiting') = (ended_at IS NULL))
);
-- An event is one delivery to an endpoint, however often the log is followed.
CREATE UNIQUE INDEX webhook_once ON webhook_delivery (endpoint, place, epoch)
    WHERE place IS NOT NULL;
CREATE INDEX webhook_by_endpoint ON webhook_delivery (endpoint, id);
CREATE INDEX webhook_by_job ON webhook_delivery (job);
CREATE INDEX webhook_over ON webhook_delivery (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE webhook_try (
    delivery UUID   NOT NULL,
    n        BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    -- What it was answered; none: why not.
    status   BIGINT,
    said     TEXT   NOT NULL,
    error    TEXT,
    PRIMARY KEY (delivery, n)
);

-- How far the log was followed.
CREATE TABLE webhook_follower (
    one   BIGINT PRIMARY KEY CHECK (one = 1),
    epoch UUID   NOT NULL,
    place BIGINT NOT NULL
);
