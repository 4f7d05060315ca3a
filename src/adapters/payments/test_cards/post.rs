//! Posting of webhooks: at least once each, signed anew at every try under the same id.

use super::{Entry, State, TestCards, Webhooks, later, outbox::Letter};
use crate::{
    domain::{
        payment::{Fact, ProviderRecord},
        time::Micros,
    },
    ports::payments::WebhookSink,
};
use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderValue, header::CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::timeout;
use uuid::Uuid;

/// Posted at one time.
const AT_ONCE: usize = 16;
/// After so many tries, some forty minutes in all, a webhook is given up: a shop has to look up.
const MOST_TRIES: u32 = 16;
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

#[derive(Serialize, Deserialize)]
pub(super) struct Body {
    #[serde(rename = "type")]
    kind: String,
    pub(super) at: Micros,
    pub(super) data: ProviderRecord,
}

impl TestCards {
    /// Posts whatever there is and comes to be, until it is dropped. What was under way then is
    /// posted again.
    pub async fn post(&self, sink: &dyn WebhookSink) {
        loop {
            match self.post_due(sink).await {
                None => self.news.notified().await,
                Some(next) => {
                    let wait = next.0.saturating_sub(self.clock.now().0).max(0);
                    let wait = Duration::from_micros(wait.unsigned_abs());
                    let _sooner = timeout(wait, self.news.notified()).await;
                }
            }
        }
    }

    /// Posts what is due, and tells when the next will be; `None`: nothing waits.
    pub async fn post_due(&self, sink: &dyn WebhookSink) -> Option<Micros> {
        let _turn = self.posting.lock().await;
        loop {
            let (due, lines) = {
                let mut state = self.state();
                let _late = self.receive_late(&mut state);
                (state.outbox.due(self.clock.now(), AT_ONCE), self.ledger.queued())
            };
            // What a crash could take back is not told.
            if let Err(error) = self.ledger.sync(lines).await {
                tracing::warn!(%error, "the test cards' ledger can't be written, so no webhook goes out");
                return Some(later(self.clock.now(), self.times.retry));
            }
            if due.is_empty() {
                return self.state().next_due();
            }
            let taken =
                join_all(due.iter().map(|(event, letter)| self.try_post(*event, letter, sink)));
            let taken = taken.await;
            let mut state = self.state();
            for ((event, letter), taken) in due.iter().zip(taken) {
                self.note(&mut state, *event, letter, taken);
            }
        }
    }

    /// Whether all copies were taken.
    async fn try_post(&self, event: Uuid, letter: &Letter, sink: &dyn WebhookSink) -> bool {
        let record = letter.record.clone();
        let body = Body { kind: kind(&record).to_owned(), at: letter.at, data: record };
        let Ok(body) = serde_json::to_vec(&body).map(Bytes::from) else { return false };
        let id = format!("evt_{}", event.simple());
        let Some(mut headers) = self.key.sign(&id, self.clock.now(), &body) else { return false };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let copies = (0..letter.copies).map(|_| sink.post(headers.clone(), body.clone()));
        let answers = join_all(copies).await;
        answers.iter().all(|status| status.is_some_and(|status| (200..300).contains(&status)))
    }

    fn note(&self, state: &mut State, event: Uuid, letter: &Letter, taken: bool) {
        let tries = letter.tries + 1;
        if !taken && tries < MOST_TRIES {
            let pause = self.times.retry.saturating_mul(1 << letter.tries).min(LONGEST_PAUSE);
            state.outbox.again_at(event, later(self.clock.now(), pause));
            return;
        }
        if !taken {
            tracing::warn!(event.id = %event, tries, "a test card's webhook was never taken");
        }
        if let Err(error) = self.write(state, &Entry::Posted { event }) {
            tracing::warn!(%error, event.id = %event, "a test card's webhook may come again");
        }
        let intent = letter.record.intent;
        let reordered = |card: &super::TestCard| card.webhooks == Webhooks::Reordered;
        if state.network.account(intent).is_some_and(|account| reordered(account.card)) {
            state.outbox.release(&letter.record, self.clock.now());
        }
    }
}

impl State {
    fn next_due(&self) -> Option<Micros> {
        let late = self.late.iter().map(|late| late.at).min();
        self.outbox.next_due().into_iter().chain(late).min()
    }
}

fn kind(record: &ProviderRecord) -> &'static str {
    match record.facts.first() {
        Some(Fact::Authorised { .. }) => "payment.authorised",
        Some(Fact::Declined { .. }) => "payment.declined",
        Some(Fact::Captured { .. }) => "payment.captured",
        Some(Fact::Refunded { .. }) => "payment.refunded",
        Some(Fact::Voided) => "payment.voided",
        Some(Fact::Expired) => "payment.expired",
        None => "payment.unchanged",
    }
}
