//! Any order of facts ends in one state, and what we ask never takes too much.

use super::*;
use crate::domain::{id::OrderId, money::Money};
use proptest::{collection::vec, prelude::*, sample::Index};
use std::collections::BTreeMap;
use uuid::Uuid;

const AMOUNT: i64 = 100;

fn intent() -> PaymentIntent {
    PaymentIntent {
        id: PaymentIntentId(Uuid::from_u128(1)),
        order: OrderId(Uuid::from_u128(2)),
        amount: Money { minor: AMOUNT, currency: Currency::EUR },
        method: PaymentMethod { provider: "test".into(), token: MethodToken::new("secret") },
    }
}

fn capture_id(key: u8) -> CaptureId {
    CaptureId(Uuid::from_u128(key.into()))
}

fn refund_id(key: u8) -> RefundId {
    RefundId(Uuid::from_u128(key.into()))
}

fn record(facts: impl IntoIterator<Item = Fact>) -> ProviderRecord {
    ProviderRecord {
        intent: intent().id,
        currency: Currency::EUR,
        facts: facts.into_iter().collect(),
    }
}

fn knowing(facts: &[Fact]) -> Payment {
    let mut payment = Payment::of(&intent());
    payment.ask(Step::Authorise).unwrap();
    payment.learn(&record(facts.iter().copied())).unwrap();
    payment
}

const AUTHORISED: Fact = Fact::Authorised { minor: AMOUNT };

fn captured(key: u8, minor: i64) -> Fact {
    Fact::Captured { id: capture_id(key), minor }
}

fn refunded(key: u8, minor: i64) -> Fact {
    Fact::Refunded { id: refund_id(key), minor }
}

#[test]
fn the_state_is_read_from_the_facts() {
    use PaymentState::*;
    let declined = Fact::Declined { why: Decline::Refused };
    for (facts, state) in [
        (&[][..], Unknown),
        (&[declined], Declined),
        (&[AUTHORISED], Authorised),
        (&[AUTHORISED, Fact::Voided], Voided),
        (&[Fact::Voided], Voided),
        (&[AUTHORISED, Fact::Expired], Expired),
        (&[AUTHORISED, captured(1, 60)], PartlyCaptured),
        (&[AUTHORISED, captured(1, 60), captured(2, 40)], Captured),
        (&[AUTHORISED, captured(1, 60), Fact::Voided], Captured),
        (&[AUTHORISED, captured(1, 100), refunded(1, 30)], PartlyRefunded),
        (&[AUTHORISED, captured(1, 100), refunded(1, 30), refunded(2, 70)], Refunded),
        // Events that came before those they follow from.
        (&[captured(1, 100)], Captured),
        (&[captured(1, 60)], PartlyCaptured),
        (&[refunded(1, 100)], Refunded),
    ] {
        assert_eq!(knowing(facts).state(), state, "{facts:?}");
    }
    assert_eq!(Payment::of(&intent()).state(), Pending);
}

#[test]
fn a_late_event_leaves_a_gap_and_a_contradiction_stays_one() {
    assert_eq!(knowing(&[AUTHORISED, captured(1, 60)]).gap(), None);
    assert!(knowing(&[captured(1, 60)]).gap().is_some());
    assert!(knowing(&[AUTHORISED, captured(1, 60), refunded(1, 61)]).gap().is_some());
    let twice = knowing(&[AUTHORISED, captured(1, 60), captured(1, 70)]);
    assert_eq!((twice.gap(), twice.captured()), (Some(Gap::TwoAmounts), 70));
    let both = knowing(&[AUTHORISED, Fact::Declined { why: Decline::Refused }]);
    assert_eq!(both.gap(), Some(Gap::DeclinedAndTaken(Decline::Refused)));
    assert_eq!(both.state(), PaymentState::Authorised, "money that is held is never overlooked");
    let more = knowing(&[Fact::Authorised { minor: AMOUNT + 1 }]);
    assert!(matches!(more.gap(), Some(Gap::MoreAuthorisedThanAsked { .. })));
}

#[test]
fn what_is_not_of_this_payment_is_not_learnt() {
    let mut payment = knowing(&[]);
    let before = payment.clone();
    let other = ProviderRecord { intent: PaymentIntentId(Uuid::nil()), ..record([AUTHORISED]) };
    assert_eq!(payment.learn(&other), Err(NotOurs::Intent));
    let dollars = ProviderRecord { currency: Currency::USD, ..record([AUTHORISED]) };
    assert_eq!(payment.learn(&dollars), Err(NotOurs::Currency));
    for minor in [0, -1, i64::MIN] {
        assert_eq!(payment.learn(&record([captured(1, minor)])), Err(NotOurs::Amount));
    }
    assert_eq!(payment, before);
}

