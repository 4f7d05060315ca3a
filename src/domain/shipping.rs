//! Ways of sending goods, and what each asks for an order.

use crate::domain::{
    country::Country,
    id::ShippingMethodId,
    money::{Currency, Money},
    quantity::Units,
    tax::{TaxCategory, TaxMode},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Where a method delivers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Destinations {
    Everywhere,
    Countries { countries: BTreeSet<Country> },
}

impl Destinations {
    pub fn include(&self, country: Country) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Countries { countries } => countries.contains(&country),
        }
    }
}

/// A row of a table: it holds from its bound up to the next row's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Band {
    /// Minor units of a subtotal, or whole units of goods.
    pub from: i64,
    /// In minor units; `None`: not sent this way.
    pub amount: Option<i64>,
}

/// What a method asks, in minor units of its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ShippingRate {
    Flat {
        amount: i64,
    },
    /// By what the goods come to. Rows rise; below the first the method isn't offered.
    BySubtotal {
        bands: Vec<Band>,
    },
    /// By how many units there are.
    ByUnits {
        bands: Vec<Band>,
    },
}

/// How shipping itself is taxed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ShippingTax {
    pub category: TaxCategory,
    pub mode: TaxMode,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippingMethod {
    pub id: ShippingMethodId,
    pub name: String,
    /// Lower is shown first.
    pub position: i32,
    pub destinations: Destinations,
    pub currency: Currency,
    pub rate: ShippingRate,
    /// From this subtotal on it costs nothing, wherever the method is offered at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_from: Option<i64>,
    /// `None`: not taxed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<ShippingTax>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShippingError {
    #[error("give the shipping method a name of 1 to 120 characters on one line")]
    Name,
    #[error("name at least one country, or deliver everywhere")]
    Nowhere,
    #[error("what shipping costs must not be negative")]
    Negative,
    #[error("a table needs at least one row that has an amount")]
    EmptyTable,
    #[error("row {row} of the table must begin above the one before it, and not below zero")]
    Unordered { row: usize },
}

/// What is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parcel {
    /// The goods as their prices are shown, less the discount.
    pub subtotal: Money,
    pub units: Units,
}

/// A method and what it asks: chosen at checkout and kept with the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippingQuote {
    pub method: ShippingMethodId,
    pub name: String,
    pub amount: Money,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<ShippingTax>,
}

impl ShippingMethod {
    /// The longest name, in characters.
    const NAME: usize = 120;

    pub fn check(&self) -> Result<(), ShippingError> {
        let name = self.name.trim();
        if name.is_empty()
            || name.chars().count() > Self::NAME
            || name.chars().any(char::is_control)
        {
            return Err(ShippingError::Name);
        }
        if matches!(&self.destinations, Destinations::Countries { countries } if countries.is_empty())
        {
            return Err(ShippingError::Nowhere);
        }
        if self.free_from.is_some_and(|from| from < 0) {
            return Err(ShippingError::Negative);
        }
        match &self.rate {
            ShippingRate::Flat { amount } if *amount < 0 => Err(ShippingError::Negative),
            ShippingRate::Flat { .. } => Ok(()),
            ShippingRate::BySubtotal { bands } | ShippingRate::ByUnits { bands } => {
                check_table(bands)
            }
        }
    }

    /// What it asks; `None` where it isn't offered: another currency, country, or no row for it.
    pub fn quote(&self, to: Country, parcel: &Parcel) -> Option<ShippingQuote> {
        if self.currency != parcel.subtotal.currency || !self.destinations.include(to) {
            return None;
        }
        let asked = match &self.rate {
            ShippingRate::Flat { amount } => *amount,
            ShippingRate::BySubtotal { bands } => row(bands, |from| from <= parcel.subtotal.minor)?,
            ShippingRate::ByUnits { bands } => {
                row(bands, |from| Units::whole(from) <= parcel.units)?
            }
        };
        let free = self.free_from.is_some_and(|from| from <= parcel.subtotal.minor);
        Some(ShippingQuote {
            method: self.id,
            name: self.name.clone(),
            amount: Money { minor: if free { 0 } else { asked }, currency: self.currency },
            tax: self.tax.clone(),
        })
    }
}

fn check_table(bands: &[Band]) -> Result<(), ShippingError> {
    if bands.iter().all(|band| band.amount.is_none()) {
        return Err(ShippingError::EmptyTable);
    }
    let mut least = 0;
    for (i, band) in bands.iter().enumerate() {
        if band.from < least {
            return Err(ShippingError::Unordered { row: i + 1 });
        }
        if band.amount.is_some_and(|amount| amount < 0) {
            return Err(ShippingError::Negative);
        }
        least = band.from.saturating_add(1);
    }
    Ok(())
}

/// The amount of the last row that is reached.
fn row(bands: &[Band], reached: impl Fn(i64) -> bool) -> Option<i64> {
    bands.iter().take_while(|band| reached(band.from)).last()?.amount
}

/// What can be chosen, in the order of the methods' positions (then of their names and ids).
pub fn quotes(methods: &[ShippingMethod], to: Country, parcel: &Parcel) -> Vec<ShippingQuote> {
    let mut methods: Vec<&ShippingMethod> = methods.iter().collect();
    methods.sort_by_key(|method| (method.position, &method.name, method.id));
    methods.into_iter().filter_map(|method| method.quote(to, parcel)).collect()
}

#[cfg(test)]
mod tests;
