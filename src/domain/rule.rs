//! Commercial rules as data: what a shop's staff say about prices, tax, shipping and coupons.
//!
//! Each is a small document that is only ever read whole. What a list says of single products is
//! apart ([`crate::domain::price::PriceEntry`]), as there may be very many of those.

use crate::domain::{
    coupon::{Coupon, CouponError},
    money::Currency,
    price::{Assignment, Audience, PriceList, PriceListError},
    shipping::{ShippingError, ShippingMethod},
    tax::{TaxError, TaxRule},
    time::Micros,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

/// A price list and whom it is for; for nobody yet, where it names none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignedList {
    #[serde(flatten)]
    pub list: PriceList,
    #[serde(default)]
    pub audiences: BTreeSet<Audience>,
}

impl AssignedList {
    /// Audiences of one list.
    pub const MOST: usize = 1_000;

    pub fn assignments(&self) -> impl Iterator<Item = Assignment> {
        self.audiences
            .iter()
            .map(|audience| Assignment { list: self.list.id, audience: audience.clone() })
    }
}

/// One rule, of whichever kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Rule {
    PriceList(AssignedList),
    Tax(TaxRule),
    Shipping(ShippingMethod),
    Coupon(Coupon),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RuleKind {
    PriceList,
    Tax,
    Shipping,
    Coupon,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    #[error(transparent)]
    PriceList(#[from] PriceListError),
    #[error("a price list is for at most 1000 customers, groups and sites: use a group")]
    Audiences,
    #[error(transparent)]
    Tax(#[from] TaxError),
    #[error(transparent)]
    Shipping(#[from] ShippingError),
    #[error(transparent)]
    Coupon(#[from] CouponError),
}

impl RuleKind {
    pub const ALL: &'static [Self] = &[Self::PriceList, Self::Tax, Self::Shipping, Self::Coupon];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::PriceList => "price_list",
            Self::Tax => "tax",
            Self::Shipping => "shipping",
            Self::Coupon => "coupon",
        }
    }
}

impl Rule {
    pub fn kind(&self) -> RuleKind {
        match self {
            Self::PriceList(_) => RuleKind::PriceList,
            Self::Tax(_) => RuleKind::Tax,
            Self::Shipping(_) => RuleKind::Shipping,
            Self::Coupon(_) => RuleKind::Coupon,
        }
    }

    pub fn id(&self) -> Uuid {
        match self {
            Self::PriceList(assigned) => assigned.list.id.0,
            Self::Tax(rule) => rule.id.0,
            Self::Shipping(method) => method.id.0,
            Self::Coupon(coupon) => coupon.id.0,
        }
    }

    /// What no other rule of its kind may have: a list's name, a coupon's code, what a tax is on
    /// and where. Methods of shipping may be called alike.
    pub fn key(&self) -> String {
        match self {
            Self::PriceList(assigned) => assigned.list.name.trim().to_lowercase(),
            Self::Tax(rule) => rule.key(),
            Self::Shipping(method) => method.id.to_string(),
            Self::Coupon(coupon) => coupon.code.to_string(),
        }
    }

    pub fn is_list(&self) -> bool {
        self.kind() == RuleKind::PriceList
    }

    /// What the amounts of a price list's entries are in.
    pub fn list_currency(&self) -> Option<Currency> {
        match self {
            Self::PriceList(assigned) => Some(assigned.list.currency),
            Self::Tax(_) | Self::Shipping(_) | Self::Coupon(_) => None,
        }
    }

    pub fn check(&self) -> Result<(), RuleError> {
        match self {
            Self::PriceList(assigned) => {
                assigned.list.check()?;
                if assigned.audiences.len() > AssignedList::MOST {
                    return Err(RuleError::Audiences);
                }
                Ok(())
            }
            Self::Tax(rule) => Ok(rule.check()?),
            Self::Shipping(method) => Ok(method.check()?),
            Self::Coupon(coupon) => Ok(coupon.check()?),
        }
    }
}

/// A rule as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRule {
    pub rule: Rule,
    /// Rises with each change of it.
    pub version: i64,
    pub created_at: Micros,
    pub updated_at: Micros,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        country::Country,
        coupon::{CouponCode, Reduction},
        id::{CouponId, CustomerId, PriceListId, ShippingMethodId, TaxRuleId},
        money::Money,
        ppm::Ppm,
        schedule::Schedule,
        scope::Site,
        shipping::{Destinations, ShippingRate, ShippingTax},
        tax::{TaxArea, TaxCategory, TaxMode},
    };

    fn germany() -> Country {
        "DE".parse().unwrap()
    }

    /// One of each kind, with all that may be left out.
    fn samples() -> Vec<Rule> {
        let list = PriceList {
            id: PriceListId(Uuid::from_u128(1)),
            name: " Trade ".into(),
            currency: Currency::EUR,
            active: false,
            priority: -3,
            tax: TaxMode::Inclusive,
            schedule: Schedule::new(Some(Micros(5)), Some(Micros(9))).unwrap(),
        };
        let audiences = BTreeSet::from([
            Audience::Customer { customer: CustomerId(Uuid::from_u128(7)) },
            Audience::Site { site: Site("main".into()) },
        ]);
        let area = TaxArea {
            region: Some("Bavaria".into()),
            postcode_prefix: Some(crate::domain::address::Postcode::new("80").unwrap()),
            ..TaxArea::all_of(germany())
        };
        let tax = TaxRule {
            id: TaxRuleId(Uuid::from_u128(2)),
            name: "VAT".into(),
            category: TaxCategory::new("books").unwrap(),
            area,
            rate: Ppm::parse_percent("7").unwrap(),
        };
        let method = ShippingMethod {
            id: ShippingMethodId(Uuid::from_u128(3)),
            name: "Parcel".into(),
            position: 2,
            destinations: Destinations::Countries { countries: BTreeSet::from([germany()]) },
            currency: Currency::EUR,
            rate: ShippingRate::Flat { amount: 490 },
            free_from: Some(5_000),
            tax: Some(ShippingTax { category: TaxCategory::default(), mode: TaxMode::Exclusive }),
        };
        let coupon = Coupon {
            id: CouponId(Uuid::from_u128(4)),
            code: CouponCode::new("welcome10").unwrap(),
            takes_off: Reduction::Percent { ppm: Ppm::parse_percent("10").unwrap() },
            minimum: Some(Money { minor: 100, currency: Currency::EUR }),
            schedule: Schedule::ALWAYS,
            most_uses: Some(10),
            most_uses_per_customer: Some(1),
        };
        let assigned = AssignedList { list, audiences };
        vec![
            Rule::PriceList(assigned),
            Rule::Tax(tax),
            Rule::Shipping(method),
            Rule::Coupon(coupon),
        ]
    }

    #[test]
    fn a_rule_is_read_back_from_its_text() {
        for (rule, kind) in samples().into_iter().zip(RuleKind::ALL) {
            let text = serde_json::to_string(&rule).unwrap();
            assert_eq!(serde_json::from_str::<Rule>(&text).unwrap(), rule, "{text}");
            assert_eq!((rule.kind(), rule.check()), (*kind, Ok(())));
        }
    }

    #[test]
    fn keys_are_the_same_however_they_are_written() {
        let keys: Vec<_> = samples().iter().map(Rule::key).collect();
        assert_eq!((keys[0].as_str(), keys[3].as_str()), ("trade", "WELCOME10"));
        let Rule::Tax(mut tax) = samples().swap_remove(1) else { panic!("the second is tax") };
        tax.area.region = Some("  BAVARIA ".into());
        assert_eq!(Rule::Tax(tax).key(), keys[1]);
    }
}
