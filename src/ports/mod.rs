//! What the domain asks of the world, in the domain's words.
//!
//! A port is a trait, the values it takes and gives, and one error enum with a variant for each
//! thing the caller may do differently. Adapters fulfil ports; `boot` joins the two. No driver's
//! type is named here, not even inside an error.

pub mod accounts;
pub mod audit;
pub mod bell;
pub mod blobs;
pub mod carts;
pub mod catalog;
pub mod cells;
pub mod chance;
pub mod clock;
pub mod documents;
pub mod imports;
pub mod integrity;
pub mod invalidate;
pub mod invoices;
pub mod jobs;
pub mod mail;
pub mod maintenance;
pub mod once;
pub mod orders;
pub mod outbox;
pub mod overrides;
pub mod passwords;
pub mod payments;
pub mod products;
pub mod quotes;
pub mod rules;
pub mod schedules;
pub mod search;
pub mod sessions;
mod sqlstate;
pub mod stock;
pub mod till;
pub mod webhooks;
pub mod writer;

/// Why a store could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database can't be reached or is too busy: the same call may succeed later.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// No room, or a read-only place: nothing was changed; free some and try again.
    #[error("the database can't be written: {0}")]
    Full(String),
    /// The stored data is damaged or of another version; a person must look.
    #[error("the database is damaged or not ours: {0}")]
    Corrupt(String),
    /// The statement was refused: a bug of ours or a rule of the schema.
    #[error("the database refused: {0}")]
    Refused(String),
}
