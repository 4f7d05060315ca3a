//! What this process has in hand of the queue.
//!
//! Promise: a job that was claimed is held by one [`Hold`]; dropped without an end, whoever dropped
//! it and why, the job is handed back. The desk outlives the actors around it.

use super::progress::Progress;
use crate::{
    domain::id::{JobId, WorkerId},
    ports::jobs::{ClaimedJob, JobProgress},
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
    held: HashMap<JobId, Held>,
    strays: Vec<(JobId, u32)>,
}

struct Held {
    attempt: u32,
    cancel: watch::Sender<bool>,
    progress: Progress,
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
        for held in state.held.values() {
            held.cancel.send_replace(true);
        }
        state.worker.take()
    }

    pub(super) fn hold(&self, job: &ClaimedJob) -> Hold {
        let (cancel, cancelled) = watch::channel(false);
        let (id, attempt, progress) = (job.id, job.attempt, Progress::default());
        self.state().held.insert(id, Held { attempt, cancel, progress: progress.clone() });
        Hold { desk: self.clone(), id, attempt, progress, cancelled, ended: false }
    }

    /// All that is in hand, under its attempts.
    pub(super) fn held(&self) -> Vec<(JobId, u32)> {
        self.state().held.iter().map(|(id, held)| (*id, held.attempt)).collect()
    }

    /// What jobs in hand have said since it was written.
    pub(super) fn progress(&self) -> Vec<JobProgress> {
        let state = self.state();
        let told = state.held.iter().filter_map(|(id, held)| {
            let steps = held.progress.unwritten()?;
            Some(JobProgress { id: *id, attempt: held.attempt, steps })
        });
        told.collect()
    }

    pub(super) fn progress_written(&self, told: &[JobProgress]) {
        let state = self.state();
        for JobProgress { id, attempt, steps } in told {
            if let Some(held) = state.held.get(id).filter(|held| held.attempt == *attempt) {
                held.progress.written(*steps);
            }
        }
    }

    /// Nothing is in hand.
    pub(super) fn is_idle(&self) -> bool {
        let state = self.state();
        state.held.is_empty() && state.strays.is_empty()
    }

    /// An operator wants this one ended.
    pub(super) fn cancel(&self, id: JobId) {
        if let Some(held) = self.state().held.get(&id) {
            held.cancel.send_replace(true);
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
    pub(super) progress: Progress,
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
        if state.held.get(&self.id).is_some_and(|held| held.attempt == self.attempt) {
            state.held.remove(&self.id);
        }
        if !self.ended {
            state.strays.push((self.id, self.attempt));
            drop(state);
            self.desk.nudge().wake();
        }
    }
}
