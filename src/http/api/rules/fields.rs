//! Amounts, times and choices as the API writes and reads them, with the place of what is wrong.

use crate::{
    domain::{
        country::Country,
        money::{Currency, Money},
        schedule::Schedule,
        tax::{TaxCategory, TaxMode},
        time::Micros,
    },
    http::error::Problem,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether a price contains its tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TaxModeView {
    /// Tax comes on top.
    #[default]
    Exclusive,
    /// The price is what is paid.
    Inclusive,
}

impl From<TaxMode> for TaxModeView {
    fn from(mode: TaxMode) -> Self {
        match mode {
            TaxMode::Exclusive => Self::Exclusive,
            TaxMode::Inclusive => Self::Inclusive,
        }
    }
}

impl From<TaxModeView> for TaxMode {
    fn from(mode: TaxModeView) -> Self {
        match mode {
            TaxModeView::Exclusive => Self::Exclusive,
            TaxModeView::Inclusive => Self::Inclusive,
        }
    }
}

/// An amount in a currency of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoneyView {
    /// Decimal text with the currency's digits at most.
    #[schema(example = "49.99", max_length = 32)]
    pub(crate) amount: String,
    /// ISO 4217.
    #[schema(example = "EUR", pattern = "^[A-Z]{3}$")]
    pub(crate) currency: String,
}

impl MoneyView {
    pub(crate) fn of(money: Money) -> Self {
        Self { amount: money.amount(), currency: money.currency.code().to_owned() }
    }

    pub(crate) fn read(&self, place: &str) -> Result<Money, Problem> {
        let currency = currency(&format!("{place}/currency"), &self.currency)?;
        let minor = amount(&format!("{place}/amount"), &self.amount, currency)?;
        Ok(Money { minor, currency })
    }
}

pub(crate) fn currency(place: &str, text: &str) -> Result<Currency, Problem> {
    text.parse().map_err(|error: crate::domain::money::MoneyError| wrong(place, error))
}

/// Minor units.
pub(crate) fn amount(place: &str, text: &str, currency: Currency) -> Result<i64, Problem> {
    let money = Money::parse_price(text, currency).map_err(|error| wrong(place, error))?;
    Ok(money.minor)
}

/// As text, of minor units.
pub(crate) fn text_of(minor: i64, currency: Currency) -> String {
    Money { minor, currency }.amount()
}

pub(crate) fn country(place: &str, text: &str) -> Result<Country, Problem> {
    text.parse().map_err(|error: crate::domain::country::NotACountry| wrong(place, error))
}

pub(crate) fn category(place: &str, text: &str) -> Result<TaxCategory, Problem> {
    TaxCategory::new(text).map_err(|error| wrong(place, error))
}

pub(crate) fn schedule(from: Option<&str>, until: Option<&str>) -> Result<Schedule, Problem> {
    let from = from.map(|text| instant("/from", text)).transpose()?;
    let until = until.map(|text| instant("/until", text)).transpose()?;
    Schedule::new(from, until).map_err(|error| wrong("/until", error))
}

fn instant(place: &str, text: &str) -> Result<Micros, Problem> {
    let told = "a time is RFC 3339, such as 2026-01-31T08:00:00Z";
    Micros::parse(text).ok_or_else(|| Problem::field(place, told))
}

pub(crate) fn wrong(place: &str, error: impl ToString) -> Problem {
    Problem::field(place, error.to_string())
}
