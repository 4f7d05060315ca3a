//! Countries, by the two letters of ISO 3166-1.

mod list;

use list::COUNTRIES;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A country that ISO 3166-1 lists, and no other two letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Country([u8; 2]);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a country is the two letters that ISO 3166 gives it, such as DE or US")]
pub struct NotACountry;

impl Country {
    /// All of them, in the order of their codes.
    pub fn all() -> impl Iterator<Item = Self> {
        COUNTRIES.iter().map(|(code, _)| Self(*code))
    }

    /// The two capital letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("ZZ")
    }

    /// In English.
    pub fn name(&self) -> &'static str {
        place_in_list(self.0).map_or("", |i| COUNTRIES[i].1)
    }
}

fn place_in_list(code: [u8; 2]) -> Option<usize> {
    COUNTRIES.binary_search_by_key(&code, |(known, _)| *known).ok()
}

impl std::str::FromStr for Country {
    type Err = NotACountry;

    /// Small letters are fine.
    fn from_str(text: &str) -> Result<Self, NotACountry> {
        let &[a, b] = text.trim().as_bytes() else { return Err(NotACountry) };
        let code = [a.to_ascii_uppercase(), b.to_ascii_uppercase()];
        place_in_list(code).map(|_| Self(code)).ok_or(NotACountry)
    }
}

impl TryFrom<String> for Country {
    type Error = NotACountry;
    fn try_from(text: String) -> Result<Self, NotACountry> {
        text.parse()
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.code().to_owned()
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_country_is_found_by_its_code() {
        for country in Country::all() {
            assert_eq!(country.code().parse(), Ok(country));
            assert!(!country.name().is_empty(), "{country}");
        }
        assert!(COUNTRIES.is_sorted_by(|(a, _), (b, _)| a < b));
    }

    #[test]
    fn small_letters_are_fine_and_other_codes_are_not() {
        let country: Country = " de ".parse().unwrap();
        assert_eq!((country.code(), country.name()), ("DE", "Germany"));
        for text in ["", "D", "DEU", "XX", "EU", "UK", "d\u{e9}", "1A"] {
            assert_eq!(text.parse::<Country>(), Err(NotACountry), "{text:?}");
        }
        assert!(serde_json::from_str::<Country>("\"UK\"").is_err());
    }
}
