//! A line of a cart or order as money sees it.

#[cfg(test)]
pub(super) mod tests;

use crate::domain::{
    exact::rounded,
    money::Money,
    price::UnitPrice,
    quantity::{Precision, Quantity, QuantityError, Units},
    tax::TaxCategory,
};
use serde::{Deserialize, Serialize};

/// So many of something at a price. The amount is price × quantity, rounded to a minor unit,
/// halves away from zero; it is rounded here and nowhere else before tax, so sums of lines are
/// exact. An order keeps it as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedLine {
    quantity: Quantity,
    precision: Precision,
    price: UnitPrice,
    tax_category: TaxCategory,
    /// In minor units of the price's currency, tax as the price's mode says; never negative.
    amount: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    #[error(transparent)]
    Quantity(#[from] QuantityError),
    #[error("the price is negative")]
    NegativePrice,
    #[error("the amount is too large: order fewer at once")]
    TooLarge,
}

impl PricedLine {
    pub fn new(
        quantity: Quantity,
        precision: Precision,
        price: UnitPrice,
        tax_category: TaxCategory,
    ) -> Result<Self, LineError> {
        quantity.within(precision)?;
        if price.amount.minor < 0 {
            return Err(LineError::NegativePrice);
        }
        let steps = i128::from(price.amount.minor) * i128::from(quantity.steps());
        let amount =
            rounded(steps, precision.steps_per_unit().into()).ok_or(LineError::TooLarge)?;
        Ok(Self { quantity, precision, price, tax_category, amount })
    }

    pub fn quantity(&self) -> Quantity {
        self.quantity
    }

    pub fn precision(&self) -> Precision {
        self.precision
    }

    pub fn price(&self) -> &UnitPrice {
        &self.price
    }

    pub fn tax_category(&self) -> &TaxCategory {
        &self.tax_category
    }

    pub fn amount(&self) -> Money {
        Money { minor: self.amount, currency: self.price.amount.currency }
    }

    pub fn units(&self) -> Units {
        Units::of(self.quantity, self.precision)
    }
}
