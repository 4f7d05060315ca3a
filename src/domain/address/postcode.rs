//! Postcodes, as typed but for case and spaces, and which of them a country can have.

use crate::domain::country::Country;
use serde::{Deserialize, Serialize};
use std::fmt;

/// 1 to 12 letters, digits, spaces and hyphens, in capitals; also the beginning of one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Postcode(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a postcode is 1 to 12 letters, digits, spaces and hyphens")]
pub struct NotAPostcode;

/// What letters (`A`) and digits (`9`) the postcodes of a country are, and one of them. Only
/// where there is no exception; what isn't here is taken as it comes.
const SHAPES: &[(&str, &[&str], &str)] = &[
    ("AT", &["9999"], "1010"),
    ("AU", &["9999"], "2000"),
    ("BE", &["9999"], "1000"),
    ("CA", &["A9A9A9"], "K1A 0B1"),
    ("CH", &["9999"], "8001"),
    ("DE", &["99999"], "10115"),
    ("DK", &["9999"], "1050"),
    ("ES", &["99999"], "28013"),
    ("FR", &["99999"], "75001"),
    ("IT", &["99999"], "00118"),
    ("NL", &["9999AA"], "1012 AB"),
    ("US", &["99999", "999999999"], "10001"),
];

/// Where mail without a postcode goes astray, beside the countries of [`SHAPES`].
const WANTED: &[&str] = &["BR", "CZ", "FI", "GB", "IN", "JP", "MX", "NO", "PL", "PT", "SE"];

impl Postcode {
    pub fn new(text: &str) -> Result<Self, NotAPostcode> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let text = words.join(" ").to_ascii_uppercase();
        let fine = |b: u8| b.is_ascii_alphanumeric() || b == b' ' || b == b'-';
        let some = text.bytes().any(|b| b.is_ascii_alphanumeric());
        if some && text.len() <= 12 && text.bytes().all(fine) {
            Ok(Self(text))
        } else {
            Err(NotAPostcode)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Letters and digits alone, by which postcodes are compared: `SW1A1AA`.
    pub fn plain(&self) -> String {
        self.0.chars().filter(char::is_ascii_alphanumeric).collect()
    }

    fn has_shape(&self, shape: &str) -> bool {
        let fits = |(wanted, found): (u8, u8)| match wanted {
            b'9' => found.is_ascii_digit(),
            _ => found.is_ascii_uppercase(),
        };
        let plain = self.plain();
        plain.len() == shape.len() && shape.bytes().zip(plain.bytes()).all(fits)
    }
}

/// Whether an address in the country needs one.
pub(super) fn is_wanted(country: Country) -> bool {
    shape(country).is_some() || WANTED.contains(&country.code())
}

/// A postcode of the country to show instead, if this can't be one.
pub(super) fn better_example(country: Country, postcode: &Postcode) -> Option<&'static str> {
    let (_, shapes, example) = shape(country)?;
    let fits = shapes.iter().any(|shape| postcode.has_shape(shape));
    (!fits).then_some(*example)
}

fn shape(
    country: Country,
) -> Option<&'static (&'static str, &'static [&'static str], &'static str)> {
    SHAPES.iter().find(|(code, _, _)| *code == country.code())
}

impl TryFrom<String> for Postcode {
    type Error = NotAPostcode;
    fn try_from(text: String) -> Result<Self, NotAPostcode> {
        Self::new(&text)
    }
}

impl From<Postcode> for String {
    fn from(postcode: Postcode) -> Self {
        postcode.0
    }
}

impl fmt::Display for Postcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