#[test]
fn a_step_is_asked_once_and_refused_with_its_reason() {
    let mut payment = Payment::of(&intent());
    let capture = |key, minor| Step::Capture { id: capture_id(key), minor };
    let refund = |key, minor| Step::Refund { id: refund_id(key), minor };
    assert_eq!(payment.ask(capture(1, 1)), Err(NotAllowed::Now(PaymentState::Pending)));
    assert_eq!(payment.ask(Step::Authorise), Ok(Asked::Now));
    assert_eq!(payment.ask(Step::Authorise), Ok(Asked::Before));
    assert_eq!(payment.unanswered().collect::<Vec<_>>(), [Step::Authorise]);
    payment.learn(&record([AUTHORISED])).unwrap();
    assert_eq!(payment.ask(Step::Authorise), Ok(Asked::Done));

    assert_eq!(payment.ask(capture(1, 0)), Err(NotAllowed::Nothing));
    assert_eq!(payment.ask(capture(1, 60)), Ok(Asked::Now));
    assert_eq!(payment.ask(capture(1, 50)), Err(NotAllowed::KeyReused));
    // The first has no answer yet, and may have happened.
    assert_eq!(payment.ask(capture(2, 41)), Err(NotAllowed::TooMuch { asked: 41, left: 40 }));
    assert_eq!(payment.ask(Step::Void), Err(NotAllowed::Unanswered));
    assert_eq!(payment.ask(refund(1, 1)), Err(NotAllowed::Now(PaymentState::Authorised)));
    payment.learn(&record([captured(1, 60)])).unwrap();
    assert_eq!(payment.ask(capture(1, 60)), Ok(Asked::Done));
    assert_eq!(payment.ask(refund(1, 60)), Ok(Asked::Now));
    assert_eq!(payment.ask(refund(2, 1)), Err(NotAllowed::TooMuch { asked: 1, left: 0 }));
    // The provider refused it: it is free again.
    payment.withdraw(&refund(1, 60));
    assert_eq!(payment.ask(refund(2, 1)), Ok(Asked::Now));
    assert_eq!(payment.ask(Step::Void), Ok(Asked::Now));
    assert_eq!(payment.ask(capture(3, 1)), Err(NotAllowed::Now(PaymentState::PartlyCaptured)));
}

#[test]
fn an_intent_that_was_given_up_is_never_authorised() {
    let mut payment = Payment::of(&intent());
    assert_eq!(payment.ask(Step::Void), Ok(Asked::Now));
    assert_eq!(payment.ask(Step::Authorise), Err(NotAllowed::Now(PaymentState::Pending)));
}

#[test]
fn a_token_is_in_no_debug_text() {
    assert!(!format!("{:?}", intent()).contains("secret"));
}

#[test]
fn every_decline_has_a_code_of_its_own_and_words() {
    let codes: BTreeSet<_> = Decline::ALL.iter().map(|why| why.code()).collect();
    assert_eq!(codes.len(), Decline::ALL.len());
    for why in Decline::ALL {
        assert_eq!(serde_json::to_value(why).unwrap(), why.code());
        assert!(why.words().ends_with('.'));
    }
}

fn any_fact() -> impl Strategy<Value = Fact> {
    let minor = prop_oneof![1..=150i64, Just(i64::MAX)];
    prop_oneof![
        minor.clone().prop_map(|minor| Fact::Authorised { minor }),
        (0..6usize).prop_map(|n| Fact::Declined { why: Decline::ALL[n] }),
        (0..4u8, minor.clone()).prop_map(|(key, minor)| captured(key, minor)),
        (0..4u8, minor).prop_map(|(key, minor)| refunded(key, minor)),
        Just(Fact::Voided),
        Just(Fact::Expired),
    ]
}

/// A provider that keeps its rules strictly and knows nothing of [`Payment`].
#[derive(Default)]
struct Provider {
    declines: bool,
    authorised: bool,
    declined: bool,
    let_go: bool,
    captures: BTreeMap<CaptureId, i64>,
    refunds: BTreeMap<RefundId, i64>,
    told: Vec<Fact>,
}

impl Provider {
    /// What it was sent, again or for the first time.
    fn receive(&mut self, step: Step) {
        let captured: i64 = self.captures.values().sum();
        match step {
            Step::Authorise if self.authorised || self.declined || self.let_go => {}
            Step::Authorise if self.declines => {
                self.declined = true;
                self.told.push(Fact::Declined { why: Decline::Refused });
            }
            Step::Authorise => {
                self.authorised = true;
                self.told.push(AUTHORISED);
            }
            Step::Capture { id, minor } => match self.captures.get(&id) {
                Some(before) => assert_eq!(*before, minor, "a key was used twice"),
                // It lapsed: no fault of the shop's.
                None if self.let_go => {}
                None => {
                    assert!(self.authorised && captured + minor <= AMOUNT, "took too much");
                    self.captures.insert(id, minor);
                    self.told.push(Fact::Captured { id, minor });
                }
            },
            Step::Refund { id, minor } => match self.refunds.get(&id) {
                Some(before) => assert_eq!(*before, minor, "a key was used twice"),
                None => {
                    let refunded: i64 = self.refunds.values().sum();
                    assert!(refunded + minor <= captured, "gave back too much");
                    self.refunds.insert(id, minor);
                    self.told.push(Fact::Refunded { id, minor });
                }
            },
            Step::Void if self.let_go || self.declined => {}
            Step::Void => {
                assert!(captured < AMOUNT, "nothing is left to let go");
                self.let_go = true;
                self.told.push(Fact::Voided);
            }
        }
    }

