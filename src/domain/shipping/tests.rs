use super::*;
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
};
use uuid::Uuid;

fn method(rate: ShippingRate) -> ShippingMethod {
    ShippingMethod {
        id: ShippingMethodId(Uuid::nil()),
        name: "Parcel".into(),
        position: 0,
        destinations: Destinations::Everywhere,
        currency: Currency::EUR,
        rate,
        free_from: None,
        tax: None,
    }
}

fn flat() -> ShippingMethod {
    method(ShippingRate::Flat { amount: 490 })
}

fn germany() -> Country {
    "DE".parse().unwrap()
}

fn parcel(minor: i64, units: Units) -> Parcel {
    Parcel { subtotal: Money { minor, currency: Currency::EUR }, units }
}

fn asked(method: &ShippingMethod, parcel: Parcel) -> Option<i64> {
    method.quote(germany(), &parcel).map(|quote| quote.amount.minor)
}

fn bands(rows: &[(i64, Option<i64>)]) -> Vec<Band> {
    rows.iter().map(|&(from, amount)| Band { from, amount }).collect()
}

#[test]
fn a_table_asks_what_its_last_row_reached_says() {
    let table = bands(&[(1_000, Some(990)), (5_000, Some(490)), (100_000, None)]);
    let by_subtotal = method(ShippingRate::BySubtotal { bands: table });
    let at = |minor| asked(&by_subtotal, parcel(minor, Units::whole(1)));
    assert_eq!(
        [999, 1_000, 4_999, 5_000, 99_999, 100_000].map(at),
        [None, Some(990), Some(990), Some(490), Some(490), None]
    );
    let by_units =
        method(ShippingRate::ByUnits { bands: bands(&[(0, Some(300)), (30, Some(900))]) });
    assert_eq!(asked(&by_units, parcel(0, Units(29_999_999))), Some(300));
    assert_eq!(asked(&by_units, parcel(0, Units::whole(30))), Some(900));
}

#[test]
fn free_from_an_amount_on_is_free_only_where_it_is_offered() {
    let free = ShippingMethod { free_from: Some(5_000), ..flat() };
    assert_eq!(asked(&free, parcel(4_999, Units::whole(1))), Some(490));
    assert_eq!(asked(&free, parcel(5_000, Units::whole(1))), Some(0));
    let rate = ShippingRate::ByUnits { bands: bands(&[(0, Some(300)), (30, None)]) };
    let heavy = ShippingMethod { free_from: Some(0), ..method(rate) };
    assert_eq!(asked(&heavy, parcel(9_999, Units::whole(30))), None);
}

#[test]
fn only_methods_of_the_currency_and_the_country_are_offered_in_their_order() {
    let to_us = Destinations::Countries { countries: ["US".parse().unwrap()].into() };
    let to_de = Destinations::Countries { countries: [germany()].into() };
    let named = |name: &str, position, destinations: &Destinations, currency| ShippingMethod {
        name: name.into(),
        position,
        destinations: destinations.clone(),
        currency,
        ..flat()
    };
    let methods = [
        named("late", 9, &Destinations::Everywhere, Currency::EUR),
        named("dollars", 0, &Destinations::Everywhere, Currency::USD),
        named("overseas", 0, &to_us, Currency::EUR),
        named("b", 1, &to_de, Currency::EUR),
        named("a", 1, &to_de, Currency::EUR),
    ];
    let quotes = quotes(&methods, germany(), &parcel(100, Units::whole(1)));
    let names: Vec<&str> = quotes.iter().map(|quote| quote.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "late"]);
}

#[test]
fn a_method_that_makes_no_sense_is_refused() {
    assert_eq!(flat().check(), Ok(()));
    let nameless = ShippingMethod { name: " ".into(), ..flat() };
    assert_eq!(nameless.check(), Err(ShippingError::Name));
    let destinations = Destinations::Countries { countries: BTreeSet::new() };
    let nowhere = ShippingMethod { destinations, ..flat() };
    assert_eq!(nowhere.check(), Err(ShippingError::Nowhere));
    let pays_you = method(ShippingRate::Flat { amount: -1 });
    assert_eq!(pays_you.check(), Err(ShippingError::Negative));
    let table = |rows| method(ShippingRate::ByUnits { bands: bands(rows) }).check();
    assert_eq!(table(&[]), Err(ShippingError::EmptyTable));
    assert_eq!(table(&[(0, None)]), Err(ShippingError::EmptyTable));
    assert_eq!(table(&[(-1, Some(1))]), Err(ShippingError::Unordered { row: 1 }));
    assert_eq!(table(&[(0, Some(1)), (0, Some(2))]), Err(ShippingError::Unordered { row: 2 }));
    assert_eq!(table(&[(0, Some(1)), (5, Some(-2))]), Err(ShippingError::Negative));
}

proptest! {
    #[test]
    fn what_is_asked_is_what_the_rows_say_and_never_less_than_nothing(
        rows in btree_map(0i64..20, option::of(0i64..50), 1..6),
        free_from in option::of(0i64..20),
        minor in 0i64..25, units in 0i64..25, by_units in any::<bool>(),
    ) {
        let rows: Vec<(i64, Option<i64>)> = rows.into_iter().collect();
        let bands = bands(&rows);
        let rate = if by_units { ShippingRate::ByUnits { bands } } else { ShippingRate::BySubtotal { bands } };
        let method = ShippingMethod { free_from, ..method(rate) };
        prop_assert_eq!(method.check().is_ok(), rows.iter().any(|(_, amount)| amount.is_some()));
        let reached = if by_units { units } else { minor };
        let row = rows.iter().rev().find(|(from, _)| *from <= reached).and_then(|(_, amount)| *amount);
        let free = free_from.is_some_and(|from| from <= minor);
        let quoted = asked(&method, parcel(minor, Units::whole(units)));
        prop_assert_eq!(quoted, row.map(|amount| if free { 0 } else { amount }));
        prop_assert!(quoted.is_none_or(|amount| amount >= 0));
    }

    #[test]
    fn a_table_passes_only_with_rows_that_rise(
        rows in vec((-2i64..20, option::of(-1i64..50)), 0..6),
    ) {
        let fine = rows.is_sorted_by(|(a, _), (b, _)| a < b)
            && rows.iter().all(|(from, amount)| *from >= 0 && amount.is_none_or(|n| n >= 0))
            && rows.iter().any(|(_, amount)| amount.is_some());
        let table = method(ShippingRate::BySubtotal { bands: bands(&rows) });
        prop_assert_eq!(table.check().is_ok(), fine);
    }
}
