//! What went wrong, in the port's words.

use crate::ports::StoreError;
use deadpool_postgres::{HookError, PoolError, tokio_postgres::Error};

pub(super) fn store_error(error: Error) -> StoreError {
    let Some(db) = error.as_db_error() else {
        // Not an answer of the server: it couldn't be reached, or went away.
        return StoreError::Unavailable(chain(&error));
    };
    let message = match db.detail() {
        Some(detail) => format!("{} ({detail})", db.message()),
        None => db.message().to_owned(),
    };
    StoreError::from_sqlstate(db.code().code(), message)
}

pub(super) fn pool_error(error: PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
            store_error(error)
        }
        other => StoreError::Unavailable(other.to_string()),
    }
}

/// A driver's sentence with its causes: alone it says little more than "error connecting".
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
