//! A card network inside this process, for tests and demos. **All money in it is play money.**
//!
//! It stands for the outside world: it has a ledger of its own, which a `kill -9` of the server
//! does not take back, so that what it says of a payment is true when the shop has forgotten. It
//! misbehaves on purpose, as the card says ([`cards()`]): answers are lost, calls arrive late,
//! webhooks come thrice, reordered or never. No number is kept, only the name of a card's conduct.
//!
//! All payments stay in memory; that is fit for a demo and a load test, not for years.

mod cards;
mod ledger;
mod network;
mod outbox;
mod post;
mod provider;

pub use cards::{TestCard, cards};
pub use ledger::LedgerError;

use crate::{
    domain::{
        id::PaymentIntentId,
        money::Money,
        payment::{Fact, ProviderRecord, Step},
        time::Micros,
    },
    ports::{
        clock::{Clock, Ids},
        payments::PaymentError,
    },
    signing::WebhookKey,
};
use cards::{Answer, Webhooks};
use ledger::{Entry, Ledger};
use network::{Account, Network, refused};
use outbox::Outbox;
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Mutex as Turns, Notify};

/// Of the ledger; a file of another layout is refused.
const LAYOUT: u32 = 1;

/// How long the network's peculiarities last.
#[derive(Debug, Clone, Copy)]
pub struct TestCardsTimes {
    /// A slow answer.
    pub slow: Duration,
    /// How long the shop waits for an answer before it takes it for lost.
    pub patience: Duration,
    /// From a call that is received late to its receipt.
    pub late: Duration,
    /// How long an authorisation's webhook waits to be overtaken by a capture's.
    pub held: Duration,
    /// Before a webhook that was not taken comes again; doubled each time, up to five minutes.
    pub retry: Duration,
}

impl Default for TestCardsTimes {
    fn default() -> Self {
        Self {
            slow: Duration::from_secs(2),
            patience: Duration::from_secs(5),
            late: Duration::from_secs(30),
            held: Duration::from_secs(60),
            retry: Duration::from_secs(1),
        }
    }
}

pub struct TestCards {
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    times: TestCardsTimes,
    key: WebhookKey,
    ledger: Ledger,
    state: Mutex<State>,
    /// Held by whoever posts.
    posting: Turns<()>,
    /// Something new is to be posted.
    news: Notify,
}

#[derive(Default)]
struct State {
    network: Network,
    outbox: Outbox,
    /// Calls under way, which nobody waits for any more. A crash loses them.
    late: Vec<Late>,
    /// How often a step was tried since the start, for cards that count.
    tries: HashMap<(PaymentIntentId, Step), u32>,
}

struct Late {
    at: Micros,
    intent: PaymentIntentId,
    opening: Opening,
}

/// What the network learns of an intent with the first call.
#[derive(Clone, Copy)]
struct Opening {
    amount: Money,
    card: &'static TestCard,
}

/// What the caller of a step gets to see.
enum Reply {
    After(Duration, ProviderRecord),
    Lost,
}

impl TestCards {
    /// Reads the ledger, or makes one with a key for webhooks of its own.
    pub fn open(
        path: &Path,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        times: TestCardsTimes,
    ) -> Result<Self, LedgerError> {
        let mut state = State::default();
        let mut key = None;
        let ledger = Ledger::open(path, |entry| match entry {
            Entry::Opened { layout, webhook_secret } if key.is_none() => {
                key = WebhookKey::parse(&webhook_secret);
                layout == LAYOUT && key.is_some()
            }
            entry => key.is_some() && state.put(&entry, &times),
        })?;
        let key = match key {
            Some(key) => key,
            None => {
                let io = |source| LedgerError::Io { path: path.to_owned(), source };
                let webhook_secret = new_secret(&*ids);
                let key = WebhookKey::parse(&webhook_secret);
                ledger.add(&Entry::Opened { layout: LAYOUT, webhook_secret }).map_err(io)?;
                ledger.sync_now().map_err(io)?;
                key.ok_or(LedgerError::Damaged { path: path.to_owned(), line: 1 })?
            }
        };
        let (state, posting, news) = (Mutex::new(state), Turns::default(), Notify::new());
        Ok(Self { clock, ids, times, key, ledger, state, posting, news })
    }

    /// Does a step as the card says, and is back once it is on the disk.
    async fn step(
        &self,
        intent: PaymentIntentId,
        opening: Option<Opening>,
        step: Step,
        amount: Money,
    ) -> Result<ProviderRecord, PaymentError> {
        let (reply, lines) = {
            let mut state = self.state();
            self.receive_late(&mut state)?;
            (self.reply(&mut state, intent, opening, step, amount), self.ledger.queued())
        };
        self.news.notify_one();
        if let Err(error) = self.ledger.sync(lines).await {
            // It is remembered, and goes down with a later call.
            let told = format!("its ledger can't be written: {error}");
            return Err(PaymentError::Unknown(told));
        }
        match reply? {
            Reply::After(while_, record) => {
                tokio::time::sleep(while_).await;
                Ok(record)
            }
            Reply::Lost => {
                tokio::time::sleep(self.times.patience).await;
                Err(PaymentError::Unknown(format!("no answer in {:?}", self.times.patience)))
            }
        }
    }

