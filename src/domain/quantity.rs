//! How many of a product, exactly: a count of the smallest step it is sold in.
//!
//! A product sold in `kg` with precision 3 is counted in grams. Stock levels count the same
//! steps, while prices are per whole unit.

mod limits;
mod precision;
#[cfg(test)]
mod tests;
mod units;

pub use limits::OrderLimits;
pub use precision::Precision;
pub use units::Units;

use serde::{Deserialize, Serialize};

/// A number of steps, at least one; what a step is worth, the product's [`Precision`] says.
///
/// At most [`Quantity::MOST_UNITS`] whole units: a line of those at a price below 9 × 10¹² minor
/// units still fits an amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Quantity(i64);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    #[error("a quantity is digits with at most one decimal point, such as 3 or 1.5")]
    NotANumber,
    #[error("this is sold in whole units: leave out what follows the point")]
    WholeUnitsOnly,
    #[error("at most {digits} digits may follow the point")]
    TooPrecise { digits: u8 },
    #[error("a quantity must be more than zero")]
    NotPositive,
    #[error("there can't be fewer than none")]
    Negative,
    #[error("at most 1000000 units of a product can be ordered at once")]
    TooMany,
    #[error("order at least {}", .least.text(*.precision))]
    BelowLeast { least: Quantity, precision: Precision },
    #[error("order at most {}", .most.text(*.precision))]
    AboveMost { most: Quantity, precision: Precision },
    #[error("the least quantity must not be above the most")]
    LimitsCross,
    #[error("a quantity has at most 6 digits after the point")]
    Precision,
}

impl Quantity {
    /// Whole units that can be asked for at once.
    pub const MOST_UNITS: i64 = 1_000_000;
    /// The smallest there is.
    pub const STEP: Self = Self(1);
    /// [`Quantity::MOST_UNITS`] at the finest precision.
    const MOST_STEPS: i64 = 1_000_000_000_000;

    /// The bound on whole units is only known with the precision: [`Quantity::within`].
    pub fn of_steps(steps: i64) -> Result<Self, QuantityError> {
        match steps {
            ..=0 => Err(QuantityError::NotPositive),
            1..=Self::MOST_STEPS => Ok(Self(steps)),
            _ => Err(QuantityError::TooMany),
        }
    }

    /// So many whole units.
    pub fn of_units(units: i64, precision: Precision) -> Result<Self, QuantityError> {
        let steps = units.saturating_mul(precision.steps_per_unit());
        Self::of_steps(steps)?.within(precision)
    }

    /// Reads `3` or `1.5`; trailing zeros are fine, other digits beyond the precision are not.
    pub fn parse(text: &str, precision: Precision) -> Result<Self, QuantityError> {
        let (negative, steps) = read(text, precision)?;
        if negative {
            return Err(QuantityError::NotPositive);
        }
        Self::of_steps(steps)?.within(precision)
    }

    /// Itself, unless it is more than [`Quantity::MOST_UNITS`] whole units.
    pub fn within(self, precision: Precision) -> Result<Self, QuantityError> {
        let most = Self::MOST_UNITS * precision.steps_per_unit();
        if self.0 > most { Err(QuantityError::TooMany) } else { Ok(self) }
    }

    pub fn steps(self) -> i64 {
        self.0
    }

    /// Without zeros at the end: `3`, `1.5`. [`Quantity::parse`] reads it back.
    pub fn text(self, precision: Precision) -> String {
        precision.count_text(self.0)
    }

    pub fn checked_add(self, other: Self) -> Result<Self, QuantityError> {
        Self::of_steps(self.0.saturating_add(other.0))
    }

    /// So many times over, as a bundle takes several of an item.
    pub fn checked_mul(self, times: i64) -> Result<Self, QuantityError> {
        Self::of_steps(self.0.saturating_mul(times))
    }
}

/// Whether it is below zero, and how many steps it is then; more than fit are as many as fit.
fn read(text: &str, precision: Precision) -> Result<(bool, i64), QuantityError> {
    let text = text.trim();
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !plain(whole) || !plain(fraction) {
        return Err(QuantityError::NotANumber);
    }
    let fraction = fraction.trim_end_matches('0');
    let places = usize::from(precision.digits());
    if fraction.len() > places {
        return Err(match precision.digits() {
            0 => QuantityError::WholeUnitsOnly,
            digits => QuantityError::TooPrecise { digits },
        });
    }
    let padding = std::iter::repeat_n(b'0', places - fraction.len());
    let mut steps = 0i64;
    for digit in whole.bytes().chain(fraction.bytes()).chain(padding) {
        steps = steps.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
    }
    Ok((negative, steps))
}

impl TryFrom<i64> for Quantity {
    type Error = QuantityError;
    fn try_from(steps: i64) -> Result<Self, QuantityError> {
        Self::of_steps(steps)
    }
}

impl From<Quantity> for i64 {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}
