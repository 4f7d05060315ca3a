//! Hashing passwords: slow and hungry on purpose, so never on a request's thread.

use super::accounts::PasswordHash;
use crate::domain::secret::Secret;

/// What comparing says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Right,
    /// Right, and hashed by parameters that are no longer those of today.
    Outdated,
    Wrong,
}

pub trait PasswordHasher: Send + Sync + 'static {
    fn hash(&self, password: &Secret, salt: &[u8; 16]) -> Result<PasswordHash, HashError>;

    /// Takes as long with `None` as with any hash of today's, and is then always wrong: nobody
    /// learns by a watch whether there is an account.
    fn compare(&self, password: &Secret, hash: Option<&PasswordHash>) -> Verdict;
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a password could not be hashed: {0}")]
pub struct HashError(pub String);
