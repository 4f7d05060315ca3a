//! `/api/v1/tax-rates`: what products of a category bear in a country, or in a part of it.

use super::{Family, PUT, Words, family, fields};
use crate::{
    domain::{
        address::Postcode,
        id::TaxRuleId,
        ppm::Ppm,
        rule::{Rule, RuleKind, StoredRule},
        tax::{TaxArea, TaxRule},
    },
    http::{error::Problem, resource::Resource},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What a tax is to be. No two are for the same category and area.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaxRateDraft {
    #[schema(example = "VAT Germany", min_length = 1, max_length = 120)]
    pub(crate) name: String,
    /// Products that are taxed alike; `standard` when it is left out.
    #[serde(default)]
    #[schema(pattern = "^[a-z0-9-]{1,32}$")]
    pub(crate) category: Option<String>,
    /// ISO 3166-1.
    #[schema(example = "DE", pattern = "^[A-Za-z]{2}$")]
    pub(crate) country: String,
    /// As addresses there write it; all of the country when it is left out.
    #[serde(default)]
    #[schema(max_length = 60)]
    pub(crate) region: Option<String>,
    /// The beginning of its postcodes; the longest that fits an address wins.
    #[serde(default)]
    #[schema(max_length = 12)]
    pub(crate) postcode_prefix: Option<String>,
    /// A percentage with at most four digits after the point.
    #[schema(example = "19", max_length = 12)]
    pub(crate) rate: String,
}

/// A tax.
#[derive(Serialize, ToSchema)]
pub(crate) struct TaxRateView {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) category: String,
    pub(crate) country: String,
    #[schema(required)]
    pub(crate) region: Option<String>,
    #[schema(required)]
    pub(crate) postcode_prefix: Option<String>,
    /// In percent.
    #[schema(example = "8.875")]
    pub(crate) rate: String,
    /// Rises with each change; its `ETag` too.
    pub(crate) version: i64,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    pub(crate) updated_at: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct TaxRateList {
    items: Vec<TaxRateView>,
    /// The cursor of the next page; `null` on the last.
    #[schema(required)]
    next: Option<String>,
}

impl Family for TaxRateView {
    const KIND: RuleKind = RuleKind::Tax;
    const ADDRESS: &'static str = "/api/v1/tax-rates";
    const NAME: &'static str = "tax";
    type Draft = TaxRateDraft;
    type List = TaxRateList;

    fn rule(draft: TaxRateDraft, id: Uuid) -> Result<Rule, Problem> {
        let category = draft.category.as_deref();
        let category = category.map(|text| fields::category("/category", text)).transpose()?;
        let prefix = draft.postcode_prefix.as_deref().map(Postcode::new).transpose();
        let area = TaxArea {
            country: fields::country("/country", &draft.country)?,
            region: draft.region.map(|region| region.trim().to_owned()),
            postcode_prefix: prefix.map_err(|error| fields::wrong("/postcode_prefix", error))?,
        };
        Ok(Rule::Tax(TaxRule {
            id: TaxRuleId(id),
            name: draft.name.trim().to_owned(),
            category: category.unwrap_or_default(),
            area,
            rate: Ppm::parse_percent(&draft.rate).map_err(|error| fields::wrong("/rate", error))?,
        }))
    }

    fn of(stored: &StoredRule) -> Option<Self> {
        let Rule::Tax(rule) = &stored.rule else { return None };
        let TaxArea { country, region, postcode_prefix } = &rule.area;
        Some(Self {
            id: rule.id.0,
            name: rule.name.clone(),
            category: rule.category.to_string(),
            country: country.to_string(),
            region: region.clone(),
            postcode_prefix: postcode_prefix.as_ref().map(|prefix| prefix.as_str().to_owned()),
            rate: rule.rate.percent(),
            version: stored.version,
            updated_at: stored.updated_at.rfc3339(),
        })
    }

    fn list(items: Vec<Self>, next: Option<String>) -> TaxRateList {
        TaxRateList { items, next }
    }
}

pub(super) fn resources() -> Vec<Resource> {
    family::<TaxRateView>(
        "/api/v1/tax-rates/{id}",
        Words {
            tag: "taxes",
            ids: ["list_tax_rates", "get_tax_rate", "put_tax_rate", "delete_tax_rate"],
            summaries: ["Taxes", "A tax", "Make or change a tax", "Drop a tax"],
            about_put: PUT,
        },
    )
}
