//! Addresses of mail, in the one form they are kept and compared in.

use serde::{Deserialize, Serialize};
use std::fmt;

/// RFC 5321 §4.5.3.1, with the brackets taken off.
const MOST: usize = 254;
const MOST_LOCAL: usize = 64;

/// In small letters. The part before the `@` may by its letter differ in case, but no mail system
/// of today lets two people differ by that alone, and people don't remember how they wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write an address such as name@example.com")]
pub struct NotAnEmail;

impl Email {
    /// Modest checks: whether it exists only a mail can tell.
    pub fn new(text: &str) -> Result<Self, NotAnEmail> {
        let text = text.trim().to_lowercase();
        let (local, host) = text.rsplit_once('@').ok_or(NotAnEmail)?;
        let strange = |c: char| c.is_control() || c.is_whitespace() || "<>()[],;:\\\"@".contains(c);
        let label = |label: &str| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        let fits = (1..=MOST_LOCAL).contains(&local.len())
            && text.len() <= MOST
            && !local.chars().any(strange)
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..")
            && host.contains('.')
            && host.split('.').all(label);
        if fits { Ok(Self(text)) } else { Err(NotAnEmail) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`.
    pub fn local(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Email {
    type Error = NotAnEmail;
    fn try_from(text: String) -> Result<Self, NotAnEmail> {
        Self::new(&text)
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_of_one_address_are_one() {
        let email = |text| Email::new(text).map(String::from);
        assert_eq!(email(" Ada.Love+shop@Example.COM "), Ok("ada.love+shop@example.com".into()));
        assert_eq!(email("ölaf@bücher.example"), Ok("ölaf@bücher.example".into()));
        for text in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@example",
            "a b@example.com",
            "ada@exa mple.com",
            "ada@@example.com",
            "<ada@example.com>",
            "ada@example.com\r\nBcc: x@y.z",
            "a@-x.com",
            ".ada@example.com",
            "a..b@example.com",
            "ada@example..com",
            "ada@[127.0.0.1]",
        ] {
            assert_eq!(email(text), Err(NotAnEmail), "{text}");
        }
        assert_eq!(email(&format!("{}@example.com", "x".repeat(65))), Err(NotAnEmail));
    }

    proptest! {
        #[test]
        fn what_is_taken_has_no_line_break_and_is_taken_again(text in "\\PC{0,40}|[a-z.@ \r\n-]{0,30}") {
            if let Ok(email) = Email::new(&text) {
                prop_assert!(!email.as_str().contains(['\r', '\n', ' ', '<', '>', ',']));
                prop_assert_eq!(Email::new(email.as_str()), Ok(email.clone()));
            }
        }
    }
}
