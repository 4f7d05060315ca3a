//! Mail as an operator looks at it, and what is dropped of it. Jobs hand it over (`mail.send`).

use super::write_fault;
use crate::{
    actors::keepers::writer::{StoreHandle, WriteError},
    domain::{id::MailId, order::OrderLetter, time::Micros},
    ports::{
        StoreError,
        clock::Clock,
        mail::{MailQueue, MailState, MailWrite, QueuedMail},
        writer::Written,
    },
    views::Sender,
};
use std::{sync::Arc, time::Duration};
use supervisors::{Child, Context, Fault, Next, Nudge, Reconciler, reconciler};

/// Rows of what was sent or given up are kept that long.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);
const SWEPT_AT_A_TIME: u32 = 1_000;

/// What is mailed, looked at and turned. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Mails {
    pub(crate) queue: Arc<dyn MailQueue>,
    pub(crate) store: StoreHandle,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sender: Sender,
    /// Wakes whoever runs jobs.
    pub(crate) wake: Nudge,
}

impl Mails {
    /// The newest first.
    pub(crate) async fn list(
        &self,
        state: MailState,
        limit: u32,
    ) -> Result<Vec<QueuedMail>, StoreError> {
        self.queue.queued(state, limit).await
    }

    /// Tries it now. `false`: there is none, it was sent, or what it said is forgotten.
    pub(crate) async fn retry(&self, id: MailId, by: String) -> Result<bool, WriteError> {
        let at = self.clock.now();
        let retry = MailWrite::Retry { id, at, until: at.plus(OrderLetter::LASTS), by };
        let found = self.store.mail(retry).await? != Written::Absent;
        self.wake.wake();
        Ok(found)
    }
}

/// Drops old rows, as a child of the tree. When it dies, they stay for longer.
pub(crate) fn mail_sweeper(mails: Mails) -> Child {
    reconciler("mail-sweeper", SWEEP_EVERY, &Nudge::new(), move || {
        let sweeper = Sweeper(mails.clone());
        async move { Ok(sweeper) }
    })
}

struct Sweeper(Mails);

impl Reconciler for Sweeper {
    async fn pass(&mut self, _: &Context) -> Result<Next, Fault> {
        let older_than: Micros = self.0.clock.now().minus(KEPT);
        let sweep = MailWrite::Sweep { older_than, most: SWEPT_AT_A_TIME };
        match self.0.store.mail(sweep).await.map_err(write_fault)? {
            Written::Swept(swept) if swept >= u64::from(SWEPT_AT_A_TIME) => Ok(Next::Again),
            _ => Ok(Next::Idle),
        }
    }
}
