//! `/api/v1/shipping-methods`: ways of sending goods, and what each asks for an order.

use super::{Family, PUT, Words, family, fields};
use crate::{
    domain::{
        id::ShippingMethodId,
        money::Currency,
        rule::{Rule, RuleKind, StoredRule},
        shipping::{Band, Destinations, ShippingMethod, ShippingRate, ShippingTax},
    },
    http::{error::Problem, resource::Resource},
};
use fields::TaxModeView;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What a way of shipping is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShippingMethodDraft {
    #[schema(example = "Parcel", min_length = 1, max_length = 120)]
    pub(crate) name: String,
    /// Lower is shown first.
    #[serde(default)]
    pub(crate) position: i32,
    /// ISO 3166-1; everywhere when it is left out.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 250)]
    pub(crate) countries: Option<Vec<String>>,
    /// ISO 4217, of all its amounts; it is offered for orders in this currency alone.
    #[schema(example = "EUR", pattern = "^[A-Z]{3}$")]
    pub(crate) currency: String,
    pub(crate) rate: ShippingRateView,
    /// From this subtotal on it costs nothing.
    #[serde(default)]
    #[schema(example = "50.00", max_length = 32)]
    pub(crate) free_from: Option<String>,
    /// Not taxed when it is left out.
    #[serde(default)]
    pub(crate) tax: Option<ShippingTaxView>,
}

/// What it asks, in decimal text.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum ShippingRateView {
    Flat {
        #[schema(example = "4.90", max_length = 32)]
        amount: String,
    },
    /// By what the goods come to, less the discount. Below the first row it isn't offered.
    BySubtotal {
        #[schema(min_items = 1, max_items = 100)]
        bands: Vec<SubtotalBand>,
    },
    /// By how many units there are.
    ByUnits {
        #[schema(min_items = 1, max_items = 100)]
        bands: Vec<UnitsBand>,
    },
}

/// A row of a table: it holds up to the next one's `from`.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubtotalBand {
    #[schema(example = "100.00", max_length = 32)]
    pub(crate) from: String,
    /// Not sent this way when it is left out.
    #[serde(default)]
    #[schema(example = "4.90", max_length = 32)]
    pub(crate) amount: Option<String>,
}

/// A row of a table: it holds up to the next one's `from`.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnitsBand {
    #[schema(minimum = 0)]
    pub(crate) from: i64,
    /// Not sent this way when it is left out.
    #[serde(default)]
    #[schema(example = "4.90", max_length = 32)]
    pub(crate) amount: Option<String>,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShippingTaxView {
    /// As a product's.
    #[schema(example = "standard", pattern = "^[a-z0-9-]{1,32}$")]
    pub(crate) category: String,
    #[serde(default)]
    pub(crate) mode: TaxModeView,
}

/// A way of shipping.
#[derive(Serialize, ToSchema)]
pub(crate) struct ShippingMethodView {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) position: i32,
    /// `null`: everywhere.
    #[schema(required)]
    pub(crate) countries: Option<Vec<String>>,
    pub(crate) currency: String,
    pub(crate) rate: ShippingRateView,
    #[schema(required)]
    pub(crate) free_from: Option<String>,
    #[schema(required)]
    pub(crate) tax: Option<ShippingTaxView>,
    /// Rises with each change; its `ETag` too.
    pub(crate) version: i64,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    pub(crate) updated_at: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ShippingMethodList {
    items: Vec<ShippingMethodView>,
    /// The cursor of the next page; `null` on the last.
    #[schema(required)]
    next: Option<String>,
}

impl ShippingRateView {
    fn read(self, currency: Currency) -> Result<ShippingRate, Problem> {
        let amount = |place: &str, text: &str| fields::amount(place, text, currency);
        let perhaps = |row: usize, text: Option<String>| {
            text.map(|text| amount(&format!("/rate/bands/{row}/amount"), &text)).transpose()
        };
        Ok(match self {
            Self::Flat { amount: text } => {
                ShippingRate::Flat { amount: amount("/rate/amount", &text)? }
            }
            Self::BySubtotal { bands } => {
                let band = |(row, band): (usize, SubtotalBand)| {
                    let from = amount(&format!("/rate/bands/{row}/from"), &band.from)?;
                    Ok(Band { from, amount: perhaps(row, band.amount)? })
                };
                let bands = bands.into_iter().enumerate().map(band);
                ShippingRate::BySubtotal { bands: bands.collect::<Result<_, Problem>>()? }
            }
            Self::ByUnits { bands } => {
                let band = |(row, band): (usize, UnitsBand)| {
                    Ok(Band { from: band.from, amount: perhaps(row, band.amount)? })
                };
                let bands = bands.into_iter().enumerate().map(band);
                ShippingRate::ByUnits { bands: bands.collect::<Result<_, Problem>>()? }
            }
        })
    }

