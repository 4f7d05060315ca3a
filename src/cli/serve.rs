//! `stoa serve`

use super::{Context, Failure, Outcome};
use crate::{
    boot::{self, Inherited},
    logging,
};

const EXAMPLES: &str = "\
Examples:
  stoa serve                                       an empty shop in ./stoa-data
  stoa serve --demo                                the same with a catalogue of its own
  stoa serve --listen 0.0.0.0:80 --data /srv/shop
  stoa serve --database-url postgres://stoa:secret@db/stoa";

/// Starts in an empty folder: makes the data folder and the database, and serves the shop, the
/// API and the operators' pages until it is told to stop (Ctrl-C or SIGTERM).
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Serve {
    /// Address and port; port 0 takes a free one; a socket that a service manager hands in
    /// (LISTEN_FDS) comes before it [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Fill an empty shop with a generated catalogue.
    #[arg(long)]
    demo: bool,
}

impl Serve {
    pub(crate) async fn run(self, context: &Context, sockets: Option<Inherited>) -> Outcome {
        let (config, _) = context.config(&[("--listen", "http.listen", self.listen)])?;
        logging::start(&config.log);
        boot::serve(&config, &context.folder, sockets, self.demo)
            .await
            .map_err(|error| Failure::Failed(error.to_string()))
    }
}
