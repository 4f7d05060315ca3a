use super::*;
use proptest::{prelude::*, sample::select};

const PAYMENTS: [PaymentState; 10] = PaymentState::ALL;

fn actions() -> Vec<Action> {
    let mut all = vec![
        Action::Confirm,
        Action::Process,
        Action::Ship,
        Action::Complete,
        Action::Cancel,
        Action::Refund { restock: true },
        Action::Refund { restock: false },
        Action::HoldEnds,
    ];
    all.extend(PAYMENTS.map(|state| Action::PaymentIs { state }));
    all
}

/// Written out on purpose: another way for an order to go must change a line here too.
#[test]
fn an_order_goes_these_ways_and_no_other() {
    let mut ways: Vec<(&str, &str)> = Vec::new();
    for status in OrderStatus::ALL {
        for payment in PAYMENTS {
            for fulfilment in FulfilmentStatus::ALL {
                let state = OrderState { status: *status, payment, fulfilment: *fulfilment };
                for action in actions() {
                    let Ok(change) = apply(&state, action) else { continue };
                    if change.state.status != *status {
                        ways.push((status.as_str(), change.state.status.as_str()));
                    }
                }
            }
        }
    }
    ways.sort_unstable();
    ways.dedup();
    assert_eq!(
        ways,
        [
            ("completed", "refunded"),
            ("confirmed", "cancelled"),
            ("confirmed", "processing"),
            ("confirmed", "refunded"),
            ("confirmed", "shipped"),
            ("pending", "cancelled"),
            ("pending", "confirmed"),
            ("processing", "cancelled"),
            ("processing", "refunded"),
            ("processing", "shipped"),
            ("shipped", "completed"),
            ("shipped", "refunded"),
        ]
    );
}

#[test]
fn a_verdict_decides_a_pending_order() {
    let pending = OrderState { payment: PaymentState::Unknown, ..OrderState::PLACED };
    let of = |state| apply(&pending, Action::PaymentIs { state }).unwrap();
    let confirmed = of(PaymentState::Authorised);
    assert_eq!(confirmed.state.status, OrderStatus::Confirmed);
    assert_eq!((confirmed.stock, confirmed.money), (None, Some(MoneyWish::Capture)));
    let declined = of(PaymentState::Declined);
    assert_eq!(declined.state.status, OrderStatus::Cancelled);
    assert_eq!((declined.stock, declined.money), (Some(StockEffect::Release), None));
    let captured = of(PaymentState::Captured);
    assert_eq!((captured.state.status, captured.money), (OrderStatus::Confirmed, None));
}

#[test]
fn an_order_whose_payment_is_under_way_waits_for_the_answer() {
    let pending = OrderState { payment: PaymentState::Unknown, ..OrderState::PLACED };
    for action in [Action::Confirm, Action::Cancel, Action::HoldEnds] {
        assert_eq!(apply(&pending, action), Err(Refusal::PaymentUnderWay), "{action:?}");
    }
}

#[test]
fn money_that_comes_for_a_cancelled_order_goes_back() {
    let off = OrderState { status: OrderStatus::Cancelled, ..OrderState::PLACED };
    let of = |state| apply(&off, Action::PaymentIs { state }).unwrap();
    assert_eq!(of(PaymentState::Authorised).money, Some(MoneyWish::Void));
    assert_eq!(of(PaymentState::Captured).money, Some(MoneyWish::Refund));
    assert_eq!(of(PaymentState::Declined).money, None);
    assert_eq!(of(PaymentState::Captured).state.status, OrderStatus::Cancelled);
}

#[test]
fn a_refusal_says_why() {
    let shipped = OrderState { status: OrderStatus::Shipped, ..OrderState::PLACED };
    let words = |action| apply(&shipped, action).unwrap_err().to_string();
    assert_eq!(words(Action::Cancel), "an order that is shipped can't be cancelled");
    assert_eq!(
        words(Action::Refund { restock: true }),
        "nothing was paid, so nothing can be given back"
    );
}

#[test]
fn texts_are_read_back() {
    for status in OrderStatus::ALL {
        assert_eq!(OrderStatus::parse(status.as_str()), Some(*status));
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
    }
    for status in FulfilmentStatus::ALL {
        assert_eq!(FulfilmentStatus::parse(status.as_str()), Some(*status));
    }
    assert_eq!(OrderStatus::parse("lost"), None);
}

proptest! {
    /// Whatever is asked in whatever order: goods that were set aside are let go or sent exactly
    /// once, come back only after they left, and an order that has ended stays so.
    #[test]
    fn goods_leave_once_and_the_end_is_the_end(
        asked in prop::collection::vec(select(actions()), 0..60),
    ) {
        let mut state = OrderState::PLACED;
        let (mut released, mut consumed, mut restocked) = (0, 0, 0);
        for action in asked {
            let before = state;
            let Ok(change) = apply(&state, action) else { continue };
            prop_assert_ne!(change.state, before, "a change changes something");
            state = change.state;
            match change.stock {
                Some(StockEffect::Release) => released += 1,
                Some(StockEffect::Consume) => consumed += 1,
                Some(StockEffect::Restock) => restocked += 1,
                None => {}
            }
            let ended = [OrderStatus::Cancelled, OrderStatus::Refunded].contains(&before.status);
            prop_assert!(!ended || state.status == before.status, "{:?} → {:?}", before, state);
            prop_assert_eq!(state.holds_stock(), released + consumed == 0);
            prop_assert!(released + consumed <= 1);
            prop_assert!(restocked <= consumed);
        }
    }
}
