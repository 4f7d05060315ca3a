//! Money as whole minor units with a currency; it is parsed from text and never meets a float.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An ISO 4217 currency: its code and how many digits follow the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency {
    code: [u8; 3],
}

/// Currencies without the usual two digits (ISO 4217 list one, 2024).
const EXPONENTS: &[(&str, u32)] = &[
    ("BHD", 3),
    ("BIF", 0),
    ("CLF", 4),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("UYI", 0),
    ("UYW", 4),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
];

impl Currency {
    pub const USD: Self = Self { code: *b"USD" };
    pub const EUR: Self = Self { code: *b"EUR" };

    /// The three capital letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or("XXX")
    }

    /// Digits after the point: 2 for most, 0 for JPY, 3 for KWD.
    pub fn exponent(&self) -> u32 {
        let code = self.code();
        EXPONENTS.iter().find(|(known, _)| *known == code).map_or(2, |(_, digits)| *digits)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("a currency is three capital letters such as EUR")]
    NotACurrency,
    #[error("a price is digits with at most one decimal point, such as 1299.95")]
    NotANumber,
    #[error("{currency} has at most {digits} digits after the point")]
    TooPrecise { currency: Currency, digits: u32 },
    #[error("the amount is too large")]
    TooLarge,
    #[error("the amount is negative")]
    Negative,
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(text: String) -> Result<Self, MoneyError> {
        text.parse()
    }
}

impl std::str::FromStr for Currency {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        match text.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => {
                Ok(Self { code: [a, b, c] })
            }
            _ => Err(MoneyError::NotACurrency),
        }
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount in minor units (cents for USD).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    pub minor: i64,
    pub currency: Currency,
}

impl Money {
    /// Reads a price such as `1299.95`, `1,299.95` is refused rather than guessed at.
    ///
    /// Trailing zeros beyond the currency's digits are fine (`1.500` USD is 150 cents); other
    /// digits there are an error, as no rounding rule was agreed with whoever wrote the text.
    pub fn parse_price(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let text = text.trim();
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !plain(whole) || !plain(fraction) {
            return Err(MoneyError::NotANumber);
        }
        let exponent = currency.exponent();
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > exponent as usize {
            return Err(MoneyError::TooPrecise { currency, digits: exponent });
        }
        let mut minor: i64 = 0;
        for digit in whole.bytes().chain(fraction.bytes()) {
            minor = minor
                .checked_mul(10)
                .and_then(|m| m.checked_add(i64::from(digit - b'0')))
                .ok_or(MoneyError::TooLarge)?;
        }
        for _ in fraction.len()..exponent as usize {
            minor = minor.checked_mul(10).ok_or(MoneyError::TooLarge)?;
        }
        if negative && minor != 0 {
            return Err(MoneyError::Negative);
        }
        Ok(Self { minor, currency })
    }

    /// Digits only, with the currency's own number after the point: `1299.95`, `500` for JPY.
    pub fn amount(&self) -> String {
        let exponent = self.currency.exponent() as usize;
        let digits = format!("{:0width$}", self.minor.unsigned_abs(), width = exponent + 1);
        let (whole, fraction) = digits.split_at(digits.len() - exponent);
        let sign = if self.minor < 0 { "-" } else { "" };
        if fraction.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{fraction}")
        }
    }
}

impl fmt::Display for Money {
    /// For people: `$1,299.95`, `€5.00`, `CHF 12.00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = self.amount();
        let (whole, fraction) = amount.split_once('.').unwrap_or((&amount, ""));
        let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |rest| ("-", rest));
        let symbol = match self.currency.code() {
            "USD" => "$",
            "EUR" => "€",
            "GBP" => "£",
            "JPY" => "¥",
            _ => "",
        };
        f.write_str(sign)?;
        if symbol.is_empty() {
            write!(f, "{} ", self.currency)?;
        } else {
            f.write_str(symbol)?;
        }
        write_grouped(f, whole)?;
        if fraction.is_empty() {
            return Ok(());
        }
        f.write_str(".")?;
        f.write_str(fraction)
    }
}

/// Digits for people: `49,447`.
pub fn write_grouped(out: &mut impl fmt::Write, digits: &str) -> fmt::Result {
    let (mut first, mut rest) = digits.split_at(digits.len() % 3);
    while !rest.is_empty() {
        if !first.is_empty() {
            out.write_str(first)?;
            out.write_str(",")?;
        }
        (first, rest) = rest.split_at(3);
    }
    out.write_str(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn usd(text: &str) -> Result<i64, MoneyError> {
        Money::parse_price(text, Currency::USD).map(|m| m.minor)
    }

    #[test]
    fn prices_are_read_exactly() {
        assert_eq!(usd("49.99"), Ok(4999));
        assert_eq!(usd("5"), Ok(500));
        assert_eq!(usd(".5"), Ok(50));
        assert_eq!(usd("1.500"), Ok(150));
        assert_eq!(usd("0"), Ok(0));
        let dinar: Currency = "KWD".parse().unwrap();
        assert_eq!(Money::parse_price("1.234", dinar).unwrap().minor, 1234);
    }

    #[test]
    fn what_is_not_a_price_is_refused_with_its_reason() {
        for text in ["", ".", "1,299.95", "1e3", "NaN", "12 USD", "--1", "1.2.3"] {
            assert_eq!(usd(text), Err(MoneyError::NotANumber), "{text:?}");
        }
        assert_eq!(usd("-1"), Err(MoneyError::Negative));
        assert_eq!(
            usd("1.005"),
            Err(MoneyError::TooPrecise { currency: Currency::USD, digits: 2 })
        );
        assert_eq!(usd("99999999999999999999"), Err(MoneyError::TooLarge));
    }

    #[test]
    fn people_see_groups_of_three() {
        let shown = |minor, currency| Money { minor, currency }.to_string();
        assert_eq!(shown(129_995, Currency::USD), "$1,299.95");
        assert_eq!(shown(5, Currency::EUR), "€0.05");
        assert_eq!(shown(1_200, "CHF".parse().unwrap()), "CHF 12.00");
        assert_eq!(shown(1_234_567, "JPY".parse().unwrap()), "¥1,234,567");
    }

    proptest! {
        #[test]
        fn an_amount_written_is_the_amount_read(minor in 0i64.., digits in 0usize..3) {
            let currency: Currency = ["JPY", "USD", "KWD"][digits].parse().unwrap();
            let money = Money { minor, currency };
            prop_assert_eq!(Money::parse_price(&money.amount(), currency), Ok(money));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = Money::parse_price(&text, Currency::EUR);
        }
    }
}
