//! What a column or key may mean.

use super::FileError;
use std::{borrow::Cow, collections::BTreeMap, fmt};

/// A field of a product as a file may give it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    Sku,
    /// Stands in for a missing SKU.
    Upc,
    Name,
    /// What the address of a new product ends with.
    Slug,
    Brand,
    ShortDescription,
    Description,
    Status,
    Price,
    Currency,
    TaxCategory,
    Categories,
    /// The main picture; comes before [`Field::Images`].
    Image,
    Images,
    Attributes,
    /// `attribute:NAME`: one attribute in a column of its own.
    Attribute(String),
    Options,
    /// `option:NAME`: one option in a column of its own.
    Choice(String),
    Unit,
    Precision,
    Stock,
    /// `stock:WAREHOUSE`: what lies in one warehouse.
    StockAt(String),
    VariantOf,
    Popularity,
}

/// Every field that has a plain name.
const PLAIN: &[(&str, Field)] = &[
    ("sku", Field::Sku),
    ("upc", Field::Upc),
    ("name", Field::Name),
    ("slug", Field::Slug),
    ("brand", Field::Brand),
    ("short_description", Field::ShortDescription),
    ("description", Field::Description),
    ("status", Field::Status),
    ("price", Field::Price),
    ("currency", Field::Currency),
    ("tax_category", Field::TaxCategory),
    ("categories", Field::Categories),
    ("image", Field::Image),
    ("images", Field::Images),
    ("attributes", Field::Attributes),
    ("options", Field::Options),
    ("unit", Field::Unit),
    ("precision", Field::Precision),
    ("stock", Field::Stock),
    ("variant_of", Field::VariantOf),
    ("popularity", Field::Popularity),
];

impl Field {
    /// By its exact name.
    pub fn named(name: &str) -> Option<Self> {
        if let Some((_, field)) = PLAIN.iter().find(|(known, _)| *known == name) {
            return Some(field.clone());
        }
        let (kind, label) = name.split_once(':')?;
        let label = label.trim();
        match kind {
            _ if label.is_empty() => None,
            "attribute" => Some(Self::Attribute(label.to_owned())),
            "option" => Some(Self::Choice(label.to_owned())),
            "stock" => Some(Self::StockAt(label.to_owned())),
            _ => None,
        }
    }

    /// By the head of a column as people write it: `Short description` is `short_description`.
    fn headed(head: &str) -> Option<Self> {
        let plain = |text: &str| text.trim().to_lowercase().replace([' ', '-'], "_");
        match head.split_once(':') {
            Some((kind, label)) => Self::named(&format!("{}:{label}", plain(kind))),
            None => Self::named(&plain(head)),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(label) => write!(f, "attribute:{label}"),
            Self::Choice(label) => write!(f, "option:{label}"),
            Self::StockAt(warehouse) => write!(f, "stock:{warehouse}"),
            plain => f.write_str(
                PLAIN.iter().find(|(_, field)| field == plain).map_or("", |(name, _)| name),
            ),
        }
    }
}

/// Which column means which field: by its own name, or as the map says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    mapped: BTreeMap<String, Field>,
}

impl Columns {
    pub fn new(map: &BTreeMap<String, String>) -> Result<Self, FileError> {
        let mut mapped = BTreeMap::new();
        for (name, column) in map {
            let Some(field) = Field::named(name) else {
                let known: Vec<_> = PLAIN.iter().map(|(name, _)| *name).collect();
                return Err(FileError(format!(
                    "a product has no field {name:?} to map {column:?} to; it has {}, and \
                     attribute:NAME, option:NAME, stock:WAREHOUSE",
                    known.join(", ")
                )));
            };
            if let Some(other) = mapped.insert(column.clone(), field) {
                return Err(FileError(format!(
                    "the column {column:?} is mapped to both {other} and {name}"
                )));
            }
        }
        Ok(Self { mapped })
    }

    /// Of a key in a JSON row: names must be exact.
    pub(super) fn of_key(&self, key: &str) -> Option<Cow<'_, Field>> {
        self.find(key, Field::named)
    }

    /// Of a column's head: case, spaces and hyphens are taken lightly.
    pub(super) fn of_head(&self, head: &str) -> Option<Cow<'_, Field>> {
        self.find(head, Field::headed)
    }

    fn find(&self, name: &str, own: impl Fn(&str) -> Option<Field>) -> Option<Cow<'_, Field>> {
        if let Some(field) = self.mapped.get(name) {
            return Some(Cow::Borrowed(field));
        }
        // A field that is mapped elsewhere is not also read from the column of its own name.
        own(name).filter(|field| !self.mapped.values().any(|taken| taken == field)).map(Cow::Owned)
    }

    pub(super) fn mapped(&self) -> impl Iterator<Item = (&str, &Field)> {
        self.mapped.iter().map(|(column, field)| (column.as_str(), field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plain_field_is_found_by_the_name_it_prints() {
        for (name, field) in PLAIN {
            assert_eq!(field.to_string(), *name);
            assert_eq!(Field::named(name).as_ref(), Some(field));
        }
        let weight = Field::Attribute("Weight".into());
        assert_eq!(Field::named(&weight.to_string()), Some(weight));
        assert_eq!(Field::named("attribute: "), None);
        assert_eq!(Field::named("Name"), None);
    }

    #[test]
    fn heads_are_read_as_people_write_them() {
        assert_eq!(Field::headed(" Short Description"), Some(Field::ShortDescription));
        assert_eq!(Field::headed("Variant-Of"), Some(Field::VariantOf));
        assert_eq!(Field::headed("Option:Shoe Size"), Some(Field::Choice("Shoe Size".into())));
    }

    #[test]
    fn a_mapped_field_leaves_the_column_of_its_own_name() {
        let map = BTreeMap::from([("name".to_owned(), "Titel".to_owned())]);
        let columns = Columns::new(&map).unwrap();
        assert_eq!(columns.of_key("Titel").as_deref(), Some(&Field::Name));
        assert_eq!(columns.of_key("name"), None);
        assert_eq!(columns.of_key("sku").as_deref(), Some(&Field::Sku));
    }

    #[test]
    fn a_map_that_makes_no_sense_is_refused_in_a_sentence() {
        let map = |pairs: &[(&str, &str)]| {
            let map = pairs.iter().map(|(f, c)| ((*f).to_owned(), (*c).to_owned())).collect();
            Columns::new(&map).unwrap_err().to_string()
        };
        assert!(map(&[("nmae", "Titel")]).starts_with("a product has no field \"nmae\""));
        assert_eq!(
            map(&[("brand", "x"), ("name", "x")]),
            "the column \"x\" is mapped to both brand and name"
        );
    }
}
