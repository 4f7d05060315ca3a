//! The shop closed for a while: a row that every node follows, until its time is over.

use super::StoreError;
use crate::domain::{audit::Change, time::Micros};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintenance {
    /// The shop is open again from then on, whether anybody is there or not.
    pub until: Micros,
    /// For shoppers, in a sentence or two.
    pub message: Option<String>,
    /// Meanwhile no queue of jobs hands anything out; what is paused by hand stays so behind it.
    pub pauses: bool,
    pub by: String,
    pub at: Micros,
}

impl Maintenance {
    /// For the audit log: closed, or closed otherwise.
    pub fn change_from(&self, old: Option<&Self>) -> Change {
        Change::new(self.at, &self.by, "maintenance.on", SUBJECT, old, Some(self))
    }

    /// For the audit log: taken back.
    pub fn taken_back(&self, by: &str, at: Micros) -> Change {
        Change::new(at, by, "maintenance.off", SUBJECT, Some(self), None::<&Self>)
    }
}

const SUBJECT: &str = "shop";

#[derive(Debug, Clone)]
pub enum MaintenanceWrite {
    On(Maintenance),
    /// [`super::writer::Written::Absent`]: there was none to take back.
    Off {
        by: String,
        at: Micros,
    },
}

#[async_trait]
pub trait Closing: Send + Sync {
    /// The last that was set, which may be over.
    async fn maintenance(&self) -> Result<Option<Maintenance>, StoreError>;
}
