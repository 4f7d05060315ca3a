use super::*;
use proptest::prelude::*;

fn digits(digits: u8) -> Precision {
    Precision::new(digits).unwrap()
}

fn steps(text: &str, precision: u8) -> Result<i64, QuantityError> {
    Quantity::parse(text, digits(precision)).map(Quantity::steps)
}

#[test]
fn quantities_are_read_in_steps() {
    assert_eq!(steps("3", 0), Ok(3));
    assert_eq!(steps("3.000", 0), Ok(3));
    assert_eq!(steps(" 1.5 ", 3), Ok(1_500));
    assert_eq!(steps(".25", 2), Ok(25));
    assert_eq!(steps("2.", 2), Ok(200));
    assert_eq!(steps("0.000001", 6), Ok(1));
    assert_eq!(steps("1000000", 0), Ok(1_000_000));
    assert_eq!(steps("1000000", 6), Ok(1_000_000_000_000));
}

#[test]
fn what_is_no_quantity_is_refused_with_its_reason() {
    for text in ["", ".", "1,5", "1e3", "NaN", "inf", "+1", "--1", "1.2.3", "0x10", "٣", "1 000"] {
        assert_eq!(steps(text, 2), Err(QuantityError::NotANumber), "{text:?}");
    }
    for text in ["0", "0.00", "-1", "-0.5", "-0", "-99999999999999999999"] {
        assert_eq!(steps(text, 2), Err(QuantityError::NotPositive), "{text:?}");
    }
    assert_eq!(steps("1.5", 0), Err(QuantityError::WholeUnitsOnly));
    assert_eq!(steps("0.1234", 3), Err(QuantityError::TooPrecise { digits: 3 }));
    for text in ["1000001", "1000000.000001", "99999999999999999999999999"] {
        assert_eq!(steps(text, 6), Err(QuantityError::TooMany), "{text:?}");
    }
    assert_eq!(steps("1000001", 0), Err(QuantityError::TooMany));
}

#[test]
fn a_million_whole_units_is_the_most_at_any_precision() {
    for precision in (0..=6).map(digits) {
        let most = Quantity::of_units(Quantity::MOST_UNITS, precision).unwrap();
        assert_eq!(most.within(precision), Ok(most));
        assert_eq!(
            Quantity::of_units(Quantity::MOST_UNITS + 1, precision),
            Err(QuantityError::TooMany)
        );
    }
    assert_eq!(Quantity::of_units(-1, digits(6)), Err(QuantityError::NotPositive));
    assert_eq!(Quantity::of_units(i64::MIN, digits(6)), Err(QuantityError::NotPositive));
    assert_eq!(Quantity::of_units(i64::MAX, digits(6)), Err(QuantityError::TooMany));
}

#[test]
fn a_stored_quantity_is_checked_like_a_typed_one() {
    let read = |json| serde_json::from_str::<Quantity>(json).ok().map(Quantity::steps);
    assert_eq!(read("7"), Some(7));
    for json in ["0", "-1", "1.5", "1000000000001", "\"1\""] {
        assert_eq!(read(json), None, "{json}");
    }
    assert!(serde_json::from_str::<Precision>("7").is_err());
}

#[test]
fn limits_say_what_to_order_instead() {
    let grams = digits(3);
    let quantity = |text| Quantity::parse(text, grams).unwrap();
    let limits = OrderLimits::new(Some(quantity("0.5")), Some(quantity("20"))).unwrap();
    let refusal = |text| limits.check(quantity(text), grams).unwrap_err().to_string();
    assert_eq!(refusal("0.499"), "order at least 0.5");
    assert_eq!(refusal("20.001"), "order at most 20");
    assert_eq!(limits.check(quantity("0.5"), grams), Ok(()));
    assert_eq!(limits.check(quantity("20"), grams), Ok(()));
    assert_eq!(OrderLimits::default().check(quantity("1000000"), grams), Ok(()));
    assert_eq!(
        OrderLimits::default().check(Quantity::of_steps(1_000_001).unwrap(), digits(0)),
        Err(QuantityError::TooMany)
    );
    assert_eq!(
        OrderLimits::new(Some(quantity("2")), Some(quantity("1"))),
        Err(QuantityError::LimitsCross)
    );
}

#[test]
fn goods_of_different_precision_are_counted_together() {
    let three = Units::of(Quantity::of_units(3, digits(0)).unwrap(), digits(0));
    let half = Units::of(Quantity::parse("0.5", digits(3)).unwrap(), digits(3));
    assert_eq!(three, Units::whole(3));
    assert_eq!(Units(three.0 + half.0), Units(3_500_000));
}

proptest! {
    #[test]
    fn a_quantity_written_is_the_quantity_read(
        share in 1i64..=Quantity::MOST_UNITS, precision in 0u8..=6, odd in 0i64..1_000_000,
    ) {
        let precision = digits(precision);
        let per_unit = precision.steps_per_unit();
        let steps = ((share - 1) * per_unit + odd % per_unit).max(1);
        let quantity = Quantity::of_steps(steps).unwrap();
        prop_assert_eq!(Quantity::parse(&quantity.text(precision), precision), Ok(quantity));
    }

    #[test]
    fn sums_and_multiples_are_exact_or_refused(a in 1..=Quantity::MOST_STEPS, b in any::<i64>()) {
        let quantity = Quantity::of_steps(a).unwrap();
        let exact = i128::from(a) * i128::from(b);
        match quantity.checked_mul(b) {
            Ok(product) => prop_assert_eq!(i128::from(product.steps()), exact),
            Err(QuantityError::NotPositive) => prop_assert!(exact <= 0),
            Err(_) => prop_assert!(exact > i128::from(Quantity::MOST_STEPS)),
        }
        if let Ok(other) = Quantity::of_steps(b % Quantity::MOST_STEPS) {
            match quantity.checked_add(other) {
                Ok(sum) => prop_assert_eq!(sum.steps(), a + other.steps()),
                Err(_) => prop_assert!(a + other.steps() > Quantity::MOST_STEPS),
            }
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "[-+0-9.eE ]{0,30}|\\PC*", precision in 0u8..=6) {
        if let Ok(quantity) = Quantity::parse(&text, digits(precision)) {
            prop_assert!(quantity.within(digits(precision)).is_ok());
        }
    }
}

#[test]
fn a_count_is_read_as_it_is_written_and_may_be_nothing() {
    for (digits, steps, text) in
        [(0, 0, "0"), (0, 12, "12"), (2, 900, "9"), (2, 905, "9.05"), (3, 1, "0.001")]
    {
        let precision = Precision::new(digits).unwrap();
        assert_eq!(precision.count_text(steps), text);
        assert_eq!(precision.count(text), Ok(steps));
    }
    let metres = Precision::new(2).unwrap();
    assert_eq!(metres.count_text(-50), "−0.5");
    assert_eq!(metres.count("-0"), Ok(0));
    assert_eq!(metres.count("-1"), Err(QuantityError::Negative));
    assert_eq!(metres.count("0.001"), Err(QuantityError::TooPrecise { digits: 2 }));
    assert_eq!(metres.count(""), Err(QuantityError::NotANumber));
    // More than can be ordered at once can well be there.
    assert_eq!(Precision::default().count("2000000"), Ok(2_000_000));
}
