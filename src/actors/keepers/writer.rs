//! The writer: whatever waits to be changed in the database is committed together.
//!
//! Promise: every call gets one answer, and *done* is said only after the commit. While one batch
//! commits the next one gathers; interactive changes go before background ones, which are
//! committed one at a time and behind all others, so that an import never holds up a checkout for
//! longer than one of its batches (cut them at about 20 ms). When the writer dies with changes in
//! hand, their callers are told *unknown*; those that still wait are served by its successor.

use crate::{
    actors::workers::importer::{ProductSink, SinkError},
    domain::{once::KeptAnswer, time::Micros},
    ports::{
        StoreError,
        accounts::AccountWrite,
        jobs::JobWrite,
        mail::MailWrite,
        maintenance::MaintenanceWrite,
        overrides::{AutoscaleWrite, PoolOverride},
        rules::{RuleAct, RuleWrite},
        schedules::ScheduleWrite,
        sessions::SessionWrite,
        webhooks::WebhookWrite,
        writer::{Once, Write, Writer, Written},
    },
};
use async_trait::async_trait;
use std::{future::Future, time::Duration};
use supervisors::{
    Address, Agent, CallError, Child, Context, Fault, Mailbox, Nudge, Reply, StartError, agent,
};

/// Orders and payments go before all else.
const CHECKOUT: u8 = 0;
/// Somebody waits for it at a screen.
const INTERACTIVE: u8 = 1;
/// Imports and what else may take its time.
const BACKGROUND: u8 = 2;

/// Of each rank: a full commit's worth waits while another one runs. More would wait for longer
/// than its callers do.
const BOUND: usize = 512;
/// How long a caller waits for a change that somebody looks at, and for one of the background,
/// which stands behind all others.
const PATIENCE: Duration = Duration::from_secs(10);
const BACKGROUND_PATIENCE: Duration = Duration::from_secs(60);
/// What a refused caller is asked to wait: a few commits.
const COME_BACK: Duration = Duration::from_secs(1);

/// One change and who waits for it.
pub(crate) struct Commit {
    write: Write,
    reply: Reply<Result<Written, StoreError>>,
}

/// Why a change was not made, or may not have been.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// Nothing was changed.
    #[error("too many changes are waiting, try again in {retry_after:?}")]
    Overloaded { retry_after: Duration },
    /// It may have been made, or be made yet.
    #[error("it is unknown whether the change was made, try again with the same key")]
    Unknown,
    /// Nothing was changed, and nothing will be.
    #[error("the server is stopping")]
    Stopping,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of a write under a name.
#[derive(Debug)]
pub(crate) enum Told {
    /// To be given as it is: it was kept, now or before.
    Answer(KeptAnswer),
    /// Made now, and not for good.
    Once(Written),
}

/// Why nothing was done under a name, or may not have been.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OnceError {
    #[error("the name stands for another body")]
    OtherBody,
    #[error("another node is at work under this name")]
    InFlight,
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl From<CallError> for WriteError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Full => Self::Overloaded { retry_after: COME_BACK },
            CallError::Stopped => Self::Stopping,
            CallError::Lost | CallError::TimedOut => Self::Unknown,
        }
    }
}

/// Changes the database. Cheap to clone.
#[derive(Clone)]
pub(crate) struct StoreHandle {
    writer: Address<Commit>,
}

