//! What the network knows of each payment, and how it decides. Pure: it is handed the time.
//!
//! It keeps bounds of its own and leaves those of `domain::payment` alone: a shop that asks for
//! too much must be found out by somebody else.

use super::cards::TestCard;
use crate::{
    domain::{
        id::PaymentIntentId,
        money::Money,
        payment::{Decline, Fact, ProviderRecord, Step},
        time::Micros,
    },
    ports::payments::PaymentError,
};
use std::collections::HashMap;

/// How long an amount stays set aside: a week, as is usual.
const LIFE_US: i64 = 7 * 24 * 60 * 60 * 1_000_000;

#[derive(Default)]
pub(super) struct Network {
    accounts: HashMap<PaymentIntentId, Account>,
}

/// One intent as the network knows it: about 200 bytes, kept as long as the process runs.
pub(super) struct Account {
    pub(super) amount: Money,
    pub(super) card: &'static TestCard,
    /// In the order they happened; a handful.
    facts: Vec<Fact>,
    authorised_at: Micros,
}

impl Network {
    pub(super) fn account(&self, intent: PaymentIntentId) -> Option<&Account> {
        self.accounts.get(&intent)
    }

    pub(super) fn hear_of(
        &mut self,
        intent: PaymentIntentId,
        amount: Money,
        card: &'static TestCard,
    ) {
        let new = Account { amount, card, facts: Vec::new(), authorised_at: Micros(0) };
        self.accounts.entry(intent).or_insert(new);
    }

    pub(super) fn put(&mut self, intent: PaymentIntentId, fact: Fact, at: Micros) {
        let Some(account) = self.accounts.get_mut(&intent) else { return };
        if let Fact::Authorised { .. } = fact {
            account.authorised_at = at;
        }
        account.facts.push(fact);
    }
}

impl Account {
    pub(super) fn record(&self, intent: PaymentIntentId) -> ProviderRecord {
        let facts = self.facts.iter().copied().collect();
        ProviderRecord { intent, currency: self.amount.currency, facts }
    }

    /// What an event about one fact says.
    pub(super) fn part(&self, intent: PaymentIntentId, fact: Fact) -> ProviderRecord {
        ProviderRecord { intent, currency: self.amount.currency, facts: [fact].into() }
    }

    /// What the step brings about; `None`: nothing, as it has happened or never will.
    pub(super) fn decide(&self, step: Step) -> Result<Option<Fact>, PaymentError> {
        match step {
            Step::Authorise if self.has_verdict() => Ok(None),
            Step::Authorise => Ok(Some(match self.card.verdict {
                Ok(()) => Fact::Authorised { minor: self.amount.minor },
                Err(why) => Fact::Declined { why },
            })),
            Step::Capture { id, minor } => {
                let fact = Fact::Captured { id, minor };
                let same =
                    |fact: &Fact| matches!(fact, Fact::Captured { id: other, .. } if *other == id);
                if self.is_repeat(fact, same)? || self.is_let_go() {
                    return Ok(None);
                }
                if self.authorised() == 0 {
                    return refused("nothing was authorised");
                }
                self.within(minor, self.authorised() - self.captured())?;
                Ok(Some(fact))
            }
            Step::Refund { id, minor } => {
                let fact = Fact::Refunded { id, minor };
                let same =
                    |fact: &Fact| matches!(fact, Fact::Refunded { id: other, .. } if *other == id);
                if self.is_repeat(fact, same)? {
                    return Ok(None);
                }
                self.within(minor, self.captured() - self.refunded())?;
                Ok(Some(fact))
            }
            Step::Void if self.is_let_go() || self.declined().is_some() => Ok(None),
            Step::Void if self.captured() > 0 && self.captured() == self.authorised() => {
                refused("all of it was captured: refund it")
            }
            Step::Void => Ok(Some(Fact::Voided)),
        }
    }

    /// What the caller of a step is told, once it was decided.
    pub(super) fn answer(
        &self,
        intent: PaymentIntentId,
        step: Step,
    ) -> Result<ProviderRecord, PaymentError> {
        let record = self.record(intent);
        let gone = || match self.facts.contains(&Fact::Expired) {
            true => Decline::Lapsed,
            false => Decline::GivenUp,
        };
        let why = match step {
            Step::Authorise if self.authorised() == 0 => Some(self.declined().unwrap_or_else(gone)),
            Step::Capture { id, minor } if !self.facts.contains(&Fact::Captured { id, minor }) => {
                Some(gone())
            }
            _ => None,
        };
        match why {
            Some(why) => Err(PaymentError::Declined { why, record }),
            None => Ok(record),
        }
    }

    /// Whether what is set aside has to be let go by now.
    pub(super) fn has_lapsed(&self, now: Micros) -> bool {
        let life = if self.card.lapses { 0 } else { LIFE_US };
        let open = self.captured() < self.authorised() && !self.is_let_go();
        open && now.0 >= self.authorised_at.0.saturating_add(life)
    }

    /// Refuses a key that stands for something else.
    pub(super) fn check(&self, step: Step, amount: Money) -> Result<(), PaymentError> {
        if amount.currency != self.amount.currency {
            let told =
                format!("the amount is in {}, not in {}", amount.currency, self.amount.currency);
            return Err(PaymentError::Refused(told));
        }
        if matches!(step, Step::Authorise | Step::Void) && amount != self.amount {
            return refused("its key was used for another amount");
        }
        Ok(())
    }

    fn is_repeat(&self, fact: Fact, same: impl Fn(&Fact) -> bool) -> Result<bool, PaymentError> {
        match self.facts.iter().find(|fact| same(fact)) {
            None => Ok(false),
            Some(before) if *before == fact => Ok(true),
            Some(_) => refused("its key was used for another amount"),
        }
    }

    fn within(&self, minor: i64, left: i64) -> Result<(), PaymentError> {
        if (1..=left).contains(&minor) {
            return Ok(());
        }
        // The amounts are in the caller's own books, and stay out of our error.
        refused("the amount is nothing, or more than is left")
    }

    fn has_verdict(&self) -> bool {
        self.authorised() > 0 || self.declined().is_some() || self.is_let_go()
    }

    fn is_let_go(&self) -> bool {
        self.facts.iter().any(|fact| matches!(fact, Fact::Voided | Fact::Expired))
    }

    fn declined(&self) -> Option<Decline> {
        self.facts.iter().find_map(|fact| match fact {
            Fact::Declined { why } => Some(*why),
            _ => None,
        })
    }

    fn authorised(&self) -> i64 {
        self.sum(|fact| matches!(fact, Fact::Authorised { .. }))
    }

    fn captured(&self) -> i64 {
        self.sum(|fact| matches!(fact, Fact::Captured { .. }))
    }

    fn refunded(&self) -> i64 {
        self.sum(|fact| matches!(fact, Fact::Refunded { .. }))
    }

    /// Never overflows: each was checked against what was authorised.
    fn sum(&self, which: impl Fn(&Fact) -> bool) -> i64 {
        let minor = |fact: &Fact| match *fact {
            Fact::Authorised { minor }
            | Fact::Captured { minor, .. }
            | Fact::Refunded { minor, .. } => minor,
            Fact::Declined { .. } | Fact::Voided | Fact::Expired => 0,
        };
        self.facts.iter().filter(|fact| which(fact)).map(minor).sum()
    }
}

pub(super) fn refused<T>(why: &str) -> Result<T, PaymentError> {
    Err(PaymentError::Refused(why.to_owned()))
}
