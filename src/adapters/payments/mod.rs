//! `ports::payments` without a company behind it: [`TestCards`], a card network for trying things
//! out, and [`Invoice`], where the shop itself waits for its money.
//!
//! A real provider's adapter comes beside them: it signs and is signed to in the same way
//! ([`signing`](crate::signing)) and passes the same conformance suite.

mod config;
mod invoice;
mod test_cards;

pub use config::PaymentsConfig;
pub use invoice::Invoice;
pub use test_cards::{LedgerError, TestCard, TestCards, TestCardsTimes, cards};
