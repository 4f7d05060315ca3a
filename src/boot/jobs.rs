//! The queue's consumers: which jobs this program does, and a pool for each queue.

use super::parts::Parts;
use crate::{
    actors::{
        keepers::writer::StoreHandle,
        workers::jobs::{
            Desk, DispatchParts, LeaseParts, Line, RunnerParts, Topics, committer, dispatcher,
            ends, lease, runners,
        },
    },
    config::Config,
    domain::job::Queue,
    tree::JobSeats,
};
use std::sync::Arc;
use supervisors::Pool;

/// `node`: what this process calls itself where nodes are told apart.
pub(super) fn jobs(
    config: &Config,
    parts: &Parts,
    store: &StoreHandle,
    desk: &Desk,
    topics: Topics,
    node: &str,
) -> JobSeats {
    let mailbox = ends();
    let working = RunnerParts {
        topics,
        desk: desk.clone(),
        ends: mailbox.address(),
        clock: parts.clock.clone(),
        chance: parts.chance.clone(),
    };
    let (mut lines, mut pools) = (Vec::new(), Vec::new());
    for queue in Queue::ALL {
        let name = queue.as_str();
        let pool = Pool::new(name, config.pool(name).options());
        let more = Arc::default();
        pools.push(runners(&pool, &more, &working));
        lines.push(Line { queue: *queue, pool: pool.handle(), more });
    }
    JobSeats {
        lease: lease(LeaseParts {
            desk: desk.clone(),
            rows: parts.store.clone(),
            store: store.clone(),
            clock: parts.clock.clone(),
            ids: parts.ids.clone(),
            name: format!("{node} {}", std::process::id()),
            alone: parts.embedded,
            config: config.jobs,
        }),
        committer: committer(&mailbox, store, &parts.clock),
        pools,
        dispatcher: dispatcher(DispatchParts {
            desk: desk.clone(),
            rows: parts.store.clone(),
            store: store.clone(),
            clock: parts.clock.clone(),
            lines,
        }),
    }
}
