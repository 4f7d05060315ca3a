-- How far a job is, as its try of this number said last.
ALTER TABLE job ADD COLUMN told_attempt INTEGER;
ALTER TABLE job ADD COLUMN steps_done INTEGER;
ALTER TABLE job ADD COLUMN steps_all INTEGER;
