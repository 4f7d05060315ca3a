//! The ractor actor that keeps a pool's workers.
//!
//! Promise: there are as many workers as wanted, or there soon will be. Nothing
//! here waits for a worker inside a handler. If the crew is killed, ractor kills
//! the workers; their callers get `Lost` and what waits stays.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};
use tokio::time::Instant;

use super::PoolOptions;
use super::core::Core;
use crate::context::Ending;
use crate::fault::Death;
use crate::node::{Node, Presence};
use crate::reply::BoxFuture;
use crate::shell::{Berth, Spawned, Stopper};

/// How long workers may finish their jobs when the pool itself fails.
const LAST_JOBS: Duration = Duration::from_secs(10);
/// How long a killed worker may take to be gone before it is left behind.
const LAST_GRACE: Duration = Duration::from_secs(2);

pub(crate) enum CrewOrder {
    Resized,
    Started(u64),
    Cooled(u64),
    Overdue(u64),
    Hopeless(u64),
    LookForStuck,
    End(Ending),
}

impl ractor::Message for CrewOrder {}

/// Starts worker number so-and-so.
pub(crate) type Hire =
    Box<dyn Fn(u64, Berth) -> BoxFuture<'static, Result<Spawned, SpawnErr>> + Send + Sync>;

/// What the crew needs to know of its pool, whatever the jobs are.
pub(crate) trait Jobs: Send + Sync {
    fn options(&self) -> &PoolOptions;
    fn workers(&self) -> usize;
    fn is_busy(&self, worker: u64) -> bool;
    fn stuck_for(&self, limit: Duration) -> Vec<u64>;
    fn attach(&self, crew: ActorRef<CrewOrder>);
    fn count_stuck(&self);
    fn set_up(&self, workers: usize);
}

