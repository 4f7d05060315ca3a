//! Hands a mail over, at least once.
//!
//! Promise: a mail whose row was committed is handed over, tried again with growing pauses, or given
//! up aloud when it has been too late for it. Dying behind the handing over and before the end's
//! commit it is handed over again, under the same `Message-ID`: it is the same mail.
//!
//! What a mail says of an order is written here, of the order as it is when it is sent.

use super::jobs::{Job, Try};
use crate::{
    domain::{
        id::{MailId, OrderId},
        job::Retry,
        order::OrderLetter,
        secret::Secret,
    },
    ports::{
        StoreError,
        clock::Clock,
        jobs::{Effect, Verdict},
        mail::{Letter, MailBody, MailError, MailQueue, Mailer, SendMail, WaitingMail},
        orders::Orders,
    },
    views::{MailText, OrderMail, Sender, order_mail},
};
use std::{sync::Arc, time::Duration};

/// What it works with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Post {
    pub(crate) queue: Arc<dyn MailQueue>,
    pub(crate) orders: Arc<dyn Orders>,
    pub(crate) mailer: Arc<dyn Mailer>,
    pub(crate) sender: Sender,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Job for SendMail {
    type World = Post;
    /// Until it is too late for the mail.
    const RETRY: Retry = Retry {
        first: Duration::from_secs(30),
        most: Duration::from_secs(2 * 60 * 60),
        failures: u32::MAX,
    };
    /// The longest that handing one over may take.
    const LIMIT: Duration = Duration::from_secs(45);

    async fn run(self, post: Post, tries: Try) -> Verdict {
        let letter = match post.letter(self.mail).await {
            Ok(Some(letter)) => letter,
            Ok(None) => return Verdict::fail("what it tells of is gone"),
            Err(error) => return Verdict::retry(error.to_string()),
        };
        match post.mailer.send(&letter).await {
            Ok(()) => {
                let id = letter.id;
                tracing::info!(mail.id = %id, mail.attempts = tries.attempt, "mail sent");
                Verdict::Done(vec![Effect::MailSent { id, at: post.clock.now() }])
            }
            Err(MailError::Later(why)) => Verdict::retry(why),
            Err(MailError::Never(why)) => Verdict::fail(why),
        }
    }
}

impl Post {
    /// As it is to travel. `None`: there is nothing to tell any more.
    async fn letter(&self, id: MailId) -> Result<Option<Letter>, StoreError> {
        let Some(mail) = self.queue.waiting(id).await? else { return Ok(None) };
        let text = match mail.order {
            Some(order) => self.told_of(order, &mail).await?,
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

    async fn told_of(
        &self,
        order: OrderId,
        mail: &WaitingMail,
    ) -> Result<Option<MailText>, StoreError> {
        let Some(letter) = OrderLetter::parse(&mail.kind) else { return Ok(None) };
        let Some(stored) = self.orders.get(order).await? else { return Ok(None) };
        let steps = self.orders.steps(order).await?;
        let token = Some(&mail.body.0).filter(|token| !token.is_empty()).map(Secret::new);
        let (order, token) = (&stored.order, token.as_ref());
        let of = OrderMail { sender: &self.sender, letter, order, steps: &steps, token };
        Ok(Some(order_mail(&of)))
    }
}
