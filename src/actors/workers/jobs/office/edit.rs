//! What was given up is tried again with a body that was put right.

use super::{Office, unexpected};
use crate::{
    actors::{keepers::writer::WriteError, workers::jobs::NoJob},
    domain::{
        id::JobId,
        job::{Family, JobState},
    },
    ports::{
        StoreError,
        jobs::{JobEdit, JobNow, JobWrite, JobsWritten},
    },
};
use serde_json::Value;

/// Why a job stays as it is.
#[derive(Debug)]
pub(crate) enum NoEdit {
    Absent,
    /// The body is none of the job's kind.
    Body(String),
    /// It isn't given up, or nobody here knows its kind.
    Refused(String),
    Write(WriteError),
}

impl From<WriteError> for NoEdit {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

impl From<StoreError> for NoEdit {
    fn from(error: StoreError) -> Self {
        Self::Write(error.into())
    }
}

impl Office {
    /// The body is checked as one that is sent is, and the job is as it stands then.
    pub(crate) async fn edit(
        &self,
        id: JobId,
        body: &Value,
        by: &str,
    ) -> Result<(JobNow, Option<Family>), NoEdit> {
        let job = self.rows.job(id).await?.ok_or(NoEdit::Absent)?;
        if !matches!(job.state, JobState::Failed | JobState::Dead | JobState::Cancelled) {
            let state = job.state.as_str();
            return Err(NoEdit::Refused(format!(
                "it is {state}: what is edited is a job that is failed, dead or cancelled"
            )));
        }
        let version = u32::try_from(job.version).unwrap_or(u32::MAX);
        let known = self.topics.check(&job.topic, Some(version), body).map_err(|no| match no {
            NoJob::Body(why) => NoEdit::Body(why),
            NoJob::Topic(known) => NoEdit::Refused(format!(
                "nobody here knows the topic `{}`; known is {known}",
                job.topic
            )),
            NoJob::Version(known) => {
                NoEdit::Refused(format!("it is of version {version}, and {known}"))
            }
        })?;
        let (body, by, at) = (known.body.to_string(), by.to_owned(), self.clock.now());
        let edit = JobEdit { id, attempt: job.attempt, body, by, at };
        match self.write(JobWrite::Edit(edit)).await? {
            JobsWritten::Acted(done) if done.is_empty() => Err(NoEdit::Refused(
                "somebody else was faster, or another job of its unique key is unfinished".into(),
            )),
            JobsWritten::Acted(_) => {
                self.desk.nudge().wake();
                self.show(id).await?.ok_or(NoEdit::Absent)
            }
            other => Err(unexpected(&other).into()),
        }
    }
}
