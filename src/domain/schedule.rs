//! From when until when something holds.

use crate::domain::time::Micros;
use serde::{Deserialize, Serialize};

/// `from` is included, `until` is not; `None` is open. One that ends before it begins never holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Schedule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Micros>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Micros>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it must end after it begins: choose a later end, or leave one of the two open")]
pub struct NeverHolds;

impl Schedule {
    pub const ALWAYS: Self = Self { from: None, until: None };

    pub fn new(from: Option<Micros>, until: Option<Micros>) -> Result<Self, NeverHolds> {
        match (from, until) {
            (Some(from), Some(until)) if until <= from => Err(NeverHolds),
            _ => Ok(Self { from, until }),
        }
    }

    pub fn holds_at(&self, now: Micros) -> bool {
        self.has_begun(now) && !self.is_over(now)
    }

    pub fn has_begun(&self, now: Micros) -> bool {
        self.from.is_none_or(|from| from <= now)
    }

    pub fn is_over(&self, now: Micros) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// The first moment after `now` at which [`Schedule::holds_at`] may answer otherwise.
    pub fn next_change(&self, now: Micros) -> Option<Micros> {
        [self.from, self.until].into_iter().flatten().filter(|at| *at > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{option, prelude::*};

    #[test]
    fn its_beginning_is_in_it_and_its_end_is_not() {
        let schedule = Schedule::new(Some(Micros(10)), Some(Micros(20))).unwrap();
        let holds = |at| schedule.holds_at(Micros(at));
        assert_eq!([9, 10, 19, 20].map(holds), [false, true, true, false]);
        assert_eq!(schedule.next_change(Micros(9)), Some(Micros(10)));
        assert_eq!(schedule.next_change(Micros(10)), Some(Micros(20)));
        assert_eq!(schedule.next_change(Micros(20)), None);
        assert!(Schedule::ALWAYS.holds_at(Micros(i64::MIN)));
        assert_eq!(Schedule::ALWAYS.next_change(Micros(0)), None);
    }

    #[test]
    fn one_that_never_holds_is_refused() {
        assert_eq!(Schedule::new(Some(Micros(5)), Some(Micros(5))), Err(NeverHolds));
        assert!(Schedule::new(Some(Micros(5)), None).is_ok());
    }

    proptest! {
        #[test]
        fn nothing_changes_before_the_next_change(
            from in option::of(0i64..50), until in option::of(0i64..50), now in 0i64..50,
        ) {
            let schedule = Schedule { from: from.map(Micros), until: until.map(Micros) };
            let next = schedule.next_change(Micros(now)).map_or(60, |at| at.0);
            prop_assert!(next > now);
            for later in now..next {
                prop_assert_eq!(schedule.holds_at(Micros(later)), schedule.holds_at(Micros(now)));
            }
        }
    }
}
