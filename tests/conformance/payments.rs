//! `ports::payments`, on both adapters: what holds for whoever moves the money.

use async_trait::async_trait;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};
use stoa::{
    adapters::{
        clock::UuidV7,
        payments::{Invoice, TestCards, TestCardsTimes},
    },
    domain::{
        id::{CaptureId, CustomerId, OrderId, PaymentIntentId, RefundId},
        money::{Currency, Money},
        payment::{
            Card, Decline, Fact, Gap, InvoiceTerms, MethodToken, Payment, PaymentIntent,
            PaymentMethod, PaymentState, ProviderRecord, Step,
        },
        time::Micros,
    },
    ports::{
        StoreError,
        clock::Clock,
        invoices::{Credit, InvoiceBooks},
        payments::{CardForm, Collects, PaymentError, PaymentProvider, WebhookError},
    },
};
use uuid::Uuid;

pub(crate) const AMOUNT: i64 = 10_000;

static NEXT: AtomicU64 = AtomicU64::new(1);

/// An id that no other case of this process has.
fn id() -> Uuid {
    Uuid::from_u128(NEXT.fetch_add(1, Ordering::Relaxed).into())
}

pub(crate) fn euros(minor: i64) -> Money {
    Money { minor, currency: Currency::EUR }
}

/// Stands still until it is told.
pub(crate) struct SetClock(AtomicI64);

impl SetClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_800_000_000_000_000)))
    }

    pub(crate) fn set(&self, to: Micros) {
        self.0.store(to.0, Ordering::SeqCst);
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Micros {
        Micros(self.0.load(Ordering::SeqCst))
    }
}

/// Nobody waits long in a test, and what is late or held is so until the clock is set.
pub(crate) const TIMES: TestCardsTimes = TestCardsTimes {
    slow: Duration::from_millis(1),
    patience: Duration::from_millis(1),
    late: Duration::from_secs(30),
    held: Duration::from_secs(60),
    retry: Duration::from_secs(1),
};

pub(crate) fn open(path: &std::path::Path, clock: &Arc<SetClock>) -> TestCards {
    TestCards::open(path, Arc::clone(clock) as _, Arc::new(UuidV7), TIMES).unwrap()
}

/// The books of a shop: what it wrote down before it asked, and what it learnt.
#[derive(Default)]
struct Books {
    payments: Mutex<HashMap<PaymentIntentId, (PaymentIntent, Payment)>>,
    limit: Mutex<Option<i64>>,
    down: Mutex<bool>,
}

