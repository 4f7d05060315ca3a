//! From the driver's errors to the port's: what can be mended by freeing space, what by
//! rebuilding, and the rest.

use crate::ports::search::SearchError;
use std::io;
use tantivy::{
    TantivyError,
    directory::error::{OpenDirectoryError, OpenReadError, OpenWriteError},
};

/// An error on its way out of this folder.
#[derive(Debug)]
pub(super) struct Failure(pub(super) SearchError);

impl From<Failure> for SearchError {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}

impl From<SearchError> for Failure {
    fn from(error: SearchError) -> Self {
        Self(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self(by_kind(&error, error.to_string()))
    }
}

impl From<TantivyError> for Failure {
    fn from(error: TantivyError) -> Self {
        let text = error.to_string();
        Self(match &error {
            TantivyError::IoError(io) => by_kind(io, text),
            TantivyError::OpenWriteError(OpenWriteError::IoError { io_error, .. })
            | TantivyError::OpenReadError(OpenReadError::IoError { io_error, .. })
            | TantivyError::OpenDirectoryError(OpenDirectoryError::IoError { io_error, .. }) => {
                by_kind(io_error, text)
            }
            TantivyError::DataCorruption(_)
            | TantivyError::OpenReadError(_)
            | TantivyError::IncompatibleIndex(_)
            | TantivyError::SchemaError(_)
            | TantivyError::FieldNotFound(_)
            | TantivyError::DeserializeError(_) => SearchError::Corrupt(text),
            _ => by_text(text),
        })
    }
}

fn by_kind(error: &io::Error, text: String) -> SearchError {
    use io::ErrorKind::{
        InvalidData, NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull,
        UnexpectedEof,
    };
    match error.kind() {
        StorageFull | QuotaExceeded | ReadOnlyFilesystem | PermissionDenied => {
            SearchError::Full(text)
        }
        InvalidData | UnexpectedEof | NotFound => SearchError::Corrupt(text),
        _ => by_text(text),
    }
}

/// The driver's threads hand an error on as text alone, or wrapped in one of no kind.
fn by_text(text: String) -> SearchError {
    if text.contains("StorageFull") || text.contains("No space left") {
        SearchError::Full(text)
    } else {
        SearchError::Unavailable(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_full_disk_is_told_from_a_damaged_file() {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let damaged = io::Error::from(io::ErrorKind::InvalidData);
        let told = |error: TantivyError| Failure::from(error).0;
        assert!(matches!(told(TantivyError::from(full())), SearchError::Full(_)));
        assert!(matches!(
            told(TantivyError::OpenWriteError(OpenWriteError::IoError {
                io_error: Arc::new(full()),
                filepath: "a".into()
            })),
            SearchError::Full(_)
        ));
        let in_thread = format!("{:?}", TantivyError::from(full()));
        assert!(matches!(told(TantivyError::ErrorInThread(in_thread)), SearchError::Full(_)));
        let wrapped = io::Error::other("No space left on device (os error 28)");
        assert!(matches!(told(TantivyError::from(wrapped)), SearchError::Full(_)));
        assert!(matches!(told(TantivyError::from(damaged)), SearchError::Corrupt(_)));
    }
}
