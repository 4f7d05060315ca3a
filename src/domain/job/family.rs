//! How a job stands with those put on its behalf: over is the whole, not the part.

use super::JobState;

/// A root's children, by state. Whoever has none is no root.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Family([u64; JobState::ALL.len()]);

impl Family {
    pub fn add(&mut self, state: JobState, jobs: u64) {
        self.0[state as usize] += jobs;
    }

    pub fn of(&self, state: JobState) -> u64 {
        self.0[state as usize]
    }

    /// Its children.
    pub fn all(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Those that are over.
    pub fn over(&self) -> u64 {
        JobState::ALL.iter().filter(|state| state.is_over()).map(|state| self.of(*state)).sum()
    }

    /// The state of the whole, where the root itself is in `own`: it runs while any of it is
    /// unfinished; then one that was cancelled goes before those that failed, the dead among them,
    /// and one that failed before those that succeeded. A root that waits with all its children
    /// over, as it is tried anew, waits.
    pub fn state(&self, own: JobState) -> JobState {
        let any = |state| own == state || self.of(state) > 0;
        if self.over() < self.all() {
            JobState::Running
        } else if !own.is_over() {
            own
        } else if any(JobState::Cancelled) {
            JobState::Cancelled
        } else if any(JobState::Failed) || any(JobState::Dead) {
            JobState::Failed
        } else {
            JobState::Succeeded
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use JobState::*;
    use proptest::prelude::*;

    fn family(children: &[JobState]) -> Family {
        let mut family = Family::default();
        children.iter().for_each(|state| family.add(*state, 1));
        family
    }

    #[test]
    fn a_family_runs_until_its_last_child_is_over_and_the_worst_of_it_is_told() {
        for (own, children, is) in [
            (Succeeded, &[Succeeded, Scheduled][..], Running),
            (Succeeded, &[Cancelled, Dead, Ready], Running),
            (Failed, &[Succeeded, Running], Running),
            (Scheduled, &[Running], Running),
            (Scheduled, &[Succeeded], Scheduled),
            (Running, &[Failed], Running),
            (Succeeded, &[Succeeded, Succeeded], Succeeded),
            (Succeeded, &[Succeeded, Dead], Failed),
            (Succeeded, &[Failed, Cancelled], Cancelled),
            (Dead, &[Succeeded], Failed),
            (Cancelled, &[Succeeded, Failed], Cancelled),
        ] {
            assert_eq!(family(children).state(own), is, "{own:?} {children:?}");
        }
    }

    proptest! {
        #[test]
        fn a_family_is_over_with_its_last_member_and_not_before(
            own in proptest::sample::select(JobState::ALL),
            children in proptest::collection::vec(proptest::sample::select(JobState::ALL), 1..9),
        ) {
            let family = family(&children);
            let over = own.is_over() && children.iter().all(|state| state.is_over());
            prop_assert_eq!(family.state(own).is_over(), over);
            prop_assert_eq!(family.all(), children.len() as u64);
            let any = |state| own == state || children.contains(&state);
            prop_assert_eq!(family.state(own) == Cancelled, over && any(Cancelled));
        }
    }
}
