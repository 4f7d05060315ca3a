//! The cards there are, and what happens to whoever pays with one.

use crate::{
    domain::payment::{Card, Decline, MethodToken},
    ports::payments::CardToTry,
};

/// What the network makes of a card.
#[derive(Debug, PartialEq, Eq)]
pub struct TestCard {
    /// In groups of four, as on the card.
    pub number: &'static str,
    /// For its token.
    pub(super) name: &'static str,
    /// One sentence for people.
    pub does: &'static str,
    pub(super) verdict: Result<(), Decline>,
    pub(super) answer: Answer,
    pub(super) webhooks: Webhooks,
    /// Whether what was set aside lapses at once, not after days.
    pub(super) lapses: bool,
}

/// How the network answers a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Prompt,
    /// Every call is done, and answered after a while.
    Slow,
    /// The first call of each step is done, and its answer lost.
    Lost,
    /// No call to authorise is ever received.
    NeverReceived,
    /// The first call to authorise is given up by us before it is received.
    ReceivedLate,
    /// The first two calls of each step are answered with an error, and not done.
    FailsTwice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Webhooks {
    OnceEach,
    /// Three at the same instant.
    ThriceEach,
    /// The authorisation's comes after the capture's.
    Reordered,
    Never,
}

/// Good, answered at once, told once: each card below is this but for one thing.
const GOOD: TestCard = TestCard {
    number: "4242 4242 4242 4242",
    name: "good",
    does: "The payment is approved.",
    verdict: Ok(()),
    answer: Answer::Prompt,
    webhooks: Webhooks::OnceEach,
    lapses: false,
};

const CARDS: &[TestCard] = &[
    GOOD,
    TestCard {
        number: "4000 0000 0000 0002",
        name: "declined",
        does: "The bank declines without a reason.",
        verdict: Err(Decline::Refused),
        ..GOOD
    },
    TestCard {
        number: "4000 0000 0000 9995",
        name: "insufficient-funds",
        does: "The bank declines for want of money.",
        verdict: Err(Decline::InsufficientFunds),
        ..GOOD
    },
    TestCard {
        number: "4000 0000 0000 0069",
        name: "expired",
        does: "The bank declines as the card has expired.",
        verdict: Err(Decline::ExpiredCard),
        ..GOOD
    },
    TestCard {
        number: "4000 0000 0000 1000",
        name: "slow",
        does: "The payment is approved, and every answer takes its time.",
        answer: Answer::Slow,
        ..GOOD
    },
    TestCard {
        number: "4000 0000 0000 1018",
        name: "answer-lost",
        does: "The payment is approved, and the first answer to each step is lost.",
        answer: Answer::Lost,
        ..GOOD
    },
    TestCard {
        number: "4000 0000 0000 1091",
        name: "decline-lost",
        does: "The bank declines without a reason, and the first answer is lost.",
        verdict: Err(Decline::Refused),
        answer: Answer::Lost,
        ..GOOD
    },
    TestCard {
        number: "4000 0000 0000 1026",
        name: "never-received",
        does: "The network never hears of the payment, and nobody answers.",
        answer: Answer::NeverReceived,
        ..GOOD
    },
    TestCard {
        number: "4000 0000 0000 1034",
        name: "received-late",
        does: "The network hears of the payment after nobody waits for it any more.",
        answer: Answer::ReceivedLate,
        ..GOOD
    },
    TestCard {
        number: "4000 0000 0000 1042",
        name: "fails-twice",
        does: "Each step fails twice with an error of the network's, then succeeds.",
        answer: Answer::FailsTwice,
        ..GOOD
    },
    TestCard {
        number: "4000 0000 0000 1059",
        name: "webhooks-thrice",
        does: "The payment is approved, and each webhook comes three times at once.",
        webhooks: Webhooks::ThriceEach,
        ..GOOD
    },
    TestCard {
        number: "4000 0000 0000 1067",
        name: "webhooks-reordered",
        does: "The payment is approved, and its webhook comes after the capture's.",
        webhooks: Webhooks::Reordered,
        ..GOOD
    },
    TestCard {
        number: "4000 0000 0000 1075",
        name: "webhooks-never",
        does: "The payment is approved, and no webhook ever comes.",
        webhooks: Webhooks::Never,
        ..GOOD
    },
    TestCard {
        number: "4000 0000 0000 1083",
        name: "lapses",
        does: "The payment is approved, and the approval lapses before it can be captured.",
        lapses: true,
        ..GOOD
    },
];

/// All of them, the good one first.
pub fn cards() -> &'static [TestCard] {
    CARDS
}

impl TestCard {
    pub(super) fn to_try(&self) -> CardToTry {
        CardToTry { number: self.number.to_owned(), does: self.does }
    }

    /// The card of this number.
    pub(super) fn of(card: &Card) -> Option<&'static Self> {
        let same =
            |known: &&Self| known.number.split(' ').collect::<String>() == card.expose_number();
        CARDS.iter().find(same)
    }

    pub(super) fn named(name: &str) -> Option<&'static Self> {
        CARDS.iter().find(|card| card.name == name)
    }

    /// No part of the number: a token goes into rows and backups.
    pub(super) fn token(&self) -> MethodToken {
        MethodToken::new(format!("test-card:{}", self.name))
    }

    pub(super) fn by_token(token: &MethodToken) -> Option<&'static Self> {
        Self::named(token.expose().strip_prefix("test-card:")?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{payment::CardError, time::Micros};
    use std::collections::BTreeSet;

    fn read(number: &str) -> Result<Card, CardError> {
        Card::read(number, "12/40", "123", Micros(1_800_000_000_000_000))
    }

    #[test]
    fn every_card_can_be_typed_and_found_by_number_and_token() {
        for card in cards() {
            assert_eq!(TestCard::of(&read(card.number).unwrap()), Some(card));
            assert_eq!(TestCard::by_token(&card.token()), Some(card));
            assert!(card.does.ends_with('.'));
        }
        let numbers: BTreeSet<_> = cards().iter().map(|card| card.number).collect();
        assert_eq!(numbers.len(), cards().len());
    }

    #[test]
    fn a_number_that_is_not_on_the_list_may_be_somebodys() {
        assert_eq!(TestCard::of(&read("5555 5555 5555 4444").unwrap()), None);
    }
}
