//! One suite a port, passed by every adapter: a case is written once and runs on each of them; of
//! the database's ports, on SQLite and on PostgreSQL.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test that fails says where, and a measurement prints"
)]

mod accounts;
mod agreement;
mod audit;
mod autoscale;
mod blobs;
mod carts;
mod catalog;
mod coupons;
mod disk;
mod documents;
mod endpoints;
mod imports;
mod job_edits;
mod job_families;
mod job_model;
mod job_office;
mod job_sharing;
mod jobs;
mod lifecycle;
mod mail;
mod maintenance;
mod once;
mod orders;
mod outbox;
mod overrides;
mod payments;
mod peer;
mod quotes;
mod races;
mod rules;
mod schedules;
mod search;
mod search_real;
mod sessions;
mod shop;
mod staff;
mod test_cards;
mod till;
mod webhooks;
mod writer;
