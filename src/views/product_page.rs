//! A product's own page.

use crate::domain::{
    document::{ProductDocument, VariantRef},
    money::Money,
};
use crate::views::{
    address::{Encoded, product_path, quote_path},
    json_ld,
    render::{PriceLine, Ready, band_class, can_be_added, render},
    shell::{Meta, Shell, Visitor},
};
use askama::Template;
use bytes::Bytes;
use std::borrow::Cow;

pub struct ProductPage<'a> {
    pub shell: &'a Shell,
    /// The log's place the page was built at.
    pub offset: i64,
    pub doc: &'a ProductDocument,
    /// A variant's sisters, itself included (its parent's `variants`). Empty: the document's own.
    pub variants: &'a [VariantRef],
    /// Ready cards of what goes with it.
    pub related: &'a [Bytes],
    /// From which quantity on one costs how much, for whom the page is made.
    pub tiers: &'a [(String, Money)],
    /// Whom it is made for; `None`: for everybody.
    pub visitor: Option<Visitor>,
}

/// One option, such as the colour, with the variant that each of its values leads to.
struct Axis<'a> {
    name: &'a str,
    values: Vec<AxisValue<'a>>,
}

struct AxisValue<'a> {
    name: &'a str,
    target: &'a VariantRef,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "product.html")]
struct Page<'a> {
    shell: &'a Shell,
    meta: Meta<'a>,
    doc: &'a ProductDocument,
    pictures: &'a [String],
    price: PriceLine,
    band_class: &'static str,
    axes: Vec<Axis<'a>>,
    /// Variants that no option tells apart, by name.
    unnamed: Vec<&'a VariantRef>,
    json_ld: String,
    related: &'a [Bytes],
    /// The prices from more than the first quantity on.
    tiers: &'a [(String, Money)],
    /// The smallest step of a quantity, such as `0.01`; empty when only whole ones are sold.
    step: String,
}

pub fn product(page: &ProductPage) -> Bytes {
    let doc = page.doc;
    let variants = if page.variants.is_empty() { &doc.variants } else { page.variants };
    let pictures = page.shell.pictures.all(doc);
    let image = pictures.first().map(|url| page.shell.absolute(url)).unwrap_or_default();
    let axes = axes(doc, variants);
    let unnamed = if axes.is_empty() { variants.iter().collect() } else { Vec::new() };
    let view = Page {
        shell: page.shell,
        meta: Meta {
            title: doc.name.as_str().into(),
            description: summary(doc),
            canonical: Some(product_path(&doc.slug).into()),
            kind: "product",
            image: &image,
            offset: page.offset,
            ..Meta::default()
        }
        .to(page.visitor),
        doc,
        pictures: &pictures,
        price: PriceLine::of(doc),
        band_class: band_class(doc.stock),
        axes,
        unnamed,
        json_ld: json_ld::product(page.shell, doc, &pictures),
        related: page.related,
        tiers: page.tiers.get(1..).unwrap_or_default(),
        step: step(doc.precision),
    };
    render(&view, size(page))
}

fn size(page: &ProductPage) -> usize {
    let doc = page.doc;
    let texts = doc.description.as_ref().map_or(0, String::len) * 2 + doc.name.len() * 8;
    let rows = (doc.attributes.len() + page.variants.len() + doc.variants.len()) * 160;
    let cards = page.related.iter().map(|c| c.len() + 16).sum::<usize>();
    7168 + page.shell.menu.len() + texts + rows + cards
}

/// The first 160 characters of what the merchant says, ended at a word.
fn summary(doc: &ProductDocument) -> Cow<'_, str> {
    let text = doc.short_description.as_ref().or(doc.description.as_ref());
    let Some(text) = text else { return doc.name.as_str().into() };
    match text.char_indices().nth(160) {
        None => text.as_str().into(),
        Some((end, _)) => {
            let cut = text[..end].rfind(' ').unwrap_or(end);
            format!("{}…", text[..cut].trim_end_matches([',', '.', ' '])).into()
        }
    }
}

fn step(precision: u8) -> String {
    match usize::from(precision) {
        0 => String::new(),
        digits => format!("0.{:0>digits$}", 1),
    }
}

/// Each option's values in the order they first come, leading to the variant that agrees with
/// this product in most other options.
fn axes<'a>(doc: &ProductDocument, variants: &'a [VariantRef]) -> Vec<Axis<'a>> {
    let mut axes: Vec<Axis<'a>> = Vec::new();
    for (name, value) in variants.iter().flat_map(|v| &v.options) {
        let known = axes.iter().position(|axis| axis.name == name);
        let at = known.unwrap_or_else(|| {
            axes.push(Axis { name, values: Vec::new() });
            axes.len() - 1
        });
        if axes[at].values.iter().any(|v| v.name == value) {
            continue;
        }
        let agreeing = |v: &VariantRef| {
            doc.options.iter().filter(|(n, o)| *n != name && v.options.get(*n) == Some(o)).count()
        };
        let having = variants.iter().filter(|v| v.options.get(name) == Some(value)).rev();
        // The last of equals wins, so the walk is from the end: the first listed is taken.
        if let Some(target) = having.max_by_key(|v| agreeing(v)) {
            let chosen = doc.options.get(name) == Some(value);
            axes[at].values.push(AxisValue { name: value, target, chosen });
        }
    }
    axes
}

impl Axis<'_> {
    fn own(&self) -> Option<&str> {
        self.values.iter().find(|value| value.chosen).map(|value| value.name)
    }
}

impl Page<'_> {
    /// What is priced by variant or on request can't be put into a cart as it is.
    fn can_be_added(&self) -> bool {
        can_be_added(self.doc)
    }

    /// Where this product's price is asked for.
    fn quote(&self) -> String {
        quote_path(&self.doc.sku)
    }

    /// Paragraphs of the description; the short one stands above already.
    fn paragraphs(&self) -> impl Iterator<Item = &str> {
        let text = self.doc.description.as_deref().unwrap_or_default();
        text.split('\n').map(str::trim).filter(|p| !p.is_empty())
    }
}
