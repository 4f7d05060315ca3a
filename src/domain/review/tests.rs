use super::*;
use crate::domain::{address::AddressDraft, money::Currency, ppm::Ppm, quantity::Quantity};
use proptest::{collection::vec, option, prelude::*};
use std::collections::HashMap;
use uuid::Uuid;

/// A review that owns what it shows.
#[derive(Debug, Clone, PartialEq)]
struct Shown {
    lines: Vec<ReviewLine>,
    coupon: Option<CouponCode>,
    shipping: Option<ShippingMethodId>,
    summary: Summary,
    ship_to: Address,
    bill_to: Option<Address>,
}

impl Shown {
    fn hash(&self) -> ReviewHash {
        Review {
            lines: &self.lines,
            coupon: self.coupon.as_ref(),
            shipping: self.shipping,
            summary: &self.summary,
            ship_to: &self.ship_to,
            bill_to: self.bill_to.as_ref(),
        }
        .hash()
    }
}

fn euros(minor: i64) -> Money {
    Money { minor, currency: Currency::EUR }
}

fn sample() -> Shown {
    let ship_to = AddressDraft {
        name: "Ada".into(),
        company: "Engines".into(),
        street: "1 Main Street".into(),
        street_more: "2nd floor".into(),
        postcode: "10115".into(),
        city: "Berlin".into(),
        region: "BE".into(),
        country: "DE".into(),
        phone: "030 1".into(),
    }
    .check()
    .unwrap();
    let line = ReviewLine {
        product: ProductId(Uuid::from_u128(1)),
        quantity: Quantity::of_steps(3).unwrap(),
        unit_price: euros(100),
        tax: TaxMode::Inclusive,
    };
    let rate = Ppm::new(190_000).unwrap();
    Shown {
        lines: vec![line, ReviewLine { product: ProductId(Uuid::from_u128(2)), ..line }],
        coupon: Some(CouponCode::new("SPRING").unwrap()),
        shipping: Some(ShippingMethodId(Uuid::from_u128(3))),
        summary: Summary {
            currency: Currency::EUR,
            subtotal: 600,
            discount: 60,
            shipping: 490,
            shipping_tax: 78,
            tax: 164,
            tax_on_top: 0,
            total: 1_030,
            taxes: vec![TaxLine { rate, mode: TaxMode::Inclusive, net: 866, tax: 164 }],
        },
        bill_to: Some(ship_to.clone()),
        ship_to,
    }
}

/// One change of one field each; every field there is.
const CHANGES: &[fn(&mut Shown)] = &[
    |shown| shown.lines[0].product = ProductId(Uuid::from_u128(9)),
    |shown| shown.lines[0].quantity = Quantity::STEP,
    |shown| shown.lines[0].unit_price.minor += 1,
    |shown| shown.lines[0].unit_price.currency = Currency::USD,
    |shown| shown.lines[0].tax = TaxMode::Exclusive,
    |shown| shown.lines.swap(0, 1),
    |shown| shown.lines.truncate(1),
    |shown| shown.lines.push(shown.lines[0]),
    |shown| shown.lines.clear(),
    |shown| shown.coupon = None,
    |shown| shown.coupon = CouponCode::new("SUMMER").ok(),
    |shown| shown.shipping = None,
    |shown| shown.shipping = Some(ShippingMethodId(Uuid::from_u128(4))),
    |shown| shown.summary.currency = Currency::USD,
    |shown| shown.summary.subtotal += 1,
    |shown| shown.summary.discount += 1,
    |shown| shown.summary.shipping += 1,
    |shown| shown.summary.shipping_tax += 1,
    |shown| shown.summary.tax += 1,
    |shown| shown.summary.tax_on_top += 1,
    |shown| shown.summary.total += 1,
    |shown| shown.summary.taxes.clear(),
    |shown| shown.summary.taxes[0].rate = Ppm::ZERO,
    |shown| shown.summary.taxes[0].mode = TaxMode::Exclusive,
    |shown| shown.summary.taxes[0].net += 1,
    |shown| shown.summary.taxes[0].tax += 1,
    |shown| shown.ship_to.name.push('x'),
    |shown| shown.ship_to.company = None,
    |shown| shown.ship_to.company = Some("x".into()),
    |shown| shown.ship_to.street.push('x'),
    |shown| shown.ship_to.street_more = None,
    |shown| shown.ship_to.postcode = None,
    |shown| shown.ship_to.city.push('x'),
    |shown| shown.ship_to.region = None,
    |shown| shown.ship_to.country = "AT".parse().unwrap(),
    |shown| shown.ship_to.phone = None,
    |shown| shown.bill_to = None,
    |shown| shown.bill_to.as_mut().unwrap().city.push('x'),
];

