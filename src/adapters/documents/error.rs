//! redb's errors in the port's words.

use crate::ports::documents::DocumentsError;
use redb::Error;
use std::io::ErrorKind;

/// What went wrong inside one transaction.
pub(super) enum Trouble {
    Redb(Box<Error>),
    /// Well kept by redb, but not what we wrote.
    Damaged(String),
}

macro_rules! of_redb {
    ($($error:ty),*) => {$(
        impl From<$error> for Trouble {
            fn from(error: $error) -> Self {
                Self::Redb(Box::new(error.into()))
            }
        }
    )*};
}

of_redb!(
    redb::StorageError,
    redb::TableError,
    redb::TransactionError,
    redb::CommitError,
    redb::DatabaseError,
    redb::SetDurabilityError
);

impl Trouble {
    /// Whether the handle is spent: after one failed write redb refuses all that its cache
    /// doesn't hold until the file is opened again.
    pub(super) fn spends_the_handle(&self) -> bool {
        match self {
            Self::Redb(error) => matches!(
                **error,
                Error::Io(_)
                    | Error::Backend(_)
                    | Error::PreviousIo
                    | Error::DatabaseClosed
                    | Error::LockPoisoned(_)
                    | Error::TransactionPoisoned
            ),
            Self::Damaged(_) => false,
        }
    }
}

/// Sorted by what the caller may do about it.
impl From<Trouble> for DocumentsError {
    fn from(trouble: Trouble) -> Self {
        let error = match trouble {
            Trouble::Redb(error) => *error,
            Trouble::Damaged(what) => return Self::Corrupt(what),
        };
        let text = error.to_string();
        match error {
            Error::Io(io) => match io.kind() {
                ErrorKind::StorageFull
                | ErrorKind::QuotaExceeded
                | ErrorKind::FileTooLarge
                | ErrorKind::ReadOnlyFilesystem => Self::Full(text),
                // `InvalidData` is how redb says that a file never was one of its own.
                ErrorKind::InvalidData | ErrorKind::UnexpectedEof => Self::Corrupt(text),
                _ => Self::Unavailable(text),
            },
            Error::DatabaseAlreadyOpen | Error::LockProtocolMismatch => Self::Unavailable(
                "another process has them open; stop it, or use another data folder".to_owned(),
            ),
            Error::Corrupted(_)
            | Error::UpgradeRequired(_)
            | Error::RepairAborted
            | Error::TableTypeMismatch { .. }
            | Error::TableIsMultimap(_)
            | Error::TableIsNotMultimap(_)
            | Error::TypeDefinitionChanged { .. }
            | Error::TableDoesNotExist(_) => Self::Corrupt(text),
            _ => Self::Unavailable(text),
        }
    }
}
