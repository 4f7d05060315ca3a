//! The command line: one file a command.
//!
//! Data goes to standard output, talk to standard error. Exit codes: 0 done, 1 failed, 2 the
//! command was wrong, 75 try again later.

mod backup;
mod bench;
mod client;
mod completions;
mod config;
mod context;
mod doctor;
mod export;
mod import;
mod jobs;
mod mail;
mod maintenance;
mod migrate;
mod output;
mod pool;
mod progress;
mod queue;
mod reindex;
mod schedule;
mod serve;
mod tree;
mod webhook;
mod worker;

use clap::{Args, Parser, Subcommand};
use context::Context;
use std::{path::PathBuf, process::ExitCode, time::Duration};

const EXAMPLES: &str = "\
Examples:
  stoa serve --demo                       a shop with a catalogue of its own, at http://127.0.0.1:8080
  stoa import products catalogue.jsonl    upsert products by SKU
  stoa pool set render --workers 4        turn a pool of the running server
  stoa tree                               the running server's actors, mailboxes and restarts

Exit codes: 0 done · 1 failed · 2 wrong usage or configuration · 75 try again later";

/// How long a server that hands over waits for work on threads that nobody asked to stop.
const LEFTOVERS: Duration = Duration::from_secs(5);

/// A commerce backend: one binary that starts in an empty folder.
#[derive(Debug, Parser)]
#[command(name = "stoa", version, before_help = EXAMPLES, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The data folder; made when it is missing.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "STOA_DATA",
        default_value = "./stoa-data"
    )]
    data: PathBuf,
    /// A configuration file (TOML); see `stoa config show`.
    #[arg(long, global = true, value_name = "FILE", env = "STOA_CONFIG")]
    config: Option<PathBuf>,
    /// Use this database instead of the one in the data folder: postgres://user:password@host/name
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Set any key of the configuration, e.g. --set shop.name=Acme
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Talk to the server at this address instead of the data folder's own.
    #[arg(long, global = true, value_name = "URL", env = "STOA_URL")]
    url: Option<String>,
    /// The operator's token for --url; else the one in the data folder.
    #[arg(long, global = true, value_name = "TOKEN", env = "STOA_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve(serve::Serve),
    /// Bring rows of a file into the shop.
    Import(import::Import),
    /// Write what is in the shop to a file that `import` reads.
    Export(export::Export),
    /// Put the whole embedded shop into one file while it runs.
    Backup(backup::Backup),
    /// Make a shop of a backup.
    Restore(backup::Restore),
    /// Build the search index anew while the shop goes on.
    Reindex(reindex::Reindex),
    /// Bring the database to this version's form.
    Migrate(migrate::Migrate),
    /// Show the running server's supervision tree.
    Tree(tree::Tree),
    /// Show and turn the running server's pools.
    Pool(pool::Pool),
    /// Run jobs in a process of its own.
    Worker(worker::Worker),
    /// Show and turn the running server's jobs.
    Jobs(jobs::Jobs),
    /// Show and turn the running server's queues of jobs.
    Queue(queue::Queue),
    /// Close the running shop for a while.
    Maintenance(maintenance::Maintenance),
    /// Put jobs into the running server's queues again and again.
    Schedule(schedule::Schedule),
    /// Tell endpoints of others what happens in the running shop.
    Webhook(webhook::Webhook),
    /// Show the running server's queue of mail, and try mails again.
    Mail(mail::Mail),
    /// Show or check the configuration.
    Config(config::Config),
    /// Look for what is wrong, and say what to do.
    Doctor(doctor::Doctor),
    /// Measure the running server beside its targets.
    Bench(bench::Bench),
    /// Print the completions of a shell.
    Completions(completions::Completions),
}

/// How a command ended, where it didn't end well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What, why, and what to do; exit code 1.
    Failed(String),
    /// Wrong flags or configuration; exit code 2.
    Usage(String),
    /// The same command may succeed later; exit code 75.
    Temporary(String),
    /// Said already (a report that ends badly); exit code 1.
    Silent,
}

type Outcome = Result<(), Failure>;

/// Reads the arguments, runs the command and says how it ended.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = Context::new(cli.global).and_then(|context| run(cli.command, &context));
    let (code, message) = match outcome {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Silent) => return ExitCode::from(1),
        Err(Failure::Failed(message)) => (1, message),
        Err(Failure::Usage(message)) => (2, message),
        Err(Failure::Temporary(message)) => (75, message),
    };
    output::talk(&format!("error: {message}"));
    ExitCode::from(code)
}

fn run(command: Command, context: &Context) -> Outcome {
    let sockets = match &command {
        Command::Serve(_) => context.sockets()?,
        _ => None,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Failed(format!("can't start the runtime: {error}")))?;
    let mut handoff = None;
    let outcome = runtime.block_on(async {
        match command {
            Command::Serve(serve) => serve.run(context, sockets).await.map(|next| handoff = next),
            Command::Import(import) => import.run(context).await,
            Command::Export(export) => export.run(context).await,
            Command::Backup(backup) => backup.run(context).await,
            Command::Restore(restore) => restore.run(context).await,
            Command::Reindex(reindex) => reindex.run(context).await,
            Command::Migrate(migrate) => migrate.run(context).await,
            Command::Tree(tree) => tree.run(context).await,
            Command::Pool(pool) => pool.run(context).await,
            Command::Worker(worker) => worker.run(context).await,
            Command::Jobs(jobs) => jobs.run(context).await,
            Command::Queue(queue) => queue.run(context).await,
            Command::Schedule(schedule) => schedule.run(context).await,
            Command::Webhook(webhook) => webhook.run(context).await,
            Command::Maintenance(maintenance) => maintenance.run(context).await,
            Command::Mail(mail) => mail.run(context).await,
            Command::Config(config) => config.run(context),
            Command::Doctor(doctor) => doctor.run(context).await,
            Command::Bench(bench) => bench.run(context).await,
            Command::Completions(completions) => completions.run(),
        }
    });
    if let Some(handoff) = handoff {
        // What is still open goes with the runtime: the successor opens the same files.
        runtime.shutdown_timeout(LEFTOVERS);
        return Err(Failure::Failed(handoff.execute()));
    }
    // A blocking read that nobody waits for any more must not hold the process back.
    runtime.shutdown_background();
    outcome
}

/// The command line's definition, for completions and tests.
fn definition() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::definition().debug_assert();
    }
}
