//! Rules for the demo shop: some countries' taxes, two ways of shipping, a coupon, and prices that
//! fall with the quantity, for everybody.

use crate::domain::{
    coupon::{Coupon, CouponCode, Reduction},
    document::ProductDocument,
    id::{CouponId, PriceListId, ShippingMethodId, TaxRuleId},
    money::Currency,
    ppm::Ppm,
    price::{Audience, PriceEntry, PriceList},
    quantity::{Precision, Quantity},
    rule::{AssignedList, Rule},
    schedule::Schedule,
    scope::Site,
    shipping::{Band, Destinations, ShippingMethod, ShippingRate, ShippingTax},
    tax::{TaxArea, TaxCategory, TaxMode, TaxRule},
};
use uuid::Uuid;

/// Standard rates in percent, as they stood in 2025.
const TAXES: &[(&str, Option<&str>, &str)] = &[
    ("AT", None, "20"),
    ("BE", None, "21"),
    ("CH", None, "8.1"),
    ("DE", None, "19"),
    ("ES", None, "21"),
    ("FR", None, "20"),
    ("GB", None, "20"),
    ("IT", None, "22"),
    ("NL", None, "21"),
    ("US", Some("CA"), "7.25"),
    ("US", Some("NY"), "4"),
    ("US", Some("TX"), "6.25"),
];

/// From so many units on, so many percent less.
const TIERS: &[(i64, &str)] = &[(10, "5"), (50, "10")];

/// All of them, under ids that are drawn; the price list first.
pub fn rules(site: &Site, mut id: impl FnMut() -> Uuid) -> Vec<Rule> {
    let list = PriceList {
        id: PriceListId(id()),
        name: "Quantity prices".into(),
        currency: Currency::USD,
        active: true,
        priority: 0,
        tax: TaxMode::Exclusive,
        schedule: Schedule::ALWAYS,
    };
    let audiences = [Audience::Site { site: site.clone() }].into();
    let mut rules = vec![Rule::PriceList(AssignedList { list, audiences })];
    rules.extend(TAXES.iter().filter_map(|(country, region, rate)| {
        let place = region.unwrap_or(country);
        Some(Rule::Tax(TaxRule {
            id: TaxRuleId(id()),
            name: format!("Tax of {place}"),
            category: TaxCategory::default(),
            area: TaxArea {
                region: region.map(Into::into),
                ..TaxArea::all_of(country.parse().ok()?)
            },
            rate: Ppm::parse_percent(rate).ok()?,
        }))
    }));
    let mut method = |name: &str, position, rate, free_from| {
        let tax = ShippingTax { category: TaxCategory::default(), mode: TaxMode::Exclusive };
        Rule::Shipping(ShippingMethod {
            id: ShippingMethodId(id()),
            name: name.into(),
            position,
            destinations: Destinations::Everywhere,
            currency: Currency::USD,
            rate,
            free_from,
            tax: Some(tax),
        })
    };
    let bands = [(0, 1_490), (10, 1_990), (100, 3_990)];
    let bands = bands.map(|(from, amount)| Band { from, amount: Some(amount) }).into();
    rules.push(method("Parcel", 0, ShippingRate::Flat { amount: 690 }, Some(10_000)));
    rules.push(method("Express", 1, ShippingRate::ByUnits { bands }, None));
    let coupon = CouponCode::new("WELCOME10").ok().zip(Ppm::parse_percent("10").ok());
    rules.extend(coupon.map(|(code, ppm)| {
        Rule::Coupon(Coupon {
            id: CouponId(id()),
            code,
            takes_off: Reduction::Percent { ppm },
            minimum: None,
            schedule: Schedule::ALWAYS,
            most_uses: None,
            most_uses_per_customer: Some(1),
        })
    }));
    rules
}

/// What the list says of a product: nothing of one that has no price to take something off.
pub fn prices(list: PriceListId, document: &ProductDocument) -> Vec<PriceEntry> {
    let priced = document.price.filter(|price| price.currency == Currency::USD);
    let Some((price, precision)) = priced.zip(Precision::new(document.precision).ok()) else {
        return Vec::new();
    };
    let tier = |(from, percent): &(i64, &str)| {
        Some(PriceEntry {
            list,
            product: document.id,
            unit: document.unit.clone(),
            min_quantity: Quantity::of_units(*from, precision).ok()?,
            amount: price.minor - Ppm::parse_percent(percent).ok()?.of(price.minor),
        })
    };
    TIERS.iter().filter_map(tier).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{address::Destination, rule::RuleKind, rulebook::Rulebook};

    #[test]
    fn every_rule_is_sound_and_none_is_left_out() {
        let mut next = 0;
        let rules = rules(&Site("main".into()), || {
            next += 1;
            Uuid::from_u128(next)
        });
        for rule in &rules {
            assert_eq!(rule.check(), Ok(()), "{rule:?}");
        }
        let of = |kind| rules.iter().filter(|rule| rule.kind() == kind).count();
        let counts = RuleKind::ALL.iter().map(|kind| of(*kind)).collect::<Vec<_>>();
        assert_eq!(counts, [1, TAXES.len(), 2, 1]);
        let book = Rulebook::new(rules).unwrap();
        let texas = Destination {
            region: Some("TX".into()),
            ..Destination::somewhere_in("US".parse().unwrap())
        };
        assert_eq!(book.tax_at(&texas).rate(&TaxCategory::default()).percent(), "6.25");
    }
}
