//! `/admin/taxes`: what products of a category bear where.

use super::{Room, Values, fields, room};
use crate::{
    domain::tax::TaxCategory,
    http::{
        api::rules::taxes::{TaxRateDraft, TaxRateView},
        app::App,
        error::Problem,
        form::Form,
        resource::Resource,
    },
};
use fields::{or_empty, some};

impl Room for TaxRateView {
    const PLACES: [&'static str; 4] =
        ["/admin/taxes", "/admin/taxes/new", "/admin/taxes/{id}", "/admin/taxes/{id}/drop"];
    const TAKEN: (&'static str, &'static str) =
        ("category", "There is a tax for this category and place already: change that one.");

    fn draft(form: &Form, _: Option<&Self>) -> Result<TaxRateDraft, Problem> {
        Ok(TaxRateDraft {
            name: form.text("name").to_owned(),
            category: some(form, "category"),
            country: form.text("country").to_owned(),
            region: some(form, "region"),
            postcode_prefix: some(form, "postcode_prefix"),
            rate: form.text("rate").to_owned(),
        })
    }

    fn values(&self) -> Values {
        vec![
            ("name", self.name.clone()),
            ("category", self.category.clone()),
            ("rate", self.rate.clone()),
            ("country", self.country.clone()),
            ("region", or_empty(self.region.as_ref())),
            ("postcode_prefix", or_empty(self.postcode_prefix.as_ref())),
        ]
    }

    fn blank(_: &App) -> Values {
        vec![
            ("name", String::new()),
            ("category", TaxCategory::default().to_string()),
            ("rate", String::new()),
            ("country", String::new()),
            ("region", String::new()),
            ("postcode_prefix", String::new()),
        ]
    }

    fn field(pointer: &str) -> &str {
        pointer
    }
}

pub(super) fn resources() -> Vec<Resource> {
    room::<TaxRateView>(&[super::DONE])
}
