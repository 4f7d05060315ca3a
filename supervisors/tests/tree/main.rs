//! Whole trees, from outside.
mod common;
mod lives;
mod pools;
mod storm;
mod strategies;
