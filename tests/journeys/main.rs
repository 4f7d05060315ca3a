//! What users do, through the real binary and real HTTP.
//!
//! Each journey that touches the database runs on SQLite, and on PostgreSQL when there is one.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test that fails says where")]

mod account_pages;
mod accounts;
mod admin_pages;
mod admin_rules;
mod backup;
mod bad_input;
mod browse;
mod carts;
mod checkout;
mod handoff;
mod import;
mod jobs;
mod mails;
mod maintenance;
mod memory;
mod operate;
mod quotes;
mod rules;
mod schedules;
mod smtp;
#[expect(dead_code, reason = "fault tests use more of it")]
#[path = "../support/mod.rs"]
mod support;
mod webhooks;

use support::stack::{Stack, on_every_stack};
