-- Jobs with which a process died are claimed by themselves: whoever claims the others meets none, and
-- reads none on the way.
DROP INDEX job_ready;
CREATE INDEX job_ready ON job (queue, rank_at) WHERE state = 'ready' AND losses = 0;
CREATE INDEX job_suspects ON job (queue, rank_at) WHERE state = 'ready' AND losses > 0;
