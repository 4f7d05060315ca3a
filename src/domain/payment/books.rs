//! One intent's steps and facts, its state, and what may be asked next.

use super::{Asked, Decline, Fact, NotAllowed, PaymentIntent, ProviderRecord, Step};
use crate::domain::{
    id::{CaptureId, PaymentIntentId, RefundId},
    money::Money,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Where a payment is, read from its facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// Nobody was asked yet.
    Pending,
    /// Asked, and no verdict seen: it may have been authorised.
    Unknown,
    Authorised,
    PartlyCaptured,
    /// All that will be: the whole, or a part whose rest was let go.
    Captured,
    PartlyRefunded,
    /// All that was captured went back.
    Refunded,
    Declined,
    Voided,
    Expired,
}

impl PaymentState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Unknown => "unknown",
            Self::Authorised => "authorised",
            Self::PartlyCaptured => "partly_captured",
            Self::Captured => "captured",
            Self::PartlyRefunded => "partly_refunded",
            Self::Refunded => "refunded",
            Self::Declined => "declined",
            Self::Voided => "voided",
            Self::Expired => "expired",
        }
    }

    pub const ALL: [Self; 10] = [
        Self::Pending,
        Self::Unknown,
        Self::Authorised,
        Self::PartlyCaptured,
        Self::Captured,
        Self::PartlyRefunded,
        Self::Refunded,
        Self::Declined,
        Self::Voided,
        Self::Expired,
    ];

    /// In the order of [`Self::ALL`].
    pub const NAMES: &[&str] = &{
        let mut names = [""; Self::ALL.len()];
        let mut n = 0;
        while n < names.len() {
            names[n] = Self::ALL[n].as_str();
            n += 1;
        }
        names
    };

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether the provider said yes or no: until then its order can be neither confirmed nor
    /// cancelled, and a reconciler asks.
    pub fn has_verdict(self) -> bool {
        !matches!(self, Self::Pending | Self::Unknown)
    }

    /// Whether an order may count on the money.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Authorised | Self::PartlyCaptured | Self::Captured)
    }
}

/// Why a record can't be learnt, whenever it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOurs {
    #[error("the record is of another intent")]
    Intent,
    #[error("the record is in another currency")]
    Currency,
    #[error("the record has an amount that is not more than nothing")]
    Amount,
}

/// What the facts imply and don't hold. An event that is late makes one: look the intent up. One
/// that is there after a look-up is a contradiction, which a person must see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Gap {
    #[error("captured {captured} of {authorised} authorised, in minor units")]
    MoreCapturedThanAuthorised { captured: i64, authorised: i64 },
    #[error("refunded {refunded} of {captured} captured, in minor units")]
    MoreRefundedThanCaptured { refunded: i64, captured: i64 },
    #[error("authorised {authorised} of {asked} asked, in minor units")]
    MoreAuthorisedThanAsked { authorised: i64, asked: i64 },
    #[error("declined ({}), and authorised or captured as well", .0.code())]
    DeclinedAndTaken(Decline),
    #[error("one key stands for two amounts")]
    TwoAmounts,
}

/// An intent with everything asked and everything known. Both only grow, but for a step that the
/// provider would not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    intent: PaymentIntentId,
    amount: Money,
    asked: BTreeSet<Step>,
    facts: BTreeSet<Fact>,
}

impl Payment {
    pub fn of(intent: &PaymentIntent) -> Self {
        Self::from_rows(intent.id, intent.amount, [], [])
    }

    /// As its rows tell it, in any order.
    pub fn from_rows(
        intent: PaymentIntentId,
        amount: Money,
        asked: impl IntoIterator<Item = Step>,
        facts: impl IntoIterator<Item = Fact>,
    ) -> Self {
        let (asked, facts) = (asked.into_iter().collect(), facts.into_iter().collect());
        Self { intent, amount, asked, facts }
    }

    /// Adds what a provider said; `true` if something of it is new.
    ///
    /// A record is refused or taken for what it says, never for what was known before, as
    /// otherwise the order of two webhooks would decide.
    pub fn learn(&mut self, record: &ProviderRecord) -> Result<bool, NotOurs> {
        if record.intent != self.intent {
            return Err(NotOurs::Intent);
        }
        if record.currency != self.amount.currency {
            return Err(NotOurs::Currency);
        }
        if record.facts.iter().filter_map(minor_of).any(|minor| minor <= 0) {
            return Err(NotOurs::Amount);
        }
        let before = self.facts.len();
        self.facts.extend(&record.facts);
        Ok(self.facts.len() > before)
    }

