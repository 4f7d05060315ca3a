//! Lines for the property tests of whatever counts money.

use crate::domain::{
    line::PricedLine,
    money::{Currency, Money},
    ppm::Ppm,
    price::{PriceSource, UnitPrice},
    quantity::{Precision, Quantity},
    tax::{TaxCategory, TaxMode},
};
use proptest::{prelude::*, sample::select};

/// Currencies of every number of digits after the point that there is.
pub(in crate::domain) fn currencies() -> impl Strategy<Value = Currency> {
    select(vec!["JPY", "EUR", "KWD", "CLF"]).prop_map(|code| code.parse().unwrap())
}

pub(in crate::domain) fn categories() -> impl Strategy<Value = TaxCategory> {
    select(vec!["standard", "reduced", "books", "exempt"]).prop_map(category)
}

pub(in crate::domain) fn category(name: &str) -> TaxCategory {
    TaxCategory::new(name).unwrap()
}

pub(in crate::domain) fn modes() -> impl Strategy<Value = TaxMode> {
    select(vec![TaxMode::Exclusive, TaxMode::Inclusive])
}

/// Round ones as they are in law, and any.
pub(in crate::domain) fn rates() -> impl Strategy<Value = Ppm> {
    prop_oneof![
        select(vec![0, 50_000, 70_000, 88_750, 190_000, 200_000, 1_000_000]),
        0u32..=1_000_000,
    ]
    .prop_map(|parts| Ppm::new(parts).unwrap())
}

/// Of the product's own price.
pub(in crate::domain) fn price(minor: i64, currency: Currency, tax: TaxMode) -> UnitPrice {
    let amount = Money { minor, currency };
    UnitPrice { amount, tax, source: PriceSource::Base, min_quantity: Quantity::STEP }
}

/// Free, cheap and dear ones, by the piece and by weight, in one currency.
pub(in crate::domain) fn lines_in(currency: Currency) -> impl Strategy<Value = PricedLine> {
    let minor = prop_oneof![Just(0i64), 0i64..100, 0i64..100_000, 0i64..10_000_000_000];
    let counted = (0u8..=6).prop_flat_map(|digits| {
        let per_unit = 10i64.pow(digits.into());
        (Just(digits), prop_oneof![1i64..=20, 1..=per_unit * 1_000])
    });
    (minor, counted, modes(), categories()).prop_map(
        move |(minor, (digits, steps), mode, category)| {
            let precision = Precision::new(digits).unwrap();
            let quantity = Quantity::of_steps(steps).unwrap();
            PricedLine::new(quantity, precision, price(minor, currency, mode), category).unwrap()
        },
    )
}
