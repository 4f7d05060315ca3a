//! Texts of a form as a rule's body has them, and the other way round.

use crate::{
    domain::{money::Currency, tax::TaxMode},
    http::{
        api::rules::fields::{MoneyView, TaxModeView},
        error::Problem,
        form::Form,
    },
};
use std::str::FromStr;

/// A field's text; nothing when it is empty.
pub(super) fn some(form: &Form, name: &str) -> Option<String> {
    Some(form.text(name)).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A whole number, or nothing.
pub(super) fn whole<T: FromStr>(form: &Form, name: &str) -> Result<Option<T>, Problem> {
    let told = "write a whole number";
    let wrong = |_| Problem::field(&format!("/{name}"), told);
    some(form, name).map(|text| text.parse().map_err(wrong)).transpose()
}

pub(super) fn or_empty(text: Option<&String>) -> String {
    text.cloned().unwrap_or_default()
}

pub(super) fn money(amount: String, form: &Form) -> MoneyView {
    MoneyView { amount, currency: currency(form) }
}

/// In capitals, however it was typed.
pub(super) fn currency(form: &Form) -> String {
    form.text("currency").to_ascii_uppercase()
}

pub(super) fn code(currency: Currency) -> String {
    currency.code().to_owned()
}

pub(super) fn tax_mode(form: &Form, name: &str) -> TaxModeView {
    match form.text(name) {
        "inclusive" => TaxModeView::Inclusive,
        _ => TaxModeView::Exclusive,
    }
}

pub(super) fn mode_text(mode: TaxModeView) -> String {
    let text = match TaxMode::from(mode) {
        TaxMode::Exclusive => "exclusive",
        TaxMode::Inclusive => "inclusive",
    };
    text.to_owned()
}

/// A time as a browser's field for one has it, in UTC: `2026-01-31T08:00`.
pub(super) fn local(at: Option<&String>) -> String {
    let at = at.map(String::as_str).unwrap_or_default().trim_end_matches('Z');
    let to_the_second = at.split('.').next().unwrap_or_default();
    to_the_second.strip_suffix(":00").unwrap_or(to_the_second).to_owned()
}

/// The same as RFC 3339. What nobody touched stays as it is, also where a field can't show all of
/// it; what is no time is left for the reader to refuse.
pub(super) fn instant(form: &Form, name: &str, before: Option<&String>) -> Option<String> {
    let text = some(form, name)?;
    if text == local(before) {
        return before.cloned();
    }
    let rest = match text.len() {
        10 => "T00:00:00Z",
        16 => ":00Z",
        19 => "Z",
        _ => "",
    };
    Some(format!("{text}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(typed: &str, before: Option<&str>) -> Option<String> {
        let form = Form::read(format!("at={typed}").as_bytes()).unwrap();
        instant(&form, "at", before.map(str::to_owned).as_ref())
    }

    #[test]
    fn a_time_that_nobody_touched_stays_to_the_microsecond() {
        let exact = "2026-01-31T08:00:07.000001Z".to_owned();
        assert_eq!(local(Some(&exact)), "2026-01-31T08:00:07");
        assert_eq!(read("2026-01-31T08:00:07", Some(&exact)).as_deref(), Some(exact.as_str()));
        let plain = "2026-01-31T08:00:00Z".to_owned();
        assert_eq!(local(Some(&plain)), "2026-01-31T08:00");
        assert_eq!(local(None), "");
    }

    #[test]
    fn a_time_is_completed_and_what_is_none_is_left_for_the_reader() {
        let midnight = Some("2026-01-31T00:00:00Z");
        assert_eq!(read("2026-01-31", None).as_deref(), midnight);
        assert_eq!(read("2026-01-31T00:00", None).as_deref(), midnight);
        assert_eq!(read("2026-01-31T00:00:00", Some("x")).as_deref(), midnight);
        assert_eq!(read("soon", None).as_deref(), Some("soon"));
        assert_eq!(read("", Some("2026-01-31T00:00:00Z")), None);
    }
}
