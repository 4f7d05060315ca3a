//! A Stoa to test against: the real binary on a folder of its own, and a plain HTTP client.

pub(crate) mod client;
pub(crate) mod postgres;
pub(crate) mod server;
pub(crate) mod stack;
