//! What an order comes to, to the last minor unit.
//!
//! Amounts are as prices show them until tax: `subtotal − discount + shipping + tax on top =
//! total`, where the tax on top is that of prices without tax, and that contained in prices with
//! tax is told beside it. Nothing is ever below zero.
//!
//! Rounding, in this order and nowhere else, halves away from zero:
//! 1. a line's amount, when the line is made;
//! 2. a percentage off, on the subtotal;
//! 3. tax, once per rate and mode, on what goods and shipping come to at it after the discount
//!    (EN 16931, BR-CO-17).
//!
//! What was rounded on a sum is split by largest remainder: the discount over goods taxed alike,
//! then over their lines; a rate's tax over goods and shipping, then over lines. So the parts
//! sum to the whole, and sums without lines ([`CartSums`]) give the same whole.

mod settle;
#[cfg(test)]
mod tests;

pub(super) use settle::settle;

use crate::domain::{
    cart_sums::{CartSums, SumsError},
    exact::apportion,
    line::PricedLine,
    money::{Currency, Money},
    ppm::Ppm,
    shipping::ShippingQuote,
    tax::{TaxAt, TaxMode},
};
use serde::{Deserialize, Serialize};

/// What an order depends on beside its lines.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    pub currency: Currency,
    /// What a coupon takes off; of more than the goods come to, only so much.
    pub discount: Option<Money>,
    pub shipping: Option<&'a ShippingQuote>,
    pub tax: TaxAt<'a>,
}

/// All amounts in minor units of `currency`, none negative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub currency: Currency,
    /// The lines as their prices are shown.
    pub subtotal: i64,
    pub discount: i64,
    /// As the method asks it.
    pub shipping: i64,
    /// Shipping's part of `tax`; on top of `shipping` or contained in it, as its mode says.
    pub shipping_tax: i64,
    /// All tax, on top and contained.
    pub tax: i64,
    /// Of `tax`, what prices shown without tax bear on top.
    pub tax_on_top: i64,
    pub total: i64,
    /// `tax` by rate, the highest first. Untaxed shipping is in none of them.
    pub taxes: Vec<TaxLine>,
}

/// Everything that is taxed at one rate, as an invoice shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxLine {
    pub rate: Ppm,
    pub mode: TaxMode,
    /// What is taxed, without the tax.
    pub net: i64,
    pub tax: i64,
}

/// One line's part. `gross` = `net` + `tax` is what it adds to the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineTotal {
    /// Price × quantity as the price is shown, before the discount.
    pub amount: i64,
    pub discount: i64,
    pub net: i64,
    pub tax: i64,
    pub gross: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub summary: Summary,
    /// In the order of the lines.
    pub lines: Vec<LineTotal>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TotalsError {
    #[error("the order comes to more than can be paid at once: order less")]
    TooLarge,
    #[error("the order is in {order}, and a part of it in {part}: price the cart anew")]
    OtherCurrency { order: Currency, part: Currency },
    #[error("a discount or a shipping charge is negative")]
    Negative,
}

impl From<SumsError> for TotalsError {
    /// Sums just built from their lines lack none of them: only their size can be in the way.
    fn from(_: SumsError) -> Self {
        Self::TooLarge
    }
}

impl Summary {
    pub fn money(&self, minor: i64) -> Money {
        Money { minor, currency: self.currency }
    }

    pub fn total(&self) -> Money {
        self.money(self.total)
    }

    /// The total without any tax.
    pub fn net(&self) -> i64 {
        self.total - self.tax
    }
}

impl Totals {
    pub fn of(lines: &[PricedLine], terms: &Terms<'_>) -> Result<Self, TotalsError> {
        let sums = CartSums::of(lines)?;
        let settled = settle(&sums, terms)?;
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); settled.shares.len()];
        for (i, line) in lines.iter().enumerate() {
            let place = sums.place(line).map_err(|_| SumsError::NeverAdded)?;
            members[place].push(i);
        }
        let nothing = LineTotal { amount: 0, discount: 0, net: 0, tax: 0, gross: 0 };
        let mut totals = vec![nothing; lines.len()];
        for (members, share) in members.iter().zip(&settled.shares) {
            let amounts: Vec<i64> = members.iter().map(|i| lines[*i].amount().minor).collect();
            let discounts = spread(share.discount, &amounts)?;
            let left: Vec<i64> = amounts.iter().zip(&discounts).map(|(a, d)| a - d).collect();
            let taxes = spread(share.tax, &left)?;
            for (j, i) in members.iter().enumerate() {
                let (net, gross) = match lines[*i].price().tax {
                    TaxMode::Exclusive => (left[j], left[j] + taxes[j]),
                    TaxMode::Inclusive => (left[j] - taxes[j], left[j]),
                };
                let (amount, discount, tax) = (amounts[j], discounts[j], taxes[j]);
                totals[*i] = LineTotal { amount, discount, net, tax, gross };
            }
        }
        Ok(Self { summary: settled.summary, lines: totals })
    }
}

fn spread(amount: i64, weights: &[i64]) -> Result<Vec<i64>, TotalsError> {
    apportion(amount, weights).ok_or(TotalsError::TooLarge)
}
