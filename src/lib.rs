//! Stoa, a commerce backend as an actor system. The map is in `docs/architecture.md`.
#![forbid(unsafe_code)]

#[expect(dead_code, reason = "until the tree starts them")]
mod actors;
pub mod adapters;
pub mod domain;
pub mod ports;
