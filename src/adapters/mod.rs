//! Drivers behind ports: each folder fulfils ports with one driver and knows no other folder.

pub mod clock;
pub mod postgres;
pub mod sql;
