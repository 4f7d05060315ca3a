//! Mail: hands over what waits in the queue, at least once.
//!
//! Promise: a mail whose row was committed is handed over, tried again with growing pauses, or
//! given up aloud when it has been too late for it. A claim moves its next try into the future
//! first, so when this dies, or another node looks, it is tried again then, under the same
//! `Message-ID`; sent twice it is the same mail.
//!
//! What a mail says of an order is written here, of the order as it is when it is sent.

use super::store_fault;
use crate::{
    actors::keepers::writer::{StoreHandle, WriteError},
    domain::{
        id::{MailId, OrderId},
        order::OrderLetter,
        secret::Secret,
        time::Micros,
    },
    ports::{
        StoreError,
        clock::Clock,
        mail::{
            Letter, MailBody, MailError, MailQueue, MailState, MailWrite, Mailer, QueuedMail,
            WaitingMail,
        },
        orders::Orders,
        writer::Written,
    },
    views::{MailText, OrderMail, Sender, order_mail},
};
use futures_util::{StreamExt, stream};
use std::{sync::Arc, time::Duration};
use supervisors::{Child, Context, Fault, Next, Nudge, Reconciler, reconciler};

/// What another node put into the queue is found within this.
const EVERY: Duration = Duration::from_secs(10);
/// Claimed at one time; tried in turns, all of which together are shorter than the claim.
const AT_A_TIME: u32 = 32;
/// Tried at one time: what became of them is committed together. Mail servers refuse who opens more
/// than a handful of connections.
const AT_ONCE: usize = 8;
const CLAIMED_FOR: Duration = Duration::from_secs(10 * 60);
/// The longest that handing one over may take.
const PATIENCE: Duration = Duration::from_secs(45);
/// The pause behind the first failure; doubled with each, up to a limit.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const MOST_PAUSE: Duration = Duration::from_secs(2 * 60 * 60);
/// Rows of what was sent or given up are kept that long.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);
const SWEPT_AT_A_TIME: u32 = 1_000;

/// What it works with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct MailParts {
    pub(crate) queue: Arc<dyn MailQueue>,
    pub(crate) orders: Arc<dyn Orders>,
    pub(crate) store: StoreHandle,
    pub(crate) mailer: Arc<dyn Mailer>,
    pub(crate) sender: Sender,
    pub(crate) clock: Arc<dyn Clock>,
    /// No other process sends this queue's mail: what waits when this starts is nobody's claim.
    pub(crate) alone: bool,
}

/// The queue as an operator looks at it and turns it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Mails {
    pub(crate) parts: MailParts,
    pub(crate) wake: Nudge,
}

impl Mails {
    /// The newest first.
    pub(crate) async fn list(
        &self,
        state: MailState,
        limit: u32,
    ) -> Result<Vec<QueuedMail>, StoreError> {
        self.parts.queue.queued(state, limit).await
    }

    /// Tries it now. `false`: there is none, it was sent, or what it said is forgotten.
    pub(crate) async fn retry(&self, id: MailId, by: String) -> Result<bool, WriteError> {
        let at = self.parts.clock.now();
        let retry = MailWrite::Retry { id, at, until: at.plus(OrderLetter::LASTS), by };
        let found = self.parts.store.mail(retry).await? != Written::Absent;
        self.wake.wake();
        Ok(found)
    }
}

/// The child of the tree; to be nudged when a mail was put into the queue.
pub(crate) fn mail(parts: MailParts, nudge: &Nudge) -> Child {
    reconciler("mail", EVERY, nudge, move || {
        let keeper = Post { parts: parts.clone(), released: !parts.alone, swept_at: None };
        async move { Ok(keeper) }
    })
}

struct Post {
    parts: MailParts,
    released: bool,
    swept_at: Option<Micros>,
}

