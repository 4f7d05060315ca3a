//! What this process has in hand of the queue.
//!
//! Promise: a job that was claimed is held by one [`Hold`]; dropped without an end, whoever dropped
//! it and why, the job is handed back. The desk outlives the actors around it.

use crate::{
    domain::id::{JobId, WorkerId},
    ports::jobs::ClaimedJob,
};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use supervisors::Nudge;
use tokio::sync::watch;

/// Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Desk {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Wakes the dispatcher.
    to_dispatcher: Nudge,
    /// Other processes run this database's jobs.
    company: AtomicBool,
}

#[derive(Default)]
struct State {
    /// As what this process has joined; `None`: it hasn't, or was buried.
    worker: Option<WorkerId>,
    held: HashMap<JobId, (u32, watch::Sender<bool>)>,
    strays: Vec<(JobId, u32)>,
}

impl Desk {
    /// Wakes the dispatcher: there may be work, or room for some.
    pub(crate) fn nudge(&self) -> &Nudge {
        &self.shared.to_dispatcher
    }

    pub(super) fn has_company(&self) -> bool {
        self.shared.company.load(Ordering::Relaxed)
    }

    pub(super) fn in_company(&self, company: bool) {
        self.shared.company.store(company, Ordering::Relaxed);
    }

    pub(super) fn worker(&self) -> Option<WorkerId> {
        self.state().worker
    }

    pub(super) fn joined(&self, worker: WorkerId) {
        self.state().worker = Some(worker);
        self.nudge().wake();
    }

    /// Others get what is in hand here; what is still done with it is refused by its fence.
    pub(super) fn left(&self) -> Option<WorkerId> {
        let mut state = self.state();
        for (_, cancel) in state.held.values() {
            cancel.send_replace(true);
        }
        state.worker.take()
    }

    pub(super) fn hold(&self, job: &ClaimedJob) -> Hold {
        let (cancel, cancelled) = watch::channel(false);
        self.state().held.insert(job.id, (job.attempt, cancel));
        Hold { desk: self.clone(), id: job.id, attempt: job.attempt, cancelled, ended: false }
    }

    /// All that is in hand, under its attempts.
    pub(super) fn held(&self) -> Vec<(JobId, u32)> {
        self.state().held.iter().map(|(id, (attempt, _))| (*id, *attempt)).collect()
    }

    /// Nothing is in hand.
    pub(super) fn is_idle(&self) -> bool {
        let state = self.state();
        state.held.is_empty() && state.strays.is_empty()
    }

    /// An operator wants this one ended.
    pub(super) fn cancel(&self, id: JobId) {
        if let Some((_, cancel)) = self.state().held.get(&id) {
            cancel.send_replace(true);
        }
    }

    /// What was let go of without an end.
    pub(super) fn strays(&self) -> Vec<(JobId, u32)> {
        std::mem::take(&mut self.state().strays)
    }

    /// They were not handed back.
    pub(super) fn still_strays(&self, strays: Vec<(JobId, u32)>) {
        self.state().strays.extend(strays);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A claim on a job.
pub(crate) struct Hold {
    desk: Desk,
    pub(super) id: JobId,
    pub(super) attempt: u32,
    cancelled: watch::Receiver<bool>,
    ended: bool,
}

impl Hold {
    /// Its end is written, or isn't this process' to write.
    pub(super) fn ended(mut self) {
        self.ended = true;
    }

    /// Resolves when it is to be ended.
    pub(super) async fn cancelled(&self) {
        let mut cancelled = self.cancelled.clone();
        if cancelled.wait_for(|wanted| *wanted).await.is_err() {
            // Nobody is left who could want it.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut state = self.desk.state();
        // A later claim of the same job has a hold of its own.
        if state.held.get(&self.id).is_some_and(|(attempt, _)| *attempt == self.attempt) {
            state.held.remove(&self.id);
        }
        if !self.ended {
            state.strays.push((self.id, self.attempt));
            drop(state);
            self.desk.nudge().wake();
        }
    }
}