impl Books {
    fn check(&self) -> Result<(), StoreError> {
        match *self.down.lock().unwrap() {
            true => Err(StoreError::Unavailable("not now".into())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl InvoiceBooks for Books {
    async fn payment(&self, intent: PaymentIntentId) -> Result<Option<Payment>, StoreError> {
        self.check()?;
        Ok(self.payments.lock().unwrap().get(&intent).map(|(_, payment)| payment.clone()))
    }

    async fn credit(&self, customer: CustomerId, currency: Currency) -> Result<Credit, StoreError> {
        self.check()?;
        let payments = self.payments.lock().unwrap();
        let owes = |(intent, payment): &(PaymentIntent, Payment)| {
            let theirs = InvoiceTerms::read(&intent.method.token)?.customer == customer;
            let open = payment.declined().is_none() && !payment.was_let_go();
            (theirs && open && intent.amount.currency == currency)
                .then(|| intent.amount.minor - payment.captured())
        };
        let owed = payments.values().filter_map(owes).sum();
        Ok(Credit { limit: *self.limit.lock().unwrap(), owed })
    }
}

/// A shop with one way to pay.
struct Shop {
    books: Arc<Books>,
    provider: Arc<dyn PaymentProvider>,
    method: PaymentMethod,
    _folder: tempfile::TempDir,
}

impl Shop {
    fn cards() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let provider = open(&folder.path().join("cards.jsonl"), &SetClock::new());
        let method = method(&provider, "4242 4242 4242 4242");
        let provider = Arc::new(provider);
        Self { books: Arc::default(), provider, method, _folder: folder }
    }

    fn invoice() -> Self {
        let books = Arc::<Books>::default();
        let provider = Arc::new(Invoice::new(Arc::clone(&books) as _));
        let method = InvoiceTerms { customer: CustomerId(id()), net_days: 30 }.method();
        Self { books, provider, method, _folder: tempfile::tempdir().unwrap() }
    }

    fn each() -> [Self; 2] {
        [Self::cards(), Self::invoice()]
    }

    /// As an order's transaction does.
    fn intent(&self) -> PaymentIntent {
        let intent = intent(self.method.clone());
        let row = (intent.clone(), Payment::of(&intent));
        self.books.payments.lock().unwrap().insert(intent.id, row);
        intent
    }

    fn payment(&self, intent: &PaymentIntent) -> Payment {
        self.books.payments.lock().unwrap()[&intent.id].1.clone()
    }

    fn learn(&self, record: &ProviderRecord) {
        let mut payments = self.books.payments.lock().unwrap();
        payments.get_mut(&record.intent).unwrap().1.learn(record).unwrap();
    }

    /// Writes it down, asks, and learns.
    async fn ask(
        &self,
        intent: &PaymentIntent,
        step: Step,
    ) -> Result<ProviderRecord, PaymentError> {
        self.books.payments.lock().unwrap().get_mut(&intent.id).unwrap().1.ask(step).unwrap();
        let answer = send(&*self.provider, intent, step).await;
        match &answer {
            Ok(record) | Err(PaymentError::Declined { record, .. }) => self.learn(record),
            Err(_) => {}
        }
        answer
    }

    /// Asks what the books would not have allowed.
    async fn refuses(&self, intent: &PaymentIntent, step: Step) {
        let before = self.provider.look_up(intent.id).await.unwrap();
        let answer = send(&*self.provider, intent, step).await;
        assert!(matches!(answer, Err(PaymentError::Refused(_))), "{step:?}: {answer:?}");
        assert_eq!(self.provider.look_up(intent.id).await.unwrap(), before, "{step:?}");
    }
}

pub(crate) fn intent(method: PaymentMethod) -> PaymentIntent {
    let (id, order) = (PaymentIntentId(id()), OrderId(id()));
    PaymentIntent { id, order, amount: euros(AMOUNT), method }
}

pub(crate) fn method(cards: &TestCards, number: &str) -> PaymentMethod {
    let now = Micros(1_800_000_000_000_000);
    let card = Card::read(number, "12/40", "123", now).unwrap();
    PaymentMethod { provider: cards.name().to_owned(), token: cards.tokenise(&card).unwrap() }
}

pub(crate) async fn send(
    provider: &dyn PaymentProvider,
    intent: &PaymentIntent,
    step: Step,
) -> Result<ProviderRecord, PaymentError> {
    match step {
        Step::Authorise => provider.authorise(intent).await,
        Step::Capture { id, minor } => provider.capture(intent.id, id, euros(minor)).await,
        Step::Refund { id, minor } => provider.refund(intent.id, id, euros(minor)).await,
        Step::Void => provider.void(intent).await,
    }
}

pub(crate) fn capture(minor: i64) -> Step {
    Step::Capture { id: CaptureId(id()), minor }
}

pub(crate) fn refund(minor: i64) -> Step {
    Step::Refund { id: RefundId(id()), minor }
}

fn declined(answer: Result<ProviderRecord, PaymentError>) -> Decline {
    match answer {
        Err(PaymentError::Declined { why, .. }) => why,
        other => panic!("it should have been declined: {other:?}"),
    }
}

#[tokio::test]
async fn a_payment_goes_its_way_and_the_books_agree() {
    for shop in Shop::each() {
        let intent = shop.intent();
        shop.ask(&intent, Step::Authorise).await.unwrap();
        assert_eq!(shop.payment(&intent).state(), PaymentState::Authorised);
        for (step, state) in [
            (capture(6_000), PaymentState::PartlyCaptured),
            (capture(4_000), PaymentState::Captured),
            (refund(1), PaymentState::PartlyRefunded),
            (refund(AMOUNT - 1), PaymentState::Refunded),
        ] {
            shop.ask(&intent, step).await.unwrap();
            assert_eq!(shop.payment(&intent).state(), state);
        }
        let payment = shop.payment(&intent);
        let known = shop.provider.look_up(intent.id).await.unwrap().unwrap();
        assert_eq!(known.facts, *payment.facts());
        assert_eq!((payment.gap(), payment.unanswered().count()), (None::<Gap>, 0));
    }
}

#[tokio::test]
async fn the_same_key_many_times_has_one_effect_and_one_answer() {
    for shop in Shop::each() {
        let intent = shop.intent();
        for step in [Step::Authorise, capture(6_000), refund(5_000), Step::Void] {
            let first = shop.ask(&intent, step).await.unwrap();
            let again = (0..20).map(|_| send(&*shop.provider, &intent, step));
            for answer in futures_util::future::join_all(again).await {
                assert_eq!(answer.as_ref(), Ok(&first), "{step:?}");
            }
            assert_eq!(shop.provider.look_up(intent.id).await.unwrap(), Some(first));
        }
        let payment = shop.payment(&intent);
        assert_eq!((payment.captured(), payment.refunded()), (6_000, 5_000));
    }
}

#[tokio::test]
async fn the_same_key_at_the_same_instant_has_one_effect() {
    for shop in Shop::each() {
        let intent = shop.intent();
        let together = (0..20).map(|_| shop.ask(&intent, Step::Authorise));
        let answers = futures_util::future::join_all(together).await;
        assert!(answers.iter().all(|answer| *answer == answers[0] && answer.is_ok()));
        let step = capture(AMOUNT);
        let together = (0..20).map(|_| shop.ask(&intent, step));
        let answers = futures_util::future::join_all(together).await;
        assert!(answers.iter().all(|answer| *answer == answers[0] && answer.is_ok()));
        assert_eq!(shop.payment(&intent).captured(), AMOUNT);
    }
}

#[tokio::test]
async fn nothing_beyond_the_bounds_is_captured_or_refunded() {
    for shop in Shop::each() {
        let intent = shop.intent();
        shop.refuses(&intent, capture(1)).await;
        shop.refuses(&intent, refund(1)).await;
        shop.ask(&intent, Step::Authorise).await.unwrap();
        shop.refuses(&intent, refund(1)).await;
        for minor in [0, -1, AMOUNT + 1, i64::MAX, i64::MIN] {
            shop.refuses(&intent, capture(minor)).await;
        }
        let first = capture(6_000);
        shop.ask(&intent, first).await.unwrap();
        shop.refuses(&intent, capture(4_001)).await;
        // Its key stands for 6,000.
        if let Step::Capture { id, .. } = first {
            shop.refuses(&intent, Step::Capture { id, minor: 4_000 }).await;
        }
        for minor in [0, -1, 6_001, i64::MAX, i64::MIN] {
            shop.refuses(&intent, refund(minor)).await;
        }
        let back = refund(2_000);
        shop.ask(&intent, back).await.unwrap();
        shop.refuses(&intent, refund(4_001)).await;
        if let Step::Refund { id, .. } = back {
            shop.refuses(&intent, Step::Refund { id, minor: 1 }).await;
        }
        shop.ask(&intent, capture(4_000)).await.unwrap();
        shop.refuses(&intent, Step::Void).await;
    }
}

#[tokio::test]
async fn another_currency_or_amount_under_a_known_key_is_refused() {
    for shop in Shop::each() {
        let intent = shop.intent();
        shop.ask(&intent, Step::Authorise).await.unwrap();
        let dollars = Money { minor: 1, currency: Currency::USD };
        let answer = shop.provider.capture(intent.id, CaptureId(id()), dollars).await;
        assert!(matches!(answer, Err(PaymentError::Refused(_))), "{answer:?}");
        let more = PaymentIntent { amount: euros(AMOUNT + 1), ..intent.clone() };
        shop.refuses(&more, Step::Authorise).await;
    }
}

#[tokio::test]
async fn an_intent_given_up_before_it_was_heard_of_is_never_authorised() {
    for shop in Shop::each() {
        let intent = shop.intent();
        shop.ask(&intent, Step::Void).await.unwrap();
        assert_eq!(shop.payment(&intent).state(), PaymentState::Voided);
        let late = send(&*shop.provider, &intent, Step::Authorise).await;
        assert_eq!(declined(late), Decline::GivenUp);
        assert_eq!(shop.payment(&intent).authorised(), 0);
    }
}

#[tokio::test]
async fn what_was_let_go_is_not_captured() {
    for shop in Shop::each() {
        let intent = shop.intent();
        shop.ask(&intent, Step::Authorise).await.unwrap();
        shop.ask(&intent, capture(1_000)).await.unwrap();
        shop.ask(&intent, Step::Void).await.unwrap();
        let late = send(&*shop.provider, &intent, capture(1)).await;
        assert_eq!(declined(late), Decline::GivenUp);
        assert_eq!(shop.payment(&intent).state(), PaymentState::Captured);
        assert_eq!(shop.payment(&intent).captured(), 1_000);
    }
}

#[tokio::test]
async fn what_nobody_asked_for_is_not_known_and_another_providers_token_is_refused() {
    for shop in Shop::each() {
        assert_eq!(shop.provider.look_up(PaymentIntentId(id())).await, Ok(None));
        let mut intent = shop.intent();
        intent.method.token = MethodToken::new("tok_of_somebody_else");
        shop.refuses(&intent, Step::Authorise).await;
    }
}

#[tokio::test]
async fn two_orders_at_once_never_both_fit_where_one_does() {
    let shop = Shop::invoice();
    *shop.books.limit.lock().unwrap() = Some(AMOUNT);
    // Both are in the books before either is asked about, as two commits would have it.
    let (one, other) = (shop.intent(), shop.intent());
    let answer = send(&*shop.provider, &one, Step::Authorise).await;
    assert_eq!(declined(answer), Decline::OverCreditLimit);
    let declines = shop.ask(&other, Step::Authorise).await;
    assert_eq!(declined(declines), Decline::OverCreditLimit);
    assert_eq!(shop.payment(&other).state(), PaymentState::Declined);

    // The other is out of the way.
    shop.ask(&one, Step::Authorise).await.unwrap();
    let third = shop.intent();
    assert_eq!(declined(shop.ask(&third, Step::Authorise).await), Decline::OverCreditLimit);
    // The first is paid: its credit is free again.
    shop.ask(&one, capture(AMOUNT)).await.unwrap();
    let fourth = shop.intent();
    shop.ask(&fourth, Step::Authorise).await.unwrap();
    assert_eq!(shop.payment(&third).state(), PaymentState::Declined, "a no stays a no");
    assert!(shop.ask(&third, Step::Authorise).await.is_err());
}

#[tokio::test]
async fn an_invoice_is_for_an_order_in_the_books_and_waits_for_a_person() {
    let shop = Shop::invoice();
    assert_eq!(shop.provider.collects(), Collects::ByHand);
    let nowhere = intent(shop.method.clone());
    for step in [Step::Authorise, capture(1), Step::Void] {
        shop.refuses(&nowhere, step).await;
    }
    let webhook = shop.provider.read_webhook(&http::HeaderMap::new(), b"{}");
    assert_eq!(webhook, Err(WebhookError::Unexpected));
    let intent = shop.intent();
    *shop.books.down.lock().unwrap() = true;
    let answer = send(&*shop.provider, &intent, Step::Authorise).await;
    assert!(matches!(answer, Err(PaymentError::Unavailable(_))), "{answer:?}");
    *shop.books.down.lock().unwrap() = false;
    assert_eq!(shop.provider.look_up(intent.id).await, Ok(None));
    let record = shop.ask(&intent, Step::Authorise).await.unwrap();
    assert!(record.facts.contains(&Fact::Authorised { minor: AMOUNT }));
}
