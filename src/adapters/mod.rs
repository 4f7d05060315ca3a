//! Drivers behind the ports: each folder fulfils some of them with one driver and knows no other
//! folder. Nobody but `boot` names these.

pub mod blobs;
pub mod cell;
pub mod chance;
pub mod clock;
pub mod documents;
pub mod mail;
pub mod passwords;
pub mod payments;
pub mod postgres;
pub mod socket;
pub mod sql;
pub mod tantivy;
pub mod webhooks;
