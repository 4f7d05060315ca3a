//! One suite a port, passed by every adapter of it.

mod search;
mod search_real;
