-- Jobs that wait until another and its children are over. Meanwhile they are due at no time that comes
-- (`domain::job::NEVER`).
CREATE TABLE job_after (
    job  BLOB PRIMARY KEY CHECK (length(job) = 16),
    root BLOB NOT NULL CHECK (length(root) = 16)
) STRICT, WITHOUT ROWID;
