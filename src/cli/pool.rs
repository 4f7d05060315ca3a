//! `stoa pool list|set|autoscale|pause|resume|drain|revert`

use super::{Context, Failure, Outcome, client::escaped, output};
use http::Method;
use serde_json::{Value, json};

const EXAMPLES: &str = "\
Examples:
  stoa pool set mail --workers 4 --minutes 30
  stoa pool autoscale default --min 2 --max 32 --wait 5s
  stoa pool autoscale default off
  stoa pool revert default";

/// Changes act at once, are kept in the database over restarts and in the history, and beat the
/// configuration until they are reverted.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Pool {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Every pool: workers, busy, queue, state, and where its size comes from.
    List,
    /// Set how many workers a pool has.
    Set {
        pool: String,
        #[arg(long, value_name = "N")]
        workers: u32,
        /// Take the change back by itself after this many minutes.
        #[arg(long, value_name = "MINUTES")]
        minutes: Option<u32>,
    },
    /// Let the size of a pool follow the wait of its queue, between two bounds.
    ///
    /// For pools that do a queue's jobs. It doubles while the job that is next has waited for longer
    /// than is wanted, and comes down when jobs hardly wait and workers are idle. Bounds hold for the
    /// server's process, on every node; a size that was set goes before until it is reverted.
    Autoscale {
        pool: String,
        /// `off` keeps the configured size, `revert` goes by the configuration again.
        #[arg(value_enum, default_value = "on")]
        turn: Turn,
        /// Workers when nothing is to be done. Left out, like the others: as configured.
        #[arg(long, value_name = "N")]
        min: Option<u32>,
        /// Workers at most.
        #[arg(long, value_name = "N")]
        max: Option<u32>,
        /// How long a job may wait, such as 500ms, 5s or 2m.
        #[arg(long, value_name = "LENGTH")]
        wait: Option<String>,
    },
    /// Take no more work out of the queue; what waits stays.
    Pause { pool: String },
    /// Go on.
    Resume { pool: String },
    /// Take no new work and finish what is queued.
    Drain { pool: String },
    /// Back to the configured size and state.
    Revert { pool: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Turn {
    On,
    Off,
    Revert,
}

impl Pool {
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let server = context.running_server()?;
        let path = |pool: &str, action: &str| format!("/ops/pools/{}{action}", escaped(pool));
        let answer: Value = match &self.what {
            What::List => {
                let answer: Value = server.get("/ops/pools.json").await?;
                return list(context, &answer);
            }
            What::Set { pool, workers, minutes } => {
                let until = minutes.map(|minutes| context.later(minutes));
                let body = json!({"workers": workers, "until": until});
                server.change(Method::PUT, &path(pool, ""), Some(&body)).await?
            }
            What::Autoscale { pool, turn, min, max, wait } => {
                let path = path(pool, "/autoscale");
                let bounds = (min, max, wait);
                match turn {
                    Turn::On => {
                        let wait_ms = wait.as_deref().map(wait_ms).transpose()?;
                        let mut body = json!({"enabled": true});
                        let numbers = [("min", *min), ("max", *max), ("wait_ms", wait_ms)];
                        for (key, number) in numbers {
                            if let Some(number) = number {
                                body[key] = number.into();
                            }
                        }
                        server.change(Method::PUT, &path, Some(&body)).await?
                    }
                    _ if bounds != (&None, &None, &None) => {
                        return Err(Failure::Usage("bounds go with `on` alone".into()));
                    }
                    Turn::Off => {
                        let body = json!({"enabled": false});
                        server.change(Method::PUT, &path, Some(&body)).await?
                    }
                    Turn::Revert => server.change(Method::DELETE, &path, None).await?,
                }
            }
            What::Pause { pool } => {
                server.change(Method::POST, &path(pool, "/pause"), None).await?
            }
            What::Resume { pool } => {
                server.change(Method::POST, &path(pool, "/resume"), None).await?
            }
            What::Drain { pool } => {
                server.change(Method::POST, &path(pool, "/drain"), None).await?
            }
            What::Revert { pool } => {
                server.change(Method::DELETE, &path(pool, "/override"), None).await?
            }
        };
        if context.json {
            return output::json(&answer);
        }
        list(context, &json!({ "items": [answer] }))
    }
}

fn list(context: &Context, answer: &Value) -> Outcome {
    if context.json {
        return output::json(answer);
    }
    let rows: Vec<Vec<String>> = answer["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| {
            let keys = ["name", "state", "workers", "busy", "most", "depth", "bound", "fit"];
            let mut cells: Vec<String> = keys.iter().map(|key| output::cell(row, key)).collect();
            cells.push(origin(row));
            cells
        })
        .collect();
    output::table(
        &["POOL", "STATE", "WORKERS", "BUSY", "MOST", "QUEUED", "BOUND", "FIT", "FROM"],
        &rows,
    );
    Ok(())
}

/// Where a pool's size and state come from: the configuration, or who changed it and until when.
fn origin(row: &Value) -> String {
    let live = &row["override"];
    let follows = follows(&row["autoscale"]);
    let Some(by) = live["by"].as_str() else {
        return follows.unwrap_or_else(|| "configuration".into());
    };
    let until = live["until"].as_str().map_or(String::new(), |until| format!(" until {until}"));
    let set = format!("live, by {by}{until} (configured: {})", row["configured"]);
    match follows {
        // Paused alone, the size isn't what was set.
        Some(follows) if live["workers"].is_null() => format!("{set}; {follows}"),
        Some(follows) => format!("{set}; goes before: {follows}"),
        None => set,
    }
}

/// How a size follows its queue: the bounds, who said so, and the last change.
fn follows(autoscale: &Value) -> Option<String> {
    if autoscale["enabled"] != true {
        let by = autoscale["by"].as_str()?;
        return Some(format!("configuration, not autoscaled by {by}"));
    }
    let key = |key: &str| output::cell(autoscale, key);
    let by = autoscale["by"].as_str().unwrap_or("configuration");
    let bounds =
        format!("autoscaled {} to {} at {} ms, by {by}", key("min"), key("max"), key("wait_ms"));
    let last = &autoscale["last"];
    let Some(at) = last["at"].as_str() else { return Some(bounds) };
    let because = match last["why"].as_str() {
        Some("waited") => format!("a job had waited {} ms", last["waited_ms"]),
        Some("idle") => "workers were idle".to_owned(),
        _ => "of its bounds".to_owned(),
    };
    Some(format!("{bounds}; {} → {} at {at} as {because}", last["from"], last["to"]))
}

fn wait_ms(text: &str) -> Result<u32, Failure> {
    let length: Result<jiff::SignedDuration, _> = text.parse();
    let millis = length.ok().and_then(|length| u32::try_from(length.as_millis()).ok());
    millis.ok_or_else(|| {
        Failure::Usage(format!("--wait `{text}` is no length of time such as 500ms, 5s or 2m"))
    })
}
