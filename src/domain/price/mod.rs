//! What a product costs whom: price lists over the product's own price.
//!
//! [`PriceSet::resolve`] finds the lists that count for a buyer, in their order; [`Ladder::new`]
//! joins one product's entries of those lists to one price per quantity. The first list with a
//! price for the quantity wins, even if a later one is cheaper, so a customer's agreed price
//! stays what was agreed. Where no list has one the product's own price holds; where there is
//! none of those in the right currency, the price is on request. Nothing is ever converted.

mod ladder;
mod list;
mod set;
mod table;

pub use ladder::{Ladder, PriceEntry, PriceEntryError, PriceSource, UnitPrice};
pub use list::{Assignment, Audience, Buyer, PriceList, PriceListError, next_change};
pub use set::{PriceSet, PriceSetHash};
pub use table::{PriceEdit, PriceKey, PricePlan, PriceTable};

#[cfg(test)]
mod tests;
