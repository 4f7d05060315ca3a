//! Stoa, a commerce backend as an actor system. The map is in `docs/architecture.md`.
#![forbid(unsafe_code)]

pub mod adapters;
pub mod domain;
pub mod ports;
