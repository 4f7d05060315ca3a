//! A job for looking at the queue itself: it takes its time and does no more, or leaves an echo, by
//! which whoever counts sees that it happened, and once.

use super::jobs::{Job, Try};
use crate::{
    domain::id::JobId,
    ports::{
        clock::{Clock, Ids},
        jobs::{Echo, Effect, NewJob, Probe, Verdict},
    },
};
use std::{sync::Arc, time::Duration};

/// It says so often how far it is.
const STEP_MS: u32 = 250;

#[derive(Clone)]
pub(crate) struct Prober {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
}

impl Job for Probe {
    type World = Prober;

    async fn run(self, prober: Prober, tries: Try) -> Verdict {
        if self.snooze > 0 && tries.attempt == 1 {
            return Verdict::Snooze(Duration::from_millis(self.snooze.into()));
        }
        let mut slept = 0;
        while slept < self.millis {
            let step = STEP_MS.min(self.millis - slept);
            tokio::time::sleep(Duration::from_millis(step.into())).await;
            slept += step;
            tries.progress.at(slept.into(), self.millis.into());
        }
        let echo = || {
            let id = JobId(prober.ids.next());
            Effect::Child(NewJob::of(id, &Echo { of: self.n }, prober.clock.now()))
        };
        Verdict::Done(if self.echo { vec![echo()] } else { Vec::new() })
    }
}

impl Job for Echo {
    type World = ();

    async fn run(self, (): (), _: Try) -> Verdict {
        Verdict::Done(Vec::new())
    }
}
