//! What is to be done about an order's payment next.
//!
//! It follows from where the order and its payment are, and from nothing else: whoever looks again,
//! after a crash or a lost answer, comes to the same step with the same key.

use super::{Payment, PaymentState, Step};
use crate::domain::{
    id::{CaptureId, RefundId},
    order::{OrderState, OrderStatus},
};
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Nothing until the order or the provider's word moves.
    Nothing,
    /// There is nothing to pay.
    Confirm,
    Ask(Step),
}

/// What else the answer depends on.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances {
    /// The time for which the order's goods were held is over.
    pub late: bool,
    /// Whether the shop takes the money itself once the order is confirmed.
    pub collects: bool,
    /// The key of a step that is new.
    pub fresh: Uuid,
}

pub fn due(order: &OrderState, payment: &Payment, of: Circumstances) -> Due {
    use OrderStatus::{Cancelled, Pending, Refunded};
    if payment.amount().minor == 0 {
        return if order.status == Pending { Due::Confirm } else { Due::Nothing };
    }
    // What was asked without an answer comes first: what it did decides the rest. An authorisation
    // that nobody waits for any more needs none, as it is given up instead.
    let given_up = order.status == Cancelled || (order.status == Pending && of.late);
    let open = payment.unanswered().find(|step| !(given_up && *step == Step::Authorise));
    if let Some(step) = open {
        return Due::Ask(step);
    }
    let back = payment.captured() - payment.refunded();
    if matches!(order.status, Cancelled | Refunded) && back > 0 {
        return Due::Ask(Step::Refund { id: RefundId(of.fresh), minor: back });
    }
    let state = payment.state();
    let is_open = matches!(
        state,
        PaymentState::Pending
            | PaymentState::Unknown
            | PaymentState::Authorised
            | PaymentState::PartlyCaptured
    );
    if given_up || (order.status == Refunded && state == PaymentState::Authorised) {
        return if is_open { Due::Ask(Step::Void) } else { Due::Nothing };
    }
    match (order.status, state) {
        (Pending, PaymentState::Pending) => Due::Ask(Step::Authorise),
        (Pending, _) => Due::Nothing,
        (_, PaymentState::Authorised) if of.collects => {
            let minor = payment.authorised().min(payment.amount().minor);
            Due::Ask(Step::Capture { id: CaptureId(of.fresh), minor })
        }
        _ => Due::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        id::{OrderId, PaymentIntentId},
        money::{Currency, Money},
        order::{Action, apply},
        payment::{Decline, Fact, MethodToken, PaymentIntent, PaymentMethod, ProviderRecord},
    };
    use proptest::prelude::*;

    const FRESH: Uuid = Uuid::from_u128(77);
    const CAPTURE: CaptureId = CaptureId(FRESH);

    fn payment(minor: i64) -> Payment {
        Payment::of(&PaymentIntent {
            id: PaymentIntentId(Uuid::from_u128(1)),
            order: OrderId(Uuid::from_u128(2)),
            amount: Money { minor, currency: Currency::EUR },
            method: PaymentMethod { provider: "test".into(), token: MethodToken::new("t") },
        })
    }

    fn learn(payment: &mut Payment, facts: &[Fact]) {
        let (intent, currency) = (PaymentIntentId(Uuid::from_u128(1)), Currency::EUR);
        let facts = facts.iter().copied().collect();
        payment.learn(&ProviderRecord { intent, currency, facts }).unwrap();
    }

    const NOW: Circumstances = Circumstances { late: false, collects: true, fresh: FRESH };
    const LATE: Circumstances = Circumstances { late: true, ..NOW };
    const BY_HAND: Circumstances = Circumstances { collects: false, ..NOW };

    fn after(actions: &[Action]) -> OrderState {
        let step = |state, action: &Action| apply(&state, *action).unwrap().state;
        actions.iter().fold(OrderState::PLACED, step)
    }

    fn paid(state: PaymentState) -> Action {
        Action::PaymentIs { state }
    }

    #[test]
    fn a_payment_goes_from_asking_to_the_money() {
        let mut payment = payment(100);
        assert_eq!(due(&OrderState::PLACED, &payment, NOW), Due::Ask(Step::Authorise));
        payment.ask(Step::Authorise).unwrap();
        let asked = after(&[paid(PaymentState::Unknown)]);
        assert_eq!(due(&asked, &payment, NOW), Due::Ask(Step::Authorise), "again, by its key");
        learn(&mut payment, &[Fact::Authorised { minor: 100 }]);
        let confirmed = after(&[paid(PaymentState::Unknown), paid(PaymentState::Authorised)]);
        let capture = Step::Capture { id: CAPTURE, minor: 100 };
        assert_eq!(due(&confirmed, &payment, NOW), Due::Ask(capture));
        assert_eq!(due(&confirmed, &payment, BY_HAND), Due::Nothing, "a person looks for it");
        payment.ask(capture).unwrap();
        let other = Circumstances { fresh: Uuid::from_u128(78), ..NOW };
        assert_eq!(due(&confirmed, &payment, other), Due::Ask(capture), "the same key again");
        learn(&mut payment, &[Fact::Captured { id: CAPTURE, minor: 100 }]);
        assert_eq!(due(&confirmed, &payment, NOW), Due::Nothing);
    }

    #[test]
    fn what_nobody_waits_for_any_more_is_given_up() {
        let mut payment = payment(100);
        assert_eq!(due(&OrderState::PLACED, &payment, LATE), Due::Ask(Step::Void));
        payment.ask(Step::Authorise).unwrap();
        let asked = after(&[paid(PaymentState::Unknown)]);
        assert_eq!(due(&asked, &payment, LATE), Due::Ask(Step::Void));
        payment.ask(Step::Void).unwrap();
        assert_eq!(due(&asked, &payment, LATE), Due::Ask(Step::Void), "until it is answered");
        learn(&mut payment, &[Fact::Declined { why: Decline::GivenUp }]);
        assert_eq!(due(&asked, &payment, LATE), Due::Nothing);
    }

    #[test]
    fn money_of_an_order_that_is_off_goes_back() {
        let mut taken = payment(100);
        learn(&mut taken, &[Fact::Authorised { minor: 100 }]);
        let cancelled = after(&[paid(PaymentState::Authorised), Action::Cancel]);
        assert_eq!(due(&cancelled, &taken, NOW), Due::Ask(Step::Void));
        learn(&mut taken, &[Fact::Captured { id: CAPTURE, minor: 100 }]);
        let refund = Step::Refund { id: RefundId(FRESH), minor: 100 };
        assert_eq!(due(&cancelled, &taken, NOW), Due::Ask(refund));
        learn(&mut taken, &[Fact::Refunded { id: RefundId(FRESH), minor: 100 }]);
        assert_eq!(due(&cancelled, &taken, NOW), Due::Nothing);
    }

    #[test]
    fn where_nothing_is_due_the_order_is_confirmed() {
        assert_eq!(due(&OrderState::PLACED, &payment(0), NOW), Due::Confirm);
        assert_eq!(due(&after(&[Action::Confirm]), &payment(0), NOW), Due::Nothing);
    }

    proptest! {
        /// Whatever is due may be asked, and doing it always comes to an end.
        #[test]
        fn doing_what_is_due_ends(
            cancel_at in 0..8usize, late_at in 0..8usize, declines in any::<bool>(), collects in any::<bool>(),
        ) {
            let (mut order, mut payment) = (OrderState::PLACED, payment(100));
            for turn in 0..12u128 {
                if turn as usize == cancel_at && let Ok(change) = apply(&order, Action::Cancel) {
                    order = change.state;
                }
                let late = turn as usize >= late_at;
                let fresh = Uuid::from_u128(1_000 + turn);
                let step = match due(&order, &payment, Circumstances { late, collects, fresh }) {
                    Due::Nothing if turn as usize > cancel_at.max(late_at) => return Ok(()),
                    Due::Nothing => continue,
                    Due::Confirm => unreachable!("there is something to pay"),
                    Due::Ask(step) => step,
                };
                prop_assert!(payment.ask(step).is_ok(), "{step:?} of {payment:?}");
                let fact = match step {
                    Step::Authorise if declines => Fact::Declined { why: Decline::Refused },
                    Step::Authorise => Fact::Authorised { minor: 100 },
                    Step::Capture { id, minor } => Fact::Captured { id, minor },
                    Step::Refund { id, minor } => Fact::Refunded { id, minor },
                    Step::Void => Fact::Voided,
                };
                learn(&mut payment, &[fact]);
                if let Ok(change) = apply(&order, Action::PaymentIs { state: payment.state() }) {
                    order = change.state;
                }
            }
            prop_assert!(false, "it never ends: {order:?} {payment:?}");
        }
    }
}
