//! What a supervisor knows of its children, and what it does about them.
//!
//! Promise: each event changes the books and nothing else; acting on them is
//! left to [`Desk::advance`], so no event can be handled half.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ractor::{ActorProcessingErr, ActorRef};
use tokio::time::Instant;

use super::super::running::{Escalation, StartFailed, Verdict};
use super::super::steps::{Stance, Step, in_order, next_step};
use super::{Desk, Life, Mode, Order, Report, Slot};
use crate::context::Ending;
use crate::fault::{BoxError, Death};
use crate::policy::Shutdown;
use crate::shell::{Berth, Stopper};
use crate::snapshot::State;

/// How long a killed child may take to be gone before it is left behind: one
/// that never awaits cannot be ended from outside.
const LAST_GRACE: Duration = Duration::from_secs(2);

impl Desk {
    pub(super) fn life(&self, index: usize) -> Life {
        Life { index, number: self.slots[index].number }
    }

    /// The slot of a life that is still the current one.
    pub(super) fn current(&mut self, life: Life) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(life.index)?;
        (slot.number == life.number).then_some(slot)
    }

    pub(super) fn is_ending(&self) -> bool {
        matches!(self.mode, Mode::Ending(_) | Mode::Failing(_))
    }

    /// Takes every step that can be taken now.
    pub(super) async fn advance(
        &mut self,
        myself: &ActorRef<Order>,
    ) -> Result<(), ActorProcessingErr> {
        loop {
            let stances: Vec<Stance> = self.slots.iter().map(|slot| slot.stance).collect();
            let ordered = in_order(matches!(self.mode, Mode::Booting), self.plan.strategy);
            let must_fall = |index: usize| self.slots[index].must_fall;
            match next_step(&stances, must_fall, self.is_ending(), ordered) {
                Step::Wait => return Ok(()),
                Step::Stop(index) => self.stop(index, myself),
                Step::Start(index) => self.start(index, myself).await,
                Step::Settled => {
                    self.settled();
                    return Ok(());
                }
                Step::AllDown => return self.all_down(myself),
            }
        }
    }

    pub(super) async fn start(&mut self, index: usize, myself: &ActorRef<Order>) {
        let slot = &mut self.slots[index];
        slot.number += 1;
        slot.must_fall = false;
        slot.stance = Stance::Starting;
        slot.was_up = Arc::default();
        slot.node.starting();
        let was_up = Arc::clone(&slot.was_up);
        let life = self.life(index);
        let actor = myself.clone();
        let slot = &mut self.slots[index];
        let berth = Berth {
            node: Arc::clone(&slot.node),
            supervisor: myself.get_cell(),
            backoff: self.plan.backoff,
            started: Box::new(move || {
                was_up.store(true, Ordering::Release);
                let _dead = actor.send_message(Order::Started(life));
            }),
        };
        match slot.child.launch.launch(berth).await {
            Ok(spawned) => slot.spawned = Some(spawned),
            Err(error) => self.ended(index, Some(Death::Crashed(error.into())), myself),
        }
    }

    pub(super) fn started(&mut self, life: Life) {
        if let Some(slot) = self.current(life)
            && slot.stance == Stance::Starting
        {
            slot.stance = Stance::Up;
            slot.node.set(State::Running);
        }
    }

    pub(super) fn cooled(&mut self, life: Life) {
        if let Some(slot) = self.current(life)
            && slot.stance == Stance::Cooling
        {
            slot.stance = Stance::Down;
        }
    }

    pub(super) fn stop(&mut self, index: usize, myself: &ActorRef<Order>) {
        let ending = match self.mode {
            Mode::Ending(ending) => ending,
            _ => Ending::Pause,
        };
        let life = self.life(index);
        let slot = &mut self.slots[index];
        slot.stance = Stance::Stopping;
        slot.node.set(State::Stopping);
        if ending == Ending::Close {
            slot.child.close();
        }
        let Some(spawned) = &slot.spawned else {
            return;
        };
        let is_leaf = matches!(spawned.ending, Stopper::Leaf(_));
        spawned.stop(ending);
        // Read after the stop was said: a child that comes up from here on sees
        // it before it takes any work, so what is killed has nothing in hand.
        let unmade = !slot.was_up.load(Ordering::Acquire);
        match slot.child.shutdown {
            // A leaf that is still being made has nothing to drain.
            _ if unmade && is_leaf => self.kill(life, myself),
            Some(Shutdown::Abort) => self.kill(life, myself),
            Some(Shutdown::Drain(within)) => {
                myself.send_after(within, move || Order::Overdue(life));
            }
            None => {}
        }
    }

    pub(super) fn overdue(&mut self, life: Life, myself: &ActorRef<Order>) {
        if let Some(slot) = self.current(life)
            && slot.stance == Stance::Stopping
        {
            tracing::warn!(
                child.path = &*slot.node.path,
                "child did not drain in time, aborting it"
            );
            self.kill(life, myself);
        }
    }

    pub(super) fn kill(&mut self, life: Life, myself: &ActorRef<Order>) {
        if let Some(slot) = self.current(life)
            && let Some(spawned) = &slot.spawned
        {
            spawned.cell.kill();
            myself.send_after(LAST_GRACE, move || Order::Hopeless(life));
        }
    }

    pub(super) fn hopeless(&mut self, life: Life, myself: &ActorRef<Order>) {
        if let Some(slot) = self.current(life)
            && slot.stance == Stance::Stopping
            && let Some(spawned) = slot.spawned.take()
        {
            tracing::error!(child.path = &*slot.node.path, "child never awaits, leaving it behind");
            spawned.cell.unlink(myself.get_cell());
            self.ended(life.index, None, myself);
        }
    }

    pub(super) fn end(&mut self, ending: Ending) {
        if !self.is_ending() {
            self.node.set(State::Stopping);
            self.mode = Mode::Ending(ending);
        }
    }

    /// A child's life is over, wanted or not.
    pub(super) fn ended(&mut self, index: usize, death: Option<Death>, myself: &ActorRef<Order>) {
        let closing = matches!(self.mode, Mode::Ending(Ending::Close));
        let expected = self.is_ending();
        let booting = matches!(self.mode, Mode::Booting);
        let slot = &mut self.slots[index];
        let stance = slot.stance;
        if expected || slot.must_fall || stance == Stance::Stopping {
            slot.must_fall = false;
            slot.stance = Stance::Down;
            if let Some(death) = death
                && stance != Stance::Stopping
            {
                slot.node.died(death);
            }
            slot.node.set(State::Stopped);
            if closing {
                slot.child.abandon();
            }
            return;
        }
        let never_up = stance == Stance::Starting && !slot.was_up.load(Ordering::Acquire);
        let may_wait = self.again && matches!(death, Some(Death::Unavailable(_)));
        if booting && never_up && !may_wait {
            self.cannot_start(index, death);
            return;
        }
        self.decide(index, death, myself);
    }

    pub(super) fn cannot_start(&mut self, index: usize, death: Option<Death>) {
        let slot = &mut self.slots[index];
        slot.stance = Stance::Down;
        let (path, source): (String, BoxError) = match death {
            Some(Death::CannotStart { path, source }) => (path, source),
            Some(death) => (slot.node.path.to_string(), death.into_source()),
            None => (slot.node.path.to_string(), "it ended before it was up".into()),
        };
        slot.node.set(State::Failed { reason: source.to_string() });
        self.mode = Mode::Failing(Death::CannotStart { path, source });
    }

    /// Restart, give up on the child, or fail.
    pub(super) fn decide(&mut self, index: usize, death: Option<Death>, myself: &ActorRef<Order>) {
        let now = Instant::now();
        let slot = &mut self.slots[index];
        let ended_well = death.is_none();
        let was_up_for = slot.node.up_for();
        let unavailable = matches!(death, Some(Death::Unavailable(_)));
        let reason = death.map(|death| slot.node.died(death));
        if !slot.child.restart.wanted(ended_well) {
            slot.stance = Stance::Gone;
            slot.node.set(match reason {
                None => State::Finished,
                Some(reason) => State::Failed { reason },
            });
            slot.child.abandon();
            return;
        }
        let reason = reason.unwrap_or_else(|| "it ended, but should never".to_owned());
        tracing::error!(child.path = &*slot.node.path, reason, "child died");
        if !unavailable && !self.node.spend(now) {
            slot.stance = Stance::Down;
            let path = slot.node.path.to_string();
            slot.node.set(State::Failed { reason: reason.clone() });
            self.mode = Mode::Failing(Death::Spent {
                reason: format!(
                    "restarted more than {} times within {:?}; the last to die was {path}: {reason}",
                    self.plan.budget.restarts, self.plan.budget.within,
                ),
                path: self.node.path.to_string(),
            });
            return;
        }
        let decent = was_up_for.is_some_and(|up| up >= self.plan.budget.within);
        slot.attempts = if decent { 1 } else { slot.attempts.saturating_add(1) };
        let pause = self.plan.backoff.roll(slot.attempts);
        let attempts = slot.attempts;
        slot.stance = Stance::Cooling;
        slot.node.set(if unavailable { State::Waiting { reason } } else { State::BackingOff });
        tracing::debug!(child.path = &*slot.node.path, attempts, ?pause, "child restarts");
        let life = self.life(index);
        if pause.is_zero() {
            self.slots[index].stance = Stance::Down;
        } else {
            myself.send_after(pause, move || Order::Cooled(life));
        }
        for other in self.plan.strategy.affected(index, self.slots.len()) {
            let other = &mut self.slots[other];
            other.must_fall = other.stance.is_alive();
        }
    }

    pub(super) fn settled(&mut self) {
        if matches!(self.mode, Mode::Booting) {
            self.mode = Mode::Running;
            self.node.set(State::Running);
            match &mut self.report {
                Report::Above(started) => {
                    if let Some(started) = started.take() {
                        started();
                    }
                }
                Report::Root { boot, .. } => {
                    if let Some(boot) = boot.take() {
                        let _nobody_waits = boot.send(Ok(()));
                    }
                }
            }
        }
    }

    /// Everybody is down: so is the supervisor.
    pub(super) fn all_down(&mut self, myself: &ActorRef<Order>) -> Result<(), ActorProcessingErr> {
        let mode = std::mem::replace(&mut self.mode, Mode::Ending(Ending::Close));
        let death = match mode {
            Mode::Failing(death) => death,
            Mode::Booting | Mode::Running | Mode::Ending(_) => {
                self.node.set(State::Stopped);
                if let Report::Root { end, .. } = &self.report {
                    end.send_replace(Some(Verdict::Stopped));
                }
                myself.stop(None);
                return Ok(());
            }
        };
        self.node.set(State::Failed { reason: death.to_string() });
        let Report::Root { boot, end } = &mut self.report else {
            return Err(Box::new(death));
        };
        for slot in &self.slots {
            slot.child.abandon();
        }
        match (boot.take(), death) {
            (Some(boot), Death::CannotStart { path, source }) => {
                let _nobody_waits = boot.send(Err(StartFailed { path, source }));
                end.send_replace(Some(Verdict::Stopped));
            }
            (_, death) => {
                end.send_replace(Some(Verdict::Escalated(Escalation::of(&self.node.path, &death))));
            }
        }
        myself.stop(None);
        Ok(())
    }
}