impl Reconciler for Post {
    async fn pass(&mut self, context: &Context) -> Result<Next, Fault> {
        let parts = &self.parts;
        let now = parts.clock.now();
        if !self.released {
            parts.store.mail(MailWrite::Release { now }).await.map_err(write_fault)?;
            self.released = true;
        }
        let due = parts.queue.next_due().await.map_err(store_fault)?;
        if due.is_some_and(|due| due <= now) {
            let claimed = self.claim(now).await?;
            let (post, next) = (&*self, if claimed.is_empty() { Next::Idle } else { Next::Again });
            let tries = stream::iter(claimed).map(|mail| async move {
                match context.stopping() {
                    // The claims run out, and they are tried again then.
                    true => Ok(()),
                    false => post.try_once(&mail).await,
                }
            });
            // Each is tried to its end, whatever becomes of the others: one that is cut short may
            // have been taken, and is sent twice.
            let tried: Vec<_> = tries.buffer_unordered(AT_ONCE).collect().await;
            tried.into_iter().collect::<Result<(), Fault>>()?;
            return Ok(next);
        }
        if self.swept_at.is_none_or(|at| now >= at.plus(SWEEP_EVERY)) {
            let sweep = MailWrite::Sweep { older_than: now.minus(KEPT), most: SWEPT_AT_A_TIME };
            if let Written::Swept(swept) = parts.store.mail(sweep).await.map_err(write_fault)?
                && swept >= u64::from(SWEPT_AT_A_TIME)
            {
                return Ok(Next::Again);
            }
            self.swept_at = Some(now);
        }
        let pause = due.map_or(EVERY, |due| Duration::from_micros(due.0.abs_diff(now.0)));
        Ok(Next::After(pause.min(EVERY)))
    }
}

impl Post {
    async fn claim(&self, now: Micros) -> Result<Vec<WaitingMail>, Fault> {
        let claim = MailWrite::Claim { now, until: now.plus(CLAIMED_FOR), most: AT_A_TIME };
        match self.parts.store.mail(claim).await.map_err(write_fault)? {
            Written::Claimed(claimed) => Ok(claimed),
            other => Err(Fault::crash(format!("a claim was answered with {other:?}"))),
        }
    }

    async fn try_once(&self, mail: &WaitingMail) -> Result<(), Fault> {
        let parts = &self.parts;
        let sent = match self.letter(mail).await? {
            Some(letter) => {
                let sending = tokio::time::timeout(PATIENCE, parts.mailer.send(&letter));
                let late = || MailError::Later("it took too long".into());
                sending.await.unwrap_or_else(|_| Err(late()))
            }
            None => Err(MailError::Never("what it tells of is gone".into())),
        };
        let (id, now) = (mail.id, parts.clock.now());
        let write = match sent {
            Ok(()) => {
                tracing::info!(mail.id = %id, mail.kind, mail.attempts, "mail sent");
                MailWrite::Sent { id, at: now }
            }
            Err(error) => {
                let again = now.plus(pause(mail.attempts));
                let gone = matches!(error, MailError::Never(_)) || again >= mail.until;
                let failure = error.to_string();
                match gone {
                    // Why stands in the row: it often names the recipient, which a log must not.
                    true => {
                        tracing::error!(mail.id = %id, mail.kind, mail.attempts, "mail given up")
                    }
                    false => {
                        tracing::warn!(mail.id = %id, mail.kind, mail.attempts, "mail not sent yet")
                    }
                }
                MailWrite::Failed { id, again_at: (!gone).then_some(again), failure }
            }
        };
        parts.store.mail(write).await.map_err(write_fault).map(drop)
    }
}

impl Post {
    /// As it is to travel. `None`: there is nothing to tell any more.
    async fn letter(&self, mail: &WaitingMail) -> Result<Option<Letter>, Fault> {
        let text = match mail.order {
            Some(order) => self.told_of(order, mail).await?,
            None => {
                let (subject, body) = (mail.subject.clone(), mail.body.0.clone());
                Some(MailText { subject, body, html: None })
            }
        };
        Ok(text.map(|MailText { subject, body, html }| Letter {
            id: mail.id,
            recipient: mail.recipient.clone(),
            subject,
            text: MailBody(body),
            html: html.map(MailBody),
            created_at: mail.created_at,
        }))
    }

    async fn told_of(&self, order: OrderId, mail: &WaitingMail) -> Result<Option<MailText>, Fault> {
        let parts = &self.parts;
        let Some(letter) = OrderLetter::parse(&mail.kind) else { return Ok(None) };
        let stored = parts.orders.get(order).await.map_err(store_fault)?;
        let Some(stored) = stored else { return Ok(None) };
        let steps = parts.orders.steps(order).await.map_err(store_fault)?;
        let token = Some(&mail.body.0).filter(|token| !token.is_empty()).map(Secret::new);
        let (order, token) = (&stored.order, token.as_ref());
        let of = OrderMail { sender: &parts.sender, letter, order, steps: &steps, token };
        Ok(Some(order_mail(&of)))
    }
}

/// Behind so many tries.
fn pause(attempts: u32) -> Duration {
    let doubled = 1u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
    FIRST_PAUSE.saturating_mul(doubled.max(1)).min(MOST_PAUSE)
}

fn write_fault(error: WriteError) -> Fault {
    match error {
        WriteError::Store(error) => store_fault(error),
        other => Fault::unavailable(other),
    }
}
