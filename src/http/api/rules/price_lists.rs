//! `/api/v1/price-lists`: prices agreed with or meant for somebody, and whom each is for.

use super::{Family, PUT, Words, family, fields};
use crate::{
    domain::{
        id::{CustomerGroupId, CustomerId, PriceListId},
        price::{Audience, PriceList},
        rule::{AssignedList, Rule, RuleKind, StoredRule},
        scope::Site,
    },
    http::{error::Problem, resource::Resource},
};
use fields::TaxModeView;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What a price list is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PriceListDraft {
    /// No two lists have the same.
    #[schema(min_length = 1, max_length = 120)]
    pub(crate) name: String,
    /// ISO 4217. A list with prices keeps its own.
    #[schema(example = "EUR", pattern = "^[A-Z]{3}$")]
    pub(crate) currency: String,
    #[serde(default = "yes")]
    pub(crate) active: bool,
    /// Among lists assigned equally closely, the higher comes first.
    #[serde(default)]
    pub(crate) priority: i32,
    /// Of its prices.
    #[serde(default)]
    pub(crate) tax: TaxModeView,
    /// From then on, RFC 3339.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub(crate) from: Option<String>,
    /// Before then, RFC 3339.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub(crate) until: Option<String>,
    /// For nobody, when there are none.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub(crate) audiences: Vec<AudienceView>,
}

fn yes() -> bool {
    true
}

/// Whom a list is for. A customer's own lists come before the group's, and those before a site's.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum AudienceView {
    Customer {
        id: Uuid,
    },
    Group {
        id: Uuid,
    },
    /// Everybody on a site, those without a name too.
    Site {
        #[schema(example = "main", max_length = 60)]
        code: String,
    },
}

/// A price list, without its prices.
#[derive(Serialize, ToSchema)]
pub(crate) struct PriceListView {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) currency: String,
    pub(crate) active: bool,
    pub(crate) priority: i32,
    pub(crate) tax: TaxModeView,
    /// RFC 3339, UTC.
    #[schema(required, format = DateTime)]
    pub(crate) from: Option<String>,
    /// RFC 3339, UTC.
    #[schema(required, format = DateTime)]
    pub(crate) until: Option<String>,
    pub(crate) audiences: Vec<AudienceView>,
    /// Rises with each change; its `ETag` too.
    pub(crate) version: i64,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    pub(crate) updated_at: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PriceListList {
    items: Vec<PriceListView>,
    /// The cursor of the next page; `null` on the last.
    #[schema(required)]
    next: Option<String>,
}

impl Family for PriceListView {
    const KIND: RuleKind = RuleKind::PriceList;
    const ADDRESS: &'static str = "/api/v1/price-lists";
    const NAME: &'static str = "price list";
    type Draft = PriceListDraft;
    type List = PriceListList;

    fn rule(draft: PriceListDraft, id: Uuid) -> Result<Rule, Problem> {
        let audience = |view| match view {
            AudienceView::Customer { id } => Audience::Customer { customer: CustomerId(id) },
            AudienceView::Group { id } => Audience::Group { group: CustomerGroupId(id) },
            AudienceView::Site { code } => Audience::Site { site: Site(code) },
        };
        let list = PriceList {
            id: PriceListId(id),
            name: draft.name.trim().to_owned(),
            currency: fields::currency("/currency", &draft.currency)?,
            active: draft.active,
            priority: draft.priority,
            tax: draft.tax.into(),
            schedule: fields::schedule(draft.from.as_deref(), draft.until.as_deref())?,
        };
        let audiences = draft.audiences.into_iter().map(audience).collect();
        Ok(Rule::PriceList(AssignedList { list, audiences }))
    }

    fn of(stored: &StoredRule) -> Option<Self> {
        let Rule::PriceList(AssignedList { list, audiences }) = &stored.rule else { return None };
        let audience = |audience: &Audience| match audience {
            Audience::Customer { customer } => AudienceView::Customer { id: customer.0 },
            Audience::Group { group } => AudienceView::Group { id: group.0 },
            Audience::Site { site } => AudienceView::Site { code: site.0.clone() },
        };
        Some(Self {
            id: list.id.0,
            name: list.name.clone(),
            currency: list.currency.code().to_owned(),
            active: list.active,
            priority: list.priority,
            tax: list.tax.into(),
            from: list.schedule.from.map(|at| at.rfc3339()),
            until: list.schedule.until.map(|at| at.rfc3339()),
            audiences: audiences.iter().map(audience).collect(),
            version: stored.version,
            updated_at: stored.updated_at.rfc3339(),
        })
    }

    fn list(items: Vec<Self>, next: Option<String>) -> PriceListList {
        PriceListList { items, next }
    }
}

pub(super) fn resources() -> Vec<Resource> {
    family::<PriceListView>(
        "/api/v1/price-lists/{id}",
        Words {
            tag: "prices",
            ids: ["list_price_lists", "get_price_list", "put_price_list", "delete_price_list"],
            summaries: [
                "Price lists",
                "A price list and whom it is for",
                "Make or change a price list",
                "Drop a price list with its prices",
            ],
            about_put: PUT,
        },
    )
}
