//! Which jobs this program knows how to do.

use super::{Job, Progress, Try};
use crate::{
    domain::job::{Priority, Queue, Retry},
    ports::jobs::{ClaimedJob, Verdict},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

pub(super) type Running = Pin<Box<dyn Future<Output = Verdict> + Send>>;

/// One job about to be run.
pub(super) struct Start {
    pub(super) running: Running,
    pub(super) retry: Retry,
    pub(super) limit: Duration,
}

/// One that is done here, as it is put into the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) version: u32,
    /// As a job of this program has it.
    pub(crate) body: Value,
    pub(crate) queue: Queue,
    pub(crate) priority: Priority,
}

/// Why no job like that can be put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoJob {
    Topic(String),
    Version(String),
    Body(String),
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

    /// Those that are known, each once.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        let names: BTreeSet<_> = self.known.keys().map(|(name, _)| *name).collect();
        names.into_iter()
    }

    /// What a job of this topic is, of its newest version where none is said.
    pub(crate) fn check(
        &self,
        topic: &str,
        version: Option<u32>,
        body: &Value,
    ) -> Result<Known, NoJob> {
        let of_topic = self.known.iter().filter(|((known, _), _)| *known == topic);
        let Some(((_, newest), _)) = of_topic.clone().next_back() else {
            let names: Vec<_> = self.names().collect();
            return Err(NoJob::Topic(format!("one of {}", names.join(", "))));
        };
        let version = version.unwrap_or(*newest);
        let Some((_, runs)) = of_topic.clone().find(|((_, known), _)| *known == version) else {
            let known: Vec<_> = of_topic.map(|((_, version), _)| version.to_string()).collect();
            return Err(NoJob::Version(format!(
                "`{topic}` is known in version {}",
                known.join(", ")
            )));
        };
        runs.check(version, body).map_err(NoJob::Body)
    }

    /// `Err`: why nobody here can do it; it is a dead letter then.
    pub(super) fn start(&self, job: &ClaimedJob, progress: &Progress) -> Result<Start, String> {
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
        runs.start(job, progress)
    }
}

trait Runs: Send + Sync {
    fn start(&self, job: &ClaimedJob, progress: &Progress) -> Result<Start, String>;
    fn check(&self, version: u32, body: &Value) -> Result<Known, String>;
}

struct Typed<J: Job> {
    world: J::World,
    of: PhantomData<fn() -> J>,
}

impl<J: Job> Runs for Typed<J> {
    fn start(&self, job: &ClaimedJob, progress: &Progress) -> Result<Start, String> {
        let read = read::<J>(&job.body)?;
        let tries = Try { job: job.id, attempt: job.attempt, progress: progress.clone() };
        let running = read.run(self.world.clone(), tries);
        Ok(Start { running: Box::pin(running), retry: J::RETRY, limit: J::LIMIT })
    }

    fn check(&self, version: u32, body: &Value) -> Result<Known, String> {
        let read = read::<J>(&body.to_string())?;
        let body = serde_json::to_value(&read).map_err(|error| error.to_string())?;
        Ok(Known { version, body, queue: J::QUEUE, priority: J::PRIORITY })
    }
}

fn read<J: Job>(body: &str) -> Result<J, String> {
    serde_json::from_str(body)
        .map_err(|error| format!("its body is not that of a `{}`: {error}", J::TOPIC))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::jobs::Echo;
    use serde_json::json;

    #[test]
    fn what_nobody_here_could_do_is_told_before_it_is_put() {
        let topics = Topics::default().with::<Echo>(());
        let known = topics.check("probe.echo", None, &json!({"of": 7})).unwrap();
        assert_eq!((known.version, known.queue), (1, Queue::Default));
        assert_eq!(known.body, json!({"of": 7}));
        let topic = topics.check("echo", None, &json!({"of": 7})).unwrap_err();
        assert_eq!(topic, NoJob::Topic("one of probe.echo".into()));
        let version = topics.check("probe.echo", Some(2), &json!({"of": 7})).unwrap_err();
        assert_eq!(version, NoJob::Version("`probe.echo` is known in version 1".into()));
        let body = topics.check("probe.echo", Some(1), &json!({"off": 7})).unwrap_err();
        assert!(matches!(body, NoJob::Body(why) if why.contains("unknown field `off`")));
    }
}
