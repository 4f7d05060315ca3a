//! What has changed since a buyer last looked.

use super::{CartLine, Offer};
use crate::domain::{
    document::ProductDocument,
    money::Money,
    price::{Ladder, PriceEntry, PriceSet},
    product::ProductStatus,
    quantity::{OrderLimits, Precision},
    sku::Sku,
    stock::StockBand,
};
use sha2::{Digest, Sha256};

/// How a product stands to one buyer, now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    Offered(Offer),
    /// Its price is told by people.
    OnRequest,
    /// One buys one of its variants.
    HasVariants(Vec<Sku>),
    /// Disabled, or not there at all.
    NotSold,
}

impl Standing {
    /// To whoever these prices are for; `entries` are what lists say of the product.
    pub fn of(document: Option<&ProductDocument>, set: &PriceSet, entries: &[PriceEntry]) -> Self {
        let Some(document) = document.filter(|d| d.status == ProductStatus::Active) else {
            return Self::NotSold;
        };
        if !document.variants.is_empty() {
            return Self::HasVariants(document.variants.iter().map(|v| v.sku.clone()).collect());
        }
        let (base, unit) = (document.price, document.unit.as_str());
        let ladder = Ladder::new(set, document.id, unit, base, entries);
        // A document's precision is one: an import checks it.
        let precision = Precision::new(document.precision);
        match precision {
            Ok(precision) if ladder.lowest().is_some() => Self::Offered(Offer {
                product: document.id,
                sku: document.sku.clone(),
                precision,
                ladder,
                tax_category: document.tax_category.clone(),
                limits: OrderLimits::default(),
                band: document.stock,
            }),
            _ => Self::OnRequest,
        }
    }
}

/// One thing that is otherwise than the buyer last saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// For one unit, at the line's quantity.
    Price {
        was: Money,
        now: Money,
    },
    /// It is taxed as products of another category are.
    Tax,
    Stock {
        was: StockBand,
        now: StockBand,
    },
    /// It can't be bought any more; only removing it helps.
    NotSold,
    OnRequest,
}

impl Change {
    /// Whether taking note of it is enough; else the line has to go.
    pub fn can_be_taken(&self) -> bool {
        match self {
            Self::Price { was, now } => was.currency == now.currency,
            Self::Tax | Self::Stock { .. } => true,
            Self::NotSold | Self::OnRequest => false,
        }
    }
}

/// The changes of one line, the price's first.
pub fn changes(line: &CartLine, now: &Standing) -> Vec<Change> {
    let offer = match now {
        Standing::Offered(offer) => offer,
        Standing::OnRequest => return vec![Change::OnRequest],
        Standing::NotSold | Standing::HasVariants(_) => return vec![Change::NotSold],
    };
    // Counted in other steps, or no longer priced at this quantity.
    let Some((quantity, price)) = offer.quantity_of(line).zip(offer.price_of(line)) else {
        return vec![Change::OnRequest];
    };
    let (was, now) = (line.priced.price(), price.amount);
    let price =
        (!offer.ladder.still_says(was, quantity)).then_some(Change::Price { was: was.amount, now });
    let tax = (*line.priced.tax_category() != offer.tax_category).then_some(Change::Tax);
    let band =
        (line.band != offer.band).then_some(Change::Stock { was: line.band, now: offer.band });
    price.into_iter().chain(tax).chain(band).collect()
}

/// Stands for what a buyer was shown: whoever takes note of changes says of which, so that one
/// that came after isn't slipped in.
#[derive(Debug, Clone)]
pub struct Shown(Sha256);

impl Shown {
    pub fn of_version(version: i64) -> Self {
        Self(Sha256::new().chain_update(version.to_be_bytes()))
    }

    pub fn add(&mut self, sku: &Sku, changes: &[Change]) {
        // A SKU has no line feed, and Debug of money and bands is stable within one version, which
        // is as long as a token need live.
        self.0.update(format!("{sku}\n{changes:?}\n"));
    }

    /// 32 hex digits.
    pub fn token(self) -> String {
        self.0.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        cart::testing::{currency, line_of, offer_of},
        money::Currency,
        tax::TaxCategory,
    };

    fn offer(minor: i64, band: StockBand) -> Offer {
        Offer { band, ..offer_of("A", minor) }
    }

    fn line(minor: i64) -> CartLine {
        line_of(&offer_of("A", minor), 2)
    }

    #[test]
    fn what_is_as_it_was_is_no_change() {
        let now = Standing::Offered(offer(100, StockBand::InStock));
        assert_eq!(changes(&line(100), &now), []);
    }

    #[test]
    fn price_and_stock_are_told_each_and_what_is_gone_alone() {
        let now = Standing::Offered(offer(90, StockBand::SoldOut));
        let usd = |minor| Money { minor, currency: Currency::USD };
        let told = changes(&line(100), &now);
        let price = Change::Price { was: usd(100), now: usd(90) };
        let stock = Change::Stock { was: StockBand::InStock, now: StockBand::SoldOut };
        assert_eq!(told, [price, stock]);
        assert!(told.iter().all(Change::can_be_taken));
        for (now, told) in [
            (Standing::NotSold, Change::NotSold),
            (Standing::OnRequest, Change::OnRequest),
            (Standing::HasVariants(Vec::new()), Change::NotSold),
        ] {
            assert_eq!(changes(&line(100), &now), [told]);
            assert!(!told.can_be_taken());
        }
    }

    #[test]
    fn another_tax_category_is_told_though_the_price_is_the_same() {
        let reduced = TaxCategory::new("reduced").unwrap();
        let now = Offer { tax_category: reduced, ..offer(100, StockBand::InStock) };
        assert!(!now.is_seen(&line(100)));
        let told = changes(&line(100), &Standing::Offered(now));
        assert_eq!(told, [Change::Tax]);
        assert!(told[0].can_be_taken());
    }

    #[test]
    fn a_price_in_another_currency_is_no_bargain() {
        let euros = currency(offer(100, StockBand::InStock), Currency::EUR);
        let told = changes(&line(100), &Standing::Offered(euros));
        assert!(matches!(told[..], [Change::Price { .. }]) && !told[0].can_be_taken());
    }

    #[test]
    fn a_token_stands_for_one_version_and_what_was_shown() {
        let token = |version, minor| {
            let now = Standing::Offered(offer(minor, StockBand::InStock));
            let mut shown = Shown::of_version(version);
            shown.add(&line(100).sku, &changes(&line(100), &now));
            shown.token()
        };
        assert_eq!(token(1, 90), token(1, 90));
        assert_ne!(token(1, 90), token(1, 91));
        assert_ne!(token(1, 90), token(2, 90));
        assert_eq!(token(1, 90).len(), 32);
    }
}
