//! The ractor actor that keeps a pool's workers.
//!
//! Promise: there are as many workers as wanted, or there soon will be. Nothing
//! here waits for a worker inside a handler. If the crew is killed, ractor kills
//! the workers; their callers get `Lost` and what waits stays.

mod desk;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
    /// A number no other worker of this pool ever had.
    fn next_number(&self) -> u64;
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
    fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
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
    /// Set by the worker itself, as news of its end overtakes news of its start.
    was_up: Arc<AtomicBool>,
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
    /// It ran before, so a worker that waits for something away is no failed boot.
    again: bool,
    seats: Vec<Seat>,
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
            again: berth.node.restarts() > 0,
            node: berth.node,
            started: Some(berth.started),
            mode: Mode::Booting,
            seats: Vec::new(),
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
