//! Who changed what, in a chain that shows when a link was touched.
//!
//! Each entry's hash covers its own content and the hash before it, so an entry that was edited,
//! taken out or put in later breaks the chain at its place. What a chain can't show by itself is
//! that all of it was made anew from some place on; for that its last hash is written down
//! elsewhere now and then, and looked for again.

use crate::domain::time::Micros;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt;

/// A change on its way into the log, inside the transaction that makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub at: Micros,
    /// As `Principal` shows itself, or the name an operator goes by.
    pub by: String,
    /// What was done, `subject.verb`: `pool.set`, `order.cancel`.
    pub action: &'static str,
    /// What it was done to: `pool:render@*`, `order:…`.
    pub subject: String,
    /// JSON; `None`: there was nothing before.
    pub old: Option<String>,
    /// JSON; `None`: there is nothing any more.
    pub new: Option<String>,
}

impl Change {
    /// With what was and what is as JSON; a value that has none is left out.
    pub fn new(
        at: Micros,
        by: impl Into<String>,
        action: &'static str,
        subject: impl Into<String>,
        old: Option<&impl Serialize>,
        new: Option<&impl Serialize>,
    ) -> Self {
        let json = |text: Result<String, serde_json::Error>| text.ok();
        Self {
            at,
            by: by.into(),
            action,
            subject: subject.into(),
            old: old.map(serde_json::to_string).and_then(json),
            new: new.map(serde_json::to_string).and_then(json),
        }
    }
}

/// A link of the chain: SHA-256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Link(pub [u8; 32]);

impl Link {
    /// Before the first entry.
    pub const START: Self = Self([0; 32]);
}

impl fmt::Display for Link {
    /// Hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({self})")
    }
}

impl std::str::FromStr for Link {
    type Err = NotALink;
    fn from_str(text: &str) -> Result<Self, NotALink> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(NotALink);
        }
        for (n, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * n..2 * n + 2], 16).map_err(|_| NotALink)?;
        }
        Ok(Self(bytes))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a link of the audit log is 64 hexadecimal digits")]
pub struct NotALink;

/// One entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// From 1, without gaps.
    pub place: i64,
    pub at: Micros,
    pub by: String,
    pub action: String,
    pub subject: String,
    /// JSON, byte for byte as it was hashed.
    pub old: Option<String>,
    pub new: Option<String>,
    pub link: Link,
}

impl AuditEntry {
    /// The link that this entry must have behind `before`.
    pub fn link_behind(&self, before: Link) -> Link {
        let mut hash = Sha256::new();
        hash.update(before.0);
        hash.update(self.place.to_be_bytes());
        hash.update(self.at.0.to_be_bytes());
        // Each with its length in front, so that no two contents run together into the same bytes.
        for text in [Some(&self.by), Some(&self.action), Some(&self.subject)] {
            field(&mut hash, text);
        }
        for text in [self.old.as_ref(), self.new.as_ref()] {
            field(&mut hash, text);
        }
        Link(hash.finalize().into())
    }
}

fn field(hash: &mut Sha256, text: Option<&String>) {
    match text {
        None => hash.update([0]),
        Some(text) => {
            hash.update([1]);
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
    }
}

/// Where a chain is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("entry {expected} is missing: {found} stands in its place")]
    Missing { expected: i64, found: i64 },
    #[error("entry {place} is not what it was when it was written, or one before it is not")]
    Changed { place: i64 },
}

/// Reads a chain from its beginning, some entries at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The last entry that was read; 0 for none.
    pub place: i64,
    pub link: Link,
}

impl Reading {
    pub const START: Self = Self { place: 0, link: Link::START };

    /// Goes on behind the entries before.
    pub fn follow(&mut self, entry: &AuditEntry) -> Result<(), Broken> {
        let expected = self.place + 1;
        if entry.place != expected {
            return Err(Broken::Missing { expected, found: entry.place });
        }
        if entry.link_behind(self.link) != entry.link {
            return Err(Broken::Changed { place: entry.place });
        }
        *self = Self { place: entry.place, link: entry.link };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chain(contents: &[(String, Option<String>)]) -> Vec<AuditEntry> {
        let mut before = Link::START;
        let entries = contents.iter().enumerate().map(|(n, (by, new))| {
            let mut entry = AuditEntry {
                place: n as i64 + 1,
                at: Micros(n as i64 * 7),
                by: by.clone(),
                action: "pool.set".into(),
                subject: "pool:render@*".into(),
                old: None,
                new: new.clone(),
                link: Link::START,
            };
            entry.link = entry.link_behind(before);
            before = entry.link;
            entry
        });
        entries.collect()
    }

    fn read(entries: &[AuditEntry]) -> Result<Reading, Broken> {
        let mut reading = Reading::START;
        entries.iter().try_for_each(|entry| reading.follow(entry))?;
        Ok(reading)
    }

    proptest! {
        #[test]
        fn a_touched_entry_breaks_the_chain_at_its_place(
            contents in prop::collection::vec(("[a-c]{0,3}", prop::option::of("[a-c]{0,3}")), 2..8),
            at in any::<prop::sample::Index>(),
            what in 0..6,
        ) {
            let whole = chain(&contents);
            prop_assert_eq!(read(&whole).unwrap().place, whole.len() as i64);
            let mut touched = whole.clone();
            let n = at.index(whole.len());
            match what {
                0 => touched[n].by.push('x'),
                1 => touched[n].at.0 += 1,
                2 => touched[n].new = match touched[n].new.take() { None => Some(String::new()), Some(_) => None },
                3 => touched[n].old = touched[n].new.take().or(Some("{}".into())),
                4 => touched[n].link.0[3] ^= 1,
                _ => { touched.remove(n); }
            }
            match read(&touched) {
                // Taken off the end, the rest is a chain: its last link tells.
                Ok(reading) => prop_assert!(what == 5 && n == whole.len() - 1 && reading.link != whole[n].link),
                Err(Broken::Changed { place }) => prop_assert!(place == n as i64 + 1),
                Err(Broken::Missing { expected, .. }) => prop_assert_eq!((what, expected), (5, n as i64 + 1)),
            }
        }

        #[test]
        fn a_link_written_is_the_link_read(bytes in any::<[u8; 32]>(), text in "\\PC*") {
            let link = Link(bytes);
            prop_assert_eq!(link.to_string().parse(), Ok(link));
            let _ = text.parse::<Link>();
        }
    }

    #[test]
    fn contents_do_not_run_together() {
        let of = |by: &str, action: &str| AuditEntry {
            place: 1,
            at: Micros(0),
            by: by.into(),
            action: action.into(),
            subject: String::new(),
            old: None,
            new: None,
            link: Link::START,
        };
        let link = |by, action| of(by, action).link_behind(Link::START);
        assert_ne!(link("ab", "c"), link("a", "bc"));
    }
}
