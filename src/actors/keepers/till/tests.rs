//! The till over books in memory, and a provider that takes its time.

use super::*;
use crate::{
    actors::keepers::writer,
    domain::{
        money::Currency,
        order::{OrderNumber, OrderState, apply},
        payment::{MethodToken, Payment, PaymentMethod},
    },
    ports::{orders::OrderNow, payments::ProviderEvent, writer::Writer},
};
use std::sync::atomic::{AtomicUsize, Ordering};
use supervisors::{Nudge, Strategy, Supervisor, testing::Universe};
use uuid::Uuid;

const INTENT: PaymentIntentId = PaymentIntentId(Uuid::from_u128(1));

#[derive(Clone)]
struct Books(Arc<Mutex<PaymentNow>>);

impl Books {
    fn new() -> Self {
        let order = OrderId(Uuid::from_u128(2));
        let method = PaymentMethod { provider: "slow".into(), token: MethodToken::new("t") };
        let amount = Money { minor: 500, currency: Currency::EUR };
        let intent = PaymentIntent { id: INTENT, order, amount, method };
        Self(Arc::new(Mutex::new(PaymentNow {
            payment: Payment::of(&intent),
            intent,
            order: OrderNow {
                id: order,
                number: OrderNumber(1_001),
                state: OrderState::PLACED,
                version: 1,
                held_until: None,
                updated_at: Micros(0),
            },
            created_at: Micros(0),
        })))
    }

    fn keep(&self, write: PaymentWrite) -> PaymentKept {
        let mut now = self.0.lock().unwrap();
        let asked = match write.act {
            PaymentAct::Ask(step) => Some(now.payment.ask(step).unwrap()),
            PaymentAct::Learn { record, .. } => {
                now.payment.learn(&record).unwrap();
                None
            }
            PaymentAct::Wait => None,
        };
        let action = Action::PaymentIs { state: now.payment.state() };
        if let Ok(change) = apply(&now.order.state, action) {
            now.order.state = change.state;
        }
        PaymentKept::Done { now: Box::new(now.clone()), asked, next: None }
    }
}

#[async_trait]
impl Writer for Books {
    async fn commit(&mut self, writes: Vec<Write>) -> Vec<Result<Written, StoreError>> {
        let answer = |write| match write {
            Write::Payment(write) => Ok(Written::Payment(self.keep(write))),
            other => panic!("{other:?}"),
        };
        writes.into_iter().map(answer).collect()
    }
}

#[async_trait]
impl port::Till for Books {
    async fn due(&self, _: Micros, _: u32) -> Result<Vec<PaymentNow>, StoreError> {
        Ok(Vec::new())
    }
    async fn payment(&self, _: PaymentIntentId) -> Result<Option<PaymentNow>, StoreError> {
        Ok(Some(self.0.lock().unwrap().clone()))
    }
    async fn of_order(&self, _: OrderId) -> Result<Option<PaymentNow>, StoreError> {
        Ok(Some(self.0.lock().unwrap().clone()))
    }
}

/// Counts how often it is asked for what.
#[derive(Default)]
struct Slow {
    authorised: AtomicUsize,
    captured: AtomicUsize,
}

fn record(fact: Fact) -> ProviderRecord {
    ProviderRecord { intent: INTENT, currency: Currency::EUR, facts: BTreeSet::from([fact]) }
}

#[async_trait]
impl PaymentProvider for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }
    fn collects(&self) -> Collects {
        Collects::OnConfirmation
    }
    async fn authorise(&self, intent: &PaymentIntent) -> Result<ProviderRecord, PaymentError> {
        self.authorised.fetch_add(1, Ordering::SeqCst);
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        Ok(record(Fact::Authorised { minor: intent.amount.minor }))
    }
    async fn capture(
        &self,
        _: PaymentIntentId,
        id: crate::domain::id::CaptureId,
        amount: Money,
    ) -> Result<ProviderRecord, PaymentError> {
        self.captured.fetch_add(1, Ordering::SeqCst);
        Ok(record(Fact::Captured { id, minor: amount.minor }))
    }
    async fn refund(
        &self,
        _: PaymentIntentId,
        _: crate::domain::id::RefundId,
        _: Money,
    ) -> Result<ProviderRecord, PaymentError> {
        unreachable!("nobody cancels")
    }
    async fn void(&self, _: &PaymentIntent) -> Result<ProviderRecord, PaymentError> {
        unreachable!("nobody cancels")
    }
    async fn look_up(&self, _: PaymentIntentId) -> Result<Option<ProviderRecord>, PaymentError> {
        unreachable!("no answer is lost")
    }
    fn read_webhook(&self, _: &HeaderMap, _: &[u8]) -> Result<ProviderEvent, WebhookError> {
        Err(WebhookError::Unexpected)
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Micros {
        Micros(1_000_000)
    }
}

#[derive(Default)]
struct Counting(AtomicUsize);

impl Ids for Counting {
    fn next(&self) -> Uuid {
        Uuid::from_u128(100 + self.0.fetch_add(1, Ordering::SeqCst) as u128)
    }
}

/// Two that want one payment settled take turns: the second finds it done, and nobody hangs.
#[tokio::test]
async fn two_at_one_payment_ask_its_provider_once() {
    let (books, slow) = (Books::new(), Arc::new(Slow::default()));
    let (mailbox, store) = writer::store();
    let opened = books.clone();
    let tree = Supervisor::new("test", Strategy::OneForOne).child(writer::writer(
        &mailbox,
        &Nudge::new(),
        move || {
            let opened = opened.clone();
            async move { Ok(Box::new(opened) as Box<dyn Writer>) }
        },
    ));
    let universe = Universe::start(tree).await.unwrap();
    let till = Till::new(TillParts {
        store,
        rows: Arc::new(books),
        providers: vec![slow.clone()],
        clock: Arc::new(Still),
        ids: Arc::new(Counting::default()),
    });
    let all = futures_util::future::join_all((0..3).map(|_| till.settle(INTENT))).await;
    for now in all {
        let state = now.unwrap().order.state;
        assert_eq!(state.payment, crate::domain::payment::PaymentState::Captured);
    }
    assert_eq!(slow.authorised.load(Ordering::SeqCst), 1);
    assert_eq!(slow.captured.load(Ordering::SeqCst), 1);
    universe.stop().await;
}

/// Its money would be forgotten otherwise: what is due stays due until the provider is back.
#[tokio::test]
async fn a_provider_that_is_not_configured_any_more_is_told_and_nothing_is_put_away() {
    let books = Books::new();
    {
        let mut now = books.0.lock().unwrap();
        now.payment.learn(&record(Fact::Authorised { minor: 500 })).unwrap();
        let action = Action::PaymentIs { state: now.payment.state() };
        now.order.state = apply(&now.order.state, action).unwrap().state;
    }
    // Nobody writes: a word to the writer would fail.
    let (_gone, store) = writer::store();
    let till = Till::new(TillParts {
        store,
        rows: Arc::new(books),
        providers: Vec::new(),
        clock: Arc::new(Still),
        ids: Arc::new(Counting::default()),
    });
    let settled = till.settle(INTENT).await;
    assert!(matches!(settled, Err(TillError::NoProvider(_))), "{settled:?}");
}
