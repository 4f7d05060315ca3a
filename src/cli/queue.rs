//! `stoa queue list|pause|resume|drain|move`

use super::{
    Context, Outcome,
    client::{Client, escaped},
    output,
};
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// How often a queue that is drained is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// The running server's queues of jobs. What is turned is kept in the database and in the audit
/// log, and holds for every process until it is turned back.
#[derive(Debug, clap::Args)]
pub(crate) struct Queue {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Every queue with what waits and runs there, and the processes that work.
    List,
    /// Hand nothing of it out any more; what is in hand is finished.
    Pause { queue: String },
    /// Hand its jobs out again.
    Resume { queue: String },
    /// Pause it, and wait until nothing of it is in anybody's hands.
    Drain { queue: String },
    /// Put jobs that wait there into another queue; what is in hand stays.
    Move(Move),
}

#[derive(Debug, clap::Args)]
struct Move {
    queue: String,
    /// Where they are to wait.
    #[arg(long, value_name = "QUEUE")]
    to: String,
    /// Only those of this topic.
    #[arg(long)]
    topic: Option<String>,
    /// Only those with this in their body: FIELD=VALUE, or /POINTER=VALUE.
    #[arg(long, value_name = "FIELD=VALUE")]
    body: Option<String>,
    /// Do it; without this it only says how many jobs there are.
    #[arg(long)]
    yes: bool,
}

impl Move {
    async fn ask(&self, context: &Context, server: &Client) -> Outcome {
        let (mut matched, mut done) = (0, 0);
        // Those that wait for their time, and those that wait for a hand.
        for state in ["scheduled", "ready"] {
            let mut filter = json!({"state": state, "queue": self.queue});
            for (name, value) in [("topic", &self.topic), ("body", &self.body)] {
                if let Some(value) = value {
                    filter[name] = json!(value);
                }
            }
            let wish = json!({
                "action": "move", "to": self.to, "filter": filter, "preview": !self.yes,
            });
            let answer: Value =
                server.change(Method::POST, "/ops/job-actions", Some(&wish)).await?;
            matched += answer["matched"].as_u64().unwrap_or_default();
            done += answer["done"].as_u64().unwrap_or_default();
        }
        if context.json {
            return output::json(&json!({"matched": matched, "done": done}));
        }
        match self.yes {
            true => output::say(&format!("{done} of {matched} moved to {}", self.to)),
            false => output::say(&format!("{matched} would be moved: add --yes to do it")),
        }
        Ok(())
    }
}

impl Queue {
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let server = context.running_server()?;
        let turned = match &self.what {
            What::List => return list(context, &server.get("/ops/queues.json").await?),
            What::Move(wanted) => return wanted.ask(context, &server).await,
            What::Pause { queue } => turn(&server, queue, "pause").await?,
            What::Resume { queue } => turn(&server, queue, "resume").await?,
            What::Drain { queue } => {
                let mut turned = turn(&server, queue, "pause").await?;
                while turned["running"] != json!(0) {
                    tokio::time::sleep(LOOK).await;
                    let all: Value = server.get("/ops/queues.json").await?;
                    let items = all["items"].as_array().into_iter().flatten();
                    match items.into_iter().find(|one| one["name"] == turned["name"]) {
                        Some(now) => turned = now.clone(),
                        None => break,
                    }
                }
                turned
            }
        };
        match context.json {
            true => output::json(&turned),
            false => list(context, &json!({"items": [turned], "workers": []})),
        }
    }
}

async fn turn(server: &Client, queue: &str, verb: &str) -> Result<Value, super::Failure> {
    server.change(Method::POST, &format!("/ops/queues/{}/{verb}", escaped(queue)), None).await
}

fn list(context: &Context, answer: &Value) -> Outcome {
    if context.json {
        return output::json(answer);
    }
    let rows = |of: &str, keys: &[&str]| -> Vec<Vec<String>> {
        let rows = answer[of].as_array().into_iter().flatten();
        rows.map(|row| keys.iter().map(|key| output::cell(row, key)).collect()).collect()
    };
    let keys = ["name", "scheduled", "ready", "running", "given_up", "oldest_due_at", "paused_by"];
    output::table(
        &["QUEUE", "SCHEDULED", "READY", "RUNNING", "GIVEN UP", "OLDEST READY", "PAUSED BY"],
        &rows("items", &keys),
    );
    let workers = rows("workers", &["name", "jobs", "joined_at", "seen_at"]);
    if !workers.is_empty() {
        output::say("");
        output::table(&["WORKER", "IN HAND", "SINCE", "SEEN"], &workers);
    }
    Ok(())
}
