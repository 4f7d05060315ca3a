//! The PostgreSQL writer, through deadpool-postgres; reads go through `adapters::sql`.
//!
//! A batch of products goes in by COPY into a temporary table and from there into its tables, all
//! in one transaction with its events and its import's place; statements that don't wait for each
//! other's answers are sent without waiting. Transactions that write products of one site take an
//! advisory lock first, so two nodes importing at once plan one after the other and neither sees
//! half of the other's work.
//!
//! When the connection or the server dies, the transaction was never there, unless it died between
//! our COMMIT and its answer: then the write is *unknown*, answered as unavailable, and its
//! checkpoint tells whoever tries again. The next commit connects anew.

mod copy;
mod error;
mod statement;
mod writer;

pub use writer::PostgresWriter;
