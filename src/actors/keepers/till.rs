//! The till: sees that each order's money is asked for once, taken once, and given back.
//!
//! Promise: a step is written down before a provider is asked for it, under a key that never
//! changes, and what it says is learnt together with what that means for the order. So a payment
//! that this process dies over is taken up again from its row, by this node or another, with the
//! same key. Nothing is taken without an order, and nothing twice. What is due stands in the
//! payment's row; being woken only makes it sooner.

use super::writer::{StoreHandle, WriteError, unexpected};
use crate::{
    domain::{
        id::{OrderId, PaymentIntentId},
        money::Money,
        order::Action,
        payment::{
            Asked, Circumstances, Decline, Due, Fact, NotAllowed, PaymentIntent, ProviderRecord,
            Step, due,
        },
        principal::Principal,
        time::Micros,
    },
    ports::{
        StoreError,
        clock::{Clock, Ids},
        orders::{OrderMoved, OrderNow, OrderWrite},
        payments::{Collects, PaymentError, PaymentProvider, WebhookError, WebhookSink},
        till::{self as port, PaymentAct, PaymentKept, PaymentNow, PaymentWrite},
        writer::{Write, Written},
    },
};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream::FuturesUnordered};
use http::HeaderMap;
use std::{
    collections::{BTreeSet, HashSet},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use supervisors::{Child, Context, Fault, task};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, sleep_until},
};

/// Payments looked at at a time: the rest wait in their rows. What so many write at once is
/// committed together; more would crowd out those who order, whose payments can wait for a rush to
/// be over.
const AT_ONCE: usize = 64;
/// What another node wrote, or a lost wake, is found within this.
const EVERY: Duration = Duration::from_secs(1);
/// Between two looks: those who come at the same time are found by one.
const REST: Duration = Duration::from_millis(5);
/// Steps of one look; what is due then is found by the next.
const MOST_STEPS: usize = 6;
/// A payment without an answer is looked at again after half its age, between these.
const SOONEST: Duration = Duration::from_secs(2);
const LATEST: Duration = Duration::from_secs(10 * 60);

#[derive(Debug, thiserror::Error)]
pub(crate) enum TillError {
    #[error("there is no such payment")]
    Absent,
    #[error("no payment provider is called {0}")]
    NoProvider(String),
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    /// Signed by the provider, and of none of our payments.
    #[error("the webhook is of no payment of this shop")]
    NotOurs,
    #[error("the payment provider said no: {0}")]
    Provider(#[from] PaymentError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

pub(crate) struct TillParts {
    pub(crate) store: StoreHandle,
    pub(crate) rows: Arc<dyn port::Till>,
    pub(crate) providers: Vec<Arc<dyn PaymentProvider>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
}

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Till {
    parts: Arc<TillParts>,
    /// Payments that somebody in this process is at: two at one would only ask twice.
    busy: Arc<Mutex<HashSet<PaymentIntentId>>>,
    /// There may be something due, or somebody is done with a payment.
    news: Arc<Notify>,
}

/// Something the till was at has ended.
enum Ended {
    Looked(Result<Vec<PaymentNow>, StoreError>),
    Settled(PaymentIntentId),
}

/// What was kept of a payment.
struct Kept {
    now: PaymentNow,
    asked: Option<Asked>,
    /// Written down along with it, and to be asked now.
    next: Option<Step>,
}

/// What a provider's answer led to.
struct Answered {
    now: PaymentNow,
    next: Option<Step>,
    /// There may be more to be done now.
    goes_on: bool,
}

/// Given back when it is dropped, also by whoever is cut short.
struct Turn<'a> {
    till: &'a Till,
    intent: PaymentIntentId,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.till.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.intent);
        self.till.news.notify_waiters();
    }
}

impl Till {
    pub(crate) fn new(parts: TillParts) -> Self {
        Self { parts: Arc::new(parts), busy: Arc::default(), news: Arc::default() }
    }

