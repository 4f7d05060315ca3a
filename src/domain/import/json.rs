//! Products as JSON lines: one object a line.

use super::{
    Ignored, Reading, RowError,
    draft::Row,
    value::{Entries, Value},
};
use crate::domain::product::{ProductDraft, ProductStatus};
use serde::Serialize;
use std::collections::BTreeMap;

/// Reads one line, without its line break. Unknown keys with something in them are counted.
pub fn row(
    line: u64,
    text: &[u8],
    reading: &Reading,
    ignored: &mut Ignored,
) -> Result<ProductDraft, Vec<RowError>> {
    let whole = |message: String| vec![RowError::whole(line, message)];
    let text = std::str::from_utf8(text).map_err(|error| {
        whole(format!("is not UTF-8 from its byte {} on", error.valid_up_to() + 1))
    })?;
    let Entries(entries) = serde_json::from_str(text).map_err(|error| whole(refusal(&error)))?;
    let mut row = Row::new(line, reading);
    for (key, value) in &entries {
        let value = Value::of(value);
        match reading.columns.of_key(key) {
            Some(field) => row.take(&field, key, &value),
            None if value == Value::Nothing => {}
            None => ignored.count(key),
        }
    }
    if row.upc_is_ignored() {
        ignored.count("upc");
    }
    row.finish()
}

/// serde counts lines and columns from the start of what it was given, which is one line.
fn refusal(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    format!("is not a JSON object: {what} (column {})", error.column())
}

/// Writes a draft as one line, without its line break: [`row`] makes the same draft of it.
pub fn write(draft: &ProductDraft) -> String {
    let line = Line {
        sku: draft.sku.as_str(),
        name: &draft.name,
        slug: draft.slug.as_deref(),
        brand: draft.brand.as_deref(),
        short_description: draft.short_description.as_deref(),
        description: draft.description.as_deref(),
        status: draft.status,
        // As text: a reader that takes numbers for floats would spoil it.
        price: draft.price.map(|price| price.amount()),
        currency: draft.price.as_ref().map(|price| price.currency.code()),
        tax_category: draft.tax_category.named(),
        categories: &draft.categories,
        images: &draft.images,
        attributes: &draft.attributes,
        unit: &draft.unit,
        precision: draft.precision,
        stock: draft.stock.as_ref().map(|stock| {
            stock.iter().map(|s| Stock { warehouse: &s.warehouse, quantity: s.quantity }).collect()
        }),
        variant_of: draft.variant_of.as_ref().map(|sku| sku.as_str()),
        options: &draft.options,
        popularity: draft.popularity,
    };
    // Strings, numbers and string-keyed maps always have a JSON form.
    serde_json::to_string(&line).unwrap_or_default()
}

/// The names are those of [`super::Field`].
#[derive(Serialize)]
struct Line<'a> {
    sku: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    slug: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    brand: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    short_description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    status: ProductStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_category: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    categories: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    images: &'a [String],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: &'a BTreeMap<String, String>,
    unit: &'a str,
    precision: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    stock: Option<Vec<Stock<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant_of: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    options: &'a BTreeMap<String, String>,
    popularity: i64,
}

#[derive(Serialize)]
struct Stock<'a> {
    warehouse: &'a str,
    quantity: i64,
}
