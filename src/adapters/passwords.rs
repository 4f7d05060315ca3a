//! argon2id (RFC 9106) at the parameters OWASP gives for a server that hashes beside other work.

use crate::{
    domain::secret::Secret,
    ports::{
        accounts::PasswordHash,
        passwords::{HashError, PasswordHasher, Verdict},
    },
};
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier, phc},
};

/// KiB that each hash takes while it is made.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

pub struct Argon2id {
    params: Params,
    /// Compared with where there is none, so that both take as long.
    decoy: phc::PasswordHash,
}

impl Argon2id {
    pub fn new() -> Result<Self, HashError> {
        Self::with(MEMORY_KIB, PASSES)
    }

    fn with(memory_kib: u32, passes: u32) -> Result<Self, HashError> {
        let params = Params::new(memory_kib, passes, LANES, None);
        let params = params.map_err(|error| HashError(error.to_string()))?;
        let decoy = argon2(&params).hash_password_with_salt(b"nobody's", &[0; 16]);
        let decoy = decoy.map_err(|error| HashError(error.to_string()))?;
        Ok(Self { params, decoy })
    }
}

fn argon2(params: &Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
}

impl PasswordHasher for Argon2id {
    fn hash(&self, password: &Secret, salt: &[u8; 16]) -> Result<PasswordHash, HashError> {
        let password = password.expose().as_bytes();
        let hash = argon2(&self.params).hash_password_with_salt(password, salt);
        hash.map(|hash| PasswordHash(hash.to_string()))
            .map_err(|error| HashError(error.to_string()))
    }

    fn compare(&self, password: &Secret, hash: Option<&PasswordHash>) -> Verdict {
        let known = hash.and_then(|hash| phc::PasswordHash::new(&hash.0).ok());
        let against = known.as_ref().unwrap_or(&self.decoy);
        // The hash brings its own parameters.
        let password = password.expose().as_bytes();
        let right = argon2(&self.params).verify_password(password, against).is_ok();
        match known {
            Some(_) if !right => Verdict::Wrong,
            Some(known)
                if known.params != self.decoy.params || known.algorithm != self.decoy.algorithm =>
            {
                Verdict::Outdated
            }
            Some(_) => Verdict::Right,
            None => Verdict::Wrong,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_and_by_no_other() {
        let hasher = Argon2id::new().unwrap();
        let (right, wrong) = (Secret::new("correct horse"), Secret::new("correct house"));
        let hash = hasher.hash(&right, &[1; 16]).unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.0);
        assert_ne!(hash, hasher.hash(&right, &[2; 16]).unwrap());
        assert_eq!(hasher.compare(&right, Some(&hash)), Verdict::Right);
        assert_eq!(hasher.compare(&wrong, Some(&hash)), Verdict::Wrong);
        for nobodys in ["nobody's", "correct horse"] {
            assert_eq!(hasher.compare(&Secret::new(nobodys), None), Verdict::Wrong);
        }
        assert_eq!(hasher.compare(&right, Some(&PasswordHash("junk".into()))), Verdict::Wrong);
    }

    #[test]
    fn a_hash_of_weaker_days_is_right_and_outdated() {
        let old = Argon2id::with(8 * 1024, 1).unwrap();
        let password = Secret::new("correct horse");
        let hash = old.hash(&password, &[1; 16]).unwrap();
        assert_eq!(Argon2id::new().unwrap().compare(&password, Some(&hash)), Verdict::Outdated);
        assert_eq!(old.compare(&password, Some(&hash)), Verdict::Right);
    }
}
