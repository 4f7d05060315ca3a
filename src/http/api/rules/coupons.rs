//! `/api/v1/coupons`: codes for less to pay.

use super::{Family, ID, PUT, READ, Words, absent, family, fields, id};
use crate::{
    domain::{
        coupon::{Coupon, CouponCode, Reduction},
        id::CouponId,
        ppm::Ppm,
        rule::{Rule, RuleKind, StoredRule},
    },
    http::{
        api::fresh,
        app::App,
        error::Problem,
        openapi::{Doc, json},
        resource::{Asked, Operation, Resource},
    },
};
use fields::MoneyView;
use http::Method;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use warp::reply::Response;

/// What a coupon is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CouponDraft {
    /// However it is typed, it is one. No two coupons have the same.
    #[schema(example = "WELCOME10", pattern = "^[A-Za-z0-9_-]{3,32}$")]
    pub(crate) code: String,
    pub(crate) takes_off: ReductionView,
    /// What the goods must come to; it ties the coupon to its currency.
    #[serde(default)]
    pub(crate) minimum: Option<MoneyView>,
    /// From then on, RFC 3339.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub(crate) from: Option<String>,
    /// Before then, RFC 3339.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub(crate) until: Option<String>,
    /// Orders by anyone; without it there is no limit.
    #[serde(default)]
    pub(crate) most_uses: Option<u32>,
    /// Orders of one account, or of one guest's address of mail.
    #[serde(default)]
    pub(crate) most_uses_per_customer: Option<u32>,
}

/// What a coupon takes off.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum ReductionView {
    /// Of what the goods come to, in any currency.
    Percent {
        #[schema(example = "10", max_length = 12)]
        percent: String,
    },
    /// As much of it as there is.
    Fixed { money: MoneyView },
}

/// A coupon.
#[derive(Serialize, ToSchema)]
pub(crate) struct CouponView {
    pub(crate) id: Uuid,
    pub(crate) code: String,
    pub(crate) takes_off: ReductionView,
    #[schema(required)]
    pub(crate) minimum: Option<MoneyView>,
    /// RFC 3339, UTC.
    #[schema(required, format = DateTime)]
    pub(crate) from: Option<String>,
    /// RFC 3339, UTC.
    #[schema(required, format = DateTime)]
    pub(crate) until: Option<String>,
    #[schema(required)]
    pub(crate) most_uses: Option<u32>,
    #[schema(required)]
    pub(crate) most_uses_per_customer: Option<u32>,
    /// Rises with each change; its `ETag` too.
    pub(crate) version: i64,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    pub(crate) updated_at: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct CouponList {
    items: Vec<CouponView>,
    /// The cursor of the next page; `null` on the last.
    #[schema(required)]
    next: Option<String>,
}

/// How often a coupon was used.
#[derive(Serialize, ToSchema)]
struct CouponUsesView {
    /// Orders, cancelled ones left out.
    used: u32,
}

impl Family for CouponView {
    const KIND: RuleKind = RuleKind::Coupon;
    const ADDRESS: &'static str = "/api/v1/coupons";
    const NAME: &'static str = "coupon";
    type Draft = CouponDraft;
    type List = CouponList;

    fn rule(draft: CouponDraft, id: Uuid) -> Result<Rule, Problem> {
        let takes_off = match draft.takes_off {
            ReductionView::Percent { percent } => {
                let ppm = Ppm::parse_percent(&percent);
                let place = "/takes_off/percent";
                Reduction::Percent { ppm: ppm.map_err(|error| fields::wrong(place, error))? }
            }
            ReductionView::Fixed { money } => {
                Reduction::Fixed { amount: money.read("/takes_off/money")? }
            }
        };
        let minimum = draft.minimum.map(|money| money.read("/minimum")).transpose()?;
        Ok(Rule::Coupon(Coupon {
            id: CouponId(id),
            code: CouponCode::new(&draft.code).map_err(|error| fields::wrong("/code", error))?,
            takes_off,
            minimum,
            schedule: fields::schedule(draft.from.as_deref(), draft.until.as_deref())?,
            most_uses: draft.most_uses,
            most_uses_per_customer: draft.most_uses_per_customer,
        }))
    }

    fn of(stored: &StoredRule) -> Option<Self> {
        let Rule::Coupon(coupon) = &stored.rule else { return None };
        let takes_off = match coupon.takes_off {
            Reduction::Percent { ppm } => ReductionView::Percent { percent: ppm.percent() },
            Reduction::Fixed { amount } => ReductionView::Fixed { money: MoneyView::of(amount) },
        };
        Some(Self {
            id: coupon.id.0,
            code: coupon.code.to_string(),
            takes_off,
            minimum: coupon.minimum.map(MoneyView::of),
            from: coupon.schedule.from.map(|at| at.rfc3339()),
            until: coupon.schedule.until.map(|at| at.rfc3339()),
            most_uses: coupon.most_uses,
            most_uses_per_customer: coupon.most_uses_per_customer,
            version: stored.version,
            updated_at: stored.updated_at.rfc3339(),
        })
    }

    fn list(items: Vec<Self>, next: Option<String>) -> CouponList {
        CouponList { items, next }
    }
}

pub(super) fn resources() -> Vec<Resource> {
    let uses = Doc::new("get_coupon_uses", "coupons", "How often a coupon was used")
        .place(ID)
        .answer(200, "By now.", json::<CouponUsesView>());
    let get = Operation::new(Method::GET, READ, &[], |a, b| Box::pin(show_uses(a, b)));
    let mut all = family::<CouponView>(
        "/api/v1/coupons/{id}",
        Words {
            tag: "coupons",
            ids: ["list_coupons", "get_coupon", "put_coupon", "delete_coupon"],
            summaries: [
                "Coupons",
                "A coupon",
                "Make or change a coupon",
                "Drop a coupon; orders that used it keep what it took off",
            ],
            about_put: PUT,
        },
    );
    all.push(Resource::new("/api/v1/coupons/{id}/uses", [get.doc(uses)]));
    all
}

async fn show_uses(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let id = id(&asked, CouponView::NAME)?;
    if app.rules.get(RuleKind::Coupon, id).await?.is_none() {
        return Err(absent(CouponView::NAME));
    }
    let used = app.rules.coupon_uses(CouponId(id)).await?.by_anyone;
    Ok(fresh(&app, &CouponUsesView { used }))
}
