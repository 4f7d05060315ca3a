//! Stoa, a commerce backend as an actor system. The map is in `docs/architecture.md`.
//!
//! `cli` reads the arguments, `config` the settings; `boot` opens what they name and hands it to
//! `tree`, which is the running system: actors that own the shop's truths, behind ports that
//! adapters fulfil, asked by `http`.
#![forbid(unsafe_code)]

mod actors;
pub mod adapters;
mod boot;
pub mod cli;
mod config;
pub mod domain;
mod folder;
mod hand;
mod http;
mod logging;
pub mod ports;
pub mod signing;
mod tree;
pub mod views;
