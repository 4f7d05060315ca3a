//! `stoa worker`

use super::{Context, Failure, Outcome};
use crate::{boot, domain::job::Queue, logging};

const EXAMPLES: &str = "\
Examples:
  stoa worker                                      jobs of every queue, beside the server on ./stoa-data
  stoa worker --queues mail,default --concurrency 8
  stoa worker --database-url postgres://stoa:secret@db/stoa";

/// Runs jobs in a process of its own: as many as are started share the work. On PostgreSQL it goes to
/// the database; on SQLite it needs the data folder's running server, which writes for it. It hands
/// back what it has in hand when it stops (Ctrl-C or SIGTERM), and others get it when it is killed.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Worker {
    /// With commas between [default: all].
    #[arg(long, value_delimiter = ',', value_name = "QUEUE")]
    queues: Vec<String>,
    /// Jobs of each queue at a time [default: as `[pools]` says].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    concurrency: Option<u32>,
    /// Run jobs that come on standard input, one at a time.
    #[arg(long, hide = true)]
    cell: bool,
}

impl Worker {
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let (config, _) = context.config(&[])?;
        let unknown = |name: &String| {
            let names = Queue::NAMES.join(", ");
            Failure::Usage(format!("there is no queue `{name}`; there are {names}"))
        };
        let named = |name: &String| Queue::parse(name).ok_or_else(|| unknown(name));
        let queues = match self.queues.is_empty() {
            true => Queue::ALL.to_vec(),
            false => self.queues.iter().map(named).collect::<Result<_, _>>()?,
        };
        logging::start(&config.log);
        if self.cell {
            let ended = boot::cell(&config, &context.folder).await;
            return ended.map_err(|error| Failure::Failed(error.to_string()));
        }
        boot::work(&config, &context.folder, &queues, self.concurrency)
            .await
            .map_err(|error| Failure::Failed(error.to_string()))
    }
}
