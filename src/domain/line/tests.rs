pub(in crate::domain) mod samples;

use super::*;
use crate::domain::{money::Currency, price::PriceEntry, tax::TaxMode};
use proptest::prelude::*;
use samples::{category, modes, price};

fn amount(minor: i64, quantity: &str, digits: u8) -> Result<i64, LineError> {
    let precision = Precision::new(digits).unwrap();
    let quantity = Quantity::parse(quantity, precision).unwrap();
    let price = price(minor, Currency::EUR, TaxMode::Inclusive);
    PricedLine::new(quantity, precision, price, category("standard"))
        .map(|line| line.amount().minor)
}

#[test]
fn a_line_is_price_times_quantity_to_the_nearest_minor_unit() {
    assert_eq!(amount(1_999, "3", 0), Ok(5_997));
    assert_eq!(amount(999, "0.5", 3), Ok(500));
    assert_eq!(amount(1_249, "0.333", 3), Ok(416));
    assert_eq!(amount(1, "0.001", 3), Ok(0));
    assert_eq!(amount(-1, "1", 0), Err(LineError::NegativePrice));
    assert_eq!(amount(i64::MAX, "1", 6), Ok(i64::MAX));
    assert_eq!(amount(i64::MAX, "1.000001", 6), Err(LineError::TooLarge));
}

#[test]
fn more_than_a_million_units_have_no_amount() {
    let quantity = Quantity::of_steps(1_000_001).unwrap();
    let price = price(1, Currency::EUR, TaxMode::Inclusive);
    let line = PricedLine::new(quantity, Precision::default(), price, category("standard"));
    assert_eq!(line, Err(LineError::Quantity(QuantityError::TooMany)));
}

proptest! {
    #[test]
    fn no_price_and_quantity_panic_and_what_can_be_priced_fits(
        minor in any::<i64>(), steps in 1i64..=1_000_000_000_000, digits in 0u8..=6, mode in modes(),
    ) {
        let precision = Precision::new(digits).unwrap();
        let quantity = Quantity::of_steps(steps).unwrap();
        let line = PricedLine::new(
            quantity, precision, price(minor, Currency::EUR, mode), category("standard"),
        );
        let per_unit = i128::from(precision.steps_per_unit());
        let exact = i128::from(minor) * i128::from(steps);
        match line {
            Ok(line) => {
                let off = i128::from(line.amount().minor) * per_unit - exact;
                prop_assert!(off.abs() * 2 <= per_unit);
                prop_assert!(line.amount().minor >= 0);
            }
            Err(LineError::NegativePrice) => prop_assert!(minor < 0),
            Err(LineError::Quantity(_)) => prop_assert!(steps > 1_000_000 * precision.steps_per_unit()),
            Err(LineError::TooLarge) => prop_assert!(minor > PriceEntry::MOST_AMOUNT),
        }
    }

    #[test]
    fn a_line_kept_is_the_line_read(line in samples::lines_in(Currency::EUR)) {
        let json = serde_json::to_string(&line).unwrap();
        prop_assert_eq!(serde_json::from_str::<PricedLine>(&json).unwrap(), line);
    }
}
