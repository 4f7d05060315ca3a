//! What the search field offers while typing.

use crate::domain::document::ProductDocument;
use crate::views::{address::Encoded, product_json::PriceView, render::render};
use askama::Template;
use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

/// Products and brands whose words begin as the typed text does, best first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SuggestionsView {
    pub products: Vec<SuggestedProduct>,
    pub brands: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SuggestedProduct {
    pub sku: String,
    pub slug: String,
    pub name: String,
    #[schema(required)]
    pub brand: Option<String>,
    #[schema(required)]
    pub price: Option<PriceView>,
}

impl From<&ProductDocument> for SuggestedProduct {
    fn from(doc: &ProductDocument) -> Self {
        Self {
            sku: doc.sku.as_str().to_owned(),
            slug: doc.slug.clone(),
            name: doc.name.clone(),
            brand: doc.brand.clone(),
            price: doc.price.as_ref().map(PriceView::from),
        }
    }
}

pub fn suggestions_json(view: &SuggestionsView) -> Bytes {
    serde_json::to_vec(view).expect("strings and numbers always serialise").into()
}

#[derive(Template)]
#[template(path = "suggestions.html")]
struct Fragment<'a> {
    view: &'a SuggestionsView,
}

/// The list's options, for the search field's script to put into its list box. Empty when there
/// is nothing to offer.
pub fn suggestions_html(view: &SuggestionsView) -> Bytes {
    render(&Fragment { view }, 320 * (view.products.len() + view.brands.len()))
}
