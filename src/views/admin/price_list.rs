//! What only a price list's page has: whom it is for, and a page of its prices.

use super::products::product_place;
use crate::domain::money::Currency;

pub struct ListParts {
    pub audiences: AudiencesPart,
    pub prices: PricesPart,
}

pub struct AudiencesPart {
    pub rows: Vec<AudienceRow>,
    /// Who can be added by name: value and words.
    pub choices: Vec<(String, String)>,
    /// As it was typed.
    pub customer: String,
    pub error: Option<String>,
}

pub struct AudienceRow {
    pub value: String,
    pub kind: &'static str,
    pub words: String,
    /// Where they are looked after.
    pub place: Option<String>,
}

pub struct PricesPart {
    pub currency: Currency,
    pub rows: Vec<PriceRow>,
    /// Lines for prices that are new, as they were typed.
    pub new: Vec<NewPrice>,
    pub error: Option<String>,
    /// Where the list goes on.
    pub next: Option<String>,
    /// Which of the prices these are, as the address says it; empty: the first.
    pub after: String,
    pub sku: String,
}

pub struct PriceRow {
    /// How the form names it.
    pub key: String,
    /// Its SKU and name, while it is there.
    pub product: Option<(String, String)>,
    pub unit: String,
    pub from: String,
    /// In minor units, as it was shown.
    pub was: i64,
    pub amount: String,
}

#[derive(Debug, Clone, Default)]
pub struct NewPrice {
    pub sku: String,
    pub from: String,
    pub amount: String,
}

impl PricesPart {
    pub(super) fn is_narrow(&self) -> bool {
        !self.after.is_empty() || !self.sku.is_empty()
    }

    /// In the list's currency, below the heading.
    pub(super) fn code(&self) -> &str {
        self.currency.code()
    }
}

impl PriceRow {
    pub(super) fn place(&self) -> Option<String> {
        self.product.as_ref().map(|(sku, _)| product_place(sku))
    }

    pub(super) fn sku(&self) -> &str {
        self.product.as_ref().map_or("", |(sku, _)| sku)
    }

    pub(super) fn name(&self) -> &str {
        self.product.as_ref().map_or("A product that is gone", |(_, name)| name)
    }
}
