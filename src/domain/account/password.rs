//! What a password must be: long enough, and none that everybody tries first.
//!
//! No rules of composition (NIST SP 800-63B §5.1.1.2): they make passwords alike, not strong.

use super::Email;
use crate::domain::secret::Secret;

pub const LEAST: usize = 8;
/// Longer ones cost more to hash than anybody gains.
pub const MOST: usize = 128;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    #[error("use at least {LEAST} characters")]
    TooShort,
    #[error("use at most {MOST} characters")]
    TooLong,
    #[error("this is one of the first that anybody would try: take another")]
    Common,
    #[error("don't use your own address as the password")]
    LikeEmail,
}

/// What those who try passwords begin with; with digits or signs around it is no better.
const COMMON: &[&str] = &[
    "aaaaaaaa",
    "abc",
    "abcabc",
    "access",
    "admin",
    "administrator",
    "asdf",
    "asdfasdf",
    "asdfgh",
    "asdfghjkl",
    "azerty",
    "azertyuiop",
    "baseball",
    "basketball",
    "batman",
    "changeme",
    "charlie",
    "computer",
    "default",
    "dragon",
    "football",
    "freedom",
    "guest",
    "hallo",
    "hello",
    "iloveyou",
    "internet",
    "jennifer",
    "jordan",
    "killer",
    "letmein",
    "liverpool",
    "login",
    "lovely",
    "master",
    "michael",
    "monkey",
    "mustang",
    "mypassword",
    "nothing",
    "pass",
    "passpass",
    "passw0rd",
    "passwd",
    "passwort",
    "password",
    "passwordpassword",
    "p@ssw0rd",
    "p@ssword",
    "pa$$word",
    "pokemon",
    "princess",
    "qazwsx",
    "qazwsxedc",
    "q1w2e3r4",
    "qwer",
    "qwerqwer",
    "qwert",
    "qwertz",
    "qwertzuiop",
    "qwerty",
    "qwertyuiop",
    "1q2w3e4r",
    "1q2w3e4r5t",
    "1qaz2wsx",
    "1qaz2wsx3edc",
    "root",
    "samsung",
    "secret",
    "shadow",
    "shop",
    "soccer",
    "starwars",
    "stoa",
    "summer",
    "sunshine",
    "superman",
    "superuser",
    "spring",
    "test",
    "testtest",
    "testing",
    "tester",
    "trustno1",
    "autumn",
    "user",
    "username",
    "welcome",
    "whatever",
    "willkommen",
    "winter",
    "zaq12wsx",
    "zxcvbn",
    "zxcvbnm",
];

/// Whether it will do, for somebody with this address.
pub fn check_password(password: &Secret, email: Option<&Email>) -> Result<(), PasswordFault> {
    let text = password.expose();
    let length = text.chars().count();
    if length < LEAST {
        return Err(PasswordFault::TooShort);
    }
    if length > MOST {
        return Err(PasswordFault::TooLong);
    }
    let plain = text.trim().to_lowercase();
    if let Some(email) = email
        && (plain == email.as_str() || plain == email.local())
    {
        return Err(PasswordFault::LikeEmail);
    }
    let word = plain.trim_matches(|c: char| !c.is_alphabetic());
    if COMMON.contains(&plain.as_str()) || COMMON.contains(&word) || is_a_row(&plain) {
        return Err(PasswordFault::Common);
    }
    Ok(())
}

/// Digits alone, or one step of the alphabet after another: `12345678`, `aaaaaaaa`, `abcdefgh`.
fn is_a_row(text: &str) -> bool {
    let codes: Vec<i64> = text.chars().map(|c| i64::from(u32::from(c))).collect();
    let mut steps = codes.windows(2).map(|pair| pair[1] - pair[0]);
    let first = steps.next().unwrap_or(0);
    (first.abs() <= 1 && steps.all(|step| step == first))
        || (text.len() < 16 && text.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_enough_and_uncommon_will_do() {
        let email = Email::new("adalovelace@example.com").unwrap();
        let check = |text: &str| check_password(&Secret::new(text), Some(&email));
        for text in ["correct horse", "пароль от магазина", "xkcd-936", "mylongpassword phrase"]
        {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        assert_eq!(check("1234567"), Err(PasswordFault::TooShort));
        assert_eq!(check("ä".repeat(7).as_str()), Err(PasswordFault::TooShort));
        assert_eq!(check("ä ".repeat(64).as_str()), Ok(()));
        assert_eq!(check("ä ".repeat(65).as_str()), Err(PasswordFault::TooLong));
        for text in [
            "password",
            "Password123!",
            "!!qwerty99",
            "12345678",
            "87654321",
            "aaaaaaaaaa",
            "abcdefghij",
            "19841984",
            "Passw0rd",
            "WELCOME2026",
        ] {
            assert_eq!(check(text), Err(PasswordFault::Common), "{text}");
        }
        for text in ["AdaLovelace", "adalovelace@example.com"] {
            assert_eq!(check(text), Err(PasswordFault::LikeEmail), "{text}");
        }
    }
}
