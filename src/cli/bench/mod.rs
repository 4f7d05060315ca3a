//! `stoa bench`: what this server does on this machine, beside what it is to reach.
//!
//! Each command prints rows of one shape ([`row::Row`]), as a table or as JSON, one object a line.
//! It changes nothing in the shop. Ended early, it prints what it has and takes its children with
//! it; killed, it can't, but then their pipe to it ends and they stop by themselves.

mod bare;
mod browse;
mod draws;
mod engine;
mod import;
mod jobs;
mod load;
mod order;
mod process;
mod rounds;
mod row;
mod shop;
mod stage;
mod start;
mod wire;

use super::{Context, Failure, Outcome};
use crate::boot;
use row::Report;
use tokio::signal::unix::{SignalKind, signal};

const EXAMPLES: &str = "\
Examples:
  stoa bench browse                      the server of ./stoa-data beside a bare HTTP server
  stoa bench browse --json > bench.jsonl
  stoa bench browse --only search        the rows whose names have `search` in them
  stoa bench order                       orders over HTTP beside one transaction an order
  stoa bench jobs                        jobs of the queue beside one claim and one end a job
  stoa bench import products.jsonl       a shop of its own beside the same rows written plainly";

/// A figure is a ratio of two sides that take turns in one run. Run it on the server's own
/// machine, with little else going on.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Pages, API and search of a running server; start and memory of one.
    Browse(browse::Browse),
    /// An import into a shop of its own.
    Import(import::Import),
    /// Jobs done by a shop of its own.
    Jobs(jobs::Jobs),
    /// Orders placed in a shop of its own.
    Order(order::Order),
    /// The server that others are measured against.
    #[command(hide = true)]
    Bare(bare::Bare),
}

impl Bench {
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        match self.what {
            What::Bare(bare) => bare.run().await,
            What::Import(import) => {
                let mut report = Report::new(context.json);
                let outcome = unless_stopped(import.run(context, &mut report)).await;
                report.end(outcome)
            }
            What::Jobs(jobs) => {
                let mut report = Report::new(context.json);
                let outcome = unless_stopped(jobs.run(context, &mut report)).await;
                report.end(outcome)
            }
            What::Order(order) => {
                let mut report = Report::new(context.json);
                let outcome = unless_stopped(order.run(context, &mut report)).await;
                report.end(outcome)
            }
            What::Browse(browse) => {
                let engine = || {
                    let (config, _) = context.config(&[])?;
                    boot::bench_search(&config, &context.folder)
                        .map_err(|error| Failure::Failed(error.to_string()))
                };
                let mut report = Report::new(context.json);
                let outcome = unless_stopped(browse.run(context, engine, &mut report)).await;
                report.end(outcome)
            }
        }
    }
}

/// Runs `work` until it ends or somebody ends the command; dropping the work kills its children.
async fn unless_stopped(work: impl Future<Output = Outcome>) -> Outcome {
    let mut terminated = signal(SignalKind::terminate())
        .map_err(|error| Failure::Failed(format!("can't listen for signals: {error}")))?;
    tokio::select! {
        outcome = work => outcome,
        _ = tokio::signal::ctrl_c() => Err(Failure::Failed("stopped before the end".into())),
        _ = terminated.recv() => Err(Failure::Failed("stopped before the end".into())),
    }
}
