//! In which state a job is, and which steps lead from one to the next.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It may not run yet: its time has not come, or one of its lane is before it.
    Scheduled,
    /// It waits for a free hand.
    Ready,
    /// A worker has it.
    Running,
    Succeeded,
    /// It said itself that trying again would do nothing.
    Failed,
    /// Given up by the queue: too often, too late, or nobody knows how. The dead letters.
    Dead,
    Cancelled,
}

impl JobState {
    pub const ALL: &'static [Self] = &[
        Self::Scheduled,
        Self::Ready,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Dead,
        Self::Cancelled,
    ];
    pub const NAMES: &'static [&'static str] =
        &["scheduled", "ready", "running", "succeeded", "failed", "dead", "cancelled"];

    /// As it stands in a row and in the API.
    pub fn as_str(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.as_str() == text)
    }

    /// Nothing happens to it any more unless an operator wants it to.
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Scheduled | Self::Ready | Self::Running)
    }

    /// The state behind a step; `None`: that step isn't taken from here.
    pub fn after(self, step: Step) -> Option<Self> {
        use JobState::*;
        Some(match (self, step) {
            (Scheduled, Step::ComeDue) => Ready,
            (Ready, Step::Claim) => Running,
            (Running, Step::Succeed) => Succeeded,
            (Running, Step::TryAgain | Step::Snooze | Step::HandBack | Step::Lose) => Scheduled,
            (Running, Step::Fail) => Failed,
            (Running | Scheduled | Ready, Step::GiveUp) => Dead,
            (Running | Scheduled | Ready, Step::Cancel) => Cancelled,
            (Failed | Dead | Cancelled | Scheduled | Ready, Step::Retry) => Scheduled,
            _ => return None,
        })
    }
}

/// What happens to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Its time has come and none of its lane is before it.
    ComeDue,
    /// A worker takes it.
    Claim,
    Succeed,
    /// It failed and is to be tried again.
    TryAgain,
    /// It asked for another time itself; that is no failure.
    Snooze,
    Fail,
    GiveUp,
    /// Its worker stops, and did not get to it.
    HandBack,
    /// Its worker died.
    Lose,
    Cancel,
    /// An operator wants it tried anew.
    Retry,
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: &[Step] = &[
        Step::ComeDue,
        Step::Claim,
        Step::Succeed,
        Step::TryAgain,
        Step::Snooze,
        Step::Fail,
        Step::GiveUp,
        Step::HandBack,
        Step::Lose,
        Step::Cancel,
        Step::Retry,
    ];

    #[test]
    fn states_are_read_back_from_their_rows() {
        for state in JobState::ALL {
            assert_eq!(JobState::parse(state.as_str()), Some(*state));
        }
        assert_eq!(JobState::parse("new"), None);
    }

    #[test]
    fn what_is_over_stays_over_unless_an_operator_wants_it_again() {
        for state in JobState::ALL.iter().filter(|state| state.is_over()) {
            for step in STEPS.iter().filter(|step| **step != Step::Retry) {
                assert_eq!(state.after(*step), None, "{state:?} {step:?}");
            }
        }
        assert_eq!(JobState::Succeeded.after(Step::Retry), None);
    }

    #[test]
    fn only_a_ready_job_is_claimed_and_only_a_running_one_ends_by_its_word() {
        let from = |step| JobState::ALL.iter().filter(move |state| state.after(step).is_some());
        assert_eq!(from(Step::Claim).collect::<Vec<_>>(), [&JobState::Ready]);
        for step in [Step::Succeed, Step::TryAgain, Step::Fail, Step::Lose, Step::HandBack] {
            assert_eq!(from(step).collect::<Vec<_>>(), [&JobState::Running], "{step:?}");
        }
    }
}
