//! What may be the name of a file.

use crate::ports::blobs::BlobError;

const MOST_BYTES: usize = 200;
const MOST_PARTS: usize = 8;

/// OpenDAL trims white space and drops empty parts: two keys would be one file.
pub(super) fn check(key: &str) -> Result<(), BlobError> {
    let good = key.len() <= MOST_BYTES
        && key.split('/').count() <= MOST_PARTS
        && !key.contains(|c: char| c.is_control() || c == '\\')
        // A dot at the front: `.`, `..`, our own `.writing`, and what people hide.
        && key.split('/').all(|part| {
            !part.is_empty() && !part.starts_with('.') && part.trim() == part
        });
    if good { Ok(()) } else { Err(BlobError::BadKey(key.to_owned())) }
}
