//! Stoa, a commerce backend as an actor system. The map is in `docs/architecture.md`.
#![forbid(unsafe_code)]

pub mod domain;
pub mod http;
pub mod ports;
pub mod views;
