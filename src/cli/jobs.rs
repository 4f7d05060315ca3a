//! `stoa jobs list|show|retry|edit|discard|cancel`

use super::{
    Context, Failure, Outcome,
    client::{Client, escaped},
    output,
};
use http::Method;
use serde_json::{Value, json};

const EXAMPLES: &str = "\
Examples:
  stoa jobs list --state dead --queue mail --error 450
  stoa jobs retry --state dead --queue mail --yes
  stoa jobs edit 0190aaaa-0000-7000-8000-000000000001 --body '{\"n\": 1, \"millis\": 0, \"echo\": false}'";

/// The running server's jobs: what waits, what runs, what was given up and why.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Jobs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// The newest first.
    List {
        #[command(flatten)]
        filter: Filter,
        /// Only the children of this job.
        #[arg(long, value_name = "ID")]
        root: Option<String>,
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// All there is about one job.
    Show { id: String },
    /// Try jobs anew, and now; of a root's children those that ended without success.
    Retry(Act),
    /// Try a job that was given up again, with a body that was put right.
    ///
    /// It is failed, dead or cancelled. The body is checked as one that is put into the queue is; the
    /// audit log keeps it and the one before it.
    Edit {
        /// As `list` shows it.
        id: String,
        /// In the form of the job's topic and version, as `show` shows the one it has.
        #[arg(long, value_name = "JSON")]
        body: String,
    },
    /// Drop jobs; those that run are left alone.
    Discard(Act),
    /// Cancel jobs that wait, and end those that run; with a root its children.
    Cancel(Act),
}

#[derive(Debug, clap::Args)]
struct Filter {
    /// scheduled, ready, running, succeeded, failed, dead or cancelled.
    #[arg(long)]
    state: Option<String>,
    /// default, index, media, mail, import or webhook.
    #[arg(long)]
    queue: Option<String>,
    /// As `list` shows it.
    #[arg(long)]
    topic: Option<String>,
    /// Somewhere in the error of the last try.
    #[arg(long, value_name = "TEXT")]
    error: Option<String>,
    /// What stands in the body: FIELD=VALUE, or /POINTER=VALUE.
    #[arg(long, value_name = "FIELD=VALUE")]
    body: Option<String>,
}

/// Which jobs: by id, or all that are in a state and fit.
#[derive(Debug, clap::Args)]
struct Act {
    /// As `list` shows them.
    #[arg(conflicts_with_all = ["state", "queue", "topic", "error", "body"], required_unless_present = "state")]
    ids: Vec<String>,
    #[command(flatten)]
    filter: Filter,
    /// Do it; without this, a filter only says how many jobs it finds.
    #[arg(long)]
    yes: bool,
}

impl Filter {
    fn given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let Self { state, queue, topic, error, body } = self;
        let all = [
            ("state", state),
            ("queue", queue),
            ("topic", topic),
            ("error", error),
            ("body", body),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }
}

impl Jobs {
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let server = context.running_server()?;
        match &self.what {
            What::List { filter, root, limit } => {
                let mut path = format!("/ops/jobs.json?limit={limit}");
                let root = root.as_deref().map(|root| ("root", root));
                for (name, value) in filter.given().chain(root) {
                    path.push_str(&format!("&{name}={}", escaped(value)));
                }
                list(context, &server.get(&path).await?)
            }
            What::Show { id } => {
                let job: Value = server.get(&format!("/ops/jobs/{}", escaped(id))).await?;
                show(context, &job)
            }
            What::Retry(act) => act.ask(context, &server, "retry", "retried").await,
            What::Edit { id, body } => {
                let body: Value = serde_json::from_str(body)
                    .map_err(|error| Failure::Usage(format!("--body is not JSON: {error}")))?;
                let (path, body) =
                    (format!("/ops/jobs/{}/edit", escaped(id)), json!({"body": body}));
                show(context, &server.change(Method::POST, &path, Some(&body)).await?)
            }
            What::Discard(act) => act.ask(context, &server, "discard", "discarded").await,
            What::Cancel(act) => act.ask(context, &server, "cancel", "cancelled").await,
        }
    }
}

