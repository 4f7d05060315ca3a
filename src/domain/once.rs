//! Doing something once, however often it is asked.
//!
//! A client names what it asks for (`Idempotency-Key`, draft-ietf-httpapi-idempotency-key-header)
//! and asks again under the same name when it doesn't know what became of it. The answer is kept
//! under that name and given again, byte by byte; the same name for something else is refused.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{collections::HashMap, fmt, time::Duration};

/// How long an answer is kept at least.
pub const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// What a client calls its request: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key is 1 to 255 visible ASCII characters")]
pub struct NotAKey;

impl IdempotencyKey {
    pub const MOST: usize = 255;

    pub fn new(text: &[u8]) -> Result<Self, NotAKey> {
        let fits = (1..=Self::MOST).contains(&text.len());
        match std::str::from_utf8(text) {
            Ok(text) if fits && text.bytes().all(|b| b.is_ascii_graphic()) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(NotAKey),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The first half of a SHA-256 over who asks, for what, and under which key. Two clients with one
/// key never meet, and neither key nor principal is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OnceName(pub [u8; 16]);

impl OnceName {
    /// `principal` as it stands in the audit log; `route` as `POST /api/v1/orders`.
    pub fn new(principal: impl fmt::Display, route: &str, key: &IdempotencyKey) -> Self {
        // Neither a principal nor a route has a line feed in it, so the parts can't be shifted.
        Self(half(format!("{principal}\n{route}\n{}", key.as_str()).as_bytes()))
    }
}

impl fmt::Debug for OnceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The first half of a SHA-256 over a request's body: another one under the same key is a mistake
/// of the client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyHash(pub [u8; 16]);

impl BodyHash {
    pub fn of(body: &[u8]) -> Self {
        Self(half(body))
    }
}

fn half(bytes: &[u8]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&Sha256::digest(bytes)[..16]);
    half
}

/// An answer as it is given each time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAnswer {
    pub status: u16,
    /// Only those that are the answer's own, such as `location`.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// What an earlier batch kept under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub body: BodyHash,
    pub answer: KeptAnswer,
}

/// What is to be done about one of a batch's requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Do it.
    Do,
    /// The one at this place of the batch is the same.
    SameAs(usize),
    Replay(KeptAnswer),
    /// The key stands for another body.
    OtherBody,
}

/// Decides a batch in the order it came, knowing what was kept before it.
pub fn fates(asked: &[(OnceName, BodyHash)], kept: &HashMap<OnceName, Kept>) -> Vec<Fate> {
    let mut first: HashMap<OnceName, (usize, BodyHash)> = HashMap::new();
    let fate = |(place, (name, body)): (usize, &(OnceName, BodyHash))| {
        if let Some(kept) = kept.get(name) {
            return match kept.body == *body {
                true => Fate::Replay(kept.answer.clone()),
                false => Fate::OtherBody,
            };
        }
        match first.get(name) {
            Some((place, same)) if same == body => Fate::SameAs(*place),
            Some(_) => Fate::OtherBody,
            None => {
                first.insert(*name, (place, *body));
                Fate::Do
            }
        }
    };
    asked.iter().enumerate().map(fate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(key: &str) -> OnceName {
        OnceName::new("operator", "POST /x", &IdempotencyKey::new(key.as_bytes()).unwrap())
    }

    fn answer(body: &str) -> KeptAnswer {
        KeptAnswer { status: 201, headers: Vec::new(), body: body.into() }
    }

    #[test]
    fn a_key_is_visible_ascii_of_a_bounded_length() {
        for good in ["a", "0190-7f3a", "{\"quoted\"}", &"k".repeat(255)] {
            assert_eq!(IdempotencyKey::new(good.as_bytes()).unwrap().as_str(), good);
        }
        for bad in ["", "two words", "ä", "tab\t", "line\n", &"k".repeat(256)] {
            assert_eq!(IdempotencyKey::new(bad.as_bytes()), Err(NotAKey), "{bad}");
        }
        assert_eq!(IdempotencyKey::new(&[0xff]), Err(NotAKey));
    }

    #[test]
    fn a_name_holds_who_asks_and_for_what() {
        let key = IdempotencyKey::new(b"k").unwrap();
        let names = [
            OnceName::new("user:1", "POST /a", &key),
            OnceName::new("user:2", "POST /a", &key),
            OnceName::new("user:1", "POST /b", &key),
        ];
        assert!(names[0] != names[1] && names[0] != names[2]);
        assert_eq!(names[0], OnceName::new("user:1", "POST /a", &key));
    }

    #[test]
    fn in_one_batch_the_first_of_equal_keys_is_done_and_the_rest_are_the_same() {
        let (one, other) = (BodyHash::of(b"1"), BodyHash::of(b"2"));
        let kept = Kept { body: one, answer: answer("before") };
        let kept = HashMap::from([(name("old"), kept)]);
        let asked = [
            (name("new"), one),
            (name("old"), one),
            (name("new"), one),
            (name("new"), other),
            (name("old"), other),
            (name("else"), other),
        ];
        let wanted = [
            Fate::Do,
            Fate::Replay(answer("before")),
            Fate::SameAs(0),
            Fate::OtherBody,
            Fate::OtherBody,
            Fate::Do,
        ];
        assert_eq!(fates(&asked, &kept), wanted);
    }
}
