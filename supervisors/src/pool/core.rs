//! What a pool is apart from its workers.
//!
//! Promise: it outlives them all. A job is in the line, in a worker's hands or
//! answered; a worker that dies lets go of its job's key, and an idle worker is
//! woken for every job that may be done.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ractor::ActorRef;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::crew::CrewOrder;
use super::line::Line;
use super::{PoolOptions, PoolRefusal, Routing};
use crate::bell::Bell;
use crate::mailbox::Refused;
use crate::meter::Meter;
use crate::reply::{CallError, discard};
use crate::snapshot::{BudgetSnapshot, Fit, PoolSnapshot, State};
use crate::sync::locked;

pub(crate) struct Waiting<J> {
    job: J,
    since: Instant,
}

struct Desk<J> {
    line: Line<Waiting<J>>,
    /// Workers with nothing to do, and how to wake them.
    idle: Vec<(u64, Arc<Bell>)>,
    /// Since when which worker has a job in hand.
    in_hand: HashMap<u64, Instant>,
    workers: usize,
    paused: bool,
    draining: bool,
    closed: bool,
}

pub(crate) struct Core<J> {
    pub(crate) name: Cow<'static, str>,
    pub(crate) options: PoolOptions,
    desk: Mutex<Desk<J>>,
    pub(crate) meter: Arc<Meter>,
    crew: Mutex<Option<ActorRef<CrewOrder>>>,
    quiet: Notify,
    pub(crate) stuck: AtomicU64,
    /// Numbers given to workers; one left behind must not share its with a successor.
    pub(crate) numbers: AtomicU64,
    pub(crate) up: AtomicUsize,
}

/// A job in a worker's hands; letting go of it, in whatever way, frees its key.
pub(crate) struct InHand<J> {
    core: Arc<Core<J>>,
    worker: u64,
    key: Option<u64>,
}

impl<J> Drop for InHand<J> {
    fn drop(&mut self) {
        let mut desk = locked(&self.core.desk);
        desk.in_hand.remove(&self.worker);
        if let Some(key) = self.key {
            desk.line.done(key);
        }
        let woken = desk.next_idle();
        let quiet = desk.is_quiet();
        drop(desk);
        if let Some(bell) = woken {
            bell.ring();
        }
        if quiet {
            self.core.quiet.notify_waiters();
        }
    }
}

impl<J> Desk<J> {
    /// An idle worker to wake, if there is a job for it.
    fn next_idle(&mut self) -> Option<Arc<Bell>> {
        if self.paused || !self.line.has_ready() {
            return None;
        }
        self.idle.pop().map(|(_, bell)| bell)
    }

    fn is_quiet(&self) -> bool {
        self.line.depth() == 0 && self.in_hand.is_empty()
    }
}

impl<J> Core<J> {
    pub(crate) fn new(name: Cow<'static, str>, mut options: PoolOptions) -> Self {
        options.workers = options.workers.max(1);
        options.most = options.most.max(options.workers);
        options.bound = options.bound.max(1);
        Self {
            name,
            desk: Mutex::new(Desk {
                line: Line::default(),
                idle: Vec::new(),
                in_hand: HashMap::new(),
                workers: options.workers,
                paused: false,
                draining: false,
                closed: false,
            }),
            options,
            meter: Arc::default(),
            crew: Mutex::default(),
            quiet: Notify::new(),
            stuck: AtomicU64::new(0),
            numbers: AtomicU64::new(0),
            up: AtomicUsize::new(0),
        }
    }

    pub(crate) fn push(&self, key: Option<u64>, job: J) -> Result<(), Refused<J>> {
        let mut desk = locked(&self.desk);
        let reason = if desk.closed {
            Some(CallError::Stopped)
        } else if desk.draining || desk.line.depth() >= self.options.bound {
            Some(CallError::Full)
        } else {
            None
        };
        if let Some(reason) = reason {
            drop(desk);
            self.meter.refused();
            return Err(Refused { message: job, reason });
        }
        let key = key.filter(|_| self.options.routing == Routing::Keyed);
        let since = Instant::now();
        desk.line.push(key, Waiting { job, since });
        let woken = desk.next_idle();
        drop(desk);
        if let Some(bell) = woken {
            bell.ring();
        }
        Ok(())
    }

