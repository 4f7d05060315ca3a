//! Stoa, a commerce backend as an actor system. The map is in `docs/architecture.md`.
#![forbid(unsafe_code)]

mod actors;
pub mod adapters;
pub mod domain;
mod http;
pub mod ports;
pub mod views;
