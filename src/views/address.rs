//! The shop's addresses: one place that knows how a path and a list's filters are written.

use crate::domain::{
    money::{Currency, Money},
    search::Sort,
    sku::Sku,
};
use askama::filters::{Escaper as _, Html, HtmlSafe};
use std::fmt::{self, Write};

/// The names of a list's parameters, as forms and links write them and http reads them. A
/// parameter that is empty (a form without script sends those) means the same as none.
pub mod param {
    /// Words to search for.
    pub const TEXT: &str = "q";
    /// A category's slug; only on the search page.
    pub const CATEGORY: &str = "category";
    /// A brand's name; may be repeated.
    pub const BRAND: &str = "brand";
    /// Decimal text in the shop's currency, included: `25`, `49.99`.
    pub const PRICE_FROM: &str = "price_from";
    /// Decimal text in the shop's currency, included.
    pub const PRICE_TO: &str = "price_to";
    /// `true`, or absent.
    pub const IN_STOCK: &str = "in_stock";
    /// A [`crate::domain::search::Sort`] in snake case.
    pub const SORT: &str = "sort";
    /// An opaque cursor.
    pub const AFTER: &str = "after";
}

/// A product's page. A slug needs no escaping by its own rules.
pub fn product_path(slug: &str) -> String {
    format!("/p/{slug}")
}

/// Where a product's price is asked for.
pub(super) fn quote_path(sku: &Sku) -> String {
    format!("/quote/{}", Encoded(sku.as_str()))
}

/// A category's page.
pub fn category_path(slug: &str) -> String {
    format!("/c/{slug}")
}

/// What a list shows, as its address says it.
#[derive(Debug, Clone, Copy)]
pub struct ListAddress<'a> {
    /// `/search`, or a category's path.
    pub path: &'a str,
    pub text: &'a str,
    /// A category's slug; only on the search page.
    pub category: Option<&'a str>,
    pub brands: &'a [String],
    /// Minor units, both ends included.
    pub price_from: Option<i64>,
    pub price_to: Option<i64>,
    pub in_stock: bool,
    pub sort: Sort,
    pub currency: Currency,
}

impl<'a> ListAddress<'a> {
    /// A list without filters.
    pub fn new(path: &'a str, currency: Currency) -> Self {
        Self {
            path,
            text: "",
            category: None,
            brands: &[],
            price_from: None,
            price_to: None,
            in_stock: false,
            sort: Sort::default(),
            currency,
        }
    }

    /// Whether anything but words and order narrows it.
    pub fn is_filtered(&self) -> bool {
        self.category.is_some()
            || !self.brands.is_empty()
            || self.price_from.is_some()
            || self.price_to.is_some()
            || self.in_stock
    }

    /// The same list without any filter; words and order stay.
    pub(super) fn cleared(&self) -> Self {
        Self { text: self.text, sort: self.sort, ..Self::new(self.path, self.currency) }
    }

    pub(super) fn with_path(self, path: &'a str) -> Self {
        Self { path, ..self }
    }

    pub(super) fn with_category(self, category: Option<&'a str>) -> Self {
        Self { category, ..self }
    }

    pub(super) fn with_price(self, price_from: Option<i64>, price_to: Option<i64>) -> Self {
        Self { price_from, price_to, ..self }
    }

    pub(super) fn with_stock(self, in_stock: bool) -> Self {
        Self { in_stock, ..self }
    }

    /// Writes the address; `but` leaves a brand out, `after` goes on from a cursor.
    pub(super) fn href(self, but: Option<&'a str>, after: Option<&'a str>) -> Href<'a> {
        Href { address: self, but, after }
    }
}

/// A sort as its parameter has it.
pub(super) fn sorted(sort: Sort) -> &'static str {
    match sort {
        Sort::Relevance => "relevance",
        Sort::Popularity => "popularity",
        Sort::PriceAscending => "price_ascending",
        Sort::PriceDescending => "price_descending",
        Sort::Name => "name",
        Sort::Newest => "newest",
    }
}

/// A list's address as an attribute's text, its `&` escaped already; parameters come in a fixed
/// order, so equal lists have equal addresses.
pub(super) struct Href<'a> {
    address: ListAddress<'a>,
    but: Option<&'a str>,
    after: Option<&'a str>,
}

impl HtmlSafe for Href<'_> {}

