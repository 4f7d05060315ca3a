//! What a crew knows of its workers, and what it does about them.
//!
//! Promise: each event changes the books; hiring and letting go is left to
//! [`Desk::advance`], which compares them with the size wanted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ractor::{ActorProcessingErr, ActorRef};
use tokio::time::Instant;

use super::{CrewOrder, Desk, Mode, Seat, Stance};
use crate::context::Ending;
use crate::fault::Death;
use crate::shell::Berth;

/// How long workers may finish their jobs when the pool itself fails.
const LAST_JOBS: Duration = Duration::from_secs(10);
/// How long a killed worker may take to be gone before it is left behind.
const LAST_GRACE: Duration = Duration::from_secs(2);

impl Desk {
    pub(super) fn is_ending(&self) -> bool {
        matches!(self.mode, Mode::Ending(_) | Mode::Failing(_))
    }

    pub(super) fn seat(&mut self, number: u64) -> Option<&mut Seat> {
        self.seats.iter_mut().find(|seat| seat.number == number)
    }

    /// Hires, lets go, or ends, whatever is due.
    pub(super) async fn advance(
        &mut self,
        myself: &ActorRef<CrewOrder>,
    ) -> Result<(), ActorProcessingErr> {
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

    pub(super) async fn hire_one(&mut self, attempts: u32, myself: &ActorRef<CrewOrder>) {
        let number = self.jobs.next_number();
        let actor = myself.clone();
        let was_up: Arc<AtomicBool> = Arc::default();
        let up = Arc::clone(&was_up);
        let berth = Berth {
            node: Arc::clone(&self.node),
            supervisor: myself.get_cell(),
            backoff: self.jobs.options().backoff,
            started: Box::new(move || {
                up.store(true, Ordering::Release);
                let _dead = actor.send_message(CrewOrder::Started(number));
            }),
        };
        let hired = (self.hire)(number, berth).await;
        self.seats.push(Seat {
            number,
            stance: Stance::Starting,
            spawned: None,
            attempts,
            was_up,
            up_since: None,
        });
        let index = self.seats.len() - 1;
        match hired {
            Ok(spawned) => self.seats[index].spawned = Some(spawned),
            Err(error) => self.ended(index, Some(Death::Crashed(error.into())), myself),
        }
    }

    /// Sends home whom it hurts least: one not yet up, an idle one, a busy one.
    pub(super) fn let_one_go(&mut self, myself: &ActorRef<CrewOrder>) {
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
            Stance::Starting | Stance::Up | Stance::Leaving => {
                self.dismiss(number, Ending::Pause, myself);
            }
        }
    }

    /// Asks a worker to go after its job; one that is still being made is killed.
    fn dismiss(&mut self, number: u64, ending: Ending, myself: &ActorRef<CrewOrder>) {
        let Some(seat) = self.seat(number) else {
            return;
        };
        seat.stance = Stance::Leaving;
        if let Some(spawned) = &seat.spawned {
            spawned.stop(ending);
        }
        // Read after the stop was said: a worker that comes up from here on sees
        // it before it takes a job, so what is killed has nothing in hand.
        if !seat.was_up.load(Ordering::Acquire) {
            self.kill(number, myself);
        }
    }

    pub(super) fn started(&mut self, number: u64) {
        if let Some(seat) = self.seat(number)
            && seat.stance == Stance::Starting
        {
            seat.stance = Stance::Up;
            seat.up_since = Some(Instant::now());
        }
    }

    /// A replacement is due, if the seat is still wanted.
    pub(super) async fn cooled(&mut self, number: u64, myself: &ActorRef<CrewOrder>) {
        let due = self.seats.iter().position(|seat| seat.number == number);
        if let Some(index) = due
            && !self.is_ending()
        {
            let attempts = self.seats.remove(index).attempts;
            self.hire_one(attempts, myself).await;
        }
    }

    pub(super) fn kill(&mut self, number: u64, myself: &ActorRef<CrewOrder>) {
        if let Some(seat) = self.seat(number)
            && let Some(spawned) = &seat.spawned
        {
            spawned.cell.kill();
            seat.stance = Stance::Leaving;
            myself.send_after(LAST_GRACE, move || CrewOrder::Hopeless(number));
        }
    }

    pub(super) fn leave_behind(&mut self, number: u64, myself: &ActorRef<CrewOrder>) {
        let path = Arc::clone(&self.node.path);
        if let Some(seat) = self.seat(number)
            && let Some(spawned) = seat.spawned.take()
        {
            tracing::error!(pool.path = &*path, "worker never awaits, leaving it behind");
            spawned.cell.unlink(myself.get_cell());
            self.seats.retain(|seat| seat.number != number);
        }
    }

    pub(super) fn watch_for_stuck(&self, myself: &ActorRef<CrewOrder>) {
        if let Some(limit) = self.jobs.options().stuck_after {
            let pause = (limit / 4).clamp(Duration::from_millis(1), Duration::from_secs(5));
            myself.send_after(pause, || CrewOrder::LookForStuck);
        }
    }

    pub(super) fn replace_stuck(&mut self, myself: &ActorRef<CrewOrder>) {
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

    pub(super) fn end(&mut self, ending: Ending) {
        if !self.is_ending() {
            self.mode = Mode::Ending(ending);
        }
    }

    pub(super) fn ended(
        &mut self,
        index: usize,
        death: Option<Death>,
        myself: &ActorRef<CrewOrder>,
    ) {
        let seat = self.seats.remove(index);
        let Some(death) = death.or_else(|| {
            let wanted = seat.stance == Stance::Leaving || self.is_ending();
            (!wanted).then(|| Death::Crashed("killed from outside".into()))
        }) else {
            return;
        };
        let never_up = seat.stance == Stance::Starting && !seat.was_up.load(Ordering::Acquire);
        let may_wait = self.again && matches!(death, Death::Unavailable(_));
        if never_up && matches!(self.mode, Mode::Booting) && !may_wait {
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
    pub(super) fn cool(&mut self, attempts: u32, pause: Duration, myself: &ActorRef<CrewOrder>) {
        if pause.is_zero() {
            return;
        }
        let number = self.jobs.next_number();
        self.seats.push(Seat {
            number,
            stance: Stance::Cooling,
            spawned: None,
            attempts,
            was_up: Arc::default(),
            up_since: None,
        });
        myself.send_after(pause, move || CrewOrder::Cooled(number));
    }

    /// Asks everybody to end, and ends when all have.
    pub(super) fn wind_up(
        &mut self,
        myself: &ActorRef<CrewOrder>,
    ) -> Result<(), ActorProcessingErr> {
        let (ending, limit) = match &self.mode {
            Mode::Ending(ending) => (*ending, None),
            _ => (Ending::Pause, Some(LAST_JOBS)),
        };
        self.seats.retain(|seat| seat.spawned.is_some());
        let here = |seat: &&Seat| seat.stance != Stance::Leaving;
        let numbers: Vec<u64> = self.seats.iter().filter(here).map(|s| s.number).collect();
        for number in numbers {
            self.dismiss(number, ending, myself);
            if let Some(limit) = limit {
                myself.send_after(limit, move || CrewOrder::Overdue(number));
            }
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
