//! What a SQLSTATE code (ISO 9075, PostgreSQL's appendix A) means to a caller.

use super::StoreError;

impl StoreError {
    /// `message` is the database's own sentence.
    pub fn from_sqlstate(code: &str, message: String) -> Self {
        match code {
            // Read-only, disk full: the place has to change, not the statement.
            "25006" | "53100" => Self::Full(message),
            "XX001" | "XX002" => Self::Corrupt(message),
            // Time-outs, serialisation failures, deadlocks, locks not had, shutting down.
            "57014" | "25P03" | "25P04" | "40001" | "40P01" | "55P03" | "57P01" | "57P02"
            | "57P03" | "57P05" => Self::Unavailable(message),
            // No such database, no such role, wrong password: a person mends it, we try again.
            "3D000" => Self::Unavailable(message),
            _ => match code.get(..2) {
                Some("08" | "28" | "53") => Self::Unavailable(message),
                _ => Self::Refused(message),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_says_what_the_caller_may_do() {
        let of = |code: &str| StoreError::from_sqlstate(code, String::new());
        assert!(matches!(of("53100"), StoreError::Full(_)));
        assert!(matches!(of("53300"), StoreError::Unavailable(_)));
        assert!(matches!(of("40P01"), StoreError::Unavailable(_)));
        assert!(matches!(of("XX001"), StoreError::Corrupt(_)));
        assert!(matches!(of("23514"), StoreError::Refused(_)));
        assert!(matches!(of("é"), StoreError::Refused(_)));
    }
}
