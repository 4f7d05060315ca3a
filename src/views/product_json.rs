//! The API's form of a product: the typed source of both its bytes and its description.

use crate::domain::{
    category::CategoryRef,
    document::{ProductDocument, VariantRef},
    money::Money,
    product::ProductStatus,
    stock::StockBand,
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// One product, as every API answer carries it. Fields are always present and always in this
/// order; what a product lacks is `null` or empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProductView {
    pub id: Uuid,
    /// The merchant's own name for it, unique in the shop.
    #[schema(example = "DRL-18V-2")]
    pub sku: String,
    /// The part of its page's address that names it.
    pub slug: String,
    pub name: String,
    #[schema(required)]
    pub brand: Option<String>,
    #[schema(required)]
    pub short_description: Option<String>,
    #[schema(required)]
    pub description: Option<String>,
    pub status: ProductStatusView,
    /// `null` when it is priced on request or by variant.
    #[schema(required)]
    pub price: Option<PriceView>,
    /// True when neither it nor a variant of it has a price.
    pub price_on_request: bool,
    /// Products of one category bear the same tax at one place.
    #[schema(example = "standard")]
    pub tax_category: String,
    pub stock: StockView,
    /// What one is called.
    #[schema(example = "each")]
    pub unit: String,
    /// Digits after the point that a quantity may have.
    #[schema(minimum = 0, maximum = 6)]
    pub precision: u8,
    /// Its category with the way from the root.
    pub categories: Vec<CategoryView>,
    /// Addresses, the main picture first.
    pub images: Vec<String>,
    pub attributes: BTreeMap<String, String>,
    /// What tells it from its sister variants.
    pub options: BTreeMap<String, String>,
    /// The product it is a variant of.
    #[schema(required)]
    pub parent: Option<VariantView>,
    pub variants: Vec<VariantView>,
    /// Higher is shown first.
    pub popularity: i64,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    pub updated_at: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProductStatusView {
    Active,
    Disabled,
}

/// An amount of money: exact as text and as minor units, and written for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PriceView {
    /// Decimal text with the currency's own number of digits.
    #[schema(example = "49.99")]
    pub amount: String,
    /// ISO 4217.
    #[schema(example = "USD")]
    pub currency: String,
    #[schema(example = 4999)]
    pub minor: i64,
    #[schema(example = "$49.99")]
    pub formatted: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StockView {
    pub band: StockBandView,
    #[schema(example = "In stock")]
    pub words: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StockBandView {
    /// Nobody counts it: made or bought to order.
    Untracked,
    InStock,
    FewLeft,
    SoldOut,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CategoryView {
    pub id: Uuid,
    pub slug: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VariantView {
    pub sku: String,
    pub slug: String,
    pub name: String,
    pub options: BTreeMap<String, String>,
    #[schema(required)]
    pub price: Option<PriceView>,
    pub stock: StockView,
}

/// The JSON object of a product, ready to send.
pub fn product_json(doc: &ProductDocument) -> Bytes {
    let view = ProductView::from(doc);
    serde_json::to_vec(&view).expect("strings, numbers and string keys always serialise").into()
}

impl From<&ProductDocument> for ProductView {
    fn from(doc: &ProductDocument) -> Self {
        Self {
            id: doc.id.0,
            sku: doc.sku.as_str().to_owned(),
            slug: doc.slug.clone(),
            name: doc.name.clone(),
            brand: doc.brand.clone(),
            short_description: doc.short_description.clone(),
            description: doc.description.clone(),
            status: doc.status.into(),
            price: doc.price.as_ref().map(PriceView::from),
            price_on_request: doc.price.is_none() && doc.variants.iter().all(|v| v.price.is_none()),
            tax_category: doc.tax_category.to_string(),
            stock: doc.stock.into(),
            unit: doc.unit.clone(),
            precision: doc.precision,
            categories: doc.categories.iter().map(CategoryView::from).collect(),
            images: doc.images.clone(),
            attributes: doc.attributes.clone(),
            options: doc.options.clone(),
            parent: doc.parent.as_ref().map(VariantView::from),
            variants: doc.variants.iter().map(VariantView::from).collect(),
            popularity: doc.popularity,
            created_at: doc.created_at.rfc3339(),
            updated_at: doc.updated_at.rfc3339(),
        }
    }
}

impl From<ProductStatus> for ProductStatusView {
    fn from(status: ProductStatus) -> Self {
        match status {
            ProductStatus::Active => Self::Active,
            ProductStatus::Disabled => Self::Disabled,
        }
    }
}

impl From<&Money> for PriceView {
    fn from(money: &Money) -> Self {
        Self {
            amount: money.amount(),
            currency: money.currency.code().to_owned(),
            minor: money.minor,
            formatted: money.to_string(),
        }
    }
}

impl From<StockBand> for StockView {
    fn from(band: StockBand) -> Self {
        let words = band.words().to_owned();
        let band = match band {
            StockBand::Untracked => StockBandView::Untracked,
            StockBand::InStock => StockBandView::InStock,
            StockBand::FewLeft => StockBandView::FewLeft,
            StockBand::SoldOut => StockBandView::SoldOut,
        };
        Self { band, words }
    }
}

impl From<&CategoryRef> for CategoryView {
    fn from(category: &CategoryRef) -> Self {
        Self { id: category.id.0, slug: category.slug.clone(), name: category.name.clone() }
    }
}

impl From<&VariantRef> for VariantView {
    fn from(variant: &VariantRef) -> Self {
        Self {
            sku: variant.sku.as_str().to_owned(),
            slug: variant.slug.clone(),
            name: variant.name.clone(),
            options: variant.options.clone(),
            price: variant.price.as_ref().map(PriceView::from),
            stock: variant.stock.into(),
        }
    }
}
