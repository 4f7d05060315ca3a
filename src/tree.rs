//! The whole supervision tree, top to bottom, on one screen.
//!
//! What is above does not depend on what is below; what is below starts later and stops earlier.
//! When a child dies its supervisor starts it again; when that happens too often the supervisor
//! gives up and its own supervisor tries; at the root the process ends with an error.

use crate::domain::autoscale::Bounds;
use serde::Deserialize;
use std::time::Duration;
use supervisors::{Budget, Child, PoolOptions, Shutdown, Strategy, Supervisor};

/// No pool grows past this: more workers than that only wait for each other.
pub(crate) const MOST_WORKERS: u32 = 64;

/// A pool's numbers before anyone turns them live.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PoolConfig {
    pub(crate) workers: u32,
    /// Jobs that may wait; one more is refused.
    pub(crate) bound: usize,
    /// Of pools that do a queue's jobs.
    #[serde(default)]
    pub(crate) autoscale: Option<AutoscaleConfig>,
}

/// Whether a pool's size follows the wait of its queue, and how far.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AutoscaleConfig {
    pub(crate) enabled: bool,
    pub(crate) min: u32,
    pub(crate) max: u32,
    pub(crate) wait_ms: u32,
}

impl AutoscaleConfig {
    pub(crate) fn bounds(self) -> Bounds {
        Bounds { min: self.min, max: self.max, wait_ms: self.wait_ms }
    }
}

impl PoolConfig {
    pub(crate) fn options(self) -> PoolOptions {
        PoolOptions {
            workers: self.workers as usize,
            bound: self.bound,
            most: MOST_WORKERS as usize,
            why_most: "more workers than 64 in one process only wait for each other",
            ..PoolOptions::default()
        }
    }
}

/// The children, made by `boot`, by the place each has in the tree.
pub(crate) struct Seats {
    /// Owns the database's writing connection; commits what is queued as one transaction.
    pub(crate) writer: Child,
    /// Gives events their place in the log and wakes its followers.
    pub(crate) outbox_relay: Child,
    /// Drops events that every follower has seen and that are old.
    pub(crate) outbox_pruner: Child,
    /// Forgets what was answered to requests that may be asked again.
    pub(crate) kept_answers: Child,
    /// Drops carts that nobody wants any more.
    pub(crate) cart_sweeper: Child,
    /// Follows the log into this node's copy of what shoppers read.
    pub(crate) documents: Child,
    /// Follows the log into this node's prices, taxes, ways of shipping and coupons.
    pub(crate) rulebook: Child,
    /// Follows the log into deliveries for endpoints of others.
    pub(crate) webhooks: Child,
    /// Follows the documents into the full-text index.
    pub(crate) search_index: Child,
    /// Asks the index.
    pub(crate) search: Child,
    /// Brings rows of a file in, one file at a time.
    pub(crate) importer: Child,
    /// What only a server has; a command that works alone goes without.
    pub(crate) server: Option<ServerSeats>,
}

pub(crate) struct ServerSeats {
    /// Builds pages that the cache hasn't.
    pub(crate) render: Child,
    /// Puts operators' live changes into force.
    pub(crate) pool_overrides: Child,
    /// Lets pools' sizes follow the wait of their queues, where that is wanted.
    pub(crate) pool_autoscaler: Child,
    /// Looks now and then whether the database is whole.
    pub(crate) integrity: Child,
    /// Closes and opens the shop, as the database says.
    pub(crate) maintenance: Child,
    pub(crate) selling: SellingSeats,
    /// Who comes, and who writes to them.
    pub(crate) people: PeopleSeats,
    pub(crate) jobs: JobSeats,
    /// Puts jobs into the queue at their schedules' ticks.
    pub(crate) scheduler: Child,
    /// Accepts connections, on the port and on the data folder's socket.
    pub(crate) http: Child,
    /// Fills an empty shop.
    pub(crate) demo: Option<Child>,
}

/// What sees that orders are paid or given up.
pub(crate) struct SellingSeats {
    /// Asks payment providers, and learns what they say.
    pub(crate) till: Child,
    /// Cancels orders that nobody paid in time.
    pub(crate) holds: Child,
    /// Posts what the network for play money has to tell.
    pub(crate) test_cards: Option<Child>,
}

