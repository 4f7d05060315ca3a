//! `/admin/price-lists`: prices agreed with or meant for somebody. A list's page has three forms:
//! what it is, whom it is for, and its prices.

use super::{AFTER, DONE, Room, Values, WRITE, audiences, fields, prices, room};
use crate::{
    domain::rule::AssignedList,
    http::{
        api::rules::price_lists::{PriceListDraft, PriceListView},
        app::App,
        error::Problem,
        extract::{Param, Takes},
        form::Form,
        resource::{Asked, Operation, Resource},
    },
    views::admin::ListParts,
};
use fields::{code, currency, instant, local, mode_text, tax_mode, whole};

const ONE: &[Param] =
    &[AFTER, DONE, Param::new("sku", Takes::Text { most: 64 }, "Prices of this product alone.")];

impl Room for PriceListView {
    const PLACES: [&'static str; 4] = [
        "/admin/price-lists",
        "/admin/price-lists/new",
        "/admin/price-lists/{id}",
        "/admin/price-lists/{id}/drop",
    ];
    const TAKEN: (&'static str, &'static str) = ("name", "Another price list has this name.");

    /// For nobody: that is said by another form.
    fn draft(form: &Form, before: Option<&Self>) -> Result<PriceListDraft, Problem> {
        Ok(PriceListDraft {
            name: form.text("name").to_owned(),
            currency: currency(form),
            active: form.has("active"),
            priority: whole(form, "priority")?.unwrap_or_default(),
            tax: tax_mode(form, "tax"),
            from: instant(form, "from", before.and_then(|it| it.from.as_ref())),
            until: instant(form, "until", before.and_then(|it| it.until.as_ref())),
            audiences: Vec::new(),
        })
    }

    fn values(&self) -> Values {
        let active = if self.active { "yes" } else { "" };
        vec![
            ("name", self.name.clone()),
            ("currency", self.currency.clone()),
            ("priority", self.priority.to_string()),
            ("tax", mode_text(self.tax)),
            ("from", local(self.from.as_ref())),
            ("until", local(self.until.as_ref())),
            ("active", active.to_owned()),
        ]
    }

    fn blank(app: &App) -> Values {
        vec![
            ("name", String::new()),
            ("currency", code(app.config.currency)),
            ("priority", "0".to_owned()),
            ("tax", "exclusive".to_owned()),
            ("from", String::new()),
            ("until", String::new()),
            ("active", "yes".to_owned()),
        ]
    }

    fn field(pointer: &str) -> &str {
        pointer
    }
}

pub(super) fn resources() -> Vec<Resource> {
    let mut all = room::<PriceListView>(ONE);
    all.push(Resource::new(
        "/admin/price-lists/{id}/for",
        [Operation::form(WRITE, |a, b| Box::pin(audiences::save(a, b)))],
    ));
    all.push(Resource::new(
        "/admin/price-lists/{id}/prices",
        [Operation::form(WRITE, |a, b| Box::pin(prices::save(a, b)))],
    ));
    all
}

/// What only a price list's page has.
pub(super) async fn parts(
    app: &App,
    asked: &Asked,
    assigned: &AssignedList,
    audience: Option<audiences::Wish>,
    prices: Option<prices::Wish>,
) -> Result<ListParts, Problem> {
    Ok(ListParts {
        audiences: audiences::shown(app, assigned, audience).await?,
        prices: prices::shown(app, asked, assigned, prices).await?,
    })
}