    fn of(rate: &ShippingRate, currency: Currency) -> Self {
        let text = |minor| fields::text_of(minor, currency);
        match rate {
            ShippingRate::Flat { amount } => Self::Flat { amount: text(*amount) },
            ShippingRate::BySubtotal { bands } => {
                let band = |band: &Band| SubtotalBand {
                    from: text(band.from),
                    amount: band.amount.map(text),
                };
                Self::BySubtotal { bands: bands.iter().map(band).collect() }
            }
            ShippingRate::ByUnits { bands } => {
                let band =
                    |band: &Band| UnitsBand { from: band.from, amount: band.amount.map(text) };
                Self::ByUnits { bands: bands.iter().map(band).collect() }
            }
        }
    }
}

impl Family for ShippingMethodView {
    const KIND: RuleKind = RuleKind::Shipping;
    const ADDRESS: &'static str = "/api/v1/shipping-methods";
    const NAME: &'static str = "way of shipping";
    type Draft = ShippingMethodDraft;
    type List = ShippingMethodList;

    fn rule(draft: ShippingMethodDraft, id: Uuid) -> Result<Rule, Problem> {
        let currency = fields::currency("/currency", &draft.currency)?;
        let destinations = match draft.countries {
            None => Destinations::Everywhere,
            Some(texts) => {
                let country =
                    |(n, text): (usize, String)| fields::country(&format!("/countries/{n}"), &text);
                let countries = texts.into_iter().enumerate().map(country);
                Destinations::Countries { countries: countries.collect::<Result<_, _>>()? }
            }
        };
        let free_from = draft.free_from.as_deref();
        let free_from = free_from.map(|text| fields::amount("/free_from", text, currency));
        let tax = |tax: ShippingTaxView| -> Result<ShippingTax, Problem> {
            let category = fields::category("/tax/category", &tax.category)?;
            Ok(ShippingTax { category, mode: tax.mode.into() })
        };
        Ok(Rule::Shipping(ShippingMethod {
            id: ShippingMethodId(id),
            name: draft.name.trim().to_owned(),
            position: draft.position,
            destinations,
            currency,
            rate: draft.rate.read(currency)?,
            free_from: free_from.transpose()?,
            tax: draft.tax.map(tax).transpose()?,
        }))
    }

    fn of(stored: &StoredRule) -> Option<Self> {
        let Rule::Shipping(method) = &stored.rule else { return None };
        let countries = match &method.destinations {
            Destinations::Everywhere => None,
            Destinations::Countries { countries } => {
                Some(countries.iter().map(ToString::to_string).collect())
            }
        };
        let tax = |tax: &ShippingTax| ShippingTaxView {
            category: tax.category.to_string(),
            mode: tax.mode.into(),
        };
        Some(Self {
            id: method.id.0,
            name: method.name.clone(),
            position: method.position,
            countries,
            currency: method.currency.code().to_owned(),
            rate: ShippingRateView::of(&method.rate, method.currency),
            free_from: method.free_from.map(|minor| fields::text_of(minor, method.currency)),
            tax: method.tax.as_ref().map(tax),
            version: stored.version,
            updated_at: stored.updated_at.rfc3339(),
        })
    }

    fn list(items: Vec<Self>, next: Option<String>) -> ShippingMethodList {
        ShippingMethodList { items, next }
    }
}

pub(super) fn resources() -> Vec<Resource> {
    family::<ShippingMethodView>(
        "/api/v1/shipping-methods/{id}",
        Words {
            tag: "shipping",
            ids: [
                "list_shipping_methods",
                "get_shipping_method",
                "put_shipping_method",
                "delete_shipping_method",
            ],
            summaries: [
                "Ways of shipping",
                "A way of shipping",
                "Make or change a way of shipping",
                "Drop a way of shipping",
            ],
            about_put: PUT,
        },
    )
}