pub(crate) struct PeopleSeats {
    /// Notes when sessions were used, and drops those that are over.
    pub(crate) sessions: Child,
    /// Hashes passwords, few at a time.
    pub(crate) passwords: Child,
    /// Takes in who forgot theirs.
    pub(crate) password_desk: Child,
    /// Drops mail that was sent or given up long ago.
    pub(crate) mail_sweeper: Child,
    /// Drops links that can't be used any more.
    pub(crate) tokens: Child,
}

/// Whoever does what waits in the queue.
pub(crate) struct JobSeats {
    /// Keeps this process known to be alive, and looks after those that are not.
    pub(crate) lease: Child,
    /// Ends jobs, with what they did.
    pub(crate) committer: Child,
    /// Do jobs, a pool a queue.
    pub(crate) pools: Vec<Child>,
    /// Hears when other processes have more than they get to.
    pub(crate) listener: Option<Child>,
    /// Fetches jobs for the pools.
    pub(crate) dispatcher: Child,
}

fn drain(seconds: u64) -> Shutdown {
    Shutdown::Drain(Duration::from_secs(seconds))
}

fn group(name: &'static str, strategy: Strategy) -> Supervisor {
    let budget = Budget { restarts: 10, within: Duration::from_secs(30) };
    Supervisor::new(name, strategy).budget(budget)
}

/// Nothing is fetched any more when the pools end, and all that ended is committed before what is
/// left is handed back.
fn jobs(seats: JobSeats) -> Supervisor {
    let jobs = group("jobs", Strategy::OneForOne)
        .child(seats.lease.shutdown(drain(5)))
        .child(seats.committer.shutdown(drain(5)));
    let pools = seats.pools.into_iter();
    let jobs = pools.fold(jobs, |jobs, pool| jobs.child(pool.shutdown(drain(5))));
    seats.listener.into_iter().fold(jobs, Supervisor::child).child(seats.dispatcher)
}

/// A process that runs jobs and nothing else.
pub(crate) fn worker(writer: Child, seats: JobSeats) -> Supervisor {
    let store = group("store", Strategy::OneForOne).child(writer.shutdown(drain(10)));
    group("stoa", Strategy::OneForOne).child(store).child(jobs(seats))
}

pub(crate) fn stoa(seats: Seats) -> Supervisor {
    // The relay and the pruner speak of what the writer wrote: they start anew with it.
    let store = group("store", Strategy::RestForOne)
        .child(seats.writer.shutdown(drain(10)))
        .child(seats.outbox_relay)
        .child(seats.outbox_pruner);
    let followers = group("followers", Strategy::OneForOne)
        .child(seats.documents.shutdown(drain(10)))
        .child(seats.rulebook)
        .child(seats.webhooks)
        .child(seats.search_index.shutdown(drain(10)))
        .child(seats.search.shutdown(drain(5)));
    let work = group("work", Strategy::OneForOne)
        .child(seats.importer.shutdown(drain(5)))
        .child(seats.kept_answers)
        .child(seats.cart_sweeper);
    let root = group("stoa", Strategy::OneForOne).child(store).child(followers).child(work);
    let Some(server) = seats.server else { return root };
    let selling = group("selling", Strategy::OneForOne)
        .child(server.selling.till)
        .child(server.selling.holds);
    let selling = match server.selling.test_cards {
        Some(test_cards) => selling.child(test_cards),
        None => selling,
    };
    let people = group("people", Strategy::OneForOne)
        .child(server.people.sessions)
        .child(server.people.passwords.shutdown(drain(5)))
        .child(server.people.password_desk.shutdown(drain(5)))
        .child(server.people.mail_sweeper)
        .child(server.people.tokens);
    let jobs = jobs(server.jobs).child(server.scheduler);
    let edge = group("edge", Strategy::OneForOne)
        .child(server.render.shutdown(drain(5)))
        .child(server.pool_overrides)
        .child(server.pool_autoscaler)
        .child(server.integrity)
        .child(server.maintenance)
        .child(server.http.shutdown(drain(15)));
    let root = root.child(people).child(selling).child(jobs).child(edge);
    match server.demo {
        Some(demo) => root.child(demo),
        None => root,
    }
}
