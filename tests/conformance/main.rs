//! One suite a port, passed by every adapter that fulfils it.

mod documents;
mod search;
mod search_real;