    /// Writes a step down, if it may be asked. What is asked and unanswered counts as if it had
    /// happened, so that no order of answers takes or gives back too much.
    pub fn ask(&mut self, step: Step) -> Result<Asked, NotAllowed> {
        if self.is_answered(&step) {
            return Ok(Asked::Done);
        }
        if self.asked.contains(&step) {
            return Ok(Asked::Before);
        }
        match step {
            Step::Authorise => self.check_authorise()?,
            Step::Capture { id, minor } => self.check_capture(id, minor)?,
            Step::Refund { id, minor } => self.check_refund(id, minor)?,
            Step::Void => self.check_void()?,
        }
        self.asked.insert(step);
        Ok(Asked::Now)
    }

    /// Takes a step back that the provider refused or declined: it did not happen and won't.
    pub fn withdraw(&mut self, step: &Step) {
        self.asked.remove(step);
    }

    /// The steps whose outcome isn't known: a reconciler asks for each of them again.
    pub fn unanswered(&self) -> impl Iterator<Item = Step> {
        self.asked.iter().copied().filter(|step| !self.is_answered(step))
    }

    pub fn amount(&self) -> Money {
        self.amount
    }

    pub fn facts(&self) -> &BTreeSet<Fact> {
        &self.facts
    }

    /// All facts, as a provider would say them.
    pub fn record(&self) -> ProviderRecord {
        let (intent, currency) = (self.intent, self.amount.currency);
        ProviderRecord { intent, currency, facts: self.facts.clone() }
    }

    pub fn declined(&self) -> Option<Decline> {
        self.facts.iter().find_map(|fact| match fact {
            Fact::Declined { why } => Some(*why),
            _ => None,
        })
    }

    /// Whether what was set aside and not captured can no longer be.
    pub fn was_let_go(&self) -> bool {
        self.facts.contains(&Fact::Voided) || self.facts.contains(&Fact::Expired)
    }

    /// How much is or was set aside: at least what was captured, whose own event may be late.
    pub fn authorised(&self) -> i64 {
        self.said_authorised().unwrap_or(0).max(self.captured())
    }

    /// How much was taken in all: at least what was given back.
    pub fn captured(&self) -> i64 {
        self.said_captured().max(self.refunded())
    }

    /// How much was given back in all.
    pub fn refunded(&self) -> i64 {
        sum(&self.refunds())
    }

    pub fn state(&self) -> PaymentState {
        let (captured, refunded) = (self.captured(), self.refunded());
        if refunded > 0 {
            return match refunded < captured {
                true => PaymentState::PartlyRefunded,
                false => PaymentState::Refunded,
            };
        }
        if captured > 0 {
            // Its authorisation's event may be late: then it was for all that was asked.
            let whole = self.said_authorised().unwrap_or(self.amount.minor);
            return match captured < whole && !self.was_let_go() {
                true => PaymentState::PartlyCaptured,
                false => PaymentState::Captured,
            };
        }
        if self.facts.contains(&Fact::Voided) {
            return PaymentState::Voided;
        }
        if self.facts.contains(&Fact::Expired) {
            return PaymentState::Expired;
        }
        if self.said_authorised().is_some() {
            return PaymentState::Authorised;
        }
        if self.declined().is_some() {
            return PaymentState::Declined;
        }
        match self.asked.contains(&Step::Authorise) {
            true => PaymentState::Unknown,
            false => PaymentState::Pending,
        }
    }

    pub fn gap(&self) -> Option<Gap> {
        let authorised = self.said_authorised();
        let (captured, refunded) = (self.said_captured(), self.refunded());
        let (captures, refunds) = (self.captures(), self.refunds());
        let keys = captures.len() + refunds.len() + usize::from(authorised.is_some());
        if self.facts.iter().filter(|fact| minor_of(fact).is_some()).count() > keys {
            return Some(Gap::TwoAmounts);
        }
        if let Some(why) = self.declined()
            && (authorised.is_some() || captured > 0)
        {
            return Some(Gap::DeclinedAndTaken(why));
        }
        let authorised = authorised.unwrap_or(0);
        if authorised > self.amount.minor {
            return Some(Gap::MoreAuthorisedThanAsked { authorised, asked: self.amount.minor });
        }
        if captured > authorised {
            return Some(Gap::MoreCapturedThanAuthorised { captured, authorised });
        }
        if refunded > captured {
            return Some(Gap::MoreRefundedThanCaptured { refunded, captured });
        }
        None
    }

