//! How much of a product, exactly: a quantity with the precision it is counted in.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A positive number of steps; with precision 2 a step is a hundredth of the unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Amount {
    steps: i64,
    precision: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    #[error("a quantity is digits with at most one decimal point, such as 12 or 2.5")]
    NotANumber,
    #[error("a quantity is above zero")]
    NotPositive,
    #[error("this product is sold in whole units")]
    NotWhole,
    #[error("this product's quantity has at most {0} digits after the point")]
    TooPrecise(u8),
    #[error("a quantity is at most {}", Amount::MOST_WHOLE)]
    TooLarge,
}

impl Amount {
    /// In whole units; more than that is a slip of the hand.
    pub const MOST_WHOLE: i64 = 1_000_000;
    const MOST_PRECISION: u8 = 6;

    /// `None` for what [`Self::parse`] refuses.
    pub fn new(steps: i64, precision: u8) -> Option<Self> {
        let most = Self::MOST_WHOLE * scale(precision)?;
        (1..=most).contains(&steps).then_some(Self { steps, precision })
    }

    /// The largest there is.
    pub fn most(precision: u8) -> Self {
        let precision = precision.min(Self::MOST_PRECISION);
        Self { steps: Self::MOST_WHOLE * scale(precision).unwrap_or(1), precision }
    }

    /// Reads `12`, `2.5`, `0.250`; zeros at the end are not digits that count.
    pub fn parse(text: &str, precision: u8) -> Result<Self, QuantityError> {
        let text = text.trim();
        let (negative, digits) = match text.strip_prefix(['-', '−']) {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !plain(whole) || !plain(fraction) {
            return Err(QuantityError::NotANumber);
        }
        if negative {
            return Err(QuantityError::NotPositive);
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > usize::from(precision) {
            return Err(match precision {
                0 => QuantityError::NotWhole,
                most => QuantityError::TooPrecise(most),
            });
        }
        let zeros = std::iter::repeat_n(b'0', usize::from(precision) - fraction.len());
        let steps = whole
            .bytes()
            .chain(fraction.bytes())
            .chain(zeros)
            .try_fold(0i64, |n, digit| n.checked_mul(10)?.checked_add(i64::from(digit - b'0')));
        match steps {
            Some(0) => Err(QuantityError::NotPositive),
            Some(steps) => Self::new(steps, precision).ok_or(QuantityError::TooLarge),
            None => Err(QuantityError::TooLarge),
        }
    }

    pub fn steps(self) -> i64 {
        self.steps
    }

    /// Digits after the point that its product's quantities may have.
    pub fn precision(self) -> u8 {
        self.precision
    }

    /// Both together, in the finer precision of the two. `None` above [`Self::MOST_WHOLE`].
    pub fn plus(self, other: Self) -> Option<Self> {
        let precision = self.precision.max(other.precision);
        let (a, b) = (self.with_precision(precision)?, other.with_precision(precision)?);
        Self::new(a.steps + b.steps, precision)
    }

    /// The same amount in other steps. `None` when it doesn't come out even.
    pub fn with_precision(self, precision: u8) -> Option<Self> {
        let (from, to) = (scale(self.precision)?, scale(precision)?);
        let steps = if to >= from {
            self.steps.checked_mul(to / from)?
        } else if self.steps % (from / to) == 0 {
            self.steps / (from / to)
        } else {
            return None;
        };
        Self::new(steps, precision)
    }

    /// What so much costs at a price for one whole unit, half a minor unit rounded up. `None` when
    /// no sum could hold it.
    pub fn times(self, minor: i64) -> Option<i64> {
        let scale = i128::from(scale(self.precision)?);
        let exact = i128::from(self.steps) * i128::from(minor);
        i64::try_from((exact + scale / 2).div_euclid(scale)).ok()
    }
}

fn scale(precision: u8) -> Option<i64> {
    (precision <= Amount::MOST_PRECISION).then(|| 10i64.pow(precision.into()))
}

impl fmt::Display for Amount {
    /// Without zeros at its end: `12`, `2.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = usize::from(self.precision);
        let text = format!("{:0width$}", self.steps, width = digits + 1);
        let (whole, fraction) = text.split_at(text.len() - digits);
        match fraction.trim_end_matches('0') {
            "" => f.write_str(whole),
            fraction => write!(f, "{whole}.{fraction}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_amount_of_something_is_refused_with_its_reason() {
        let refused = |text: &str, precision| Amount::parse(text, precision).unwrap_err();
        for text in ["", ".", "two", "1,5", "1e3", "NaN", "1.2.3", "--1", "1 2"] {
            assert_eq!(refused(text, 3), QuantityError::NotANumber, "{text:?}");
        }
        for text in ["0", "-1", "-0.5", "0.000", "−3"] {
            assert_eq!(refused(text, 3), QuantityError::NotPositive, "{text:?}");
        }
        assert_eq!(refused("0.1", 0), QuantityError::NotWhole);
        assert_eq!(refused("1.25", 1), QuantityError::TooPrecise(1));
        for text in ["1000001", "99999999999999999999999"] {
            assert_eq!(refused(text, 0), QuantityError::TooLarge, "{text}");
        }
        assert_eq!(Amount::parse("1000000", 6), Ok(Amount::most(6)));
        assert_eq!(Amount::parse(" +2.50 ", 1).unwrap().to_string(), "2.5");
    }

    #[test]
    fn half_a_cent_is_rounded_up() {
        let cost = |text, minor| Amount::parse(text, 3).unwrap().times(minor);
        assert_eq!(cost("0.5", 1), Some(1));
        assert_eq!(cost("0.499", 1), Some(0));
        assert_eq!(cost("1.005", 100), Some(101));
        assert_eq!(cost("3", i64::MAX), None);
    }

    #[test]
    fn precisions_meet_in_the_finer_one() {
        let of = |text, precision| Amount::parse(text, precision).unwrap();
        assert_eq!(of("1", 0).plus(of("0.25", 2)), Some(of("1.25", 2)));
        assert_eq!(of("1.25", 2).with_precision(1), None);
        assert_eq!(of("1.20", 2).with_precision(1), Some(of("1.2", 1)));
        assert_eq!(of("1000000", 0).plus(of("1", 0)), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_is_read(steps in 1i64..1_000_000, precision in 0u8..=6) {
            let quantity = Amount::new(steps, precision).unwrap();
            prop_assert_eq!(Amount::parse(&quantity.to_string(), precision), Ok(quantity));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*", precision in 0u8..=9) {
            let _ = Amount::parse(&text, precision);
        }
    }
}
