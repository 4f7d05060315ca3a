//! A card as somebody types it: checked here, handed to the provider, kept by nobody.

use crate::domain::time::Micros;
use std::fmt;

/// A card whose form is right; whether it is good is the provider's to say. It is never kept,
/// and no text for debugging shows it.
pub struct Card {
    number: String,
    /// Years since 0 and month from 1: good to the end of that month.
    expiry: (i16, i8),
}

/// What is wrong, in words for who typed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    #[error("Type the card's number: 12 to 19 digits.")]
    NumberForm,
    #[error("This is no card's number. A digit may be wrong, or two have changed places.")]
    NumberSum,
    #[error("Type the month and year the card is good to, such as 09/31.")]
    ExpiryForm,
    #[error("This card has expired.")]
    Expired,
    #[error("Type the security code: 3 or 4 digits, on the back of most cards.")]
    CodeForm,
    #[error("This shop takes test cards only, and this is not one of them.")]
    NotATestCard,
}

impl CardError {
    /// The field of the form it is about.
    pub fn field(self) -> &'static str {
        match self {
            Self::NumberForm | Self::NumberSum | Self::NotATestCard => "number",
            Self::ExpiryForm | Self::Expired => "expiry",
            Self::CodeForm => "code",
        }
    }
}

impl Card {
    /// Reads what was typed. Spaces and hyphens in the number are fine. The security code is
    /// looked at and let go: after a payment nobody may keep it (PCI DSS 4.0, 3.3.1.2).
    pub fn read(number: &str, expiry: &str, code: &str, now: Micros) -> Result<Self, CardError> {
        let number: String = number
            .chars()
            .filter(|c| !c.is_whitespace() && !"-\u{2010}\u{2011}".contains(*c))
            .collect();
        if !(12..=19).contains(&number.len()) || !digits(&number) {
            return Err(CardError::NumberForm);
        }
        if !luhn(&number) {
            return Err(CardError::NumberSum);
        }
        let expiry = month(expiry).ok_or(CardError::ExpiryForm)?;
        let code = code.trim();
        if !(3..=4).contains(&code.len()) || !digits(code) {
            return Err(CardError::CodeForm);
        }
        let card = Self { number, expiry };
        if card.has_expired(now) { Err(CardError::Expired) } else { Ok(card) }
    }

    /// For the provider alone.
    pub fn expose_number(&self) -> &str {
        &self.number
    }

    /// What a receipt may show.
    pub fn last_four(&self) -> &str {
        &self.number[self.number.len() - 4..]
    }

    fn has_expired(&self, now: Micros) -> bool {
        let Ok(now) = jiff::Timestamp::from_microsecond(now.0) else { return true };
        // It is good while it is that month anywhere: 12 hours behind UTC.
        let date = now.to_zoned(jiff::tz::Offset::constant(-12).to_time_zone()).date();
        self.expiry < (date.year(), date.month())
    }
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Card(…)")
    }
}

fn digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// The check digit of ISO/IEC 7812-1: every second digit from the right is doubled.
fn luhn(number: &str) -> bool {
    let doubled = |digit: u32| if digit < 5 { digit * 2 } else { digit * 2 - 9 };
    let sum: u32 = number
        .bytes()
        .rev()
        .map(|b| u32::from(b - b'0'))
        .enumerate()
        .map(|(i, digit)| if i % 2 == 1 { doubled(digit) } else { digit })
        .sum();
    sum.is_multiple_of(10)
}

/// `09/31`, `9/31`, `09/2031`, `0931`.
fn month(text: &str) -> Option<(i16, i8)> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let (month, year) = match text.split_once(['/', '-']) {
        Some(parts) => parts,
        None if text.len() == 4 => text.split_at_checked(2)?,
        None => return None,
    };
    if !digits(month) || !digits(year) || !(1..=2).contains(&month.len()) {
        return None;
    }
    let month: i8 = month.parse().ok().filter(|month| (1..=12).contains(month))?;
    let year: i16 = match year.len() {
        2 => 2000 + year.parse::<i16>().ok()?,
        4 => year.parse().ok()?,
        _ => return None,
    };
    Some((year, month))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2026-03-31T23:59:00Z
    const NOW: Micros = Micros(1_774_999_140_000_000);
    const GOOD: &str = "4242 4242 4242 4242";

    fn read(number: &str, expiry: &str, code: &str) -> Result<Card, CardError> {
        Card::read(number, expiry, code, NOW)
    }

    #[test]
    fn a_card_is_read_as_people_type_it() {
        for number in [GOOD, "4242-4242-4242-4242", " 4242424242424242 "] {
            let card = read(number, " 09 / 31 ", " 123 ").unwrap();
            assert_eq!((card.expose_number(), card.last_four()), ("4242424242424242", "4242"));
        }
        for expiry in ["9/31", "09/2031", "0931", "09-31", "12/99", "03/26"] {
            assert!(read(GOOD, expiry, "1234").is_ok(), "{expiry}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_field() {
        let told = |number: &str, expiry: &str, code: &str| {
            let error = read(number, expiry, code).unwrap_err();
            (error, error.field())
        };
        for number in ["", "4242", "4242 4242 4242 424x", "42424242424242424242", "٤٢٤٢٤٢٤٢٤٢٤٢"]
        {
            assert_eq!(told(number, "09/31", "123"), (CardError::NumberForm, "number"), "{number}");
        }
        for number in ["4242 4242 4242 4243", "2442 4242 4242 4242"] {
            assert_eq!(told(number, "09/31", "123"), (CardError::NumberSum, "number"));
        }
        for expiry in
            ["", "13/31", "0/31", "09", "09/31/1", "9.31", "009/31", "09/3", "+9/31", "é931"]
        {
            assert_eq!(told(GOOD, expiry, "123"), (CardError::ExpiryForm, "expiry"), "{expiry}");
        }
        for expiry in ["02/26", "12/25", "09/1931"] {
            assert_eq!(told(GOOD, expiry, "123"), (CardError::Expired, "expiry"), "{expiry}");
        }
        for code in ["", "12", "12345", "12a", "１２３"] {
            assert_eq!(told(GOOD, "09/31", code), (CardError::CodeForm, "code"), "{code}");
        }
    }

    #[test]
    fn a_card_is_good_while_its_month_lasts_anywhere() {
        let at = |text: &str| Micros(text.parse::<jiff::Timestamp>().unwrap().as_microsecond());
        assert!(Card::read(GOOD, "03/26", "123", at("2026-04-01T11:59:00Z")).is_ok());
        let after = Card::read(GOOD, "03/26", "123", at("2026-04-01T12:00:00Z"));
        assert_eq!(after.unwrap_err(), CardError::Expired);
    }

    #[test]
    fn no_text_for_debugging_shows_a_digit() {
        assert_eq!(format!("{:?}", read(GOOD, "09/31", "123")), "Ok(Card(…))");
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_noticed(at in 0..16usize, by in 1..10u8) {
            let mut number = b"4242424242424242".to_vec();
            number[at] = b'0' + (number[at] - b'0' + by) % 10;
            let number = String::from_utf8(number).unwrap();
            prop_assert_eq!(read(&number, "09/31", "123").unwrap_err(), CardError::NumberSum);
        }

        #[test]
        fn no_text_makes_it_panic(number in "\\PC*", expiry in "\\PC*", code in "\\PC*") {
            let _ = read(&number, &expiry, &code);
            let _ = read(GOOD, &expiry, &code);
        }
    }
}
