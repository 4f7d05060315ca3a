//! Which jobs this program knows how to do.

use super::{Job, Try};
use crate::{
    domain::job::Retry,
    ports::jobs::{ClaimedJob, Verdict},
};
use std::{
    collections::BTreeMap, future::Future, marker::PhantomData, pin::Pin, sync::Arc, time::Duration,
};

pub(super) type Running = Pin<Box<dyn Future<Output = Verdict> + Send>>;

/// One job about to be run.
pub(super) struct Start {
    pub(super) running: Running,
    pub(super) retry: Retry,
    pub(super) limit: Duration,
}

/// By topic and version. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Topics {
    known: BTreeMap<(&'static str, u32), Arc<dyn Runs>>,
}

impl Topics {
    /// Jobs of this kind are done here, with this.
    pub(crate) fn with<J: Job>(mut self, world: J::World) -> Self {
        let runs = Typed::<J> { world, of: PhantomData };
        self.known.insert((J::TOPIC, J::VERSION), Arc::new(runs));
        self
    }

    /// `Err`: why nobody here can do it; it is a dead letter then.
    pub(super) fn start(&self, job: &ClaimedJob) -> Result<Start, String> {
        let version = u32::try_from(job.version).unwrap_or(u32::MAX);
        let found =
            self.known.iter().find(|((topic, known), _)| *topic == job.topic && *known == version);
        let Some((_, runs)) = found else {
            let mut known = self.known.keys().filter(|(topic, _)| *topic == job.topic).peekable();
            let topic = &job.topic;
            return Err(match known.peek() {
                None => format!("nobody here knows the topic `{topic}`"),
                Some(_) => {
                    let known: Vec<_> = known.map(|(_, version)| version.to_string()).collect();
                    let known = known.join(", ");
                    format!("`{topic}` is known here in version {known}, not in {version}")
                }
            });
        };
        runs.start(job)
    }
}

trait Runs: Send + Sync {
    fn start(&self, job: &ClaimedJob) -> Result<Start, String>;
}

struct Typed<J: Job> {
    world: J::World,
    of: PhantomData<fn() -> J>,
}

impl<J: Job> Runs for Typed<J> {
    fn start(&self, job: &ClaimedJob) -> Result<Start, String> {
        let read: J = serde_json::from_str(&job.body)
            .map_err(|error| format!("its body is not that of a `{}`: {error}", J::TOPIC))?;
        let running = read.run(self.world.clone(), Try { attempt: job.attempt });
        Ok(Start { running: Box::pin(running), retry: J::RETRY, limit: J::LIMIT })
    }
}
