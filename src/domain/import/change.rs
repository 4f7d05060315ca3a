//! A product changed by hand: some fields of its row anew, read as the rows of a file are.

use super::{FileError, Ignored, Reading, RowError, json};
use crate::domain::{money::Currency, product::ProductDraft};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What may be changed. Not the SKU, by which a product is known, its address, which links
/// elsewhere lead to, nor its stock, which has a ledger of its own.
pub const CHANGEABLE: &[&str] = &[
    "name",
    "brand",
    "short_description",
    "description",
    "status",
    "price",
    "currency",
    "tax_category",
    "categories",
    "images",
    "attributes",
    "options",
    "unit",
    "precision",
    "variant_of",
    "popularity",
];
/// What may be said of a new one beside these.
pub const OF_A_NEW_ONE: &[&str] = &["sku", "slug"];

/// The draft with these fields in place of its own; `null` takes one away.
pub fn change(
    draft: &ProductDraft,
    fields: Map<String, Value>,
    currency: Currency,
) -> Result<ProductDraft, Vec<RowError>> {
    refuse_others(&fields, &[])?;
    let whole = ProductDraft { stock: None, ..draft.clone() };
    let row = serde_json::from_str::<Map<String, Value>>(&json::write(&whole));
    let mut row = row.map_err(|error| vec![RowError::whole(1, error.to_string())])?;
    // A price that goes takes its currency along.
    if fields.get("price").is_some_and(is_nothing) {
        row.remove("currency");
    }
    for (name, value) in fields {
        if value.is_null() {
            row.remove(&name)
        } else {
            row.insert(name, value)
        };
    }
    read(row, currency)
}

/// A product of which this much is said.
pub fn make(fields: Map<String, Value>, currency: Currency) -> Result<ProductDraft, Vec<RowError>> {
    refuse_others(&fields, OF_A_NEW_ONE)?;
    read(fields, currency)
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

fn read(row: Map<String, Value>, currency: Currency) -> Result<ProductDraft, Vec<RowError>> {
    let reading = Reading::new(&BTreeMap::new(), currency);
    let reading = reading.map_err(|FileError(why)| vec![RowError::whole(1, why)])?;
    let text = Value::Object(row).to_string();
    json::row(1, text.as_bytes(), &reading, &mut Ignored::default())
}

/// A field that nobody knows must not look as if it had been taken.
fn refuse_others(fields: &Map<String, Value>, more: &[&str]) -> Result<(), Vec<RowError>> {
    let known = |name: &str| CHANGEABLE.contains(&name) || more.contains(&name);
    let problem = |name: &String| {
        let message = match name.as_str() {
            "sku" | "slug" => "can't be changed",
            "stock" => "is counted at its own address",
            _ => "is no field of a product",
        };
        RowError { field: Some(name.clone()), ..RowError::whole(1, message) }
    };
    let others: Vec<_> = fields.keys().filter(|name| !known(name)).map(problem).collect();
    if others.is_empty() { Ok(()) } else { Err(others) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::product::ProductStatus;

    fn fields(json: &str) -> Map<String, Value> {
        serde_json::from_str(json).unwrap()
    }

    fn drill() -> ProductDraft {
        let row = r#"{"sku":"A-1","slug":"drill","name":"Drill","price":"10.00","currency":"EUR",
            "categories":["Tools","Drills"],"attributes":{"Power":"18 V"},"brand":"Acme"}"#;
        make(fields(row), Currency::USD).unwrap()
    }

    #[test]
    fn what_is_not_spoken_of_stays() {
        let before = drill();
        let same = change(&before, Map::new(), Currency::USD).unwrap();
        assert_eq!(same, before);
        let other = fields(r#"{"name":"Big drill","status":"disabled","brand":null}"#);
        let after = change(&before, other, Currency::USD).unwrap();
        assert_eq!((after.name.as_str(), after.brand.as_deref()), ("Big drill", None));
        assert_eq!(after.status, ProductStatus::Disabled);
        assert_eq!((&after.price, &after.categories), (&before.price, &before.categories));
        assert_eq!(after.slug.as_deref(), Some("drill"));
    }

    #[test]
    fn a_price_keeps_its_currency_and_goes_with_it() {
        let dearer = change(&drill(), fields(r#"{"price":"12.5"}"#), Currency::USD).unwrap();
        let price = dearer.price.unwrap();
        assert_eq!((price.minor, price.currency), (1_250, Currency::EUR));
        for nothing in [r#"{"price":null}"#, r#"{"price":" "}"#] {
            let asked = change(&drill(), fields(nothing), Currency::USD).unwrap();
            assert_eq!(asked.price, None);
            let again = change(&asked, fields(r#"{"price":"3"}"#), Currency::USD).unwrap();
            assert_eq!(again.price.unwrap().currency, Currency::USD);
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_with_its_field() {
        let wrong = r#"{"name":"","price":"-1","precision":9,"stock":3,"colour":"red","sku":"B"}"#;
        let told = change(&drill(), fields(wrong), Currency::USD).unwrap_err();
        let names: Vec<_> = told.iter().filter_map(|error| error.field.as_deref()).collect();
        assert_eq!(names, ["colour", "sku", "stock"]);
        let wrong = fields(r#"{"name":"","price":"-1","precision":9}"#);
        let told = change(&drill(), wrong, Currency::USD).unwrap_err();
        let mut names: Vec<_> = told.iter().filter_map(|error| error.field.as_deref()).collect();
        names.sort_unstable();
        assert_eq!(names, ["name", "precision", "price"]);
        assert!(make(fields(r#"{"name":"x"}"#), Currency::USD).is_err());
    }
}