impl StoreHandle {
    pub(crate) async fn set_override(&self, wanted: PoolOverride) -> Result<(), WriteError> {
        match self.write(Write::SetOverride(wanted)).await? {
            Written::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// False: there was nothing to revert.
    pub(crate) async fn revert_override(
        &self,
        pool: String,
        node: String,
        by: String,
        at: Micros,
    ) -> Result<bool, WriteError> {
        match self.write(Write::RevertOverride { pool, node, by, at }).await? {
            Written::Done => Ok(true),
            Written::Absent => Ok(false),
            other => Err(unexpected(&other)),
        }
    }

    /// False: there was nothing to revert.
    pub(crate) async fn autoscale(&self, write: AutoscaleWrite) -> Result<bool, WriteError> {
        match self.write(Write::Autoscale(write)).await? {
            Written::Done => Ok(true),
            Written::Absent => Ok(false),
            other => Err(unexpected(&other)),
        }
    }

    /// Forgets up to `most` answers kept for retries, and says how many those were.
    pub(crate) async fn forget_answers(
        &self,
        older_than: Micros,
        most: u32,
    ) -> Result<u64, WriteError> {
        match self.write(Write::ForgetAnswers { older_than, most }).await? {
            Written::Swept(rows) => Ok(rows),
            other => Err(unexpected(&other)),
        }
    }

    /// Makes a write under the name its client gave it.
    pub(super) async fn once(&self, once: Once) -> Result<Told, OnceError> {
        match self.write(Write::Once(once)).await? {
            Written::Answered { answer: Some(answer), .. } | Written::Replayed(answer) => {
                Ok(Told::Answer(answer))
            }
            Written::Answered { written, answer: None } => Ok(Told::Once(*written)),
            Written::OtherBody => Err(OnceError::OtherBody),
            Written::InFlight => Err(OnceError::InFlight),
            other => Err(unexpected(&other).into()),
        }
    }

    pub(crate) async fn mail(&self, write: MailWrite) -> Result<Written, WriteError> {
        self.write(Write::Mail(write)).await
    }

    pub(crate) async fn webhooks(&self, write: WebhookWrite) -> Result<Written, WriteError> {
        self.write(Write::Webhooks(write)).await
    }

    pub(crate) async fn jobs(&self, write: JobWrite) -> Result<Written, WriteError> {
        self.write(Write::Jobs(write)).await
    }

    pub(crate) async fn schedules(&self, write: ScheduleWrite) -> Result<Written, WriteError> {
        self.write(Write::Schedules(write)).await
    }

    pub(crate) async fn maintenance(&self, write: MaintenanceWrite) -> Result<Written, WriteError> {
        self.write(Write::Maintenance(write)).await
    }

    pub(super) async fn write(&self, write: Write) -> Result<Written, WriteError> {
        let rank = rank(&write);
        let patience = if rank == BACKGROUND { BACKGROUND_PATIENCE } else { PATIENCE };
        let make = |reply| Commit { write, reply };
        Ok(self.writer.call_ranked(rank, make, patience).await??)
    }
}

#[async_trait]
impl ProductSink for StoreHandle {
    async fn write(&self, write: Write) -> Result<Written, SinkError> {
        Self::write(self, write).await.map_err(|error| match error {
            WriteError::Overloaded { .. } => SinkError::Full,
            WriteError::Unknown => SinkError::Unknown,
            WriteError::Stopping => SinkError::Stopped,
            WriteError::Store(error) => SinkError::Store(error),
        })
    }
}

/// An answer of another write: a bug, which must not pass for a success.
pub(super) fn unexpected(written: &Written) -> WriteError {
    StoreError::Refused(format!("the writer answered with something else: {written:?}")).into()
}

fn rank(write: &Write) -> u8 {
    match write {
        Write::Once(once) => rank(&once.write),
        Write::Place(_) | Write::Order(_) => CHECKOUT,
        Write::EndHolds { .. }
        | Write::Products(_)
        | Write::ForgetAnswers { .. }
        | Write::SweepCarts { .. } => BACKGROUND,
        Write::Rules(RuleWrite { act: RuleAct::SweepPrices { .. }, .. }) => BACKGROUND,
        Write::Rules(_)
        | Write::Carts(_)
        | Write::Quote(_)
        | Write::Payment(_)
        | Write::CreateImport(_)
        | Write::EndImport { .. }
        | Write::Stock(_)
        | Write::Product(_)
        | Write::PutWarehouse(_)
        | Write::SetOverride(_)
        | Write::RevertOverride { .. }
        | Write::Autoscale(_) => INTERACTIVE,
        Write::Sessions(
            SessionWrite::Touch(_) | SessionWrite::Sweep { .. } | SessionWrite::SweepGuests { .. },
        ) => BACKGROUND,
        Write::Accounts(AccountWrite::SweepTokens { .. } | AccountWrite::RedactOrders { .. }) => {
            BACKGROUND
        }
        // A heartbeat that stood behind an import would be missed.
        Write::Jobs(
            JobWrite::Join(_)
            | JobWrite::Beat { .. }
            | JobWrite::Leave { .. }
            | JobWrite::Pause { .. }
            | JobWrite::Share { .. }
            | JobWrite::Limit { .. }
            | JobWrite::Act(_)
            | JobWrite::Send(_),
        ) => INTERACTIVE,
        Write::Webhooks(WebhookWrite::Follow { .. } | WebhookWrite::Sweep { .. }) => BACKGROUND,
        Write::Mail(_) | Write::Jobs(_) | Write::Schedules(ScheduleWrite::Tick(_)) => BACKGROUND,
        Write::Sessions(_)
        | Write::Accounts(_)
        | Write::Schedules(_)
        | Write::Maintenance(_)
        | Write::Webhooks(_) => INTERACTIVE,
    }
}

/// The mailbox of the writer and the handle to it, made before the writer lives.
pub(crate) fn store() -> (Mailbox<Commit>, StoreHandle) {
    with_bound(BOUND)
}

fn with_bound(bound: usize) -> (Mailbox<Commit>, StoreHandle) {
    let mailbox = Mailbox::ranked("writer", bound, BACKGROUND + 1);
    let handle = StoreHandle { writer: mailbox.address() };
    (mailbox, handle)
}

/// The writer as a child of the tree. `open` makes its connection at each start; `committed` is
/// nudged whenever the log may have grown.
pub(crate) fn writer<F, Fut>(mailbox: &Mailbox<Commit>, committed: &Nudge, open: F) -> Child
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Box<dyn Writer>, StartError>> + Send + 'static,
{
    let committed = committed.clone();
    agent("writer", mailbox, move || {
        let (opening, committed) = (open(), committed.clone());
        async move { Ok(StoreWriter { store: opening.await?, committed }) }
    })
}

struct StoreWriter {
    store: Box<dyn Writer>,
    committed: Nudge,
}

impl Agent for StoreWriter {
    type Message = Commit;
    /// One transaction's worth: beyond this a larger one is no cheaper for each.
    const DRAIN: usize = 512;
    const DRAIN_LAST: usize = 1;

    async fn handle(&mut self, messages: Vec<Commit>, _: &Context) -> Result<(), Fault> {
        let (background, front): (Vec<_>, Vec<_>) =
            messages.into_iter().partition(|m| rank(&m.write) == BACKGROUND);
        self.commit(front).await?;
        self.commit(background).await
    }
}

impl StoreWriter {
    async fn commit(&mut self, batch: Vec<Commit>) -> Result<(), Fault> {
        if batch.is_empty() {
            return Ok(());
        }
        let (writes, replies): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|m| (m.write, m.reply)).unzip();
        let answers = self.store.commit(writes).await;
        if answers.len() != replies.len() {
            return Err(Fault::crash(format!(
                "{} answers to {} changes",
                answers.len(),
                replies.len()
            )));
        }
        if answers.iter().any(Result::is_ok) {
            self.committed.wake();
        }
        for (reply, answer) in replies.into_iter().zip(answers) {
            reply.send(answer);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
