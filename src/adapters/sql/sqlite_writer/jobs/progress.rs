//! How far jobs are that run.

use crate::{
    adapters::sql::{sqlite_writer::products::Hex, texts::statements},
    ports::jobs::JobProgress,
};
use sqlx::{SqliteConnection, types::Json};

statements! {
    PROGRESS = { sqlite:
        "UPDATE job SET told_attempt = e.attempt, steps_done = e.done, steps_all = e.steps
         FROM (SELECT unhex(value->>0) AS id, value->>1 AS attempt, value->>2 AS done,
                   value->>3 AS steps FROM json_each($1)) e
         WHERE job.id = e.id AND job.attempt = e.attempt AND job.state = 'running'" };
}

pub(super) async fn tell(
    conn: &mut SqliteConnection,
    told: &[JobProgress],
) -> Result<u64, sqlx::Error> {
    let told = told.iter().map(|one| {
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        (Hex(one.id.0), one.attempt, number(one.steps.done), number(one.steps.of))
    });
    let told: Vec<_> = told.collect();
    Ok(sqlx::query(PROGRESS.sqlite).bind(Json(told)).execute(conn).await?.rows_affected())
}
