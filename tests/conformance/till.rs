//! Payments through `ports::writer`, read back by `ports::till` and `ports::invoices`.

use crate::shop::{Shop, on_both_databases};
use std::collections::BTreeSet;
use stoa::{
    domain::{
        id::{CaptureId, CustomerId, PaymentIntentId, RefundId},
        money::Currency,
        order::{Action, Order, OrderStatus, OrderStep},
        payment::{Asked, Decline, Fact, NotAllowed, NotOurs, PaymentState, ProviderRecord, Step},
        placing::Placed,
        time::Micros,
    },
    ports::{
        clock::{Clock, Ids},
        invoices::InvoiceBooks,
        orders::{OrderMoved, OrderWrite, Orders},
        till::{PaymentAct, PaymentKept, PaymentNow, PaymentWrite, Till},
        writer::{Write, Written},
    },
};

on_both_databases![
    a_payment_goes_from_asking_to_the_money,
    what_goes_on_is_asked_for_along_with_what_was_learnt,
    what_comes_together_is_kept_as_if_it_came_one_after_the_other,
    what_is_told_again_changes_nothing,
    a_decline_cancels_the_order_and_gives_its_goods_back,
    a_step_that_may_not_be_asked_is_refused,
    what_a_provider_refused_can_be_asked_anew,
    a_cancelled_orders_money_is_due_at_once,
    what_waits_for_an_answer_is_looked_at_when_its_time_is_over,
    nobody_elses_record_is_learnt,
    what_is_owed_by_invoice_is_summed_by_customer,
    a_cart_that_was_edited_is_not_ordered,
];

const LATER: i64 = 5_000_000;

impl Shop {
    fn payment_write(&self, intent: PaymentIntentId, act: PaymentAct) -> PaymentWrite {
        let (at, by) = (self.source.now(), "system".to_owned());
        let again = Micros(at.0 + LATER);
        PaymentWrite { intent, act, by, at, again, collects: true, goes_on: None }
    }

    async fn keep(&mut self, intent: PaymentIntentId, act: PaymentAct) -> PaymentKept {
        let write = self.payment_write(intent, act);
        match self.writer.commit(vec![Write::Payment(write)]).await.swap_remove(0).unwrap() {
            Written::Payment(kept) => kept,
            other => panic!("{other:?}"),
        }
    }

    async fn ask(&mut self, order: &Order, step: Step) -> (PaymentNow, Option<Asked>) {
        match self.keep(order.payment, PaymentAct::Ask(step)).await {
            PaymentKept::Done { now, asked, .. } => (*now, asked),
            other => panic!("{other:?}"),
        }
    }

    async fn learn(&mut self, order: &Order, facts: &[Fact]) -> PaymentNow {
        let act = PaymentAct::Learn { record: record(order, facts), withdrawn: None };
        match self.keep(order.payment, act).await {
            PaymentKept::Done { now, .. } => *now,
            other => panic!("{other:?}"),
        }
    }

    async fn due(&self, after: i64) -> Vec<PaymentIntentId> {
        let due = self.store.due(Micros(self.source.now().0 + after), 10).await.unwrap();
        for now in &due {
            let read = Till::payment(&self.store, now.intent.id).await.unwrap();
            assert_eq!(read.as_ref(), Some(now), "read alone and among others it is the same");
        }
        due.iter().map(|now| now.intent.id).collect()
    }

    /// An order that its payment was asked for.
    async fn asked(&mut self) -> Order {
        self.stocked(&[("A", 9)]).await;
        let order = self.place(&[("A", 2)]).await;
        self.ask(&order, Step::Authorise).await;
        order
    }
}

fn record(order: &Order, facts: &[Fact]) -> ProviderRecord {
    let facts: BTreeSet<_> = facts.iter().copied().collect();
    ProviderRecord { intent: order.payment, currency: Currency::USD, facts }
}

fn total(order: &Order) -> i64 {
    order.summary.total
}

