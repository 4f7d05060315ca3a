//! What a merchant says of a product, before it has an id.

use crate::domain::{money::Money, sku::Sku, tax::TaxCategory};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum ProductStatus {
    /// Shown and sold.
    #[default]
    Active,
    /// Kept, but neither shown nor sold.
    Disabled,
}

impl ProductStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "active" => Some(Self::Active),
            "disabled" => Some(Self::Disabled),
            _ => None,
        }
    }
}

/// How many there are in one warehouse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockDraft {
    /// The warehouse's code; `main` when the source names none.
    pub warehouse: String,
    /// In units of the product's precision; never negative.
    pub quantity: i64,
}

/// A whole product as a source describes it; an import upserts it by SKU. Every field has been
/// checked: what can't be a product is a row error and never becomes one of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductDraft {
    pub sku: Sku,
    pub name: String,
    /// What its address shall end with where it is new; one that is there keeps its own, so this
    /// tells no two drafts apart. `None`: made of the name.
    #[serde(skip)]
    pub slug: Option<String>,
    pub brand: Option<String>,
    pub short_description: Option<String>,
    pub description: Option<String>,
    pub status: ProductStatus,
    /// `None`: price on request.
    pub price: Option<Money>,
    /// Left out where it is the standard one, so that drafts of before tax categories stay equal.
    #[serde(default, skip_serializing_if = "TaxCategory::is_standard")]
    pub tax_category: TaxCategory,
    /// Names from the root down; empty for none.
    pub categories: Vec<String>,
    /// Addresses of pictures, the main one first: `https://…` or a path of ours.
    pub images: Vec<String>,
    pub attributes: BTreeMap<String, String>,
    /// What one is called: `each`, `kg`, `m`.
    pub unit: String,
    /// Digits after the point that a quantity may have, 0 to 6.
    pub precision: u8,
    /// `None` leaves stock as it is (untracked for a new product).
    pub stock: Option<Vec<StockDraft>>,
    /// The SKU of the product this one is a variant of.
    pub variant_of: Option<Sku>,
    /// What tells it from its sister variants, e.g. colour → red.
    pub options: BTreeMap<String, String>,
    /// Higher is shown first.
    pub popularity: i64,
}

/// A product as its row in a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductRow {
    pub sku: Sku,
    pub name: String,
    pub brand: Option<String>,
    pub status: ProductStatus,
    pub price: Option<Money>,
    /// Of what it has for itself; `None`: that isn't counted.
    pub available: Option<i64>,
    /// Digits behind the point of what is counted.
    pub precision: u8,
    pub unit: String,
}
