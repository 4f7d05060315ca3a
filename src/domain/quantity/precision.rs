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
