//! A product as readers get it: everything a page, the API or the index needs, in one value.

use crate::domain::{
    category::CategoryRef, id::ProductId, money::Money, product::ProductStatus, sku::Sku,
    stock::StockBand, tax::TaxCategory, time::Micros,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Built from the rows of one product when an event touches it; kept in every node's data folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductDocument {
    pub id: ProductId,
    pub sku: Sku,
    pub slug: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub status: ProductStatus,
    /// `None`: price on request.
    pub price: Option<Money>,
    #[serde(default, skip_serializing_if = "TaxCategory::is_standard")]
    pub tax_category: TaxCategory,
    pub stock: StockBand,
    pub unit: String,
    pub precision: u8,
    /// The product's category with its way from the root; empty for none.
    pub categories: Vec<CategoryRef>,
    pub images: Vec<String>,
    pub attributes: BTreeMap<String, String>,
    /// This product's own options, when it is a variant.
    pub options: BTreeMap<String, String>,
    /// The product this one is a variant of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<VariantRef>,
    /// Of a product with variants: each of them. Empty otherwise.
    pub variants: Vec<VariantRef>,
    pub popularity: i64,
    pub created_at: Micros,
    pub updated_at: Micros,
}

/// A sister, parent or child of a product, with what a chooser needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantRef {
    pub sku: Sku,
    pub slug: String,
    pub name: String,
    pub options: BTreeMap<String, String>,
    pub price: Option<Money>,
    pub stock: StockBand,
}
