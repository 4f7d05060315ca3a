//! What went wrong, in the port's words.

use crate::ports::StoreError;

pub(super) fn store_error(error: sqlx::Error) -> StoreError {
    use sqlx::Error as E;
    match &error {
        E::Database(db) => match (db.code(), db.try_downcast_ref::<sqlx::sqlite::SqliteError>()) {
            (Some(code), None) => StoreError::from_sqlstate(&code, db.message().to_owned()),
            (code, _) => {
                let code = code.and_then(|code| code.parse().ok()).unwrap_or(0);
                of_sqlite(code, db.message().to_owned())
            }
        },
        E::Io(_) | E::Tls(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed => {
            StoreError::Unavailable(error.to_string())
        }
        E::Configuration(_) => StoreError::Unavailable(error.to_string()),
        E::ColumnDecode { .. } | E::Decode(_) => StoreError::Corrupt(error.to_string()),
        _ => StoreError::Refused(error.to_string()),
    }
}

/// By result code (sqlite.org/rescode.html); the extended part is in the upper bits.
fn of_sqlite(code: i32, message: String) -> StoreError {
    const SHORT_READ: i32 = 522;
    const NO_ROOM_FOR_SHM: i32 = 4874;
    match (code & 0xff, code) {
        (_, SHORT_READ) => StoreError::Corrupt(message),
        (13 | 8 | 14, _) | (_, NO_ROOM_FOR_SHM) => StoreError::Full(message),
        (11 | 26, _) => StoreError::Corrupt(message),
        // Busy, locked, interrupted, out of memory, an I/O error of the disk below.
        (5 | 6 | 7 | 9 | 10 | 15, _) => StoreError::Unavailable(message),
        _ => StoreError::Refused(message),
    }
}

/// A stored value that this version doesn't understand.
pub(super) fn not_ours(what: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(what.to_string())
}