    fn reply(
        &self,
        state: &mut State,
        intent: PaymentIntentId,
        opening: Option<Opening>,
        step: Step,
        amount: Money,
    ) -> Result<Reply, PaymentError> {
        let known = state.network.account(intent).map(Account::opening);
        let Some(opening) = known.or(opening) else {
            return refused("the network has no such payment");
        };
        let first = state.count(intent, step, opening.card);
        let authorises = step == Step::Authorise;
        match opening.card.answer {
            Answer::FailsTwice if first <= 2 => {
                let told = "it answered with an error of its own, 500";
                return Err(PaymentError::Unavailable(told.to_owned()));
            }
            Answer::NeverReceived if authorises => return Ok(Reply::Lost),
            Answer::ReceivedLate if authorises && first == 1 => {
                let at = later(self.clock.now(), self.times.late);
                state.late.push(Late { at, intent, opening });
                return Ok(Reply::Lost);
            }
            _ => {}
        }
        let record = self.take(state, intent, opening, step, amount);
        match opening.card.answer {
            // A call that was wrong tells nothing of the network.
            _ if matches!(record, Err(PaymentError::Refused(_))) => {}
            Answer::Lost if first == 1 => return Ok(Reply::Lost),
            Answer::Slow => return Ok(Reply::After(self.times.slow, record?)),
            _ => {}
        }
        Ok(Reply::After(Duration::ZERO, record?))
    }

    /// The network's own doing: hears of the payment and lets happen what the step brings about.
    fn take(
        &self,
        state: &mut State,
        intent: PaymentIntentId,
        opening: Opening,
        step: Step,
        amount: Money,
    ) -> Result<ProviderRecord, PaymentError> {
        if state.network.account(intent).is_none() {
            let Money { minor, currency } = opening.amount;
            if minor <= 0 {
                return refused("the amount is nothing");
            }
            let card = opening.card.name.to_owned();
            self.write(state, &Entry::Intent { intent, minor, currency, card })?;
        }
        self.lapse(state, intent)?;
        let Some(account) = state.network.account(intent) else {
            return refused("the network has no such payment");
        };
        account.check(step, amount)?;
        if let Some(fact) = account.decide(step)? {
            self.happen(state, intent, fact)?;
        }
        match state.network.account(intent) {
            Some(account) => account.answer(intent, step),
            None => refused("the network has no such payment"),
        }
    }

    fn receive_late(&self, state: &mut State) -> Result<(), PaymentError> {
        let now = self.clock.now();
        let (due, rest) =
            std::mem::take(&mut state.late).into_iter().partition(|late| late.at <= now);
        state.late = rest;
        let due: Vec<Late> = due;
        for Late { intent, opening, .. } in due {
            // Whatever the answer, nobody hears it.
            let _answer = self.take(state, intent, opening, Step::Authorise, opening.amount);
        }
        Ok(())
    }

    fn lapse(&self, state: &mut State, intent: PaymentIntentId) -> Result<(), PaymentError> {
        let now = self.clock.now();
        if state.network.account(intent).is_some_and(|account| account.has_lapsed(now)) {
            self.happen(state, intent, Fact::Expired)?;
        }
        Ok(())
    }

    fn happen(
        &self,
        state: &mut State,
        intent: PaymentIntentId,
        fact: Fact,
    ) -> Result<(), PaymentError> {
        let (at, event) = (self.clock.now(), self.ids.next());
        self.write(state, &Entry::Fact { intent, fact, at, event })
    }

    /// The file's lines are in the order in which they were put into the state.
    fn write(&self, state: &mut State, entry: &Entry) -> Result<(), PaymentError> {
        let queued = self.ledger.add(entry);
        queued.map_err(|error| PaymentError::Unavailable(error.to_string()))?;
        state.put(entry, &self.times);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// `false`: it makes no sense after what came before.
    fn put(&mut self, entry: &Entry, times: &TestCardsTimes) -> bool {
        match entry {
            Entry::Opened { .. } => return false,
            Entry::Intent { intent, minor, currency, card } => {
                let Some(card) = TestCard::named(card) else { return false };
                let amount = Money { minor: *minor, currency: *currency };
                self.network.hear_of(*intent, amount, card);
            }
            Entry::Fact { intent, fact, at, event } => {
                let Some(account) = self.network.account(*intent) else { return false };
                let record = account.part(*intent, *fact);
                let due = match (account.card.webhooks, fact) {
                    (Webhooks::Never, _) => None,
                    (Webhooks::Reordered, Fact::Authorised { .. }) => Some(later(*at, times.held)),
                    _ => Some(*at),
                };
                if let Some(due) = due {
                    let copies = if account.card.webhooks == Webhooks::ThriceEach { 3 } else { 1 };
                    self.outbox.put(*event, record, *at, due, copies);
                }
                self.network.put(*intent, *fact, *at);
            }
            Entry::Posted { event } => self.outbox.remove(*event),
        }
        true
    }

    /// The how-manieth try of a step this is; always the third where nobody asks.
    fn count(&mut self, intent: PaymentIntentId, step: Step, card: &TestCard) -> u32 {
        match card.answer {
            Answer::Lost | Answer::FailsTwice | Answer::ReceivedLate => {
                let tries = self.tries.entry((intent, step)).or_insert(0);
                *tries = tries.saturating_add(1);
                *tries
            }
            Answer::Prompt | Answer::Slow | Answer::NeverReceived => 3,
        }
    }
}

impl Account {
    fn opening(&self) -> Opening {
        Opening { amount: self.amount, card: self.card }
    }
}

fn later(at: Micros, by: Duration) -> Micros {
    Micros(at.0.saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
}

/// An id has 74 random bits at least (RFC 9562, 5.7): four of them are more than a key needs.
fn new_secret(ids: &dyn Ids) -> String {
    let mut hash = Sha256::new();
    for _ in 0..4 {
        hash.update(ids.next().as_bytes());
    }
    WebhookKey::write(&hash.finalize().into())
}
