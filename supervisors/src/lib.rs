#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod agent;
mod backoff;
mod bell;
mod budget;
mod child;
mod context;
mod fault;
mod mailbox;
mod meter;
mod node;
mod panics;
mod policy;
mod pool;
mod reconciler;
mod reply;
mod shell;
mod snapshot;
mod sync;
mod task;
pub mod testing;
mod tree;

pub use agent::{Agent, agent};
pub use backoff::Backoff;
pub use bell::Nudge;
pub use budget::Budget;
pub use child::Child;
pub use context::Context;
pub use fault::{BoxError, Fault, StartError};
pub use mailbox::{Address, Mailbox, Refused};
pub use panics::{CaughtPanic, catch_panic, install_panic_capture};
pub use policy::{Restart, Shutdown, Strategy};
pub use pool::{Pool, PoolControl, PoolHandle, PoolOptions, PoolRefusal, Routing, Worker, pool};
pub use reconciler::{Next, Reconciler, reconciler};
pub use reply::{Answer, CallError, Reply};
pub use snapshot::{
    BudgetSnapshot, Fit, Kind, LastFault, LastPanic, MailboxSnapshot, Percentiles, PoolSnapshot,
    Snapshot, State, SupervisorSnapshot,
};
pub use task::task;
pub use tree::{Escalation, Running, StartFailed, Supervisor, TreeView};
