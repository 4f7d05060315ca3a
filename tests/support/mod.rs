//! A Stoa to test against: the real binary on a folder of its own, and a plain HTTP client.

#![expect(clippy::allow_attributes, reason = "an unused helper in one binary is used in another")]
#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod client;
pub(crate) mod postgres;
pub(crate) mod server;