async fn a_payment_goes_from_asking_to_the_money(mut shop: Shop) {
    shop.stocked(&[("A", 9)]).await;
    let order = shop.place(&[("A", 2)]).await;
    assert_eq!(shop.due(0).await, [order.payment], "as soon as it is placed");
    let (now, asked) = shop.ask(&order, Step::Authorise).await;
    assert_eq!(asked, Some(Asked::Now));
    assert_eq!(now.order.state.payment, PaymentState::Unknown);
    assert_eq!(shop.due(0).await, [], "it is waited for");
    let minor = total(&order);
    let now = shop.learn(&order, &[Fact::Authorised { minor }]).await;
    assert_eq!(now.order.state.status, OrderStatus::Confirmed);
    let capture = Step::Capture { id: CaptureId(shop.source.next()), minor };
    let Step::Capture { id, .. } = capture else { unreachable!() };
    assert_eq!(shop.ask(&order, capture).await.1, Some(Asked::Now));
    assert_eq!(shop.ask(&order, capture).await.1, Some(Asked::Before));
    let now = shop.learn(&order, &[Fact::Captured { id, minor }]).await;
    assert_eq!(now.order.state.payment, PaymentState::Captured);
    assert_eq!(shop.due(i64::from(u32::MAX) * 1_000_000).await, [], "nothing is left to do");
    // Read back by others as the writer told it.
    assert_eq!(Till::payment(&shop.store, order.payment).await.unwrap(), Some(now.clone()));
    assert_eq!(shop.store.of_order(order.id).await.unwrap(), Some(now.clone()));
    assert_eq!(InvoiceBooks::payment(&shop.store, order.payment).await.unwrap(), Some(now.payment));
}

async fn what_goes_on_is_asked_for_along_with_what_was_learnt(mut shop: Shop) {
    let order = shop.asked().await;
    let (minor, fresh) = (total(&order), shop.source.next());
    let learn =
        |facts: &[Fact]| PaymentAct::Learn { record: record(&order, facts), withdrawn: None };
    let write = shop.payment_write(order.payment, learn(&[Fact::Authorised { minor }]));
    let write = Write::Payment(PaymentWrite { goes_on: Some(fresh), ..write });
    let capture = Step::Capture { id: CaptureId(fresh), minor };
    let first = shop.writer.commit(vec![write.clone()]).await.swap_remove(0).unwrap();
    let Written::Payment(PaymentKept::Done { now, asked: None, next }) = first else {
        panic!("{first:?}")
    };
    assert_eq!(next, Some(capture));
    assert_eq!(now.order.state.status, OrderStatus::Confirmed);
    assert_eq!(Till::payment(&shop.store, order.payment).await.unwrap(), Some(*now));
    assert_eq!(shop.ask(&order, capture).await.1, Some(Asked::Before), "its row is there");
    // Learnt again, there is nothing more to write down.
    let again = shop.writer.commit(vec![write]).await.swap_remove(0).unwrap();
    assert!(matches!(&again, Written::Payment(PaymentKept::Done { next: None, .. })), "{again:?}");
    let now = shop.learn(&order, &[Fact::Captured { id: CaptureId(fresh), minor }]).await;
    assert_eq!(now.order.state.payment, PaymentState::Captured);
    assert_eq!(shop.due(i64::from(u32::MAX) * 1_000_000).await, []);
}