    /// The next job for `worker`; if there is none, it will be woken by `bell`.
    pub(crate) fn take(self: &Arc<Self>, worker: u64, bell: &Arc<Bell>) -> Option<(J, InHand<J>)> {
        let mut desk = locked(&self.desk);
        let taken = if desk.paused { None } else { desk.line.take() };
        let Some(taken) = taken else {
            if desk.idle.iter().all(|(idle, _)| *idle != worker) {
                desk.idle.push((worker, Arc::clone(bell)));
            }
            return None;
        };
        let now = Instant::now();
        desk.in_hand.insert(worker, now);
        desk.idle.retain(|(idle, _)| *idle != worker);
        drop(desk);
        self.meter.waited(now, now - taken.job.since);
        let hand = InHand { core: Arc::clone(self), worker, key: taken.key };
        Some((taken.job.job, hand))
    }

    /// A worker is gone; a job it was woken for goes to another one.
    pub(crate) fn leave(&self, worker: u64) {
        let mut desk = locked(&self.desk);
        desk.idle.retain(|(idle, _)| *idle != worker);
        let woken = desk.next_idle();
        drop(desk);
        if let Some(bell) = woken {
            bell.ring();
        }
    }

    pub(crate) fn workers(&self) -> usize {
        locked(&self.desk).workers
    }

    pub(crate) fn is_busy(&self, worker: u64) -> bool {
        locked(&self.desk).in_hand.contains_key(&worker)
    }

    /// Workers that have had one job in hand for longer than `limit`.
    pub(crate) fn stuck_for(&self, limit: Duration) -> Vec<u64> {
        let now = Instant::now();
        let desk = locked(&self.desk);
        let stuck = desk.in_hand.iter().filter(|(_, since)| now - **since > limit);
        stuck.map(|(worker, _)| *worker).collect()
    }

    pub(crate) fn attach(&self, crew: ActorRef<CrewOrder>) {
        *locked(&self.crew) = Some(crew);
    }

    pub(crate) fn open(&self) {
        locked(&self.desk).closed = false;
    }

    pub(crate) fn close(&self) {
        locked(&self.desk).closed = true;
    }

    pub(crate) fn abandon(&self) {
        let mut desk = locked(&self.desk);
        desk.closed = true;
        let left = desk.line.clear();
        let quiet = desk.is_quiet();
        drop(desk);
        discard(left);
        if quiet {
            self.quiet.notify_waiters();
        }
    }

    pub(crate) fn depth(&self) -> usize {
        locked(&self.desk).line.depth()
    }

    pub(crate) fn room(&self) -> usize {
        let desk = locked(&self.desk);
        match desk.closed || desk.paused || desk.draining {
            true => 0,
            false => self.options.bound.saturating_sub(desk.line.depth()),
        }
    }

    pub(crate) fn resize(&self, workers: usize) -> Result<(), PoolRefusal> {
        let refused = |reason| Err(PoolRefusal { reason });
        let (name, most) = (&self.name, self.options.most);
        if workers == 0 {
            return refused(format!("{name} needs a worker at least; pause it instead"));
        }
        if workers > most {
            let why = self.options.why_most;
            return refused(format!("{name} has {most} workers at most: {why}"));
        }
        locked(&self.desk).workers = workers;
        if let Some(crew) = locked(&self.crew).as_ref() {
            // Without a crew the next one starts with the new size.
            let _dead = crew.send_message(CrewOrder::Resized);
        }
        Ok(())
    }

    pub(crate) fn pause(&self) {
        locked(&self.desk).paused = true;
    }

