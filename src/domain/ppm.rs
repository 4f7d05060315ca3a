//! Rates in parts per million: 19 % is 190,000, and 8.875 % is exact too.

use crate::domain::exact::rounded;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A rate between 0 and 100 %.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(try_from = "u32", into = "u32")]
pub struct Ppm(u32);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PpmError {
    #[error("a rate is a percentage such as 19 or 8.875, with at most four digits after the point")]
    NotANumber,
    #[error("a rate is between 0 and 100 percent")]
    OutOfRange,
}

impl Ppm {
    pub const ZERO: Self = Self(0);
    pub const ALL: Self = Self(1_000_000);

    pub fn new(parts: u32) -> Result<Self, PpmError> {
        if parts > Self::ALL.0 { Err(PpmError::OutOfRange) } else { Ok(Self(parts)) }
    }

    /// Reads `19`, `8.875` or `8.875 %`.
    pub fn parse_percent(text: &str) -> Result<Self, PpmError> {
        let text = text.trim();
        let text = text.strip_suffix('%').map_or(text, str::trim_end);
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let fraction = fraction.trim_end_matches('0');
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 4 {
            return Err(PpmError::NotANumber);
        }
        format!("{whole}{fraction:0<4}")
            .parse()
            .map_err(|_| PpmError::OutOfRange)
            .and_then(Self::new)
    }

    /// The number alone, as [`Ppm::parse_percent`] reads it: `8.875`.
    pub fn percent(self) -> String {
        let (whole, fraction) = (self.0 / 10_000, self.0 % 10_000);
        if fraction == 0 {
            return whole.to_string();
        }
        format!("{whole}.{}", format!("{fraction:04}").trim_end_matches('0'))
    }

    pub fn parts(self) -> u32 {
        self.0
    }

    /// This much of an amount in minor units, halves away from zero. Never more than the amount.
    pub fn of(self, amount: i64) -> i64 {
        let all = i128::from(Self::ALL.0);
        rounded(i128::from(amount) * i128::from(self.0), all).unwrap_or(amount)
    }

    /// How much of an amount in minor units is this rate on top of the rest, halves away from
    /// zero: at 19 %, 19 of 119.
    pub fn contained_in(self, amount: i64) -> i64 {
        let with = i128::from(Self::ALL.0) + i128::from(self.0);
        rounded(i128::from(amount) * i128::from(self.0), with).unwrap_or(amount)
    }
}

impl TryFrom<u32> for Ppm {
    type Error = PpmError;
    fn try_from(parts: u32) -> Result<Self, PpmError> {
        Self::new(parts)
    }
}

impl From<Ppm> for u32 {
    fn from(rate: Ppm) -> Self {
        rate.0
    }
}

impl fmt::Display for Ppm {
    /// `19 %`, `8.875 %`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.percent())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn percentages_are_read_exactly() {
        let parts = |text| Ppm::parse_percent(text).map(Ppm::parts);
        assert_eq!(parts("19"), Ok(190_000));
        assert_eq!(parts(" 8.875 % "), Ok(88_750));
        assert_eq!(parts("0.0001"), Ok(1));
        assert_eq!(parts("7.00000"), Ok(70_000));
        assert_eq!(parts("100"), Ok(1_000_000));
        assert_eq!(parts("100.0001"), Err(PpmError::OutOfRange));
        assert_eq!(parts("99999999999999999999"), Err(PpmError::OutOfRange));
        for text in ["", "%", ".5", "-1", "+1", "1,5", "1e1", "NaN", "0.00001", "1.2.3"] {
            assert_eq!(parts(text), Err(PpmError::NotANumber), "{text:?}");
        }
    }

    #[test]
    fn a_rate_beyond_everything_is_refused_where_it_comes_in() {
        assert!(serde_json::from_str::<Ppm>("1000000").is_ok());
        assert!(serde_json::from_str::<Ppm>("1000001").is_err());
    }

    #[test]
    fn halves_go_away_from_zero() {
        let half = Ppm::parse_percent("50").unwrap();
        assert_eq!((half.of(1), half.of(3), half.of(-1)), (1, 2, -1));
        let vat = Ppm::parse_percent("19").unwrap();
        assert_eq!(vat.of(10_000), 1_900);
        assert_eq!(vat.contained_in(11_900), 1_900);
        assert_eq!(vat.contained_in(999), 160);
    }

    proptest! {
        #[test]
        fn a_rate_written_is_the_rate_read(parts in 0u32..=1_000_000) {
            let rate = Ppm::new(parts).unwrap();
            prop_assert_eq!(Ppm::parse_percent(&rate.to_string()), Ok(rate));
        }

        #[test]
        fn a_part_is_no_more_than_the_whole(parts in 0u32..=1_000_000, amount in 0i64..) {
            let rate = Ppm::new(parts).unwrap();
            prop_assert!((0..=amount).contains(&rate.of(amount)));
            prop_assert!((0..=amount).contains(&rate.contained_in(amount)));
        }

        #[test]
        fn what_is_put_on_top_is_then_contained(parts in 0u32..=1_000_000, amount in 0i64..1 << 50) {
            let rate = Ppm::new(parts).unwrap();
            let tax = rate.of(amount);
            // Rounding one way and back can differ by one.
            prop_assert!((rate.contained_in(amount + tax) - tax).abs() <= 1);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = Ppm::parse_percent(&text);
        }
    }
}