async fn what_comes_together_is_kept_as_if_it_came_one_after_the_other(mut shop: Shop) {
    shop.stocked(&[("A", 9)]).await;
    let (one, two) = (shop.place(&[("A", 2)]).await, shop.place(&[("A", 3)]).await);
    let minor = total(&one);
    let ask = |shop: &Shop, order: &Order, step| {
        Write::Payment(shop.payment_write(order.payment, PaymentAct::Ask(step)))
    };
    let learn = |shop: &Shop, order: &Order, fact| {
        let act = PaymentAct::Learn { record: record(order, &[fact]), withdrawn: None };
        Write::Payment(shop.payment_write(order.payment, act))
    };
    let (by, note, at) = ("user:1".to_owned(), "not wanted".to_owned(), shop.source.now());
    let cancel = OrderWrite {
        order: two.id,
        action: Action::Cancel,
        by,
        note,
        at,
        if_version: Some(two.version),
    };
    let second = Step::Capture { id: CaptureId(shop.source.next()), minor };
    let writes = vec![
        ask(&shop, &one, Step::Authorise),
        Write::Order(cancel.clone()),
        learn(&shop, &one, Fact::Authorised { minor }),
        ask(&shop, &one, Step::Authorise),
        ask(&shop, &one, second),
        Write::Order(cancel),
    ];
    let answers = shop.writer.commit(writes).await;
    let asked = |place: usize| match &answers[place] {
        Ok(Written::Payment(PaymentKept::Done { now, asked, .. })) => {
            (now.order.version, now.order.state.payment, *asked)
        }
        other => panic!("{place}: {other:?}"),
    };
    assert_eq!(asked(0), (2, PaymentState::Unknown, Some(Asked::Now)));
    assert_eq!(asked(2).2, None);
    assert_eq!(asked(3).2, Some(Asked::Done));
    assert_eq!(asked(4).2, Some(Asked::Now));
    let Ok(Written::Order(OrderMoved::Moved(cancelled))) = &answers[1] else {
        panic!("{:?}", answers[1])
    };
    let Ok(Written::Order(OrderMoved::Stale(again))) = &answers[5] else {
        panic!("{:?}", answers[5])
    };
    assert_eq!(cancelled, again);
    // And so it stands in the rows.
    let now = Till::payment(&shop.store, one.payment).await.unwrap().unwrap();
    assert_eq!((now.order.version, now.order.state.payment), (asked(4).0, asked(4).1));
    assert_eq!(shop.ask(&one, second).await.1, Some(Asked::Before));
    let now = Till::payment(&shop.store, two.payment).await.unwrap().unwrap();
    assert_eq!(now.order, *cancelled);
    assert_eq!(shop.level("A").await, (9, 2), "the cancelled order's goods are back");
    let versions = |steps: Vec<OrderStep>| steps.iter().map(|s| s.state).collect::<Vec<_>>();
    let history = versions(shop.store.steps(one.id).await.unwrap());
    assert_eq!(history.len() as i64, asked(4).0 - 1, "each move has its line: {history:?}");
    assert_eq!(shop.due(0).await, [two.payment], "only what the cancelled one was asked");
}

async fn what_is_told_again_changes_nothing(mut shop: Shop) {
    let order = shop.asked().await;
    let minor = total(&order);
    let facts = [Fact::Authorised { minor }];
    let first = shop.learn(&order, &facts).await;
    let again = shop.learn(&order, &facts).await;
    assert_eq!(first, again);
    assert_eq!(again.payment.facts().len(), 1);
}

async fn a_decline_cancels_the_order_and_gives_its_goods_back(mut shop: Shop) {
    let order = shop.asked().await;
    assert_eq!(shop.level("A").await, (9, 2));
    let now = shop.learn(&order, &[Fact::Declined { why: Decline::Refused }]).await;
    assert_eq!(now.order.state.status, OrderStatus::Cancelled);
    assert_eq!(shop.level("A").await, (9, 0));
    assert_eq!(shop.due(i64::from(u32::MAX) * 1_000_000).await, []);
}

async fn a_step_that_may_not_be_asked_is_refused(mut shop: Shop) {
    let order = shop.asked().await;
    let minor = total(&order);
    let capture = Step::Capture { id: CaptureId(shop.source.next()), minor };
    let kept = shop.keep(order.payment, PaymentAct::Ask(capture)).await;
    assert_eq!(kept, PaymentKept::NotAllowed(NotAllowed::Now(PaymentState::Unknown)));
    let nobody = PaymentIntentId(shop.source.next());
    let at = shop.source.now();
    let write = PaymentWrite {
        intent: nobody,
        act: PaymentAct::Wait,
        by: "system".into(),
        at,
        again: at,
        collects: true,
        goes_on: None,
    };
    let answers = shop.writer.commit(vec![Write::Payment(write)]).await;
    assert_eq!(answers, [Ok(Written::Absent)]);
}

async fn what_a_provider_refused_can_be_asked_anew(mut shop: Shop) {
    let order = shop.asked().await;
    let minor = total(&order);
    shop.learn(&order, &[Fact::Authorised { minor }]).await;
    let first = Step::Capture { id: CaptureId(shop.source.next()), minor };
    shop.ask(&order, first).await;
    let act = PaymentAct::Learn { record: record(&order, &[]), withdrawn: Some(first) };
    shop.keep(order.payment, act).await;
    let second = Step::Capture { id: CaptureId(shop.source.next()), minor };
    assert_eq!(shop.ask(&order, second).await.1, Some(Asked::Now));
}

