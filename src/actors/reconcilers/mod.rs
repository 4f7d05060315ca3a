//! Each compares what is with what should be and mends the difference, on a timer and a nudge.
//! A pass takes no input, so a lost nudge or a death half-way costs time and nothing else.

pub(crate) mod cart_sweeper;
pub(crate) mod documents;
pub(crate) mod holds;
pub(crate) mod integrity;
pub(crate) mod kept_answers;
pub(crate) mod mail;
pub(crate) mod maintenance;
pub(crate) mod outbox_pruner;
pub(crate) mod outbox_relay;
mod progress;
pub(crate) mod rulebook;
pub(crate) mod scheduler;
pub(crate) mod search_index;
pub(crate) mod webhooks;

pub(crate) use progress::Progress;

use crate::{actors::keepers::writer::WriteError, ports::StoreError};
use supervisors::Fault;

/// A database that is away or full comes back; anything else is for the supervisor to judge.
pub(super) fn store_fault(error: StoreError) -> Fault {
    match error {
        StoreError::Unavailable(_) | StoreError::Full(_) => Fault::unavailable(error),
        StoreError::Corrupt(_) | StoreError::Refused(_) => Fault::crash(error),
    }
}

/// A pass that was not made is made later; what the database refuses is for the supervisor.
pub(super) fn write_fault(error: WriteError) -> Fault {
    match error {
        WriteError::Store(error @ (StoreError::Refused(_) | StoreError::Corrupt(_))) => {
            Fault::crash(error)
        }
        other => Fault::unavailable(other),
    }
}
