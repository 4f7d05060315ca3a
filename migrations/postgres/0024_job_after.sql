-- Jobs that wait until another and its children are over. Meanwhile they are due at no time that comes
-- (`domain::job::NEVER`).
CREATE TABLE job_after (
    job  UUID PRIMARY KEY,
    root UUID NOT NULL
);
