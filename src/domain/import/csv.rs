//! Products as CSV: a header, then one record a product.
//!
//! How records are cut from bytes is the reader's business (quotes, separators); here a header
//! is a list of names and a record a list of cells. Cells that hold more than one thing:
//!
//! - `categories`: `A > B > C`
//! - `images`: addresses with white space between
//! - `stock`: one number, for the warehouse `main`; other warehouses in `stock:NAME` columns
//! - attributes and options: `attribute:NAME` and `option:NAME` columns
//! - or in any of `categories`, `images`, `stock`, `attributes`, `options`: the JSON that a JSON
//!   line would have there

use super::{Columns, Field, FileError, Ignored, Reading, RowError, draft::Row, value::Value};
use crate::domain::product::{ProductDraft, StockDraft};
use std::{borrow::Cow, collections::HashMap};

/// What each column of a file means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    columns: Vec<(String, Option<Field>)>,
}

impl Header {
    /// Refuses a header that can't give products, or that gives one thing twice.
    pub fn read<'a>(
        names: impl Iterator<Item = &'a [u8]>,
        columns: &Columns,
    ) -> Result<Self, FileError> {
        let mut read = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for (at, name) in names.enumerate() {
            let at = at + 1;
            let name = std::str::from_utf8(name)
                .map_err(|_| FileError(format!("the head of column {at} is not UTF-8")))?
                .trim();
            let field = columns.of_head(name).map(Cow::into_owned);
            let means = field.as_ref().map_or_else(|| name.to_owned(), Field::to_string);
            if let Some(first) = places.insert(means.clone(), at)
                && !name.is_empty()
            {
                return Err(FileError(format!("columns {first} and {at} are both {means:?}")));
            }
            read.push((name.to_owned(), field));
        }
        let has = |field: &Field| read.iter().any(|(_, known)| known.as_ref() == Some(field));
        for (column, field) in columns.mapped() {
            if !has(field) {
                let heads: Vec<_> = read.iter().map(|(name, _)| name.as_str()).collect();
                return Err(FileError(format!(
                    "no column is called {column:?}, which is mapped to {field}; there are {}",
                    heads.join(", ")
                )));
            }
        }
        if !has(&Field::Sku) && !has(&Field::Upc) {
            return Err(FileError("the header has neither a sku nor a upc column".into()));
        }
        if !has(&Field::Name) {
            return Err(FileError("the header has no name column".into()));
        }
        Ok(Self { columns: read })
    }

    /// Reads one record, which starts at `line`.
    pub fn row<'a>(
        &self,
        line: u64,
        cells: impl ExactSizeIterator<Item = &'a [u8]>,
        reading: &Reading,
        ignored: &mut Ignored,
    ) -> Result<ProductDraft, Vec<RowError>> {
        if cells.len() != self.columns.len() {
            let message = format!(
                "has {} columns where the header has {}; a quote or a separator may be missing",
                cells.len(),
                self.columns.len()
            );
            return Err(vec![RowError::whole(line, message)]);
        }
        let mut row = Row::new(line, reading);
        for ((name, field), cell) in self.columns.iter().zip(cells) {
            let Ok(cell) = std::str::from_utf8(cell) else {
                row.problem(name, "is not UTF-8");
                continue;
            };
            match field {
                Some(field) => row.take(field, name, &value(field, cell)),
                None if cell.trim().is_empty() => {}
                None if name.is_empty() => ignored.count("(without a name)"),
                None => ignored.count(name),
            }
        }
        if row.upc_is_ignored() {
            ignored.count("upc");
        }
        row.finish()
    }
}

fn value<'a>(field: &Field, cell: &'a str) -> Value<'a> {
    let text = cell.trim();
    let structured = matches!(
        field,
        Field::Categories | Field::Images | Field::Stock | Field::Attributes | Field::Options
    );
    match text.as_bytes().first() {
        None => Value::Nothing,
        Some(b'[') if structured => Value::List(text),
        Some(b'{') if structured => Value::Object(text),
        Some(_) => Value::Text(Cow::Borrowed(text)),
    }
}

/// The header that [`cells`] fills.
pub const HEADER: [&str; 19] = [
    "sku",
    "name",
    "slug",
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
    "unit",
    "precision",
    "stock",
    "variant_of",
    "options",
    "popularity",
];

/// A draft's record below [`HEADER`]; [`Header::row`] makes the same draft of it.
pub fn cells(draft: &ProductDraft) -> [String; 19] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let path = draft.categories.join(" > ");
    let ambiguous =
        path.starts_with(['[', '{']) || draft.categories.iter().any(|name| name.contains('>'));
    let categories = if ambiguous { json(&draft.categories) } else { path };
    let stock = match draft.stock.as_deref() {
        None => String::new(),
        Some([StockDraft { warehouse, quantity }]) if warehouse == "main" => quantity.to_string(),
        Some(places) => json(&places),
    };
    let object = |map: &std::collections::BTreeMap<String, String>| {
        if map.is_empty() { String::new() } else { json(map) }
    };
    [
        draft.sku.to_string(),
        draft.name.clone(),
        text(&draft.slug),
        text(&draft.brand),
        text(&draft.short_description),
        text(&draft.description),
        draft.status.as_str().to_owned(),
        draft.price.map(|price| price.amount()).unwrap_or_default(),
        draft.price.map(|price| price.currency.to_string()).unwrap_or_default(),
        draft.tax_category.named().unwrap_or_default().to_owned(),
        categories,
        draft.images.join(" "),
        object(&draft.attributes),
        draft.unit.clone(),
        draft.precision.to_string(),
        stock,
        draft.variant_of.as_ref().map(ToString::to_string).unwrap_or_default(),
        object(&draft.options),
        draft.popularity.to_string(),
    ]
}

/// Strings, numbers and string-keyed maps always have a JSON form.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
