-- The shop is closed for a while: one row, which every node and every restart follows, until its time
-- is over or somebody takes it back.
CREATE TABLE maintenance (
    one     BIGINT  PRIMARY KEY CHECK (one = 1),
    ends_at BIGINT  NOT NULL,
    -- For shoppers.
    message TEXT,
    -- Meanwhile no queue of jobs hands anything out.
    pauses  BOOLEAN NOT NULL,
    set_by  TEXT    NOT NULL,
    set_at  BIGINT  NOT NULL
);
