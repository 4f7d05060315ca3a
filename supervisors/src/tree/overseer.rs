//! The ractor actor of a supervisor.
//!
//! Promise: it never waits for a child inside a handler. Everything is an event
//! (a child is up, a child ended, a time is over, an order from above) followed
//! by as many steps as can be taken now, so a child that hangs at its start
//! holds up nobody's stop. If the overseer is killed, ractor kills its children.

mod desk;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ractor::{Actor, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};
use tokio::sync::{oneshot, watch};

use super::Plan;
use super::running::{StartFailed, Verdict};
use super::steps::Stance;
use crate::child::Child;
use crate::context::Ending;
use crate::fault::Death;
use crate::node::{Node, Presence};
use crate::shell::{Berth, Spawned, Stopper};

/// One life of one child. Events about an earlier life are stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Life {
    index: usize,
    number: u64,
}

pub(crate) enum Order {
    Started(Life),
    Cooled(Life),
    Overdue(Life),
    Hopeless(Life),
    End(Ending),
}

impl ractor::Message for Order {}

/// Whom a supervisor reports to.
pub(crate) enum Report {
    Above(Option<Box<dyn FnOnce() + Send>>),
    Root {
        boot: Option<oneshot::Sender<Result<(), StartFailed>>>,
        end: watch::Sender<Option<Verdict>>,
    },
}

enum Mode {
    Booting,
    Running,
    Ending(Ending),
    Failing(Death),
}

struct Slot {
    child: Child,
    node: Arc<Node>,
    stance: Stance,
    spawned: Option<Spawned>,
    number: u64,
    /// Set by the child itself, as news of its end overtakes news of its start.
    was_up: Arc<AtomicBool>,
    /// It is up but starts anew, as the strategy says.
    must_fall: bool,
    /// Consecutive restarts without a decent life between them.
    attempts: u32,
}

pub(crate) struct Desk {
    plan: Plan,
    node: Arc<Node>,
    /// It ran before, so a child that waits for something away is no failed boot.
    again: bool,
    mode: Mode,
    slots: Vec<Slot>,
    report: Report,
    _presence: Presence,
}

pub(crate) struct Overseer;

impl Overseer {
    pub(crate) fn desk(plan: Plan, node: Arc<Node>, report: Report) -> Desk {
        let slot = |(child, node): (&Child, &Arc<Node>)| Slot {
            child: child.clone(),
            node: Arc::clone(node),
            stance: Stance::Down,
            spawned: None,
            number: 0,
            was_up: Arc::default(),
            must_fall: false,
            attempts: 0,
        };
        Desk {
            slots: plan.children.iter().zip(&node.children).map(slot).collect(),
            _presence: node.alive.enter(),
            again: node.restarts() > 0,
            plan,
            node,
            mode: Mode::Booting,
            report,
        }
    }

    pub(crate) async fn spawn_below(plan: Plan, berth: Berth) -> Result<Spawned, SpawnErr> {
        let desk = Self::desk(plan, berth.node, Report::Above(Some(berth.started)));
        let (actor, join) = Self::spawn_linked(None, Self, desk, berth.supervisor).await?;
        let cell = actor.get_cell();
        let stop = move |ending| {
            let _dead = actor.send_message(Order::End(ending));
        };
        Ok(Spawned { cell, join, ending: Stopper::Branch(Box::new(stop)) })
    }
}

impl Actor for Overseer {
    type Msg = Order;
    type State = Desk;
    type Arguments = Desk;

    async fn pre_start(
        &self,
        _myself: ActorRef<Order>,
        desk: Desk,
    ) -> Result<Desk, ActorProcessingErr> {
        Ok(desk)
    }

    async fn post_start(
        &self,
        myself: ActorRef<Order>,
        desk: &mut Desk,
    ) -> Result<(), ActorProcessingErr> {
        desk.node.fresh_budget();
        desk.advance(&myself).await
    }

    async fn handle(
        &self,
        myself: ActorRef<Order>,
        order: Order,
        desk: &mut Desk,
    ) -> Result<(), ActorProcessingErr> {
        match order {
            Order::Started(life) => desk.started(life),
            Order::Cooled(life) => desk.cooled(life),
            Order::Overdue(life) => desk.overdue(life, &myself),
            Order::Hopeless(life) => desk.hopeless(life, &myself),
            Order::End(ending) => desk.end(ending),
        }
        desk.advance(&myself).await
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Order>,
        event: SupervisionEvent,
        desk: &mut Desk,
    ) -> Result<(), ActorProcessingErr> {
        let (cell, death) = match event {
            SupervisionEvent::ActorFailed(cell, error) => (cell, Some(Death::from_event(error))),
            SupervisionEvent::ActorTerminated(cell, state, reason) => {
                drop(state);
                let killed = reason.is_some_and(|reason| reason == "killed");
                (cell, killed.then(|| Death::Crashed("killed from outside".into())))
            }
            _ => return Ok(()),
        };
        let is_it = |slot: &Slot| slot.spawned.as_ref().is_some_and(|s| s.cell == cell);
        if let Some(index) = desk.slots.iter().position(is_it) {
            if let Some(spawned) = desk.slots[index].spawned.take() {
                // Its task ends right after the event; wait so that all it held is dropped.
                let _aborted = spawned.join.await;
            }
            desk.ended(index, death, &myself);
        }
        desk.advance(&myself).await
    }
}
