//! Entries of the audit log, appended without their place; whoever numbers the log chains them.

use crate::{
    adapters::postgres::statement::{execute, statements},
    domain::audit::Change,
};
use deadpool_postgres::{Transaction, tokio_postgres::Error};

statements! {
    APPEND =
        "INSERT INTO audit (at, by_whom, action, subject, old_value, new_value)
         VALUES ($1, $2, $3, $4, $5, $6)";
}

pub(super) async fn append(tx: &Transaction<'_>, change: &Change) -> Result<(), Error> {
    let Change { at, by, action, subject, old, new } = change;
    execute(tx, APPEND, [&at.0, by, action, subject, old, new]).await.map(drop)
}
