-- How far a job is, as its try of this number said last.
ALTER TABLE job ADD COLUMN told_attempt BIGINT;
ALTER TABLE job ADD COLUMN steps_done BIGINT;
ALTER TABLE job ADD COLUMN steps_all BIGINT;
