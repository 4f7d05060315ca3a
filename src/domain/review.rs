//! What a buyer was shown before ordering, as a hash to compare at the moment of ordering.
//!
//! Equal content has an equal hash in every process and version; any other content has another.
//! A form carries the hash back, and an order is made only if what it would be now hashes the
//! same: nobody pays a price that changed behind the page.

use crate::domain::{
    address::Address,
    coupon::CouponCode,
    id::{ProductId, ShippingMethodId},
    money::Money,
    quantity::Quantity,
    tax::TaxMode,
    totals::{Summary, TaxLine},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// One line as it was shown. Where the price came from is no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReviewLine {
    pub product: ProductId,
    pub quantity: Quantity,
    pub unit_price: Money,
    pub tax: TaxMode,
}

/// Everything the review page shows that costs or goes somewhere.
#[derive(Debug, Clone, Copy)]
pub struct Review<'a> {
    /// In the order of the page.
    pub lines: &'a [ReviewLine],
    pub coupon: Option<&'a CouponCode>,
    pub shipping: Option<ShippingMethodId>,
    pub summary: &'a Summary,
    pub ship_to: &'a Address,
    /// `None`: the same.
    pub bill_to: Option<&'a Address>,
}

/// SHA-256; 64 hexadecimal digits in a form.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReviewHash([u8; 32]);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not what a review page sends: open the page again")]
pub struct NotAReview;

impl Review<'_> {
    pub fn hash(&self) -> ReviewHash {
        // Taken apart by name, here and below: a field that is added later can't be forgotten.
        let Self { lines, coupon, shipping, summary, ship_to, bill_to } = self;
        let mut out = Canonical(Sha256::new());
        out.text("stoa review 1");
        out.number(lines.len() as i64);
        for ReviewLine { product, quantity, unit_price, tax } in *lines {
            out.bytes(product.0.as_bytes());
            out.number(quantity.steps());
            out.money(*unit_price);
            out.mode(*tax);
        }
        out.maybe(coupon.map(CouponCode::as_str));
        out.0.update([u8::from(shipping.is_some())]);
        if let Some(method) = shipping {
            out.bytes(method.0.as_bytes());
        }
        out.summary(summary);
        out.address(ship_to);
        out.0.update([u8::from(bill_to.is_some())]);
        if let Some(address) = bill_to {
            out.address(address);
        }
        ReviewHash(out.0.finalize().into())
    }
}

/// Writes values so that no two sequences of them give the same bytes: what varies in length says
/// its length first, what may be missing says whether it is.
struct Canonical(Sha256);

impl Canonical {
    fn number(&mut self, number: i64) {
        self.0.update(number.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as i64);
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn maybe(&mut self, text: Option<&str>) {
        self.0.update([u8::from(text.is_some())]);
        self.text(text.unwrap_or_default());
    }

    fn mode(&mut self, mode: TaxMode) {
        self.0.update([match mode {
            TaxMode::Exclusive => 0u8,
            TaxMode::Inclusive => 1,
        }]);
    }

    fn money(&mut self, Money { minor, currency }: Money) {
        self.number(minor);
        self.text(currency.code());
    }

    fn summary(&mut self, summary: &Summary) {
        let Summary {
            currency,
            subtotal,
            discount,
            shipping,
            shipping_tax,
            tax,
            tax_on_top,
            total,
            taxes,
        } = summary;
        self.text(currency.code());
        for amount in [subtotal, discount, shipping, shipping_tax, tax, tax_on_top, total] {
            self.number(*amount);
        }
        self.number(taxes.len() as i64);
        for TaxLine { rate, mode, net, tax } in taxes {
            self.number(rate.parts().into());
            self.mode(*mode);
            self.number(*net);
            self.number(*tax);
        }
    }

    fn address(&mut self, address: &Address) {
        let Address { name, company, street, street_more, postcode, city, region, country, phone } =
            address;
        self.text(name);
        self.maybe(company.as_deref());
        self.text(street);
        self.maybe(street_more.as_deref());
        self.maybe(postcode.as_ref().map(|postcode| postcode.as_str()));
        self.text(city);
        self.maybe(region.as_deref());
        self.text(country.code());
        self.maybe(phone.as_deref());
    }
}

impl fmt::Display for ReviewHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ReviewHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for ReviewHash {
    type Err = NotAReview;
    fn from_str(text: &str) -> Result<Self, NotAReview> {
        let text = text.as_bytes();
        if text.len() != 64 {
            return Err(NotAReview);
        }
        let digit = |c: u8| match c {
            b'0'..=b'9' => Some(c - b'0'),
            b'a'..=b'f' => Some(c - b'a' + 10),
            _ => None,
        };
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(text.chunks_exact(2)) {
            let (high, low) = (digit(pair[0]), digit(pair[1]));
            *byte = high.zip(low).map(|(high, low)| high << 4 | low).ok_or(NotAReview)?;
        }
        Ok(Self(hash))
    }
}

impl TryFrom<String> for ReviewHash {
    type Error = NotAReview;
    fn try_from(text: String) -> Result<Self, NotAReview> {
        text.parse()
    }
}

impl From<ReviewHash> for String {
    fn from(hash: ReviewHash) -> Self {
        hash.to_string()
    }
}

#[cfg(test)]
mod tests;
