-- Who comes, who they are, and what they are sent.

CREATE TABLE customer_group (
    id         BLOB    PRIMARY KEY CHECK (length(id) = 16),
    code       TEXT    NOT NULL UNIQUE CHECK (code <> ''),
    name       TEXT    NOT NULL CHECK (name <> ''),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- An erased one keeps its row, as orders and books point at it, and loses what names a person.
CREATE TABLE customer (
    id         BLOB    PRIMARY KEY CHECK (length(id) = 16),
    kind       TEXT    NOT NULL CHECK (kind IN ('person', 'company')),
    name       TEXT    NOT NULL,
    tax_number TEXT,
    group_id   BLOB    REFERENCES customer_group (id),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    erased_at  INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX customer_by_group ON customer (group_id) WHERE group_id IS NOT NULL;

-- One who logs in: a buyer of a customer, or staff. Nobody without a password does.
CREATE TABLE account (
    id            BLOB    PRIMARY KEY CHECK (length(id) = 16),
    kind          TEXT    NOT NULL CHECK (kind IN ('buyer', 'staff')),
    customer_id   BLOB    REFERENCES customer (id),
    -- Normalised; NULL once erased.
    email         TEXT    UNIQUE CHECK (email <> ''),
    name          TEXT    NOT NULL,
    role          TEXT    NOT NULL,
    password_hash TEXT,
    active        INTEGER NOT NULL CHECK (active IN (0, 1)),
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    logged_in_at  INTEGER,
    CHECK ((kind = 'buyer') = (customer_id IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX account_by_customer ON account (customer_id) WHERE customer_id IS NOT NULL;

CREATE TABLE customer_address (
    id               BLOB    PRIMARY KEY CHECK (length(id) = 16),
    customer_id      BLOB    NOT NULL REFERENCES customer (id),
    body             TEXT    NOT NULL CHECK (json_valid(body)),
    default_shipping INTEGER NOT NULL CHECK (default_shipping IN (0, 1)),
    default_billing  INTEGER NOT NULL CHECK (default_billing IN (0, 1)),
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX customer_address_by_customer ON customer_address (customer_id);

-- A visit, or a key of an API client. Of the token only its hash is kept, so who reads the table
-- can't be anybody of it. `merged_into`: the session that a guest went on with after logging in.
CREATE TABLE session (
    id          BLOB    PRIMARY KEY CHECK (length(id) = 16),
    token_hash  BLOB    NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    account_id  BLOB    REFERENCES account (id),
    via         TEXT    NOT NULL CHECK (via IN ('cookie', 'bearer', 'key')),
    -- NULL: all that the role grants.
    scopes      TEXT,
    label       TEXT    NOT NULL,
    address     TEXT    NOT NULL,
    opened_at   INTEGER NOT NULL,
    seen_at     INTEGER NOT NULL,
    ends_at     INTEGER NOT NULL,
    ended_at    INTEGER,
    merged_into BLOB    CHECK (length(merged_into) = 16),
    CHECK (ended_at IS NOT NULL OR merged_into IS NULL),
    CHECK (via <> 'key' OR account_id IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_account ON session (account_id) WHERE account_id IS NOT NULL;
-- The sweep takes what was not seen for longest.
CREATE INDEX session_by_seen ON session (seen_at);

-- What was mailed or printed to let one person in once: to set a password.
CREATE TABLE account_token (
    token_hash BLOB    PRIMARY KEY CHECK (length(token_hash) = 32),
    account_id BLOB    REFERENCES account (id),
    purpose    TEXT    NOT NULL CHECK (purpose IN ('reset', 'setup')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER,
    CHECK (purpose = 'setup' OR account_id IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX account_token_by_account ON account_token (account_id);
CREATE INDEX account_token_by_end ON account_token (expires_at);

-- Written with what it tells of, sent later, at least once; the id is in its Message-ID. What it
-- says is dropped when it is sent, as it may hold a token.
CREATE TABLE mail (
    id         BLOB    PRIMARY KEY CHECK (length(id) = 16),
    kind       TEXT    NOT NULL CHECK (kind <> ''),
    recipient  TEXT    NOT NULL CHECK (recipient <> ''),
    subject    TEXT    NOT NULL,
    body       TEXT,
    state      TEXT    NOT NULL CHECK (state IN ('waiting', 'sent', 'failed')),
    attempts   INTEGER NOT NULL CHECK (attempts >= 0),
    due_at     INTEGER NOT NULL,
    -- Given up then.
    until      INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    sent_at    INTEGER,
    failure    TEXT,
    CHECK (state <> 'waiting' OR body IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX mail_waiting ON mail (due_at) WHERE state = 'waiting';
CREATE INDEX mail_done ON mail (created_at) WHERE state <> 'waiting';
