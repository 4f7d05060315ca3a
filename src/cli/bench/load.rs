//! The load generator: keep-alive connections that ask, wait for the whole answer, and ask again.
//!
//! It runs on threads of its own, each with its share of the connections, so that neither the
//! server nor the generator waits for the other while a core is idle. Every answer's status and
//! length are checked; what is wrong is counted, and a connection that broke is opened anew.

use super::{
    rounds::Round,
    wire::{Reply, Wire, WireError},
};
use bytes::Bytes;
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{task::JoinSet, time::Instant};

/// What an answer gets after a round's end; then it counts as an error.
const GRACE: Duration = Duration::from_secs(10);
/// Before a refused connection is tried again, so that a server that is gone isn't stormed.
const PAUSE: Duration = Duration::from_millis(20);

/// A request as it goes over the wire, and what is known of its answer.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) request: Bytes,
    /// Of a right answer.
    pub(crate) status: u16,
    /// Bytes of the body; `None` where they differ from time to time.
    pub(crate) length: Option<u64>,
    /// Where in the request [`DIGITS`] digits stand that are to be others each time it is sent, as
    /// an idempotency key's are.
    pub(crate) fresh: Option<usize>,
}

impl Target {
    /// Asks for the same each time.
    pub(crate) fn read(request: Bytes, length: Option<u64>) -> Self {
        Self { request, status: 200, length, fresh: None }
    }
}

/// Of a number that is sent once.
pub(crate) const DIGITS: usize = 20;

/// What is asked for, in which order, by how many.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    targets: Arc<[Target]>,
    /// Places in `targets`, walked round and round.
    draws: Arc<[u32]>,
    connections: usize,
    /// The last number that was sent.
    sent: Arc<AtomicU64>,
}

impl Load {
    /// `None` when there is nothing to ask for. Every draw is a place in `targets`.
    pub(crate) fn new(targets: Vec<Target>, draws: Vec<u32>, connections: usize) -> Option<Self> {
        let fits = draws.iter().all(|draw| (*draw as usize) < targets.len());
        (fits && !targets.is_empty() && !draws.is_empty()).then(|| Self {
            targets: targets.into(),
            draws: draws.into(),
            connections: connections.max(1),
            sent: Arc::default(),
        })
    }

    /// The bytes to send, with a number that was never sent where one belongs.
    fn written(&self, target: &Target) -> Bytes {
        let Some(at) = target.fresh else { return target.request.clone() };
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let mut request = target.request.to_vec();
        if let Some(place) = request.get_mut(at..at + DIGITS) {
            place.copy_from_slice(format!("{number:0DIGITS$}").as_bytes());
        }
        request.into()
    }

    /// How many different things are asked for.
    pub(crate) fn targets(&self) -> usize {
        self.targets.len()
    }

    /// Asks for as long as `lasting`, from when all connections stand.
    pub(crate) async fn run(&self, address: SocketAddr, lasting: Duration) -> Round {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = cores.min(self.connections);
        let mut parts = JoinSet::new();
        for thread in 0..threads {
            let load = self.clone();
            let mine = (thread..self.connections).step_by(threads).collect::<Vec<_>>();
            parts.spawn_blocking(move || load.part(address, lasting, &mine));
        }
        let mut round = Round::default();
        while let Some(part) = parts.join_next().await {
            match part {
                Ok(part) => round.add(part),
                Err(error) => round.fail(format!("the load generator broke: {error}")),
            }
        }
        round
    }

    /// One thread's connections.
    fn part(&self, address: SocketAddr, lasting: Duration, mine: &[usize]) -> Round {
        let round = Arc::new(Mutex::new(Round::default()));
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                locked(&round).fail(format!("can't start the load generator: {error}"));
                return take(&round);
            }
        };
        let elapsed = runtime.block_on(async {
            let mut wires = Vec::with_capacity(mine.len());
            for _ in mine {
                match Wire::connect(address).await {
                    Ok(wire) => wires.push(Some(wire)),
                    Err(error) => {
                        locked(&round).fail(format!("can't connect to {address}: {error}"));
                        wires.push(None);
                    }
                }
            }
            let begun = Instant::now();
            let mut askers = JoinSet::new();
            for (connection, wire) in mine.iter().zip(wires) {
                let asker = Asker {
                    load: self.clone(),
                    address,
                    until: begun + lasting,
                    // Far apart, so that two don't ask for the same things in the same order.
                    next: connection * (self.draws.len() / self.connections).max(1),
                    round: Arc::clone(&round),
                };
                askers.spawn(asker.run(wire));
            }
            askers.join_all().await;
            begun.elapsed()
        });
        let mut round = take(&round);
        round.elapsed = elapsed;
        round
    }
}

/// One connection's work in one round.
struct Asker {
    load: Load,
    address: SocketAddr,
    until: Instant,
    next: usize,
    round: Arc<Mutex<Round>>,
}

impl Asker {
    async fn run(mut self, wire: Option<Wire>) {
        let end = self.until + GRACE;
        if tokio::time::timeout_at(end, self.ask(wire)).await.is_err() {
            self.fail(format!("no answer within {} s", GRACE.as_secs()));
        }
    }

    async fn ask(&mut self, mut wire: Option<Wire>) {
        while Instant::now() < self.until {
            let Some(open) = &mut wire else {
                match Wire::connect(self.address).await {
                    Ok(opened) => wire = Some(opened),
                    Err(error) => {
                        self.fail(format!("can't connect to {}: {error}", self.address));
                        tokio::time::sleep(PAUSE).await;
                    }
                }
                continue;
            };
            let draw = self.load.draws[self.next % self.load.draws.len()];
            self.next += 1;
            let target = &self.load.targets[draw as usize];
            let request = self.load.written(target);
            let asked = Instant::now();
            let answer = open.exchange(&request).await;
            let took = asked.elapsed();
            if !self.count(answer, target, took) {
                wire = None;
            }
        }
    }

    /// Whether the connection can be used on.
    fn count(&self, answer: Result<Reply, WireError>, target: &Target, took: Duration) -> bool {
        match answer {
            Err(error) => {
                self.fail(error.to_string());
                false
            }
            Ok(reply) => {
                if reply.status != target.status {
                    self.fail(format!("status {} instead of {}", reply.status, target.status));
                } else if let Some(length) = target.length.filter(|length| *length != reply.length)
                {
                    self.fail(format!("{} bytes instead of {length}", reply.length));
                } else {
                    locked(&self.round).count(took);
                }
                !reply.last
            }
        }
    }

    fn fail(&self, why: String) {
        locked(&self.round).fail(why);
    }
}

fn locked(round: &Mutex<Round>) -> MutexGuard<'_, Round> {
    round.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take(round: &Mutex<Round>) -> Round {
    std::mem::take(&mut *locked(round))
}

#[cfg(test)]
mod tests;