    fn check_authorise(&self) -> Result<(), NotAllowed> {
        // Nor once it was given up, answered or not.
        match self.state() {
            PaymentState::Pending if !self.asked.contains(&Step::Void) => Ok(()),
            state => Err(NotAllowed::Now(state)),
        }
    }

    fn check_capture(&self, id: CaptureId, minor: i64) -> Result<(), NotAllowed> {
        let Some(authorised) = self.said_authorised() else {
            return Err(NotAllowed::Now(self.state()));
        };
        if self.was_let_go() || self.asked.contains(&Step::Void) {
            return Err(NotAllowed::Now(self.state()));
        }
        let mut all = self.captures();
        for step in &self.asked {
            if let Step::Capture { id, minor } = *step {
                all.insert(id, minor);
            }
        }
        if all.contains_key(&id) {
            return Err(NotAllowed::KeyReused);
        }
        within(minor, authorised.min(self.amount.minor).saturating_sub(sum(&all)))
    }

    fn check_refund(&self, id: RefundId, minor: i64) -> Result<(), NotAllowed> {
        let captured = self.said_captured();
        if captured == 0 {
            return Err(NotAllowed::Now(self.state()));
        }
        let mut all = self.refunds();
        for step in &self.asked {
            if let Step::Refund { id, minor } = *step {
                all.insert(id, minor);
            }
        }
        if all.contains_key(&id) {
            return Err(NotAllowed::KeyReused);
        }
        within(minor, captured.saturating_sub(sum(&all)))
    }

    fn check_void(&self) -> Result<(), NotAllowed> {
        // A capture on its way may arrive first: what would be let go isn't known.
        if self.unanswered().any(|step| matches!(step, Step::Capture { .. })) {
            return Err(NotAllowed::Unanswered);
        }
        match self.captured() > 0 && self.captured() == self.authorised() {
            true => Err(NotAllowed::Now(self.state())),
            false => Ok(()),
        }
    }

    fn is_answered(&self, step: &Step) -> bool {
        match *step {
            Step::Authorise => self.state().has_verdict(),
            Step::Capture { id, minor } => self.facts.contains(&Fact::Captured { id, minor }),
            Step::Refund { id, minor } => self.facts.contains(&Fact::Refunded { id, minor }),
            // Nothing is set aside any more, whatever let it go.
            Step::Void => self.was_let_go() || self.declined().is_some(),
        }
    }

    fn said_authorised(&self) -> Option<i64> {
        let said = |fact: &Fact| match fact {
            Fact::Authorised { minor } => Some(*minor),
            _ => None,
        };
        self.facts.iter().filter_map(said).max()
    }

    fn said_captured(&self) -> i64 {
        sum(&self.captures())
    }

    /// The larger amount stands where one key has two: see [`Gap::TwoAmounts`].
    fn captures(&self) -> BTreeMap<CaptureId, i64> {
        let said = |fact: &Fact| match fact {
            Fact::Captured { id, minor } => Some((*id, *minor)),
            _ => None,
        };
        self.facts.iter().filter_map(said).collect()
    }

    fn refunds(&self) -> BTreeMap<RefundId, i64> {
        let said = |fact: &Fact| match fact {
            Fact::Refunded { id, minor } => Some((*id, *minor)),
            _ => None,
        };
        self.facts.iter().filter_map(said).collect()
    }
}

fn within(asked: i64, left: i64) -> Result<(), NotAllowed> {
    match asked {
        ..=0 => Err(NotAllowed::Nothing),
        _ if asked > left => Err(NotAllowed::TooMuch { asked, left }),
        _ => Ok(()),
    }
}

/// Saturating, as a provider may say anything.
fn sum<K>(amounts: &BTreeMap<K, i64>) -> i64 {
    amounts.values().fold(0, |sum: i64, minor| sum.saturating_add(*minor))
}

fn minor_of(fact: &Fact) -> Option<i64> {
    match fact {
        Fact::Authorised { minor }
        | Fact::Captured { minor, .. }
        | Fact::Refunded { minor, .. } => Some(*minor),
        Fact::Declined { .. } | Fact::Voided | Fact::Expired => None,
    }
}
