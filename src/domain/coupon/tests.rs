use super::*;
use crate::domain::line::tests::samples::{currencies, rates};
use proptest::prelude::*;
use uuid::Uuid;

fn euros(minor: i64) -> Money {
    Money { minor, currency: Currency::EUR }
}

fn coupon(takes_off: Reduction) -> Coupon {
    Coupon {
        id: CouponId(Uuid::nil()),
        code: CouponCode::new("spring-24").unwrap(),
        takes_off,
        minimum: None,
        schedule: Schedule::ALWAYS,
        most_uses: None,
        most_uses_per_customer: None,
    }
}

fn ten_percent() -> Coupon {
    coupon(Reduction::Percent { ppm: Ppm::new(100_000).unwrap() })
}

fn used(by_anyone: u32, by_this_customer: u32) -> CouponUses {
    CouponUses { by_anyone, by_this_customer }
}

#[test]
fn a_code_is_the_same_however_it_is_typed() {
    assert_eq!(CouponCode::new(" Spring-24\n"), CouponCode::new("SPRING-24"));
    for text in ["", "ab", "a b c", "grün", &"x".repeat(33)] {
        assert_eq!(CouponCode::new(text), Err(CouponError::Code), "{text:?}");
    }
    let read: CouponCode = serde_json::from_str("\"spring-24\"").unwrap();
    assert_eq!(read.as_str(), "SPRING-24");
}

#[test]
fn a_percentage_and_an_amount_are_taken_off() {
    let now = Micros(0);
    let off = |coupon: &Coupon, minor| coupon.discount(euros(minor), CouponUses::default(), now);
    assert_eq!(off(&ten_percent(), 1_995), Ok(euros(200)));
    let five = coupon(Reduction::Fixed { amount: euros(500) });
    assert_eq!(off(&five, 1_995), Ok(euros(500)));
    assert_eq!(off(&five, 499), Ok(euros(499)));
    assert_eq!(off(&five, 0), Ok(euros(0)));
}

#[test]
fn each_refusal_says_why() {
    let day = 86_400_000_000;
    let limited = Coupon {
        minimum: Some(euros(5_000)),
        schedule: Schedule::new(Some(Micros(day)), Some(Micros(2 * day))).unwrap(),
        most_uses: Some(10),
        most_uses_per_customer: Some(1),
        ..ten_percent()
    };
    let refusal = |subtotal, uses, now| {
        limited.discount(subtotal, uses, Micros(now)).unwrap_err().to_string()
    };
    let fine = euros(5_000);
    assert_eq!(limited.discount(fine, used(9, 0), Micros(day)), Ok(euros(500)));
    assert_eq!(
        refusal(fine, used(0, 0), day - 1),
        "this coupon does not hold yet: use it from 1970-01-02 on"
    );
    assert_eq!(refusal(fine, used(0, 0), 2 * day), "this coupon has expired");
    assert_eq!(refusal(fine, used(10, 0), day), "this coupon has been used up");
    assert_eq!(
        refusal(fine, used(9, 1), day),
        "you have used this coupon as often as it can be used"
    );
    assert_eq!(
        refusal(euros(4_999), used(0, 0), day),
        "this coupon is for orders of €50.00 or more: add goods for €0.01"
    );
    assert_eq!(
        refusal(Money { minor: 5_000, currency: Currency::USD }, used(0, 0), day),
        "this coupon is for prices in EUR, and these are in USD"
    );
}

#[test]
fn a_percentage_without_a_minimum_holds_in_every_currency() {
    let dollars = Money { minor: 1_000, currency: Currency::USD };
    let off = ten_percent().discount(dollars, CouponUses::default(), Micros(0));
    assert_eq!(off, Ok(Money { minor: 100, currency: Currency::USD }));
    let fixed = coupon(Reduction::Fixed { amount: euros(1) });
    let (coupon, order) = (Currency::EUR, Currency::USD);
    assert_eq!(
        fixed.discount(dollars, CouponUses::default(), Micros(0)),
        Err(CouponRefusal::OtherCurrency { coupon, order })
    );
}

#[test]
fn a_coupon_that_makes_no_sense_is_refused() {
    assert_eq!(ten_percent().check(), Ok(()));
    let nothing = coupon(Reduction::Percent { ppm: Ppm::ZERO });
    assert_eq!(nothing.check(), Err(CouponError::Nothing));
    assert_eq!(coupon(Reduction::Fixed { amount: euros(-5) }).check(), Err(CouponError::Nothing));
    let dollars = Money { minor: 1, currency: Currency::USD };
    let mixed = Coupon { minimum: Some(dollars), ..coupon(Reduction::Fixed { amount: euros(5) }) };
    assert_eq!(mixed.check(), Err(CouponError::Minimum));
    let schedule = Schedule { from: Some(Micros(2)), until: Some(Micros(1)) };
    let never = Coupon { schedule, ..ten_percent() };
    assert_eq!(never.check(), Err(CouponError::Schedule(NeverHolds)));
}

proptest! {
    #[test]
    fn a_discount_is_never_negative_and_never_more_than_the_goods(
        minor in any::<i64>(), rate in rates(), fixed in any::<i64>(), currency in currencies(),
    ) {
        let subtotal = Money { minor, currency };
        let amount = Money { minor: fixed, currency };
        for takes_off in [Reduction::Percent { ppm: rate }, Reduction::Fixed { amount }] {
            let off = coupon(takes_off).discount(subtotal, CouponUses::default(), Micros(0)).unwrap();
            prop_assert!((0..=minor.max(0)).contains(&off.minor));
            prop_assert_eq!(off.currency, currency);
        }
    }

    #[test]
    fn a_coupon_is_used_at_most_as_often_as_it_says(most in 1u32..50, own in 1u32..5, tries in 0u32..300) {
        let limited = Coupon { most_uses: Some(most), most_uses_per_customer: Some(own), ..ten_percent() };
        let (mut total, mut by_customer) = (0, [0u32; 7]);
        for i in 0..tries {
            let customer = i as usize % by_customer.len();
            let uses = used(total, by_customer[customer]);
            if limited.discount(euros(100), uses, Micros(0)).is_ok() {
                total += 1;
                by_customer[customer] += 1;
            }
        }
        prop_assert!(total <= most && by_customer.iter().all(|uses| *uses <= own));
        prop_assert!(tries < 300 || total == most.min(own * 7));
    }
}
