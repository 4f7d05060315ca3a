//! Drivers behind the ports: each folder fulfils some of them with one driver's means.

pub mod tantivy;
