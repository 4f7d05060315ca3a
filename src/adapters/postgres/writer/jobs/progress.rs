//! How far jobs are that run.

use crate::{
    adapters::postgres::statement::{execute, statements},
    ports::jobs::JobProgress,
};
use deadpool_postgres::{Transaction, tokio_postgres::Error};

statements! {
    PROGRESS =
        "UPDATE job SET told_attempt = e.attempt, steps_done = e.done, steps_all = e.steps
         FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[])
             e (id, attempt, done, steps)
         WHERE job.id = e.id AND job.attempt = e.attempt AND job.state = 'running'";
}

pub(super) async fn tell(tx: &Transaction<'_>, told: &[JobProgress]) -> Result<u64, Error> {
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let ids: Vec<_> = told.iter().map(|one| one.id.0).collect();
    let attempts: Vec<_> = told.iter().map(|one| i64::from(one.attempt)).collect();
    let done: Vec<_> = told.iter().map(|one| number(one.steps.done)).collect();
    let all: Vec<_> = told.iter().map(|one| number(one.steps.of)).collect();
    execute(tx, PROGRESS, [&ids, &attempts, &done, &all]).await
}
