//! What a shop is, as values and rules.
//!
//! Everything here is pure and synchronous: no driver, no clock, no randomness. Whatever needs
//! the time or an id is handed one. What dies here is a process with a bug; nothing is held.

pub mod account;
pub mod address;
pub mod audit;
pub mod autoscale;
pub mod bucket;
pub mod cart;
pub mod cart_sums;
pub mod catalog_batch;
pub mod category;
pub mod country;
pub mod coupon;
pub mod cron;
pub mod demo;
pub mod document;
pub mod event;
mod exact;
pub mod id;
pub mod import;
pub mod job;
pub mod line;
pub mod money;
pub mod once;
pub mod order;
pub mod payment;
pub mod placing;
pub mod policy;
pub mod ppm;
pub mod price;
pub mod principal;
pub mod product;
pub mod quantity;
pub mod quote;
pub mod review;
pub mod rule;
pub mod rulebook;
pub mod schedule;
pub mod scope;
pub mod search;
pub mod secret;
pub mod session;
pub mod shipping;
pub mod sku;
pub mod slug;
pub mod stock;
pub mod tax;
pub mod time;
pub mod totals;
pub mod webhook;