async fn a_cancelled_orders_money_is_due_at_once(mut shop: Shop) {
    let order = shop.asked().await;
    let minor = total(&order);
    let id = CaptureId(shop.source.next());
    shop.learn(&order, &[Fact::Authorised { minor }, Fact::Captured { id, minor }]).await;
    assert_eq!(shop.due(LATER * 2).await, []);
    let (by, at) = ("user:1".to_owned(), shop.source.now());
    let cancel = OrderWrite {
        order: order.id,
        action: Action::Cancel,
        by,
        note: String::new(),
        at,
        if_version: None,
    };
    shop.writer.commit(vec![Write::Order(cancel)]).await.swap_remove(0).unwrap();
    assert_eq!(shop.due(0).await, [order.payment]);
    let refund = RefundId(shop.source.next());
    shop.ask(&order, Step::Refund { id: refund, minor }).await;
    let now = shop.learn(&order, &[Fact::Refunded { id: refund, minor }]).await;
    assert_eq!(now.order.state.payment, PaymentState::Refunded);
    assert_eq!(shop.due(LATER * 2).await, []);
}

async fn what_waits_for_an_answer_is_looked_at_when_its_time_is_over(mut shop: Shop) {
    let order = shop.asked().await;
    // The hold of these tests is a second, and the next look five.
    let kept = shop.keep(order.payment, PaymentAct::Wait).await;
    assert!(matches!(kept, PaymentKept::Done { .. }), "{kept:?}");
    assert_eq!(shop.due(0).await, []);
    assert_eq!(shop.due(1_000_000).await, [order.payment], "not after its goods are let go");
}

async fn nobody_elses_record_is_learnt(mut shop: Shop) {
    let order = shop.asked().await;
    let mut foreign = record(&order, &[Fact::Authorised { minor: 1 }]);
    foreign.currency = Currency::EUR;
    let act = PaymentAct::Learn { record: foreign, withdrawn: None };
    let kept = shop.keep(order.payment, act).await;
    assert_eq!(kept, PaymentKept::NotOurs(NotOurs::Currency));
    let now = Till::payment(&shop.store, order.payment).await.unwrap().unwrap();
    assert!(now.payment.facts().is_empty());
}

async fn what_is_owed_by_invoice_is_summed_by_customer(mut shop: Shop) {
    shop.stocked(&[("A", 9)]).await;
    let customer = CustomerId(shop.source.next());
    let mut placings = Vec::new();
    for (provider, of) in [
        ("invoice", Some(customer)),
        ("invoice", Some(customer)),
        ("test", Some(customer)),
        ("invoice", None),
    ] {
        let mut placing = shop.placing(&[("A", 1)]).await;
        placing.order.customer = of;
        placing.order.provider = provider.into();
        placing.method.provider = provider.into();
        placings.push(placing);
    }
    let placed = shop.place_all(placings).await;
    let Placed::Order(first) = &placed[0] else { panic!("{placed:?}") };
    let each = total(first);
    let owed = |shop: &Shop| {
        let store = shop.store.clone();
        async move { store.credit(customer, Currency::USD).await.unwrap().owed }
    };
    assert_eq!(owed(&shop).await, 2 * each);
    shop.ask(first, Step::Authorise).await;
    shop.learn(first, &[Fact::Declined { why: Decline::OverCreditLimit }]).await;
    assert_eq!(owed(&shop).await, each);
    assert_eq!(shop.store.credit(customer, Currency::EUR).await.unwrap().owed, 0);
}

async fn a_cart_that_was_edited_is_not_ordered(mut shop: Shop) {
    shop.stocked(&[("A", 9)]).await;
    let (cart, version) = shop.cart_of("A").await;
    let mut stale = shop.placing(&[("A", 1)]).await;
    (stale.order.cart, stale.cart_version) = (Some(cart), Some(version - 1));
    let mut good = shop.placing(&[("A", 1)]).await;
    (good.order.cart, good.cart_version) = (Some(cart), Some(version));
    let placed = shop.place_all(vec![stale, good]).await;
    assert_eq!(placed[0], Placed::CartMoved);
    assert!(matches!(placed[1], Placed::Order(_)), "{placed:?}");
}
