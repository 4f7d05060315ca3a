//! What is promised under rush, kill and retry, through the real binary and real HTTP.
//!
//! Each runs at a size that CI has time for; `STOA_FAULTS=full` at that of the promise. The seed is
//! printed; `STOA_SEED` sets it. Books are compared with what clients were told, never a server
//! with itself.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test that fails says where")]

mod books;
mod buyers;
mod flood;
mod guesses;
mod jobs;
mod kills;
mod outage;
mod oversell;
mod poison;
mod rush;
#[expect(dead_code, reason = "journeys use more of it")]
#[path = "../support/mod.rs"]
mod support;
mod tuning;

use support::postgres::variable;

/// The size of a run: for CI, and in full.
fn size(ci: usize, full: usize) -> usize {
    if variable("STOA_FAULTS").as_deref() == Some("full") { full } else { ci }
}

/// Random enough, and the same again for the same seed (xorshift64*).
pub(crate) struct Dice(u64);

impl Dice {
    /// Printed, so that a failure can be had again.
    pub(crate) fn of(test: &str) -> Self {
        let given = variable("STOA_SEED").and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| u64::from(std::process::id()) * 7_919 + 1);
        eprintln!("{test}: STOA_SEED={seed}");
        Self(seed)
    }

    pub(crate) fn another(&mut self) -> Self {
        Self(self.next().max(1))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// From 0 to `below`, exclusive.
    pub(crate) fn below(&mut self, below: u64) -> u64 {
        (self.next() >> 16) % below
    }
}
