//! `stoa tree`

use super::{Context, Outcome, output};
use supervisors::{Percentiles, Snapshot, State};

/// The supervision tree: state, mailbox depth and bound, messages handled, 95th percentile of
/// waiting and running, restarts, and each actor's last panic.
#[derive(Debug, clap::Args)]
pub(crate) struct Tree {
    /// Show where the last panic of each actor came from.
    #[arg(long)]
    backtraces: bool,
}

impl Tree {
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let server = context.running_server()?;
        if context.json {
            let tree: serde_json::Value = server.get("/ops/tree.json").await?;
            return output::json(&tree);
        }
        let root: Snapshot = server.get("/ops/tree.json").await?;
        let mut rows = Vec::new();
        collect(&root, "", "", &mut rows);
        output::table(&["ACTOR", "STATE", "MAILBOX", "HANDLED", "WAIT", "RUN", "RESTARTS"], &rows);
        for node in root.walk() {
            if let Some(panic) = &node.last_panic {
                let place = panic.location.as_deref().unwrap_or("somewhere");
                let ago = age(panic.ago_ms);
                output::say("");
                output::say(&format!("{} panicked {ago} ago at {place}:", node.path));
                output::say(&format!("  {}", panic.message));
                if let (true, Some(trace)) = (self.backtraces, &panic.backtrace) {
                    output::say(trace);
                }
            }
            if let State::Waiting { reason } | State::Failed { reason } = &node.state {
                output::say("");
                output::say(&format!("{} is {}: {reason}", node.path, state(node)));
            }
        }
        Ok(())
    }
}

fn collect(node: &Snapshot, lead: &str, branch: &str, rows: &mut Vec<Vec<String>>) {
    let queue = match (&node.mailbox, &node.pool) {
        (Some(mailbox), _) => format!("{}/{}", mailbox.depth, mailbox.bound),
        (_, Some(pool)) => {
            format!("{}/{} · {}/{} busy", pool.depth, pool.bound, pool.busy, pool.workers)
        }
        _ => "–".into(),
    };
    rows.push(vec![
        format!("{lead}{branch}{}", node.name),
        state(node).to_owned(),
        queue,
        node.handled.to_string(),
        p95(node.wait),
        p95(node.run),
        node.restarts.to_string(),
    ]);
    let below = match branch {
        "" => String::new(),
        "└─ " => format!("{lead}   "),
        _ => format!("{lead}│  "),
    };
    for (place, child) in node.children.iter().enumerate() {
        let last = place + 1 == node.children.len();
        collect(child, &below, if last { "└─ " } else { "├─ " }, rows);
    }
}

fn state(node: &Snapshot) -> &'static str {
    match node.state {
        State::Starting => "starting",
        State::Running => "running",
        State::Waiting { .. } => "waiting",
        State::BackingOff => "backing off",
        State::Paused => "paused",
        State::Draining => "draining",
        State::Drained => "drained",
        State::Stopping => "stopping",
        State::Stopped => "stopped",
        State::Finished => "finished",
        State::Failed { .. } => "failed",
    }
}

fn p95(times: Option<Percentiles>) -> String {
    times.map_or_else(|| "–".into(), |t| microseconds(t.p95_us))
}

fn microseconds(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{}.{} ms", us / 1_000, us % 1_000 / 100),
        _ => format!("{}.{} s", us / 1_000_000, us % 1_000_000 / 100_000),
    }
}

fn age(ms: u64) -> String {
    match ms / 1_000 {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3_600 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3_600),
    }
}
