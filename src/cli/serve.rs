//! `stoa serve`

use super::{Context, Failure, output};
use crate::{
    boot::{self, Handoff, Inherited},
    logging,
};

const EXAMPLES: &str = "\
Examples:
  stoa serve                                       an empty shop in ./stoa-data
  stoa serve --demo                                the same with a catalogue of its own
  stoa serve --listen 0.0.0.0:80 --data /srv/shop
  stoa serve --public-url https://shop.example     behind a proxy that speaks HTTPS
  stoa serve --database-url postgres://stoa:secret@db/stoa";

const SIGNALS: &str = "\
Signals:
  SIGTERM, SIGINT   stop: running requests finish; a second one ends it at once
  SIGUSR2           hand over to the program at the same path, in the same process: new connections
                    wait for it, and none is refused";

/// Starts in an empty folder: makes the data folder and the database, and serves the shop, the
/// API and the operators' pages until it is told to stop (Ctrl-C or SIGTERM).
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = SIGNALS)]
pub(crate) struct Serve {
    /// Address and port; port 0 takes a free one; a socket that a service manager hands in
    /// (LISTEN_FDS) comes before it [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// What shoppers type, such as `https://shop.example`: a proxy there speaks HTTPS for the shop.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Take passwords over plain HTTP from other machines too, where anybody on the way can read
    /// them.
    #[arg(long)]
    insecure_http: bool,
    /// Fill an empty shop with a generated catalogue.
    #[arg(long)]
    demo: bool,
    /// Look at arguments and configuration, say which version this is, and end.
    #[arg(long)]
    check: bool,
    /// Run jobs that come on standard input, one at a time.
    #[arg(long, hide = true)]
    cell: bool,
}

impl Serve {
    /// What it hands over to, if it ended for that.
    pub(crate) async fn run(
        self,
        context: &Context,
        sockets: Option<Inherited>,
    ) -> Result<Option<Handoff>, Failure> {
        let insecure = self.insecure_http.then(|| "true".to_owned());
        let (config, _) = context.config(&[
            ("--listen", "http.listen", self.listen),
            ("--public-url", "shop.public_url", self.public_url),
            ("--insecure-http", "http.insecure_http", insecure),
        ])?;
        if self.check {
            output::say(concat!("stoa ", env!("CARGO_PKG_VERSION")));
            return Ok(None);
        }
        logging::start(&config.log);
        if self.cell {
            let ended = boot::cell(&config, &context.folder).await;
            return ended.map(|()| None).map_err(|error| Failure::Failed(error.to_string()));
        }
        boot::serve(&config, &context.folder, sockets, self.demo)
            .await
            .map_err(|error| Failure::Failed(error.to_string()))
    }
}
