//! How many restarts are too many.
//!
//! Promise: pure arithmetic on times that are passed in. A ledger is never
//! longer than its budget.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// At most `restarts` within any stretch of `within`; one more escalates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// How many restarts are tolerated.
    pub restarts: u32,
    /// The sliding stretch of time they are counted in.
    pub within: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        Self { restarts: 5, within: Duration::from_secs(30) }
    }
}

/// The restarts a budget still remembers.
#[derive(Debug, Default, Clone)]
pub(crate) struct Ledger {
    spent: VecDeque<Instant>,
}

impl Ledger {
    /// Books a restart at `now`; false if the budget does not cover it.
    pub(crate) fn spend(&mut self, budget: &Budget, now: Instant) -> bool {
        self.forget(budget, now);
        if self.spent.len() >= budget.restarts as usize {
            return false;
        }
        self.spent.push_back(now);
        true
    }

    /// How much of the budget is spent at `now`.
    pub(crate) fn spent(&mut self, budget: &Budget, now: Instant) -> u32 {
        self.forget(budget, now);
        self.spent.len() as u32
    }

    fn forget(&mut self, budget: &Budget, now: Instant) {
        let old = |at: &Instant| now.saturating_duration_since(*at) >= budget.within;
        while self.spent.front().is_some_and(old) {
            self.spent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_stretch_of_time_holds_more_restarts_than_the_budget(
            restarts in 0u32..6,
            within_ms in 1u64..1_000,
            gaps_ms in proptest::collection::vec(0u64..400, 0..60),
        ) {
            let budget = Budget { restarts, within: Duration::from_millis(within_ms) };
            let mut ledger = Ledger::default();
            let mut now = Instant::now();
            let mut granted: Vec<Instant> = Vec::new();
            for gap in gaps_ms {
                now += Duration::from_millis(gap);
                let recent = granted.iter().filter(|at| now - **at < budget.within).count();
                let covered = ledger.spend(&budget, now);
                prop_assert_eq!(covered, recent < restarts as usize);
                if covered {
                    granted.push(now);
                }
                prop_assert!(ledger.spent(&budget, now) <= restarts);
            }
        }

        #[test]
        fn a_spent_budget_is_whole_again_after_its_time(restarts in 1u32..6, within_ms in 1u64..1_000) {
            let budget = Budget { restarts, within: Duration::from_millis(within_ms) };
            let mut ledger = Ledger::default();
            let now = Instant::now();
            for _ in 0..restarts {
                prop_assert!(ledger.spend(&budget, now));
            }
            prop_assert!(!ledger.spend(&budget, now));
            prop_assert_eq!(ledger.spent(&budget, now + budget.within), 0);
            prop_assert!(ledger.spend(&budget, now + budget.within));
        }
    }
}
