//! `stoa schedule list|show|set|remove|enable|disable|run`

use super::{Context, Failure, Outcome, client::escaped, output};
use http::Method;
use serde_json::{Value, json};

const EXAMPLES: &str = "\
Examples:
  stoa schedule set nightly --cron '30 3 * * *' --zone Europe/Berlin --topic probe \\
      --body '{\"n\": 1, \"millis\": 0, \"echo\": false}' --catch-up once
  stoa schedule list           every schedule, with its next and its last run
  stoa schedule run nightly    one job now, beside its ticks
  stoa schedule disable nightly

A tick is a moment of the zone's clock and is one job, on whichever node. One that the clock passes
over in spring happens as the gap ends, one that it shows twice in autumn the first time; where
every hour is meant (*), each hour that passes has its own.";

/// Jobs that are put again and again. A schedule is kept in the database and in the audit log, and
/// every server sees to it.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Schedule {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Every schedule, with its next and its last run by its zone's clock.
    List,
    /// All there is about one.
    Show { name: String },
    /// Make one, or put this in place of what it was.
    Set(Set),
    /// Put no more of its jobs; those that are there stay.
    Remove { name: String },
    /// Go on with the next tick; what it would have run meanwhile is not missed.
    Enable { name: String },
    /// Put none until it is enabled.
    Disable { name: String },
    /// Put one job now, beside its ticks.
    Run { name: String },
}

#[derive(Debug, clap::Args)]
struct Set {
    /// Small letters, digits and hyphens.
    name: String,
    /// Minute, hour, day, month and weekday, with a second in front or without; or @daily and the
    /// like.
    #[arg(long, value_name = "EXPRESSION")]
    cron: String,
    /// By whose clock the expression is read: a name of the tz database.
    #[arg(long, default_value = "UTC")]
    zone: String,
    /// The kind of job.
    #[arg(long)]
    topic: String,
    /// The form of its body; else the newest.
    #[arg(long, value_name = "N")]
    topic_version: Option<u32>,
    /// What each job is about.
    #[arg(long, value_name = "JSON")]
    body: String,
    /// What becomes of ticks while no server ran: skip, once (the last of them), or all:N (the last
    /// N).
    #[arg(long, default_value = "skip", value_name = "POLICY")]
    catch_up: String,
    /// Only keep it.
    #[arg(long)]
    disabled: bool,
}

impl Set {
    fn wanted(&self) -> Result<Value, Failure> {
        let body: Value = serde_json::from_str(&self.body)
            .map_err(|error| Failure::Usage(format!("--body is not JSON: {error}")))?;
        Ok(json!({
            "topic": self.topic,
            "version": self.topic_version,
            "body": body,
            "cron": self.cron,
            "zone": self.zone,
            "catch_up": self.catch_up,
            "enabled": !self.disabled,
        }))
    }
}

impl Schedule {
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let server = context.running_server()?;
        let path = |name: &str, verb: &str| format!("/ops/schedules/{}{verb}", escaped(name));
        let post = async |name: &str, verb: &str| -> Result<Value, Failure> {
            server.change(Method::POST, &path(name, verb), None).await
        };
        let now = match &self.what {
            What::List => return list(context, &server.get("/ops/schedules.json").await?),
            What::Show { name } => return show(context, &server.get(&path(name, "")).await?),
            What::Remove { name } => {
                let none: Value = server.change(Method::DELETE, &path(name, ""), None).await?;
                return if context.json { output::json(&none) } else { Ok(()) };
            }
            What::Set(set) => {
                let wanted = set.wanted()?;
                server.change(Method::PUT, &path(&set.name, ""), Some(&wanted)).await?
            }
            What::Enable { name } => post(name, "/enable").await?,
            What::Disable { name } => post(name, "/disable").await?,
            What::Run { name } => post(name, "/run").await?,
        };
        match context.json {
            true => output::json(&now),
            false => list(context, &json!({"items": [now]})),
        }
    }
}

fn list(context: &Context, answer: &Value) -> Outcome {
    if context.json {
        return output::json(answer);
    }
    let keys =
        ["name", "topic", "cron", "zone", "catch_up", "next_local", "last_local", "last_job"];
    let row = |row: &Value| {
        let mut cells: Vec<String> = keys.iter().map(|key| output::cell(row, key)).collect();
        if row["enabled"] == json!(false) {
            cells[5] = "disabled".to_owned();
        }
        cells
    };
    let rows: Vec<_> = answer["items"].as_array().into_iter().flatten().map(row).collect();
    let head = ["SCHEDULE", "TOPIC", "CRON", "ZONE", "CATCH UP", "NEXT RUN", "LAST RUN", "AS JOB"];
    output::table(&head, &rows);
    Ok(())
}

fn show(context: &Context, schedule: &Value) -> Outcome {
    if context.json {
        return output::json(schedule);
    }
    for (key, value) in schedule.as_object().into_iter().flatten() {
        if !value.is_null() {
            output::say(&format!("{key:<12}{}", output::cell(schedule, key)));
        }
    }
    Ok(())
}