impl<J: Send + 'static> Jobs for Core<J> {
    fn options(&self) -> &PoolOptions {
        &self.options
    }
    fn workers(&self) -> usize {
        Core::workers(self)
    }
    fn is_busy(&self, worker: u64) -> bool {
        Core::is_busy(self, worker)
    }
    fn stuck_for(&self, limit: Duration) -> Vec<u64> {
        Core::stuck_for(self, limit)
    }
    fn attach(&self, crew: ActorRef<CrewOrder>) {
        Core::attach(self, crew);
    }
    fn count_stuck(&self) {
        self.stuck.fetch_add(1, Ordering::Relaxed);
    }
    fn set_up(&self, workers: usize) {
        self.up.store(workers, Ordering::Relaxed);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stance {
    Cooling,
    Starting,
    Up,
    /// Finishes its job and goes.
    Leaving,
}

struct Seat {
    /// Names one life of one worker.
    number: u64,
    stance: Stance,
    spawned: Option<Spawned>,
    attempts: u32,
    up_since: Option<Instant>,
}

enum Mode {
    Booting,
    Running,
    Ending(Ending),
    Failing(Death),
}

pub(crate) struct Desk {
    jobs: Arc<dyn Jobs>,
    hire: Hire,
    node: Arc<Node>,
    started: Option<Box<dyn FnOnce() + Send>>,
    mode: Mode,
    seats: Vec<Seat>,
    next_number: u64,
    _presence: Presence,
}

pub(crate) struct Crew;

impl Crew {
    pub(crate) async fn spawn_below(
        jobs: Arc<dyn Jobs>,
        hire: Hire,
        berth: Berth,
    ) -> Result<Spawned, SpawnErr> {
        let desk = Desk {
            jobs,
            hire,
            _presence: berth.node.alive.enter(),
            node: berth.node,
            started: Some(berth.started),
            mode: Mode::Booting,
            seats: Vec::new(),
            next_number: 0,
        };
        let (actor, join) = Self::spawn_linked(None, Self, desk, berth.supervisor).await?;
        let cell = actor.get_cell();
        let stop = move |ending| {
            let _dead = actor.send_message(CrewOrder::End(ending));
        };
        Ok(Spawned { cell, join, ending: Stopper::Branch(Box::new(stop)) })
    }
}

impl Actor for Crew {
    type Msg = CrewOrder;
    type State = Desk;
    type Arguments = Desk;

    async fn pre_start(
        &self,
        _myself: ActorRef<CrewOrder>,
        desk: Desk,
    ) -> Result<Desk, ActorProcessingErr> {
        Ok(desk)
    }

    async fn post_start(
        &self,
        myself: ActorRef<CrewOrder>,
        desk: &mut Desk,
    ) -> Result<(), ActorProcessingErr> {
        desk.node.fresh_budget();
        desk.jobs.attach(myself.clone());
        desk.watch_for_stuck(&myself);
        desk.advance(&myself).await
    }

    async fn handle(
        &self,
        myself: ActorRef<CrewOrder>,
        order: CrewOrder,
        desk: &mut Desk,
    ) -> Result<(), ActorProcessingErr> {
        match order {
            CrewOrder::Resized => {}
            CrewOrder::Started(number) => desk.started(number),
            CrewOrder::Cooled(number) => desk.cooled(number, &myself).await,
            CrewOrder::Overdue(number) => desk.kill(number, &myself),
            CrewOrder::Hopeless(number) => desk.leave_behind(number, &myself),
            CrewOrder::LookForStuck => desk.replace_stuck(&myself),
            CrewOrder::End(ending) => desk.end(ending),
        }
        desk.advance(&myself).await
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<CrewOrder>,
        event: SupervisionEvent,
        desk: &mut Desk,
    ) -> Result<(), ActorProcessingErr> {
        let (cell, death) = match event {
            SupervisionEvent::ActorFailed(cell, error) => (cell, Some(Death::from_event(error))),
            SupervisionEvent::ActorTerminated(cell, state, _) => {
                drop(state);
                (cell, None)
            }
            _ => return Ok(()),
        };
        let is_it = |seat: &Seat| seat.spawned.as_ref().is_some_and(|s| s.cell == cell);
        if let Some(index) = desk.seats.iter().position(is_it) {
            if let Some(spawned) = desk.seats[index].spawned.take() {
                let _aborted = spawned.join.await;
            }
            desk.ended(index, death, &myself);
        }
        desk.advance(&myself).await
    }
}

impl Desk {
    fn is_ending(&self) -> bool {
        matches!(self.mode, Mode::Ending(_) | Mode::Failing(_))
    }

    fn seat(&mut self, number: u64) -> Option<&mut Seat> {
        self.seats.iter_mut().find(|seat| seat.number == number)
    }

    /// Hires, lets go, or ends, whatever is due.
    async fn advance(&mut self, myself: &ActorRef<CrewOrder>) -> Result<(), ActorProcessingErr> {
        if self.is_ending() {
            return self.wind_up(myself);
        }
        let staying = |seat: &&Seat| seat.stance != Stance::Leaving;
        let wanted = self.jobs.workers();
        let mut have = self.seats.iter().filter(staying).count();
        while have > wanted {
            self.let_one_go(myself);
            have -= 1;
        }
        while have < wanted {
            self.hire_one(0, myself).await;
            have += 1;
        }
        let up = self.seats.iter().filter(|s| s.stance == Stance::Up).count();
        self.jobs.set_up(up);
        if matches!(self.mode, Mode::Booting) && up >= wanted {
            self.mode = Mode::Running;
            if let Some(started) = self.started.take() {
                started();
            }
        }
        Ok(())
    }

    async fn hire_one(&mut self, attempts: u32, myself: &ActorRef<CrewOrder>) {
        let number = self.next_number;
        self.next_number += 1;
        let actor = myself.clone();
        let berth = Berth {
            node: Arc::clone(&self.node),
            supervisor: myself.get_cell(),
            backoff: self.jobs.options().backoff,
            started: Box::new(move || {
                let _dead = actor.send_message(CrewOrder::Started(number));
            }),
        };
        let hired = (self.hire)(number, berth).await;
        self.seats.push(Seat {
            number,
            stance: Stance::Starting,
            spawned: None,
            attempts,
            up_since: None,
        });
        let index = self.seats.len() - 1;
        match hired {
            Ok(spawned) => self.seats[index].spawned = Some(spawned),
            Err(error) => self.ended(index, Some(Death::Crashed(error.into())), myself),
        }
    }

    /// Sends home whom it hurts least: one not yet up, an idle one, a busy one.
    fn let_one_go(&mut self, myself: &ActorRef<CrewOrder>) {
        let cost = |seat: &Seat| match seat.stance {
            Stance::Cooling => 0,
            Stance::Starting => 1,
            Stance::Up if !self.jobs.is_busy(seat.number) => 2,
            Stance::Up => 3,
            Stance::Leaving => 4,
        };
        let Some(index) = (0..self.seats.len()).min_by_key(|i| cost(&self.seats[*i])) else {
            return;
        };
        let seat = &mut self.seats[index];
        let number = seat.number;
        match seat.stance {
            Stance::Cooling => {
                self.seats.remove(index);
            }
            Stance::Starting => self.kill(number, myself),
            Stance::Up | Stance::Leaving => {
                seat.stance = Stance::Leaving;
                if let Some(spawned) = &seat.spawned {
                    spawned.stop(Ending::Pause);
                }
            }
        }
    }

    fn started(&mut self, number: u64) {
        if let Some(seat) = self.seat(number)
            && seat.stance == Stance::Starting
        {
            seat.stance = Stance::Up;
            seat.up_since = Some(Instant::now());
        }
    }

    /// A replacement is due, if the seat is still wanted.
    async fn cooled(&mut self, number: u64, myself: &ActorRef<CrewOrder>) {
        let due = self.seats.iter().position(|seat| seat.number == number);
        if let Some(index) = due
            && !self.is_ending()
        {
            let attempts = self.seats.remove(index).attempts;
            self.hire_one(attempts, myself).await;
        }
    }

    fn kill(&mut self, number: u64, myself: &ActorRef<CrewOrder>) {
        if let Some(seat) = self.seat(number)
            && let Some(spawned) = &seat.spawned
        {
            spawned.cell.kill();
            seat.stance = Stance::Leaving;
            myself.send_after(LAST_GRACE, move || CrewOrder::Hopeless(number));
        }
    }

    fn leave_behind(&mut self, number: u64, myself: &ActorRef<CrewOrder>) {
        let path = Arc::clone(&self.node.path);
        if let Some(seat) = self.seat(number)
            && let Some(spawned) = seat.spawned.take()
        {
            tracing::error!(pool.path = &*path, "worker never awaits, leaving it behind");
            spawned.cell.unlink(myself.get_cell());
            self.seats.retain(|seat| seat.number != number);
        }
    }

    fn watch_for_stuck(&self, myself: &ActorRef<CrewOrder>) {
        if let Some(limit) = self.jobs.options().stuck_after {
            let pause = (limit / 4).clamp(Duration::from_millis(1), Duration::from_secs(5));
            myself.send_after(pause, || CrewOrder::LookForStuck);
        }
    }

    fn replace_stuck(&mut self, myself: &ActorRef<CrewOrder>) {
        if let Some(limit) = self.jobs.options().stuck_after {
            for number in self.jobs.stuck_for(limit) {
                let fresh = |seat: &Seat| seat.number == number && seat.stance != Stance::Leaving;
                if self.seats.iter().any(fresh) {
                    tracing::error!(pool.path = &*self.node.path, "worker is stuck, replacing it");
                    self.jobs.count_stuck();
                    self.node.stuck(limit);
                    self.node.worker_replaced();
                    self.kill(number, myself);
                }
            }
        }
        self.watch_for_stuck(myself);
    }

    fn end(&mut self, ending: Ending) {
        if !self.is_ending() {
            self.mode = Mode::Ending(ending);
        }
    }

    fn ended(&mut self, index: usize, death: Option<Death>, myself: &ActorRef<CrewOrder>) {
        let seat = self.seats.remove(index);
        let Some(death) = death.or_else(|| {
            let wanted = seat.stance == Stance::Leaving || self.is_ending();
            (!wanted).then(|| Death::Crashed("killed from outside".into()))
        }) else {
            return;
        };
        if seat.stance == Stance::Starting && matches!(self.mode, Mode::Booting) {
            self.mode = Mode::Failing(death);
            return;
        }
        let unavailable = matches!(death, Death::Unavailable(_));
        let reason = self.node.died(death);
        tracing::error!(pool.path = &*self.node.path, reason, "worker died");
        if self.is_ending() || seat.stance == Stance::Leaving {
            return;
        }
        let now = Instant::now();
        if !unavailable && !self.node.spend(now) {
            let budget = self.jobs.options().budget;
            self.mode = Mode::Failing(Death::Spent {
                path: self.node.path.to_string(),
                reason: format!(
                    "replaced more than {} workers within {:?}; the last one: {reason}",
                    budget.restarts, budget.within,
                ),
            });
            return;
        }
        self.node.worker_replaced();
        let within = self.jobs.options().budget.within;
        let decent = seat.up_since.is_some_and(|up| now - up >= within);
        let attempts = if decent { 1 } else { seat.attempts.saturating_add(1) };
        let pause = self.jobs.options().backoff.roll(attempts);
        self.cool(attempts, pause, myself);
    }

    /// Keeps a seat empty for a while.
    fn cool(&mut self, attempts: u32, pause: Duration, myself: &ActorRef<CrewOrder>) {
        if pause.is_zero() {
            return;
        }
        let number = self.next_number;
        self.next_number += 1;
        self.seats.push(Seat {
            number,
            stance: Stance::Cooling,
            spawned: None,
            attempts,
            up_since: None,
        });
        myself.send_after(pause, move || CrewOrder::Cooled(number));
    }

    /// Asks everybody to end, and ends when all have.
    fn wind_up(&mut self, myself: &ActorRef<CrewOrder>) -> Result<(), ActorProcessingErr> {
        let (ending, limit) = match &self.mode {
            Mode::Ending(ending) => (*ending, None),
            _ => (Ending::Pause, Some(LAST_JOBS)),
        };
        self.seats.retain(|seat| seat.spawned.is_some());
        let mut unmade = Vec::new();
        for seat in &mut self.seats {
            match seat.stance {
                Stance::Starting => unmade.push(seat.number),
                Stance::Up => {
                    seat.stance = Stance::Leaving;
                    if let Some(spawned) = &seat.spawned {
                        spawned.stop(ending);
                    }
                    if let Some(limit) = limit {
                        let number = seat.number;
                        myself.send_after(limit, move || CrewOrder::Overdue(number));
                    }
                }
                Stance::Cooling | Stance::Leaving => {}
            }
        }
        for number in unmade {
            self.kill(number, myself);
        }
        self.jobs.set_up(0);
        if !self.seats.is_empty() {
            return Ok(());
        }
        match std::mem::replace(&mut self.mode, Mode::Ending(Ending::Pause)) {
            Mode::Failing(death) => Err(Box::new(death)),
            Mode::Booting | Mode::Running | Mode::Ending(_) => {
                myself.stop(None);
                Ok(())
            }
        }
    }
}
