//! `/admin/shipping`: ways of sending goods. A table is typed a row a line: from which amount or
//! number on, a colon, and what it costs; without that it isn't sent.

use super::{Room, Values, fields, room};
use crate::http::{
    api::rules::shipping::{
        ShippingMethodDraft, ShippingMethodView, ShippingRateView, ShippingTaxView, SubtotalBand,
        UnitsBand,
    },
    app::App,
    error::Problem,
    form::Form,
    resource::Resource,
};
use fields::{code, currency, mode_text, or_empty, some, tax_mode, whole};

impl Room for ShippingMethodView {
    const PLACES: [&'static str; 4] = [
        "/admin/shipping",
        "/admin/shipping/new",
        "/admin/shipping/{id}",
        "/admin/shipping/{id}/drop",
    ];
    // Two may be called alike, so only the form's own id can be another's.
    const TAKEN: (&'static str, &'static str) = ("name", "This form made something else before.");

    fn draft(form: &Form, _: Option<&Self>) -> Result<ShippingMethodDraft, Problem> {
        let countries = form.text("countries").split([',', ';', ' ', '\r', '\n']);
        let countries = countries.map(str::trim).filter(|code| !code.is_empty());
        let countries: Vec<_> = countries.map(str::to_owned).collect();
        let tax = |category| ShippingTaxView { category, mode: tax_mode(form, "tax_mode") };
        Ok(ShippingMethodDraft {
            name: form.text("name").to_owned(),
            position: whole(form, "position")?.unwrap_or_default(),
            countries: (!countries.is_empty()).then_some(countries),
            currency: currency(form),
            rate: rate(form)?,
            free_from: some(form, "free_from"),
            tax: some(form, "tax_category").map(tax),
        })
    }

    fn values(&self) -> Values {
        let (kind, amount, table) = match &self.rate {
            ShippingRateView::Flat { amount } => ("flat", amount.clone(), String::new()),
            ShippingRateView::BySubtotal { bands } => {
                let rows = bands.iter().map(|band| row(&band.from, band.amount.as_ref()));
                ("by_subtotal", String::new(), rows.collect::<Vec<_>>().join("\n"))
            }
            ShippingRateView::ByUnits { bands } => {
                let rows =
                    bands.iter().map(|band| row(&band.from.to_string(), band.amount.as_ref()));
                ("by_units", String::new(), rows.collect::<Vec<_>>().join("\n"))
            }
        };
        let tax = self.tax.as_ref();
        vec![
            ("name", self.name.clone()),
            ("position", self.position.to_string()),
            ("countries", self.countries.as_ref().map(|all| all.join(" ")).unwrap_or_default()),
            ("currency", self.currency.clone()),
            ("rate", kind.to_owned()),
            ("amount", amount),
            ("table", table),
            ("free_from", or_empty(self.free_from.as_ref())),
            ("tax_category", or_empty(tax.map(|tax| &tax.category))),
            ("tax_mode", tax.map_or_else(String::new, |tax| mode_text(tax.mode))),
        ]
    }

    fn blank(app: &App) -> Values {
        vec![
            ("name", String::new()),
            ("position", "0".to_owned()),
            ("countries", String::new()),
            ("currency", code(app.config.currency)),
            ("rate", "flat".to_owned()),
            ("amount", String::new()),
            ("table", String::new()),
            ("free_from", String::new()),
            ("tax_category", String::new()),
            ("tax_mode", String::new()),
        ]
    }

    fn field(pointer: &str) -> &str {
        match pointer {
            "rate/amount" => "amount",
            "tax/category" => "tax_category",
            pointer if pointer.starts_with("rate/bands") => "table",
            pointer if pointer.starts_with("countries") => "countries",
            other => other,
        }
    }
}

fn row(from: &str, amount: Option<&String>) -> String {
    match amount {
        Some(amount) => format!("{from}: {amount}"),
        None => format!("{from}:"),
    }
}

fn rate(form: &Form) -> Result<ShippingRateView, Problem> {
    let kind = form.text("rate");
    if kind != "by_subtotal" && kind != "by_units" {
        return Ok(ShippingRateView::Flat { amount: form.text("amount").to_owned() });
    }
    let lines = form.text("table").lines().map(str::trim).filter(|line| !line.is_empty());
    let rows = lines.map(|line| {
        let (from, amount) = line.split_once(':').unwrap_or((line, ""));
        let amount = Some(amount.trim()).filter(|amount| !amount.is_empty());
        (from.trim().to_owned(), amount.map(str::to_owned))
    });
    if kind == "by_subtotal" {
        let band = |(from, amount)| SubtotalBand { from, amount };
        return Ok(ShippingRateView::BySubtotal { bands: rows.map(band).collect() });
    }
    let band = |(from, amount): (String, Option<String>)| {
        let told = format!("“{from}” is no number of units: write a whole number before the colon");
        let from = from.parse().map_err(|_| Problem::field("/rate/bands", told))?;
        Ok(UnitsBand { from, amount })
    };
    Ok(ShippingRateView::ByUnits { bands: rows.map(band).collect::<Result<_, Problem>>()? })
}

pub(super) fn resources() -> Vec<Resource> {
    room::<ShippingMethodView>(&[super::DONE])
}
