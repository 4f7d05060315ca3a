//! What a supervisor should do next, as a pure function of what its children do.
//!
//! Promise: those who must go down go down one at a time, last first, before
//! anybody goes up; those who go up do so in order wherever order matters.

use crate::policy::Strategy;

/// What a child does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stance {
    /// Not running; may be started.
    Down,
    /// Waits for its backoff to be over.
    Cooling,
    /// Being made.
    Starting,
    /// Up.
    Up,
    /// Asked to end.
    Stopping,
    /// Done for good.
    Gone,
}

impl Stance {
    pub(crate) fn is_alive(self) -> bool {
        matches!(self, Self::Starting | Self::Up | Self::Stopping)
    }
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing until something happens.
    Wait,
    /// Ask this child to end.
    Stop(usize),
    /// Start this child.
    Start(usize),
    /// Everybody who should be up is up, or on the way.
    Settled,
    /// Everybody is down, as wanted.
    AllDown,
}

/// `must_fall(i)` tells whether child `i` is to go down before anything else.
pub(crate) fn next_step(
    stances: &[Stance],
    must_fall: impl Fn(usize) -> bool,
    ending: bool,
    in_order: bool,
) -> Step {
    for (index, stance) in stances.iter().enumerate().rev() {
        if ending || must_fall(index) {
            match stance {
                Stance::Stopping => return Step::Wait,
                Stance::Starting | Stance::Up => return Step::Stop(index),
                Stance::Down | Stance::Cooling | Stance::Gone => {}
            }
        }
    }
    if ending {
        return Step::AllDown;
    }
    if in_order && stances.contains(&Stance::Cooling) {
        return Step::Wait;
    }
    for (index, stance) in stances.iter().enumerate() {
        match stance {
            Stance::Down => return Step::Start(index),
            Stance::Up | Stance::Gone => {}
            Stance::Cooling | Stance::Starting | Stance::Stopping if in_order => return Step::Wait,
            Stance::Cooling | Stance::Starting | Stance::Stopping => {}
        }
    }
    Step::Settled
}

/// Whether children start one after the other: always at boot, and afterwards
/// where they depend on each other.
pub(crate) fn in_order(booting: bool, strategy: Strategy) -> bool {
    booting || strategy != Strategy::OneForOne
}

#[cfg(test)]
mod tests {
    use super::Stance::{Cooling, Down, Gone, Starting, Stopping, Up};
    use super::*;
    use proptest::prelude::*;

    use proptest::strategy::Strategy as Drawn;

    fn any_stance() -> impl Drawn<Value = Stance> {
        proptest::sample::select(vec![Down, Cooling, Starting, Up, Stopping, Gone])
    }

    proptest! {
        #[test]
        fn nobody_starts_while_somebody_must_fall(
            children in proptest::collection::vec((any_stance(), any::<bool>()), 0..8),
            ordered in any::<bool>(),
        ) {
            let stances: Vec<_> = children.iter().map(|(stance, _)| *stance).collect();
            let falls = |i: usize| children[i].1;
            let falling = (0..children.len()).any(|i| falls(i) && stances[i].is_alive());
            match next_step(&stances, falls, false, ordered) {
                Step::Start(_) | Step::Settled | Step::AllDown => prop_assert!(!falling),
                Step::Stop(i) => {
                    prop_assert!(falls(i));
                    let later = (i + 1..children.len()).any(|j| falls(j) && stances[j].is_alive());
                    prop_assert!(!later, "a later one must fall first");
                }
                Step::Wait => {}
            }
        }

        #[test]
        fn in_order_nobody_starts_before_those_ahead_are_up(
            stances in proptest::collection::vec(any_stance(), 0..8),
        ) {
            if let Step::Start(i) = next_step(&stances, |_| false, false, true) {
                prop_assert!(stances[..i].iter().all(|s| matches!(s, Up | Gone)));
            }
        }

        #[test]
        fn an_ending_tree_only_stops(stances in proptest::collection::vec(any_stance(), 0..8)) {
            match next_step(&stances, |_| false, true, false) {
                Step::AllDown => prop_assert!(!stances.iter().any(|s| s.is_alive())),
                Step::Stop(_) | Step::Wait => {}
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }

    #[test]
    fn without_order_a_child_need_not_wait_for_a_cooling_one() {
        let stances = [Cooling, Down, Up];
        assert_eq!(next_step(&stances, |_| false, false, false), Step::Start(1));
        assert_eq!(next_step(&stances, |_| false, false, true), Step::Wait);
    }
}
