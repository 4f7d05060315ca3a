//! `stoa queue list|pause|resume|drain|move|share|rate`

use super::{
    Context, Outcome,
    client::{Client, escaped},
    output,
};
use http::Method;
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

const EXAMPLES: &str = "\
Examples:
  stoa queue list
  stoa queue drain mail                                 nothing of it is in hand when this ends
  stoa queue move default --to import --topic probe     how many would be moved; add --yes
  stoa queue share default fair                         no topic waits behind another's thousands
  stoa queue share default weighted --weight probe=3
  stoa queue rate mail.send 100/m                       off takes it back";

/// How often a queue that is drained is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// The running server's queues of jobs. What is turned is kept in the database and in the audit
/// log, and holds for every process until it is turned back.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
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
    /// Choose in what order its jobs are handed out, where they are of several topics.
    Share {
        queue: String,
        /// strict (by priority and time), fair (topics have as many in hand each) or weighted.
        mode: String,
        /// With weighted: a topic that may have so many times as much in hand as the others.
        #[arg(long = "weight", value_name = "TOPIC=N", value_parser = weight)]
        weights: Vec<(String, u32)>,
    },
    /// Begin no more jobs of a topic in a time than this, on all nodes together.
    Rate {
        topic: String,
        /// Such as 10/s, 100/m or 1000/h; off: as many as there are.
        rate: String,
    },
}

fn weight(text: &str) -> Result<(String, u32), String> {
    let read =
        text.split_once('=').and_then(|(topic, n)| Some((topic.to_owned(), n.parse().ok()?)));
    read.ok_or_else(|| "a topic and a whole number, such as mail.send=3".to_owned())
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
            What::List => {
                let mut answer: Value = server.get("/ops/queues.json").await?;
                let rates: Value = server.get("/ops/job-rates.json").await?;
                answer["rates"] = rates["items"].clone();
                return list(context, &answer);
            }
            What::Move(wanted) => return wanted.ask(context, &server).await,
            What::Rate { topic, rate } => return limit(context, &server, topic, rate).await,
            What::Share { queue, mode, weights } => {
                let weights: BTreeMap<_, _> = weights.iter().cloned().collect();
                let wanted = json!({"mode": mode, "weights": weights});
                let path = format!("/ops/queues/{}/sharing", escaped(queue));
                server.change(Method::PUT, &path, Some(&wanted)).await?
            }
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

async fn limit(context: &Context, server: &Client, topic: &str, rate: &str) -> Outcome {
    let path = format!("/ops/job-rates/{}", escaped(topic));
    if rate == "off" {
        let _: Value = server.change(Method::DELETE, &path, None).await?;
    } else {
        let _: Value = server.change(Method::PUT, &path, Some(&json!({"rate": rate}))).await?;
    }
    let now: Value = server.get("/ops/job-rates.json").await?;
    match context.json {
        true => output::json(&now),
        false => {
            list_rates(&now["items"]);
            Ok(())
        }
    }
}

fn list_rates(rates: &Value) {
    let rates = rates.as_array().into_iter().flatten();
    let keys = ["topic", "rate", "set_by", "set_at"];
    let rows: Vec<Vec<_>> =
        rates.map(|row| keys.iter().map(|key| output::cell(row, key)).collect()).collect();
    output::table(&["TOPIC", "RATE", "SET BY", "SET AT"], &rows);
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
    let keys =
        ["name", "mode", "scheduled", "ready", "running", "given_up", "oldest_due_at", "paused_by"];
    output::table(
        &[
            "QUEUE",
            "MODE",
            "SCHEDULED",
            "READY",
            "RUNNING",
            "GIVEN UP",
            "OLDEST READY",
            "PAUSED BY",
        ],
        &rows("items", &keys),
    );
    if answer["rates"].as_array().is_some_and(|rates| !rates.is_empty()) {
        output::say("");
        list_rates(&answer["rates"]);
    }
    let workers = rows("workers", &["name", "jobs", "joined_at", "seen_at"]);
    if !workers.is_empty() {
        output::say("");
        output::table(&["WORKER", "IN HAND", "SINCE", "SEEN"], &workers);
    }
    Ok(())
}
