//! `stoa bench jobs`

use super::{
    import::Scratch,
    rounds::{Compared, Round},
    row::{Reach, Report, Row},
    stage::{Database, Server},
};
use crate::{
    boot::PlainQueue,
    cli::{Context, Failure, Outcome, output},
    config::Config,
    folder::Folder,
};
use http::Method;
use serde_json::{Value, json};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::{task::JoinSet, time::Instant};

const NAME: &str = "jobs, with their effects";
/// Connections to PostgreSQL over which jobs are done one by one.
const PLAIN: u32 = 8;
/// Between two looks whether a queue is empty.
const LOOK: Duration = Duration::from_millis(50);
/// As many as the server takes at a time.
const SLICE: u32 = 10_000;

const EXAMPLES: &str = "\
Examples:
  stoa bench jobs
  stoa bench jobs --json --rounds 9 --jobs 50000 > bench.jsonl
  stoa bench jobs --set pools.default.workers=8
  stoa bench jobs --database-url postgres://user:password@host/postgres";

/// Starts a server on an empty shop of its own, puts jobs into a queue that is paused, and resumes
/// it: each job leaves another as its effect, which is done as well, and time is taken until all are.
/// Beside it, in this process and on a database of its own, the same jobs are done one by one: a
/// statement claims one, a transaction ends it together with its effect; over 8 connections on
/// PostgreSQL, over the one writing connection on SQLite. RATIO is ours over that baseline's. At the
/// end there must be as many effects as there were jobs. The shops are made in a folder that is removed
/// again; with --database-url also in databases of that server's, for which its user must be allowed
/// to make some.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Jobs {
    /// Rounds of each side; the median is the figure.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: u16,
    /// Jobs of a round, each of which leaves another.
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    jobs: u32,
    /// Seconds of a round of the baseline, unless it is done with them before.
    #[arg(long, value_name = "S", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Where the shops are made [default: the system's place for temporary files]
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

impl Jobs {
    pub(crate) async fn run(self, context: &Context, report: &mut Report) -> Outcome {
        let (config, _) = context.config(&[])?;
        let scratch = Scratch::make(self.scratch.clone())?;
        let databases =
            (Database::make(&config, "ours").await?, Database::make(&config, "plain").await?);
        let row = self.row(context, &config, &scratch, (&databases.0, &databases.1)).await;
        databases.0.drop(&config).await?;
        databases.1.drop(&config).await?;
        report.add(row?)
    }

    async fn row(
        &self,
        context: &Context,
        config: &Config,
        scratch: &Scratch,
        (ours, plain): (&Database, &Database),
    ) -> Result<Row, Failure> {
        let flags = context.set_flags();
        let folders = (scratch.0.join("ours"), scratch.0.join("plain"));
        // A server that was ready once has made its tables.
        Server::start(&folders.1, plain, &flags).await?.close().await;
        let queue = |folder: &PathBuf, url: &str, connections| {
            let (mut there, folder) = (config.clone(), Folder::at(folder));
            url.clone_into(&mut there.store.database_url);
            async move {
                let queue = PlainQueue::open(&there, &folder, connections).await;
                queue.map(Arc::new).map_err(|error| Failure::Failed(error.to_string()))
            }
        };
        let baseline = queue(&folders.1, &plain.url, PLAIN).await?;
        let server = Server::start(&folders.0, ours, &flags).await?;
        let mut compared = Compared::default();
        for number in 0..=self.rounds {
            let what = if number == 0 { "to warm up" } else { "measured" };
            output::talk(&format!("{NAME}: {number} of {}, {what}", self.rounds));
            let (one, other) = if number % 2 == 0 {
                let one = self.ours(&server).await?;
                (one, self.one_by_one(&baseline).await?)
            } else {
                let other = self.one_by_one(&baseline).await?;
                (self.ours(&server).await?, other)
            };
            if number > 0 {
                compared.push(one, other);
            }
        }
        baseline.close().await;
        server.close().await;
        // Looked at in the database itself, not asked of who wrote it.
        let books = queue(&folders.0, &ours.url, 1).await?;
        let (jobs, effects) = books.done().await.map_err(Failure::Failed)?;
        books.close().await;
        let row = compared.row(NAME, "jobs/s", Reach::ratio(20.0));
        // A round's jobs end together: there are no times of single ones.
        let mut row =
            Row { p50_ms: None, p99_ms: None, baseline_p99_ms: None, p99_ratio: None, ..row };
        let put = u64::from(self.jobs) * (u64::from(self.rounds) + 1);
        if (jobs, effects) == (put, put) {
            row.note = Some(format!("{put} jobs done, {effects} effects"));
        } else {
            row.failed.get_or_insert(format!("of {put} jobs {jobs} are done, {effects} effects"));
        }
        Ok(row.judged())
    }

    async fn ours(&self, server: &Server) -> Result<Round, Failure> {
        let client = &server.client;
        let turn = async |path: &str, body: Value| {
            client.change::<Value>(Method::POST, path, Some(&body)).await
        };
        turn("/ops/queues/default/pause", json!({})).await?;
        let mut first = 0;
        while first < self.jobs {
            let count = SLICE.min(self.jobs - first);
            let probes = json!({"first": first, "count": count, "echo": true});
            turn("/ops/job-probes", probes).await?;
            first += count;
        }
        let begun = Instant::now();
        turn("/ops/queues/default/resume", json!({})).await?;
        loop {
            let queues: Value = client.get("/ops/queues.json").await?;
            let queue = queues["items"].as_array().into_iter().flatten();
            let queue = queue.into_iter().find(|queue| queue["name"] == "default");
            let left = |state: &str| queue.and_then(|queue| queue[state].as_u64()).unwrap_or(1);
            if left("scheduled") + left("ready") + left("running") == 0 {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        let (elapsed, done) = (begun.elapsed(), 2 * u64::from(self.jobs));
        Ok(Round { done, elapsed, ..Round::default() })
    }

    async fn one_by_one(&self, queue: &Arc<PlainQueue>) -> Result<Round, Failure> {
        queue.put(self.jobs).await.map_err(Failure::Failed)?;
        let (begun, lasting) = (Instant::now(), Duration::from_secs(self.seconds));
        let mut workers = JoinSet::new();
        for _ in 0..queue.connections() {
            let queue = Arc::clone(queue);
            workers.spawn(async move {
                let mut round = Round::default();
                while begun.elapsed() < lasting {
                    match queue.work().await {
                        Ok(true) => round.done += 1,
                        Ok(false) => break,
                        Err(why) => round.fail(why),
                    }
                }
                round
            });
        }
        let mut all = Round::default();
        while let Some(round) = workers.join_next().await {
            match round {
                Ok(round) => all.add(round),
                Err(error) => all.fail(format!("the baseline broke: {error}")),
            }
        }
        all.elapsed = begun.elapsed();
        Ok(all)
    }
}
