//! What a product costs whom, from what this node has at hand.

use crate::domain::{
    cart::compare::Standing, document::ProductDocument, price::PriceSetHash, principal::Principal,
};

pub(crate) trait Prices: Send + Sync {
    fn standing(&self, who: &Principal, document: Option<&ProductDocument>) -> Standing;

    /// Another one: prices of these documents may be otherwise than they were.
    fn stamp(&self, who: &Principal) -> PriceStamp;
}

/// Stands for all that decides somebody's prices beside the documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PriceStamp {
    /// Rises with what lists say.
    pub(crate) changes: u64,
    /// Which lists count, which time alone may change.
    pub(crate) set: PriceSetHash,
}

/// Everybody pays the product's own price, in the currency it is in.
#[cfg(test)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct BasePrices {
    /// Of products without a price, which are on request.
    pub(crate) currency: crate::domain::money::Currency,
    pub(crate) tax: crate::domain::tax::TaxMode,
}

#[cfg(test)]
impl Prices for BasePrices {
    fn standing(&self, _: &Principal, document: Option<&ProductDocument>) -> Standing {
        let price = document.and_then(|document| document.price);
        let currency = price.map_or(self.currency, |price| price.currency);
        let set = crate::domain::price::PriceSet::base(currency, self.tax);
        Standing::of(document, &set, &[])
    }

    fn stamp(&self, _: &Principal) -> PriceStamp {
        PriceStamp { changes: 0, set: PriceSetHash([0; 16]) }
    }
}
