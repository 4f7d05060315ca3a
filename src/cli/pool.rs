//! `stoa pool list|set|pause|resume|drain|revert`

use super::{Context, Outcome, client::escaped, output};
use http::Method;
use serde_json::{Value, json};

/// Changes act at once, are kept in the database over restarts and in the history, and beat the
/// configuration until they are reverted.
#[derive(Debug, clap::Args)]
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
    /// Take no more work out of the queue; what waits stays.
    Pause { pool: String },
    /// Go on.
    Resume { pool: String },
    /// Take no new work and finish what is queued.
    Drain { pool: String },
    /// Back to the configured size and state.
    Revert { pool: String },
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
    let Some(by) = live["by"].as_str() else { return "configuration".into() };
    let until = live["until"].as_str().map_or(String::new(), |until| format!(" until {until}"));
    format!("live, by {by}{until} (configured: {})", row["configured"])
}
