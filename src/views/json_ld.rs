//! Structured data for search engines (schema.org): it is data, so a strict content security
//! policy lets it be.

use crate::domain::{category::CategoryRef, document::ProductDocument, stock::StockBand};
use crate::views::{
    address::{category_path, product_path},
    shell::Shell,
};
use serde_json::{Value, json};

/// The way to a category; empty for an empty way.
pub(super) fn breadcrumbs(shell: &Shell, crumbs: &[CategoryRef]) -> String {
    if crumbs.is_empty() {
        return String::new();
    }
    let mut list = crumb_list(shell, crumbs, None);
    list["@context"] = json!("https://schema.org");
    script_text(&list)
}

/// A product with its offer, and the way to it. `images` are addresses as the page has them.
pub(super) fn product(shell: &Shell, doc: &ProductDocument, images: &[String]) -> String {
    let page = format!("{}{}", shell.url, product_path(&doc.slug));
    let absolute = |url: &String| {
        if url.starts_with('/') { format!("{}{url}", shell.url) } else { url.clone() }
    };
    let mut product = json!({
        "@type": "Product",
        "name": doc.name,
        "sku": doc.sku.as_str(),
        "url": page,
        "image": images.iter().map(absolute).collect::<Vec<_>>(),
    });
    if let Some(brand) = &doc.brand {
        product["brand"] = json!({ "@type": "Brand", "name": brand });
    }
    if let Some(text) = doc.description.as_ref().or(doc.short_description.as_ref()) {
        product["description"] = json!(text);
    }
    if let Some(category) = doc.categories.last() {
        product["category"] = json!(category.name);
    }
    // An offer without a price is an error to those who read this, so none is made.
    if let Some(price) = doc.price {
        product["offers"] = json!({
            "@type": "Offer",
            "url": page,
            "price": price.amount(),
            "priceCurrency": price.currency.code(),
            "availability": availability(doc.stock),
        });
    }
    let graph = [product, crumb_list(shell, &doc.categories, Some((&doc.name, &page)))];
    script_text(&json!({ "@context": "https://schema.org", "@graph": graph }))
}

fn availability(band: StockBand) -> &'static str {
    match band {
        StockBand::Untracked => "https://schema.org/BackOrder",
        StockBand::InStock => "https://schema.org/InStock",
        StockBand::FewLeft => "https://schema.org/LimitedAvailability",
        StockBand::SoldOut => "https://schema.org/OutOfStock",
    }
}

fn crumb_list(shell: &Shell, crumbs: &[CategoryRef], last: Option<(&str, &str)>) -> Value {
    let home = (shell.name.as_str(), format!("{}/", shell.url));
    let path = |c: &CategoryRef| format!("{}{}", shell.url, category_path(&c.slug));
    let way = std::iter::once(home)
        .chain(crumbs.iter().map(|c| (c.name.as_str(), path(c))))
        .chain(last.map(|(name, url)| (name, url.to_owned())));
    let items = way.enumerate().map(|(i, (name, url))| {
        json!({ "@type": "ListItem", "position": i + 1, "name": name, "item": url })
    });
    json!({ "@type": "BreadcrumbList", "itemListElement": items.collect::<Vec<_>>() })
}

/// JSON that can't end its script element or open a comment in it.
fn script_text(value: &Value) -> String {
    let json = value.to_string();
    let mut text = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        match c {
            '<' => text.push_str("\\u003c"),
            '>' => text.push_str("\\u003e"),
            '&' => text.push_str("\\u0026"),
            c => text.push(c),
        }
    }
    text
}
