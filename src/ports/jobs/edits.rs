//! A job that was given up is put again with another body.

use crate::domain::{audit::Change, id::JobId, time::Micros};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Done to a job that ended without success and was begun no more since it was looked at, if it may be
/// tried anew: its body is this, and it waits as if it had never failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobEdit {
    pub id: JobId,
    /// As it was looked at: the fence.
    pub attempt: u32,
    /// JSON, in the form of the job's topic and version.
    pub body: String,
    pub by: String,
    pub at: Micros,
}

impl JobEdit {
    /// For the audit log: in place of `old`.
    pub fn told(&self, old: &str) -> Change {
        let json = |text| serde_json::from_str::<Value>(text).ok();
        let (subject, old, new) = (format!("job:{}", self.id), json(old), json(&self.body));
        Change::new(self.at, &self.by, "job.edit", subject, old.as_ref(), new.as_ref())
    }
}
