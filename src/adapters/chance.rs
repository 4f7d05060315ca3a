//! The system's own random bytes.

use crate::ports::chance::Chance;

#[derive(Debug, Clone, Copy, Default)]
pub struct SystemChance;

impl Chance for SystemChance {
    fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        #[expect(
            clippy::expect_used,
            reason = "a system without randomness can't tell its users apart: better to stop"
        )]
        getrandom::fill(&mut bytes).expect("the system gives random bytes");
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_draws_are_alike() {
        assert_ne!(SystemChance.bytes(), SystemChance.bytes());
    }
}