#[test]
fn every_field_that_changes_gives_another_hash() {
    let mut seen = HashMap::from([(sample().hash(), usize::MAX)]);
    for (i, change) in CHANGES.iter().enumerate() {
        let mut shown = sample();
        change(&mut shown);
        if let Some(other) = seen.insert(shown.hash(), i) {
            panic!("changes {other} and {i} have one hash");
        }
    }
}

#[test]
fn texts_do_not_run_into_one_another() {
    let (mut a, mut b) = (sample(), sample());
    (a.ship_to.name, a.ship_to.company) = ("ab".into(), Some("c".into()));
    (b.ship_to.name, b.ship_to.company) = ("a".into(), Some("bc".into()));
    assert_ne!(a.hash(), b.hash());
    // Nothing is not an empty text.
    (a.ship_to.company, b.ship_to.company) = (None, Some(String::new()));
    b.ship_to.name = a.ship_to.name.clone();
    assert_ne!(a.hash(), b.hash());
}

#[test]
fn the_hash_stays_what_it_was() {
    assert_eq!(
        sample().hash().to_string(),
        "e6a2927fb4083e28960e2889ac5f5595ff61290eeeed21d91739cce4a749ed81"
    );
}

#[test]
fn a_form_brings_the_hash_back() {
    let hash = sample().hash();
    assert_eq!(hash.to_string().parse(), Ok(hash));
    let json = serde_json::to_string(&hash).unwrap();
    assert_eq!(serde_json::from_str::<ReviewHash>(&json).unwrap(), hash);
    let long = "0".repeat(65);
    for text in ["", "00", &long, &"g".repeat(64), &"é".repeat(32)] {
        assert_eq!(text.parse::<ReviewHash>(), Err(NotAReview), "{text:?}");
    }
}

/// Few values, so that equal ones come up.
fn shown() -> impl Strategy<Value = Shown> {
    let line = (0u128..2, 1i64..3, 0i64..2).prop_map(|(product, steps, minor)| ReviewLine {
        product: ProductId(Uuid::from_u128(product)),
        quantity: Quantity::of_steps(steps).unwrap(),
        unit_price: euros(minor),
        tax: TaxMode::Inclusive,
    });
    let ids = (option::of(0u128..2), option::of("[A-B]{3}"));
    (vec(line, 0..3), ids, 0i64..2, "[ab]{0,2}", option::of("[ab]{0,2}")).prop_map(
        |(lines, (method, code), total, name, company)| {
            let mut shown = sample();
            shown.lines = lines;
            shown.shipping = method.map(|n| ShippingMethodId(Uuid::from_u128(n)));
            shown.coupon = code.map(|code| CouponCode::new(&code).unwrap());
            shown.summary.total = total;
            (shown.ship_to.name, shown.ship_to.company) = (name, company);
            shown
        },
    )
}

proptest! {
    #[test]
    fn equal_content_has_an_equal_hash_and_other_content_another(a in shown(), b in shown()) {
        prop_assert_eq!(a == b, a.hash() == b.hash());
        prop_assert_eq!(a.clone().hash(), a.hash());
    }

    #[test]
    fn any_change_to_any_review_is_seen(shown in shown(), change in 9usize..CHANGES.len()) {
        let mut changed = shown.clone();
        CHANGES[change](&mut changed);
        prop_assert_eq!(shown == changed, shown.hash() == changed.hash());
    }

    #[test]
    fn no_text_makes_it_panic(text in "[0-9a-f]{64}|\\PC*") {
        let _ = text.parse::<ReviewHash>();
    }
}
