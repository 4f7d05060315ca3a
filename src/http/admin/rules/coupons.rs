//! `/admin/coupons`: codes for less to pay. One currency is said for all of a coupon's amounts.

use super::{Room, Values, fields, room};
use crate::http::{
    api::rules::coupons::{CouponDraft, CouponView, ReductionView},
    app::App,
    error::Problem,
    form::Form,
    resource::Resource,
};
use fields::{code, instant, local, money, or_empty, some, whole};

impl Room for CouponView {
    const PLACES: [&'static str; 4] =
        ["/admin/coupons", "/admin/coupons/new", "/admin/coupons/{id}", "/admin/coupons/{id}/drop"];
    const TAKEN: (&'static str, &'static str) = ("code", "Another coupon has this code.");

    fn draft(form: &Form, before: Option<&Self>) -> Result<CouponDraft, Problem> {
        let takes_off = match form.text("takes_off") {
            "fixed" => ReductionView::Fixed { money: money(form.text("amount").to_owned(), form) },
            _ => ReductionView::Percent { percent: form.text("percent").to_owned() },
        };
        Ok(CouponDraft {
            code: form.text("code").to_owned(),
            takes_off,
            minimum: some(form, "minimum").map(|amount| money(amount, form)),
            from: instant(form, "from", before.and_then(|it| it.from.as_ref())),
            until: instant(form, "until", before.and_then(|it| it.until.as_ref())),
            most_uses: whole(form, "most_uses")?,
            most_uses_per_customer: whole(form, "most_uses_per_customer")?,
        })
    }

    fn values(&self) -> Values {
        let (takes_off, percent, amount, currency) = match &self.takes_off {
            ReductionView::Percent { percent } => ("percent", percent.clone(), "", None),
            ReductionView::Fixed { money } => {
                ("fixed", String::new(), money.amount.as_str(), Some(&money.currency))
            }
        };
        let currency = currency.or(self.minimum.as_ref().map(|minimum| &minimum.currency));
        let minimum = self.minimum.as_ref().map(|minimum| &minimum.amount);
        let number = |most: Option<u32>| most.map(|most| most.to_string()).unwrap_or_default();
        vec![
            ("code", self.code.clone()),
            ("takes_off", takes_off.to_owned()),
            ("percent", percent),
            ("amount", amount.to_owned()),
            ("currency", or_empty(currency)),
            ("minimum", or_empty(minimum)),
            ("from", local(self.from.as_ref())),
            ("until", local(self.until.as_ref())),
            ("most_uses", number(self.most_uses)),
            ("most_uses_per_customer", number(self.most_uses_per_customer)),
        ]
    }

    fn blank(app: &App) -> Values {
        vec![
            ("code", String::new()),
            ("takes_off", "percent".to_owned()),
            ("percent", String::new()),
            ("amount", String::new()),
            ("currency", code(app.config.currency)),
            ("minimum", String::new()),
            ("from", String::new()),
            ("until", String::new()),
            ("most_uses", String::new()),
            ("most_uses_per_customer", String::new()),
        ]
    }

    fn field(pointer: &str) -> &str {
        match pointer {
            "takes_off/percent" => "percent",
            "takes_off/money/amount" => "amount",
            "takes_off/money/currency" | "minimum/currency" => "currency",
            "minimum/amount" => "minimum",
            other => other,
        }
    }
}

pub(super) fn resources() -> Vec<Resource> {
    room::<CouponView>(&[super::DONE])
}