impl fmt::Display for Href<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = &self.address;
        Html.write_escaped_str(&mut *f, list.path)?;
        let mut query = Query { out: f, begun: false };
        if !list.text.is_empty() {
            query.pair(param::TEXT, list.text)?;
        }
        if let Some(category) = list.category {
            query.pair(param::CATEGORY, category)?;
        }
        for brand in list.brands.iter().filter(|b| Some(b.as_str()) != self.but) {
            query.pair(param::BRAND, brand)?;
        }
        let amount = |minor| short_amount(Money { minor, currency: list.currency });
        if let Some(from) = list.price_from {
            query.pair(param::PRICE_FROM, &amount(from))?;
        }
        if let Some(to) = list.price_to {
            query.pair(param::PRICE_TO, &amount(to))?;
        }
        if list.in_stock {
            query.pair(param::IN_STOCK, "true")?;
        }
        if list.sort != Sort::default() {
            query.pair(param::SORT, sorted(list.sort))?;
        }
        if let Some(after) = self.after {
            query.pair(param::AFTER, after)?;
        }
        Ok(())
    }
}

struct Query<'f, 'b> {
    out: &'f mut fmt::Formatter<'b>,
    begun: bool,
}

impl Query<'_, '_> {
    fn pair(&mut self, name: &str, value: &str) -> fmt::Result {
        self.out.write_str(if std::mem::replace(&mut self.begun, true) { "&amp;" } else { "?" })?;
        self.out.write_str(name)?;
        self.out.write_str("=")?;
        encode(self.out, value)
    }
}

/// Digits without a needless `.00`, as a person would type them.
pub(super) fn short_amount(money: Money) -> String {
    let amount = money.amount();
    match amount.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|b| b == b'0') => whole.to_owned(),
        _ => amount,
    }
}

/// Percent-encoded as `encodeURIComponent` does it (RFC 3986's unreserved characters are kept).
pub(super) struct Encoded<'a>(pub(super) &'a str);

impl HtmlSafe for Encoded<'_> {}

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        encode(f, self.0)
    }
}

fn encode(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    let mut rest = text;
    while !rest.is_empty() {
        let kept = rest.bytes().position(|b| !plain(b)).unwrap_or(rest.len());
        let (text, tail) = rest.split_at(kept);
        f.write_str(text)?;
        let Some(c) = tail.chars().next() else { break };
        for byte in tail.bytes().take(c.len_utf8()) {
            f.write_char('%')?;
            f.write_char(char::from(DIGITS[usize::from(byte >> 4)]))?;
            f.write_char(char::from(DIGITS[usize::from(byte & 15)]))?;
        }
        rest = &tail[c.len_utf8()..];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_all_filters_in_a_fixed_order() {
        let brands = ["AT&T".to_owned(), "Bosch".to_owned()];
        let list = ListAddress {
            text: "café 5\"",
            brands: &brands,
            price_from: Some(2500),
            price_to: Some(4999),
            in_stock: true,
            sort: Sort::Newest,
            ..ListAddress::new("/search", Currency::USD)
        };
        assert_eq!(
            list.href(None, Some("abc=")).to_string(),
            "/search?q=caf%C3%A9%205%22&amp;brand=AT%26T&amp;brand=Bosch&amp;price_from=25\
             &amp;price_to=49.99&amp;in_stock=true&amp;sort=newest&amp;after=abc%3D"
        );
        assert_eq!(
            list.with_price(None, None).with_stock(false).href(Some("AT&T"), None).to_string(),
            "/search?q=caf%C3%A9%205%22&amp;brand=Bosch&amp;sort=newest"
        );
        assert_eq!(
            list.cleared().href(None, None).to_string(),
            "/search?q=caf%C3%A9%205%22&amp;sort=newest"
        );
        assert!(list.is_filtered() && !list.cleared().is_filtered());
    }

    #[test]
    fn a_sort_is_written_as_serde_reads_it() {
        for sort in [
            Sort::Relevance,
            Sort::Popularity,
            Sort::PriceAscending,
            Sort::PriceDescending,
            Sort::Name,
            Sort::Newest,
        ] {
            let json = format!("\"{}\"", sorted(sort));
            assert_eq!(serde_json::from_str::<Sort>(&json).unwrap(), sort);
        }
    }
}
