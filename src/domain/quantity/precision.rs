//! How finely a product is counted.

use super::QuantityError;
use serde::{Deserialize, Serialize};

/// Digits after the point that a quantity of a product may have, 0 to 6.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(try_from = "u8", into = "u8")]
pub struct Precision(u8);

impl Precision {
    pub const MOST: Self = Self(6);

    pub fn new(digits: u8) -> Result<Self, QuantityError> {
        if digits > Self::MOST.0 { Err(QuantityError::Precision) } else { Ok(Self(digits)) }
    }

    pub fn digits(self) -> u8 {
        self.0
    }

    /// Steps in one whole unit: 1 for precision 0, 1,000 for precision 3.
    pub fn steps_per_unit(self) -> i64 {
        10i64.pow(u32::from(self.0))
    }

    /// So many steps in units, without zeros at the end; of a count, which may be nothing, or less
    /// than that.
    pub fn count_text(self, steps: i64) -> String {
        let sign = if steps < 0 { "−" } else { "" };
        let steps = steps.unsigned_abs();
        let per_unit = self.steps_per_unit().unsigned_abs();
        let (whole, fraction) = (steps / per_unit, steps % per_unit);
        if fraction == 0 {
            return format!("{sign}{whole}");
        }
        let fraction = format!("{fraction:0width$}", width = usize::from(self.0));
        format!("{sign}{whole}.{}", fraction.trim_end_matches('0'))
    }

    /// Reads a count, in units, as steps: nothing or more.
    pub fn count(self, text: &str) -> Result<i64, QuantityError> {
        match super::read(text, self)? {
            (true, 1..) => Err(QuantityError::Negative),
            (_, steps) => Ok(steps),
        }
    }
}

impl TryFrom<u8> for Precision {
    type Error = QuantityError;
    fn try_from(digits: u8) -> Result<Self, QuantityError> {
        Self::new(digits)
    }
}

impl From<Precision> for u8 {
    fn from(precision: Precision) -> Self {
        precision.0
    }
}