    fn lapse(&mut self) {
        if self.authorised && !self.let_go {
            self.let_go = true;
            self.told.push(Fact::Expired);
        }
    }
}

#[derive(Debug, Clone)]
enum Deed {
    /// The shop asks, or asks again.
    Ask(Step),
    /// Something asked before reaches the provider, maybe again.
    Arrive(Index),
    /// Something the provider told reaches the shop, maybe again.
    Tell(Index),
    Lapse,
}

fn any_deed() -> impl Strategy<Value = Deed> {
    // All, the half and too much, often; and what nobody thinks of.
    let minor = || prop_oneof![3 => Just(AMOUNT), 3 => Just(AMOUNT / 2), 2 => -1..=120i64];
    let step = prop_oneof![
        2 => Just(Step::Authorise),
        4 => (0..4u8, minor())
            .prop_map(|(key, minor)| Step::Capture { id: capture_id(key), minor }),
        4 => (0..4u8, minor())
            .prop_map(|(key, minor)| Step::Refund { id: refund_id(key), minor }),
        2 => Just(Step::Void),
    ];
    prop_oneof![
        8 => step.prop_map(Deed::Ask),
        8 => any::<Index>().prop_map(Deed::Arrive),
        8 => any::<Index>().prop_map(Deed::Tell),
        1 => Just(Deed::Lapse),
    ]
}

proptest! {
    #[test]
    fn facts_end_in_one_state_in_any_order_and_number(
        facts in vec(any_fact(), 0..12),
        repeats in vec(any::<Index>(), 0..12),
        places in vec(any::<u32>(), 24),
        together in 1..4usize,
    ) {
        let mut others = facts.clone();
        if !facts.is_empty() {
            others.extend(repeats.iter().map(|at| *at.get(&facts)));
        }
        let mut order: Vec<_> = places.iter().zip(others).collect();
        order.sort_by_key(|(place, _)| **place);
        let others: Vec<Fact> = order.into_iter().map(|(_, fact)| fact).collect();

        let (mut one, mut other) = (Payment::of(&intent()), Payment::of(&intent()));
        for fact in &facts {
            one.learn(&record([*fact])).unwrap();
        }
        for some in others.chunks(together) {
            other.learn(&record(some.iter().copied())).unwrap();
        }
        prop_assert_eq!(one.state(), other.state());
        prop_assert_eq!(one.gap(), other.gap());
        prop_assert_eq!(one, other);
    }

    /// G27, whatever a provider says.
    #[test]
    fn refunded_is_within_captured_and_captured_within_authorised(
        facts in vec(any_fact(), 0..12),
    ) {
        let payment = knowing(&facts);
        prop_assert!(0 <= payment.refunded());
        prop_assert!(payment.refunded() <= payment.captured());
        prop_assert!(payment.captured() <= payment.authorised());
    }

    /// Calls and answers are lost, late, repeated and overtaken; the provider asserts its bounds.
    #[test]
    fn no_order_of_calls_and_answers_takes_or_gives_back_too_much(
        declines in prop::bool::weighted(0.1),
        deeds in vec(any_deed(), 0..80),
    ) {
        let mut provider = Provider { declines, ..Provider::default() };
        let mut payment = Payment::of(&intent());
        let mut sent = Vec::new();
        for deed in deeds {
            match deed {
                Deed::Ask(step) => if payment.ask(step).is_ok() { sent.push(step) },
                Deed::Arrive(at) => if !sent.is_empty() { provider.receive(*at.get(&sent)) },
                Deed::Tell(at) => if !provider.told.is_empty() {
                    payment.learn(&record([*at.get(&provider.told)])).unwrap();
                },
                Deed::Lapse => provider.lapse(),
            }
        }
        // A look-up tells the rest; what is still open is asked again, and nothing stays open.
        payment.learn(&record(provider.told.iter().copied())).unwrap();
        let open: Vec<_> = payment.unanswered().collect();
        for step in open {
            provider.receive(step);
        }
        payment.learn(&record(provider.told.iter().copied())).unwrap();
        prop_assert_eq!(payment.gap(), None);
        prop_assert_eq!(payment.captured(), provider.captures.values().sum::<i64>());
        prop_assert_eq!(payment.refunded(), provider.refunds.values().sum::<i64>());
        let left: Vec<_> = payment.unanswered().collect();
        let lapsed = |step: &Step| matches!(step, Step::Capture { .. }) && provider.let_go;
        prop_assert!(left.iter().all(lapsed), "{:?}", left);
    }
}