    /// Those that orders can be paid by here.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.parts.providers.iter().map(|provider| provider.name()).collect()
    }

    /// Whether orders can be paid so here.
    pub(crate) fn takes(&self, provider: &str) -> bool {
        self.provider(provider).is_ok()
    }

    /// Something may be due.
    pub(crate) fn wake(&self) {
        self.news.notify_waiters();
        self.news.notify_one();
    }

    pub(crate) async fn of_order(&self, order: OrderId) -> Result<Option<PaymentNow>, TillError> {
        Ok(self.parts.rows.of_order(order).await?)
    }

    /// Does what is due of a payment now, and says where it is then.
    pub(crate) async fn settle(&self, intent: PaymentIntentId) -> Result<PaymentNow, TillError> {
        let _turn = loop {
            // Listening before looking: whoever ends in between is heard.
            let ended = self.news.notified();
            match self.turn(intent) {
                Some(turn) => break turn,
                None => ended.await,
            }
        };
        let now = self.parts.rows.payment(intent).await?.ok_or(TillError::Absent)?;
        self.go_on(now).await
    }

    /// Does what is due of a payment that is ours to look at, from where it is.
    async fn go_on(&self, mut now: PaymentNow) -> Result<PaymentNow, TillError> {
        let mut kept = false;
        for _ in 0..MOST_STEPS {
            let provider = self.provider(&now.intent.method.provider);
            let at = self.parts.clock.now();
            let of = Circumstances {
                late: now.order.held_until.is_some_and(|until| until <= at),
                // Of a provider that isn't configured any more, what is due stays due.
                collects: provider.as_ref().map_or(true, |one| collects(&***one)),
                fresh: self.parts.ids.next(),
            };
            match due(&now.order.state, &now.payment, of) {
                Due::Nothing if kept => break,
                Due::Nothing => {
                    // The row may still say that something is.
                    let kept = self.keep(&now, PaymentAct::Wait, of.collects).await;
                    return kept.map(|kept| kept.now);
                }
                Due::Confirm => now.order = self.confirm(now.order.id, at).await?,
                Due::Ask(step) => {
                    let (next, goes_on) = self.ask(&**provider?, now, step).await?;
                    (now, kept) = (next, true);
                    if !goes_on {
                        break;
                    }
                }
            }
        }
        Ok(now)
    }

    /// Somebody saw the money of a payment by invoice arrive.
    pub(crate) async fn collect(
        &self,
        order: OrderId,
        by: &Principal,
    ) -> Result<PaymentNow, TillError> {
        let now = self.parts.rows.of_order(order).await?.ok_or(TillError::Absent)?;
        let provider = self.provider(&now.intent.method.provider)?;
        let id = crate::domain::id::CaptureId(self.parts.ids.next());
        let step = Step::Capture { id, minor: now.payment.authorised() };
        let (ask, of_theirs) = (PaymentAct::Ask(step), collects(&**provider));
        let kept = self.write(self.written(now.intent.id, ask, by, of_theirs, SOONEST)).await?;
        if kept.asked == Some(Asked::Done) {
            return Ok(kept.now);
        }
        self.answers(&**provider, kept.now, step).await.map(|(now, _)| now)
    }

    /// What a provider tells of its own accord. `Ok` once it is committed.
    pub(crate) async fn heard(
        &self,
        provider: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(), TillError> {
        let provider = self.provider(provider)?;
        let record = provider.read_webhook(headers, body)?.record;
        let intent = record.intent;
        let act = PaymentAct::Learn { record, withdrawn: None };
        let of_theirs = collects(&**provider);
        let write = self.written(intent, act, &Principal::System, of_theirs, Duration::ZERO);
        match self.write(write).await {
            Ok(_) => {
                self.wake();
                Ok(())
            }
            Err(TillError::Absent) => Err(TillError::NotOurs),
            Err(error) => Err(error),
        }
    }

    /// It as a child of the tree.
    pub(crate) fn child(&self) -> Child {
        let till = self.clone();
        task("till", move |context| till.clone().work(context))
    }

    /// What is cut short when the server stops is in its rows.
    ///
    /// Nothing is awaited here but all of them at once: one that isn't polled may hold the very
    /// connection that another waits for.
    async fn work(self, context: Context) -> Result<(), Fault> {
        let mut underway: FuturesUnordered<Pin<Box<dyn Future<Output = Ended> + Send + '_>>> =
            FuturesUnordered::new();
        let mut mine: HashSet<PaymentIntentId> = HashSet::new();
        let (mut look, mut looking, mut more) = (true, false, false);
        let mut rested = Instant::now();
        while !context.stopping() {
            let may_look = look && !looking && mine.len() <= AT_ONCE / 2;
            tokio::select! {
                () = context.stopped() => break,
                () = sleep_until(rested), if may_look => {
                    (look, looking) = (false, true);
                    rested = Instant::now() + REST;
                    let (rows, now) = (&self.parts.rows, self.parts.clock.now());
                    underway.push(Box::pin(async move {
                        Ended::Looked(rows.due(now, AT_ONCE as u32).await)
                    }));
                }
                Some(ended) = underway.next(), if !underway.is_empty() => match ended {
                    Ended::Looked(due) => {
                        let due = due.map_err(Fault::unavailable)?;
                        (looking, more) = (false, due.len() == AT_ONCE);
                        for now in due {
                            // One that somebody else is at is left to them: when they leave
                            // something to do it is due again.
                            if mine.len() < AT_ONCE && let Some(turn) = self.turn(now.intent.id) {
                                mine.insert(now.intent.id);
                                underway.push(Box::pin(self.see_to(now, turn)));
                            }
                        }
                    }
                    Ended::Settled(intent) => {
                        mine.remove(&intent);
                        look |= more;
                    }
                },
                () = self.news.notified() => look = true,
                () = sleep(EVERY) => look = true,
            }
        }
        Ok(())
    }

    async fn see_to(&self, now: PaymentNow, turn: Turn<'_>) -> Ended {
        let intent = now.intent.id;
        if let Err(error) = self.go_on(now).await {
            tracing::warn!(payment = %intent, %error, "a payment is looked at again later");
            self.later(intent).await;
        }
        drop(turn);
        Ended::Settled(intent)
    }

    /// Puts it off, so that one that always fails is not all that is looked at.
    async fn later(&self, intent: PaymentIntentId) {
        // As if the shop took the money itself: what isn't to be done after all costs a look.
        let write = self.written(intent, PaymentAct::Wait, &Principal::System, true, LATEST / 10);
        if let Err(error) = self.write(write).await {
            tracing::debug!(payment = %intent, %error, "it stays due");
        }
    }

    /// Writes a step down and asks for it. False: there is nothing more to be done now.
    async fn ask(
        &self,
        provider: &dyn PaymentProvider,
        now: PaymentNow,
        step: Step,
    ) -> Result<(PaymentNow, bool), TillError> {
        let kept = self.keep(&now, PaymentAct::Ask(step), collects(provider)).await?;
        if kept.asked == Some(Asked::Done) {
            return Ok((kept.now, true));
        }
        self.answers(provider, kept.now, step).await
    }

    /// Asks for a step that was written down, and for those that are written down along with the
    /// answers. False: there is nothing more to be done now.
    async fn answers(
        &self,
        provider: &dyn PaymentProvider,
        mut now: PaymentNow,
        mut step: Step,
    ) -> Result<(PaymentNow, bool), TillError> {
        let mut goes_on = true;
        for _ in 0..MOST_STEPS {
            let answered = self.answer(provider, now, step).await?;
            (now, goes_on) = (answered.now, answered.goes_on);
            match answered.next {
                Some(next) => step = next,
                None => break,
            }
        }
        Ok((now, goes_on))
    }

    /// Asks for a step that was written down, and learns the answer, with which the next step may
    /// be written down.
    async fn answer(
        &self,
        provider: &dyn PaymentProvider,
        now: PaymentNow,
        step: Step,
    ) -> Result<Answered, TillError> {
        let (intent, collects) = (&now.intent, collects(provider));
        let (record, withdrawn) = match call(provider, intent, step).await {
            Ok(record) => (record, None),
            Err(PaymentError::Declined { record, .. }) => {
                (record, (step != Step::Authorise).then_some(step))
            }
            // The same call fails again: for the buyer that is a no.
            Err(PaymentError::Refused(why)) => {
                tracing::error!(payment = %intent.id, provider = provider.name(), why, "a payment was refused");
                let said_no =
                    (step == Step::Authorise).then_some(Fact::Declined { why: Decline::Refused });
                (record_of(intent, said_no), (step != Step::Authorise).then_some(step))
            }
            Err(PaymentError::Unavailable(why)) => {
                tracing::info!(payment = %intent.id, why, "the payment provider is away");
                return self.wait(&now, collects).await;
            }
            Err(PaymentError::Unknown(why)) => {
                tracing::info!(payment = %intent.id, why, "an answer was lost; looking the payment up");
                match provider.look_up(intent.id).await {
                    Ok(Some(record)) => (record, None),
                    Ok(None) | Err(_) => return self.wait(&now, collects).await,
                }
            }
        };
        let new = !record.facts.is_subset(now.payment.facts());
        let act = PaymentAct::Learn { record, withdrawn };
        let Kept { now, next, .. } = self.keep(&now, act, collects).await?;
        if let Some(gap) = now.payment.gap() {
            tracing::error!(payment = %now.intent.id, %gap, "a payment's facts don't add up");
        }
        Ok(Answered { now, next, goes_on: new })
    }

    async fn wait(&self, now: &PaymentNow, collects: bool) -> Result<Answered, TillError> {
        let now = self.keep(now, PaymentAct::Wait, collects).await?.now;
        Ok(Answered { now, next: None, goes_on: false })
    }

    async fn confirm(&self, order: OrderId, at: Micros) -> Result<OrderNow, TillError> {
        let (by, note) = (Principal::System.to_string(), String::new());
        let write = OrderWrite { order, action: Action::Confirm, by, note, at, if_version: None };
        match self.parts.store.write(Write::Order(write)).await? {
            Written::Order(
                OrderMoved::Moved(now)
                | OrderMoved::Refused { now, .. }
                | OrderMoved::Stock { now, .. }
                | OrderMoved::Stale(now),
            ) => Ok(now),
            Written::Absent => Err(TillError::Absent),
            other => Err(unexpected(&other).into()),
        }
    }

    async fn keep(
        &self,
        now: &PaymentNow,
        act: PaymentAct,
        collects: bool,
    ) -> Result<Kept, TillError> {
        let age = self.parts.clock.now().0.saturating_sub(now.created_at.0).max(0);
        let again = Duration::from_micros(age.unsigned_abs() / 2).clamp(SOONEST, LATEST);
        let goes_on = matches!(act, PaymentAct::Learn { .. }).then(|| self.parts.ids.next());
        let write = self.written(now.intent.id, act, &Principal::System, collects, again);
        self.write(PaymentWrite { goes_on, ..write }).await
    }

    /// Something to keep, and nothing more.
    fn written(
        &self,
        intent: PaymentIntentId,
        act: PaymentAct,
        by: &Principal,
        collects: bool,
        again: Duration,
    ) -> PaymentWrite {
        let at = self.parts.clock.now();
        let again = Micros(at.0.saturating_add(i64::try_from(again.as_micros()).unwrap_or(0)));
        PaymentWrite { intent, act, by: by.to_string(), at, again, collects, goes_on: None }
    }

    async fn write(&self, write: PaymentWrite) -> Result<Kept, TillError> {
        let intent = write.intent;
        match self.parts.store.write(Write::Payment(write)).await? {
            Written::Payment(PaymentKept::Done { now, asked, next }) => {
                Ok(Kept { now: *now, asked, next })
            }
            Written::Payment(PaymentKept::NotAllowed(why)) => Err(why.into()),
            Written::Payment(PaymentKept::NotOurs(why)) => {
                tracing::error!(payment = %intent, %why, "a provider said what can't be true");
                Err(TillError::NotOurs)
            }
            Written::Absent => Err(TillError::Absent),
            other => Err(unexpected(&other).into()),
        }
    }

    fn turn(&self, intent: PaymentIntentId) -> Option<Turn<'_>> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        // Made only when it is: one that is dropped gives the turn back.
        busy.insert(intent).then(|| Turn { till: self, intent })
    }

    fn provider(&self, name: &str) -> Result<&Arc<dyn PaymentProvider>, TillError> {
        let found = self.parts.providers.iter().find(|provider| provider.name() == name);
        found.ok_or_else(|| TillError::NoProvider(name.to_owned()))
    }
}

