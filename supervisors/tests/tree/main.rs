//! Whole trees, from outside.
#![expect(
    clippy::disallowed_methods,
    reason = "callers from outside the tree are tasks of the test"
)]
mod common;
mod lives;
mod pools;
mod storm;
mod strategies;
