-- A job put on behalf of another is a child of that one, or of that one's own root: a family has one
-- root and no branches. How a family stands is counted from its rows, so an end writes no other row.
ALTER TABLE job ADD COLUMN root UUID;
CREATE INDEX job_family ON job (root, id, state) WHERE root IS NOT NULL;
