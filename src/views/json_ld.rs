//! Structured data for search engines (schema.org): it is data, so a strict content security
//! policy lets it be.

use crate::domain::{category::CategoryRef, document::ProductDocument, stock::StockBand};
use crate::views::{
    address::{category_path, product_path},
    shell::Shell,
};
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use std::io;

#[derive(Serialize)]
struct Graph<'a> {
    #[serde(rename = "@context")]
    context: &'static str,
    #[serde(rename = "@graph")]
    graph: (Product<'a>, Breadcrumbs<'a>),
}

#[derive(Serialize)]
struct Product<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    name: &'a str,
    sku: &'a str,
    url: &'a str,
    image: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    brand: Option<Brand<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<&'a str>,
    /// An offer without a price is an error to those who read this, so none is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    offers: Option<Offer<'a>>,
}

#[derive(Serialize)]
struct Brand<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    name: &'a str,
}

#[derive(Serialize)]
struct Offer<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    url: &'a str,
    price: String,
    #[serde(rename = "priceCurrency")]
    currency: &'a str,
    availability: &'static str,
}

#[derive(Serialize)]
struct Breadcrumbs<'a> {
    #[serde(rename = "@context", skip_serializing_if = "Option::is_none")]
    context: Option<&'static str>,
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(rename = "itemListElement")]
    items: Vec<Crumb<'a>>,
}

#[derive(Serialize)]
struct Crumb<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    position: usize,
    name: &'a str,
    item: String,
}

const CONTEXT: &str = "https://schema.org";

/// The way to a category; empty for an empty way.
pub(super) fn breadcrumbs(shell: &Shell, way: &[CategoryRef]) -> String {
    if way.is_empty() {
        return String::new();
    }
    script_text(&Breadcrumbs { context: Some(CONTEXT), ..crumbs(shell, way) }, 256)
}

/// A product with its offer, and the way to it. `images` are addresses as the page has them.
pub(super) fn product(shell: &Shell, doc: &ProductDocument, images: &[String]) -> String {
    let page = shell.absolute(&product_path(&doc.slug));
    let description = doc.description.as_deref().or(doc.short_description.as_deref());
    let mut way = crumbs(shell, &doc.categories);
    way.push(&doc.name, page.clone());
    let product = Product {
        kind: "Product",
        name: &doc.name,
        sku: doc.sku.as_str(),
        url: &page,
        image: images.iter().map(|url| shell.absolute(url)).collect(),
        brand: doc.brand.as_deref().map(|name| Brand { kind: "Brand", name }),
        description,
        category: doc.categories.last().map(|category| category.name.as_str()),
        offers: doc.price.as_ref().map(|price| Offer {
            kind: "Offer",
            url: &page,
            price: price.amount(),
            currency: price.currency.code(),
            availability: availability(doc.stock),
        }),
    };
    let size = 1024 + description.map_or(0, str::len);
    script_text(&Graph { context: CONTEXT, graph: (product, way) }, size)
}

fn availability(band: StockBand) -> &'static str {
    match band {
        StockBand::Untracked => "https://schema.org/BackOrder",
        StockBand::InStock => "https://schema.org/InStock",
        StockBand::FewLeft => "https://schema.org/LimitedAvailability",
        StockBand::SoldOut => "https://schema.org/OutOfStock",
    }
}

fn crumbs<'a>(shell: &'a Shell, way: &'a [CategoryRef]) -> Breadcrumbs<'a> {
    let items = Vec::with_capacity(way.len() + 2);
    let mut crumbs = Breadcrumbs { context: None, kind: "BreadcrumbList", items };
    crumbs.push(&shell.name, shell.absolute("/"));
    for category in way {
        crumbs.push(&category.name, shell.absolute(&category_path(&category.slug)));
    }
    crumbs
}

impl<'a> Breadcrumbs<'a> {
    fn push(&mut self, name: &'a str, item: String) {
        let position = self.items.len() + 1;
        self.items.push(Crumb { kind: "ListItem", position, name, item });
    }
}

/// JSON that can't end its script element or open a comment in it.
fn script_text(value: &impl Serialize, size: usize) -> String {
    let mut json = Vec::with_capacity(size);
    let mut serializer = Serializer::with_formatter(&mut json, ScriptSafe);
    value.serialize(&mut serializer).expect("strings and numbers always serialise");
    String::from_utf8(json).expect("JSON of strings is UTF-8")
}

/// Compact JSON whose strings hold no `<`, `>` or `&` of their own.
struct ScriptSafe;

impl Formatter for ScriptSafe {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment.as_bytes();
        while let Some(at) = rest.iter().position(|b| matches!(b, b'<' | b'>' | b'&')) {
            writer.write_all(&rest[..at])?;
            let escaped: &[u8] = match rest[at] {
                b'<' => b"\\u003c",
                b'>' => b"\\u003e",
                _ => b"\\u0026",
            };
            writer.write_all(escaped)?;
            rest = &rest[at + 1..];
        }
        writer.write_all(rest)
    }
}