impl Act {
    async fn ask(&self, context: &Context, server: &Client, action: &str, done: &str) -> Outcome {
        let filter: serde_json::Map<_, _> =
            self.filter.given().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        let preview = self.ids.is_empty() && !self.yes;
        let wish = match self.ids.is_empty() {
            true => json!({"action": action, "filter": filter, "preview": preview}),
            false => json!({"action": action, "ids": self.ids}),
        };
        let answer: Value = server.change(Method::POST, "/ops/job-actions", Some(&wish)).await?;
        if context.json {
            return output::json(&answer);
        }
        let (matched, acted) = (&answer["matched"], &answer["done"]);
        match preview {
            true => output::say(&format!("{matched} would be {done}: add --yes to do it")),
            false if matched == acted => output::say(&format!("{acted} {done}")),
            false => output::say(&format!(
                "{acted} of {matched} {done}; the others are in no state for it, or are gone"
            )),
        }
        if !self.ids.is_empty() && *acted == json!(0) {
            return Err(Failure::Silent);
        }
        Ok(())
    }
}

fn list(context: &Context, answer: &Value) -> Outcome {
    if context.json {
        return output::json(answer);
    }
    let keys = ["id", "topic", "queue", "state", "attempt", "failures", "sent_at", "due_at"];
    let rows: Vec<Vec<String>> = answer["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| {
            let mut cells: Vec<String> = keys.iter().map(|key| cell(row, key)).collect();
            // The first line says what, those below where.
            let error = output::cell(row, "error");
            cells.push(error.lines().next().unwrap_or_default().to_owned());
            cells
        })
        .collect();
    let head = ["ID", "TOPIC", "QUEUE", "STATE", "TRIES", "FAILED", "SENT", "DUE", "ERROR"];
    output::table(&head, &rows);
    if !answer["next"].is_null() {
        output::talk("there are more: raise --limit, or narrow it down");
    }
    Ok(())
}

/// A root's state is that of the whole of its family, with how many of its children are over.
fn cell(row: &Value, key: &str) -> String {
    let family = &row["family"];
    match key {
        "state" if !family.is_null() => {
            let of = |key| output::cell(family, key);
            format!("{} {}/{}", of("state"), of("over"), of("jobs"))
        }
        "state" => match percent(&row["progress"]) {
            Some(percent) => format!("{} {percent} %", output::cell(row, key)),
            None => output::cell(row, key),
        },
        _ => output::cell(row, key),
    }
}

/// How far it is.
fn percent(progress: &Value) -> Option<u64> {
    let (done, of) = (progress["done"].as_u64()?, progress["of"].as_u64()?);
    Some(u64::try_from(u128::from(done) * 100 / u128::from(of.max(1))).unwrap_or(100))
}

fn show(context: &Context, job: &Value) -> Outcome {
    if context.json {
        return output::json(job);
    }
    for (key, value) in job.as_object().into_iter().flatten() {
        if key == "family" && !value.is_null() {
            let of = |key| output::cell(value, key);
            let (state, over, jobs) = (of("state"), of("over"), of("jobs"));
            let (failed, cancelled) = (of("failed"), of("cancelled"));
            output::say(&format!(
                "{key:<12}{state}: {over} of {jobs} over, {failed} failed, {cancelled} cancelled"
            ));
        } else if key == "progress" && !value.is_null() {
            let of = |key| output::cell(value, key);
            output::say(&format!("{key:<12}{} of {}", of("done"), of("of")));
        } else if key != "error" && !value.is_null() {
            output::say(&format!("{key:<12}{}", output::cell(job, key)));
        }
    }
    if let Some(error) = job["error"].as_str() {
        output::say(&format!("\n{error}"));
    }
    Ok(())
}
