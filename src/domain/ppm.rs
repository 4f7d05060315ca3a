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
        let (whole, fraction) = (self.0 / 10_000, self.0 % 10_000);
        if fraction == 0 {
            return write!(f, "{whole} %");
        }
        write!(f, "{whole}.{} %", format!("{fraction:04}").trim_end_matches('0'))
    }
}
