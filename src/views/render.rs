//! One way from a template to bytes: a single buffer, sized beforehand.

use crate::domain::{
    document::ProductDocument,
    money::{Money, write_grouped},
    stock::StockBand,
};
use askama::Template;
use bytes::Bytes;
use std::fmt;

/// `size` is a guess at the length; a good one spares growing and waste.
pub(super) fn render(template: &impl Template, size: usize) -> Bytes {
    let mut page = String::with_capacity(size);
    template.render_into(&mut page).expect("a String takes everything and no value refuses");
    // Pages are kept in caches whose bound counts bytes, so a bad guess must not stay.
    if page.capacity() - page.len() > page.len() / 4 {
        page.shrink_to_fit();
    }
    Bytes::from(page)
}

/// Ready HTML of ours, which templates take unescaped: a card. Bytes that aren't text (a damaged
/// store) give nothing rather than a broken page.
pub(super) struct Ready<'a>(pub(super) &'a Bytes);

impl fmt::Display for Ready<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(self.0).unwrap_or_default())
    }
}

/// Whether a product can be put into a cart from where it is shown.
pub(super) fn can_be_added(doc: &ProductDocument) -> bool {
    doc.price.is_some() && doc.variants.is_empty() && doc.stock.can_be_bought()
}

/// The class that colours a stock band.
pub(super) fn band_class(band: StockBand) -> &'static str {
    match band {
        StockBand::Untracked => "stock stock-order",
        StockBand::InStock => "stock stock-in",
        StockBand::FewLeft => "stock stock-few",
        StockBand::SoldOut => "stock stock-out",
    }
}

/// A count for people: `49,447`.
pub(super) struct Grouped(pub(super) u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Most counts of a page are small, and a page has a hundred.
        if self.0 < 1_000 {
            return self.0.fmt(f);
        }
        write_grouped(f, &self.0.to_string())
    }
}

/// What a product costs, in words a card can show.
pub(super) enum PriceLine {
    Exactly(Money),
    /// The least of its variants' prices.
    From(Money),
    OnRequest,
}

impl PriceLine {
    pub(super) fn of(doc: &ProductDocument) -> Self {
        if let Some(price) = doc.price {
            return Self::Exactly(price);
        }
        let prices = doc.variants.iter().filter_map(|v| v.price);
        match prices.min_by_key(|p| (p.currency, p.minor)) {
            Some(least) => Self::From(least),
            None => Self::OnRequest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        let text = |n| Grouped(n).to_string();
        assert_eq!([text(0), text(999), text(1000), text(49_447)], ["0", "999", "1,000", "49,447"]);
        assert_eq!(text(1_234_567), "1,234,567");
    }
}
