//! The sums of a cart, kept while its lines come and go.
//!
//! An edit costs the same however many lines there are: lines are summed per currency, tax
//! category and tax mode, and only those few sums are looked at. That is exact because a line is
//! rounded when it is made ([`PricedLine`]) and tax and discount are rounded on sums
//! ([`crate::domain::totals`]), never on lines. Rebuilt from the lines, they come out equal.

use crate::domain::{
    line::PricedLine,
    money::{Currency, Money},
    quantity::Units,
    tax::{TaxCategory, TaxMode},
    totals::{Summary, Terms, TotalsError, settle},
};
use serde::{Deserialize, Serialize};

/// Lines without a price are no part of this.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CartSums {
    /// In the order of their keys; none without lines.
    groups: Vec<Group>,
}

/// Lines that are taxed alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) currency: Currency,
    pub(super) category: TaxCategory,
    pub(super) mode: TaxMode,
    lines: u32,
    pub(super) amount: i64,
    units: Units,
}

/// The cart is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SumsError {
    #[error("the cart comes to more than can be paid at once: order less")]
    TooLarge,
    #[error("the line was never added to these sums: build them anew from the lines")]
    NeverAdded,
}

impl CartSums {
    pub fn of<'a>(lines: impl IntoIterator<Item = &'a PricedLine>) -> Result<Self, SumsError> {
        let mut sums = Self::default();
        lines.into_iter().try_for_each(|line| sums.add(line))?;
        Ok(sums)
    }

    pub fn add(&mut self, line: &PricedLine) -> Result<(), SumsError> {
        let place = match self.place(line) {
            Ok(place) => place,
            Err(place) => {
                self.groups.insert(place, Group::empty(line));
                place
            }
        };
        let group = &mut self.groups[place];
        let sum = group.with(line);
        match sum {
            Some(sum) => *group = sum,
            // Only one that has lines can be full.
            None => return Err(SumsError::TooLarge),
        }
        Ok(())
    }

    /// What can be noticed of a line that isn't there is refused; not everything can be.
    pub fn remove(&mut self, line: &PricedLine) -> Result<(), SumsError> {
        let place = self.place(line).map_err(|_| SumsError::NeverAdded)?;
        match self.groups[place].without(line).ok_or(SumsError::NeverAdded)? {
            sum if sum.lines > 0 => self.groups[place] = sum,
            sum if sum.amount == 0 && sum.units == Units::default() => {
                self.groups.remove(place);
            }
            _ => return Err(SumsError::NeverAdded),
        }
        Ok(())
    }

    /// A line in place of another.
    pub fn change(&mut self, from: &PricedLine, to: &PricedLine) -> Result<(), SumsError> {
        let mut changed = self.clone();
        changed.remove(from)?;
        changed.add(to)?;
        *self = changed;
        Ok(())
    }

    /// How many lines have a price.
    pub fn lines(&self) -> u64 {
        self.groups.iter().map(|group| u64::from(group.lines)).sum()
    }

    pub fn units(&self) -> Units {
        let units = self.groups.iter().fold(0i64, |sum, group| sum.saturating_add(group.units.0));
        Units(units)
    }

    /// What the lines of a currency come to, as their prices are shown.
    pub fn subtotal(&self, currency: Currency) -> Result<Money, SumsError> {
        let ours = self.groups.iter().filter(|group| group.currency == currency);
        let sum: i128 = ours.map(|group| i128::from(group.amount)).sum();
        let minor = i64::try_from(sum).map_err(|_| SumsError::TooLarge)?;
        Ok(Money { minor, currency })
    }

    /// What an order of these lines comes to, equal to that of [`crate::domain::totals::Totals`].
    pub fn summary(&self, terms: &Terms<'_>) -> Result<Summary, TotalsError> {
        Ok(settle(self, terms)?.summary)
    }

    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }

    pub(super) fn place(&self, line: &PricedLine) -> Result<usize, usize> {
        let key = (line.amount().currency, line.tax_category(), line.price().tax);
        self.groups
            .binary_search_by(|group| (group.currency, &group.category, group.mode).cmp(&key))
    }
}

impl Group {
    fn empty(line: &PricedLine) -> Self {
        Self {
            currency: line.amount().currency,
            category: line.tax_category().clone(),
            mode: line.price().tax,
            lines: 0,
            amount: 0,
            units: Units::default(),
        }
    }

    fn with(&self, line: &PricedLine) -> Option<Self> {
        Some(Self {
            lines: self.lines.checked_add(1)?,
            amount: self.amount.checked_add(line.amount().minor)?,
            units: Units(self.units.0.checked_add(line.units().0)?),
            ..self.clone()
        })
    }

    fn without(&self, line: &PricedLine) -> Option<Self> {
        let less = |a: i64, b: i64| a.checked_sub(b).filter(|rest| *rest >= 0);
        Some(Self {
            lines: self.lines.checked_sub(1)?,
            amount: less(self.amount, line.amount().minor)?,
            units: Units(less(self.units.0, line.units().0)?),
            ..self.clone()
        })
    }
}

#[cfg(test)]
mod tests;
