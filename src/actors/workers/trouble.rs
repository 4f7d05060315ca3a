//! Jobs that do as jobs must not, for tests of what becomes of the others. Builds that are released
//! have none.

use super::jobs::{Job, Try};
use crate::{
    domain::job::{Priority, Queue, Retry},
    ports::jobs::{Topic, Verdict},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Trouble {
    Panic,
    /// Ends its process.
    Abort,
    /// Waits for ever.
    Endless,
    /// Keeps its thread for ever.
    Stuck,
}

impl Topic for Trouble {
    const TOPIC: &'static str = "trouble";
    const VERSION: u32 = 1;
    const QUEUE: Queue = Queue::Default;
    const PRIORITY: Priority = Priority::High;
}

impl Job for Trouble {
    type World = ();
    const RETRY: Retry =
        Retry { first: Duration::from_millis(100), most: Duration::from_millis(500), failures: 3 };
    /// A panic's way is long to read in a build for tests, the more so on a busy machine.
    const LIMIT: Duration = Duration::from_secs(5);

    async fn run(self, (): (), _: Try) -> Verdict {
        match self {
            Self::Panic => panic!("as it was asked to"),
            Self::Abort => std::process::abort(),
            Self::Endless => std::future::pending().await,
            Self::Stuck => loop {
                std::thread::sleep(Duration::from_secs(1));
            },
        }
    }
}
