//! A product in a list: made once when the product changes, then put into pages as it is.

use crate::domain::document::ProductDocument;
use crate::views::{
    address::product_path,
    pictures::Pictures,
    render::{PriceLine, band_class, can_be_added, render},
};
use askama::Template;
use bytes::Bytes;

#[derive(Template)]
#[template(path = "card.html")]
struct Card<'a> {
    doc: &'a ProductDocument,
    href: String,
    picture: String,
    price: PriceLine,
    band_class: &'static str,
    can_be_added: bool,
}

/// The card with pictures from our own addresses only.
pub fn product_card(doc: &ProductDocument) -> Bytes {
    product_card_with(doc, &Pictures::default())
}

/// The card with pictures from the configured hosts too.
pub fn product_card_with(doc: &ProductDocument, pictures: &Pictures) -> Bytes {
    let card = Card {
        doc,
        href: product_path(&doc.slug),
        picture: pictures.main(doc),
        price: PriceLine::of(doc),
        band_class: band_class(doc.stock),
        can_be_added: can_be_added(doc),
    };
    render(&card, 1_152 + doc.name.len() + doc.slug.len())
}
