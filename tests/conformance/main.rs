//! One suite a port, run on every adapter that fulfils it.

mod documents;