    pub(crate) fn resume(&self) {
        self.go_on(false);
    }

    /// Hands jobs out again, and takes new ones unless it is `draining`.
    fn go_on(&self, draining: bool) {
        let mut desk = locked(&self.desk);
        desk.paused = false;
        desk.draining = draining;
        let woken = std::mem::take(&mut desk.idle);
        drop(desk);
        for (_, bell) in woken {
            bell.ring();
        }
        self.quiet.notify_waiters();
    }

    pub(crate) async fn drain(&self) {
        self.go_on(true);
        loop {
            let mut quiet = std::pin::pin!(self.quiet.notified());
            quiet.as_mut().enable();
            {
                let desk = locked(&self.desk);
                if desk.is_quiet() || !desk.draining {
                    return;
                }
            }
            quiet.await;
        }
    }

    pub(crate) fn state(&self) -> State {
        let desk = locked(&self.desk);
        match (desk.paused, desk.draining) {
            (true, _) => State::Paused,
            (_, true) if desk.is_quiet() => State::Drained,
            (_, true) => State::Draining,
            _ => State::Running,
        }
    }

    pub(crate) fn snapshot(&self, now: Instant, budget: BudgetSnapshot) -> PoolSnapshot {
        let runs = self.meter.runs(now);
        let desk = locked(&self.desk);
        let (workers, busy, depth) = (desk.workers, desk.in_hand.len(), desk.line.depth());
        let ages = desk.in_hand.values().map(|since| now.saturating_duration_since(*since));
        let ages: Vec<Duration> = ages.collect();
        let waiting = desk.line.first().map(|next| now.saturating_duration_since(next.since));
        drop(desk);
        let running: Duration = ages.iter().map(|age| (*age).min(runs.span)).sum();
        let span = runs.span.as_secs_f64();
        let needed = match span > 0.0 {
            true => (runs.sum + running).as_secs_f64() / span,
            false => 0.0,
        };
        PoolSnapshot {
            workers,
            up: self.up.load(Ordering::Relaxed),
            busy,
            most: self.options.most,
            depth,
            waiting_ms: waiting.map(|age| age.as_millis() as u64),
            bound: self.options.bound,
            refused: self.meter.refused_total(),
            stuck: self.stuck.load(Ordering::Relaxed),
            longest_ms: ages.iter().max().map(|age| age.as_millis() as u64),
            utilisation: (needed / workers as f64).min(1.0),
            needed,
            fit: fit(needed, workers),
            budget,
        }
    }
}

/// Little's law, read as advice.
fn fit(needed: f64, workers: usize) -> Fit {
    if needed > 0.8 * workers as f64 {
        Fit::TooSmall
    } else if workers > 2 && needed < 0.5 * (workers - 2) as f64 {
        Fit::TooBig
    } else {
        Fit::Fine
    }
}

impl<J> Drop for Core<J> {
    fn drop(&mut self) {
        discard(locked(&self.desk).line.clear());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_has_room_for_what_it_would_hand_out() {
        let options = PoolOptions { bound: 2, ..PoolOptions::default() };
        let core = Core::new("test".into(), options);
        assert_eq!(core.room(), 2);
        assert!(core.push(None, ()).is_ok());
        assert_eq!(core.room(), 1);
        core.pause();
        assert_eq!(core.room(), 0);
        core.resume();
        assert!(core.push(None, ()).is_ok());
        assert_eq!(core.room(), 0);
        core.close();
        assert_eq!(core.room(), 0);
    }

    #[test]
    fn littles_law_tells_whether_a_pool_fits() {
        assert_eq!(fit(1.9, 2), Fit::TooSmall);
        assert_eq!(fit(1.0, 2), Fit::Fine);
        assert_eq!(fit(0.0, 2), Fit::Fine);
        assert_eq!(fit(0.5, 8), Fit::TooBig);
        assert_eq!(fit(5.0, 8), Fit::Fine);
    }
}