fn collects(provider: &dyn PaymentProvider) -> bool {
    provider.collects() == Collects::OnConfirmation
}

fn record_of(intent: &PaymentIntent, fact: Option<Fact>) -> ProviderRecord {
    let facts: BTreeSet<Fact> = fact.into_iter().collect();
    ProviderRecord { intent: intent.id, currency: intent.amount.currency, facts }
}

async fn call(
    provider: &dyn PaymentProvider,
    intent: &PaymentIntent,
    step: Step,
) -> Result<ProviderRecord, PaymentError> {
    let money = |minor| Money { minor, currency: intent.amount.currency };
    match step {
        Step::Authorise => provider.authorise(intent).await,
        Step::Capture { id, minor } => provider.capture(intent.id, id, money(minor)).await,
        Step::Refund { id, minor } => provider.refund(intent.id, id, money(minor)).await,
        Step::Void => provider.void(intent).await,
    }
}

/// A provider inside this process posts its webhooks here; one outside over HTTP.
pub(crate) struct Inward {
    pub(crate) till: Till,
    pub(crate) provider: &'static str,
}

#[async_trait]
impl WebhookSink for Inward {
    async fn post(&self, headers: HeaderMap, body: Bytes) -> Option<u16> {
        match self.till.heard(self.provider, &headers, &body).await {
            Ok(()) => Some(204),
            Err(TillError::Webhook(_)) => Some(400),
            Err(TillError::NotOurs) => Some(404),
            Err(_) => Some(503),
        }
    }
}

#[cfg(test)]
mod tests;
