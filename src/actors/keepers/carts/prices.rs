//! What a product costs whom, from what this node has at hand.

use crate::domain::{
    cart::compare::Standing, document::ProductDocument, money::Currency, price::PriceSet,
    principal::Principal, tax::TaxMode,
};

pub(crate) trait Prices: Send + Sync {
    fn standing(&self, who: &Principal, document: Option<&ProductDocument>) -> Standing;
}

/// Everybody pays the product's own price, in the currency it is in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BasePrices {
    /// Of products without a price, which are on request.
    pub(crate) currency: Currency,
    pub(crate) tax: TaxMode,
}

impl Prices for BasePrices {
    fn standing(&self, _: &Principal, document: Option<&ProductDocument>) -> Standing {
        let price = document.and_then(|document| document.price);
        let currency = price.map_or(self.currency, |price| price.currency);
        Standing::of(document, &PriceSet::base(currency, self.tax), &[])
    }
}
