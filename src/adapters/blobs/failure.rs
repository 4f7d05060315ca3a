//! What the driver's errors mean to a caller.

use crate::ports::blobs::BlobError;
use opendal::ErrorKind;
use std::{error::Error as _, io};

/// Nothing is there, or what should be a folder on the way to it is a file.
pub(super) fn is_absent(error: &opendal::Error) -> bool {
    error.kind() == ErrorKind::NotFound
        || cause(error).is_some_and(|cause| cause.kind() == io::ErrorKind::NotADirectory)
}

pub(super) fn failed(error: &opendal::Error) -> BlobError {
    match cause(error) {
        Some(cause) if has_no_room(cause) => BlobError::Full(error.to_string()),
        _ => BlobError::Unavailable(error.to_string()),
    }
}

pub(super) fn failed_io(error: &io::Error) -> BlobError {
    if has_no_room(error) {
        return BlobError::Full(error.to_string());
    }
    BlobError::Unavailable(error.to_string())
}

/// OpenDAL has no kind of its own for a full disk: what the system said lies behind its error.
fn cause(error: &opendal::Error) -> Option<&io::Error> {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(cause) = error.downcast_ref::<io::Error>() {
            return Some(cause);
        }
        next = error.source();
    }
    None
}

fn has_no_room(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
