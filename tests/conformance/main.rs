//! One suite a port, passed by every adapter: a case is written once and runs on SQLite and on
//! PostgreSQL.

mod agreement;
mod catalog;
mod imports;
mod lifecycle;
mod outbox;
mod overrides;
mod peer;
mod races;
mod shop;
mod writer;
