//! `stoa maintenance on|off|status`

use super::{Context, Failure, Outcome, output};
use http::Method;
use jiff::SpanRelativeTo;
use serde_json::{Value, json};
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  stoa maintenance on --until 30m --message 'New shelves are coming in.'
  stoa maintenance on --until 2030-01-31T18:00:00Z --pause-queues
  stoa maintenance off

Shoppers are told when the shop is open again, with 503 and Retry-After; staff, operators, probes,
payment providers and logging in go on. It holds on every node, over restarts, and ends by itself.";

/// Close the running shop for a while.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Maintenance {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Close it, or change until when and why.
    On {
        /// A time (RFC 3339) or how long from now, such as 90m or 2h30m; a week at most.
        #[arg(long, value_name = "WHEN")]
        until: String,
        /// What shoppers are told, in a sentence or two.
        #[arg(long, value_name = "TEXT")]
        message: Option<String>,
        /// Hand no jobs out meanwhile; queues that were paused by hand stay so behind it.
        #[arg(long)]
        pause_queues: bool,
    },
    /// Open it now.
    Off,
    /// Whether it is closed.
    Status,
}

impl Maintenance {
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let server = context.running_server()?;
        let path = "/ops/maintenance";
        let now: Value = match &self.what {
            What::On { until, message, pause_queues } => {
                let until = when(context, until)?;
                let wanted =
                    json!({"until": until, "message": message, "pause_queues": pause_queues});
                server.change(Method::PUT, path, Some(&wanted)).await?
            }
            What::Off => server.change(Method::DELETE, path, None).await?,
            What::Status => server.get(path).await?,
        };
        if context.json {
            return output::json(&now);
        }
        let Some(until) = now["until"].as_str() else {
            output::say("the shop is open");
            return Ok(());
        };
        output::say(&format!("the shop is closed until {until}, by {}", now["set_by"]));
        if let Some(message) = now["message"].as_str() {
            output::say(&format!("shoppers are told: {message}"));
        }
        if now["pause_queues"] == json!(true) {
            output::say("queues hand no jobs out");
        }
        Ok(())
    }
}

/// A length of time is counted from now; what it is otherwise the server says.
fn when(context: &Context, text: &str) -> Result<String, Failure> {
    if text.contains(':') {
        return Ok(text.to_owned());
    }
    let length: Result<jiff::Span, _> = text.parse();
    let length = length.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
    let length = length.map_err(|_| {
        Failure::Usage(format!(
            "--until `{text}` is neither a time such as 2030-01-31T18:00:00Z nor a length of time \
             such as 90m or 2h30m"
        ))
    })?;
    let length = Duration::try_from(length)
        .map_err(|_| Failure::Usage(format!("--until `{text}` lies in the past")))?;
    Ok(context.after(length))
}
