//! What a shop is, as values and rules.
//!
//! Everything here is pure and synchronous: no driver, no clock, no randomness. Whatever needs
//! the time or an id is handed one. What dies here is a process with a bug; nothing is held.

pub mod audit;
pub mod cart;
pub mod catalog_batch;
pub mod category;
pub mod demo;
pub mod document;
pub mod event;
pub mod id;
pub mod import;
pub mod money;
pub mod principal;
pub mod product;
pub mod scope;
pub mod search;
pub mod sku;
pub mod slug;
pub mod stock;
pub mod time;
