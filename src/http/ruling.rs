//! What can go wrong with commercial rules, as a client is told it.

use crate::{
    actors::keepers::rules::RulesError,
    domain::{
        coupon::CouponError, price::PriceListError, rule::RuleError, shipping::ShippingError,
        tax::TaxError,
    },
    http::error::Problem,
};

impl From<RulesError> for Problem {
    fn from(error: RulesError) -> Self {
        match error {
            RulesError::Rule(error) => Self::field(place_of(&error), error.to_string()),
            RulesError::Price { row, why } => Self::field(&format!("/put/{row}"), why.to_string()),
            RulesError::TooManyAtOnce { .. } => Self::field("/put", error.to_string()),
            RulesError::Store(error) => error.into(),
            RulesError::Write(error) => error.into(),
        }
    }
}

/// Where in the body it stands.
fn place_of(error: &RuleError) -> &'static str {
    match error {
        RuleError::PriceList(PriceListError::Name)
        | RuleError::Shipping(ShippingError::Name)
        | RuleError::Tax(TaxError::Name) => "/name",
        RuleError::PriceList(PriceListError::Schedule(_))
        | RuleError::Coupon(CouponError::Schedule(_)) => "/until",
        RuleError::Audiences => "/audiences",
        RuleError::Tax(TaxError::Category | TaxError::Twice { .. }) => "/category",
        RuleError::Tax(TaxError::Region) => "/region",
        RuleError::Shipping(ShippingError::Nowhere) => "/countries",
        RuleError::Shipping(
            ShippingError::Negative | ShippingError::EmptyTable | ShippingError::Unordered { .. },
        ) => "/rate",
        RuleError::Coupon(CouponError::Code) => "/code",
        RuleError::Coupon(CouponError::Nothing) => "/takes_off",
        RuleError::Coupon(CouponError::Minimum) => "/minimum",
    }
}
