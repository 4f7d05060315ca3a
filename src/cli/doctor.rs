//! `stoa doctor`

use super::{Context, Failure, Outcome, output};
use crate::boot::{self, Finding};
use serde_json::json;

/// Looks at the configuration, the data folder, the database and what follows it (documents and
/// search index), and says for each thing that is wrong what to do. Changes nothing. Exit code 1
/// when something is wrong.
#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {}

impl Doctor {
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let (config, _) = context.config(&[])?;
        let mut findings = boot::doctor(&config, &context.folder).await;
        if let Ok(Some(server)) = context.server() {
            findings.push(match server.get::<serde_json::Value>("/readyz").await {
                Ok(ready) => Finding::good("server", format!("ready: {}", parts(&ready))),
                Err(Failure::Temporary(why) | Failure::Failed(why)) => Finding::bad(
                    "server",
                    format!("not ready: {why}"),
                    "look at `stoa tree` and the server's log",
                ),
                Err(_) => Finding::bad("server", "not ready".into(), "look at the server's log"),
            });
        }
        if context.json {
            let rows: Vec<_> = findings
                .iter()
                .map(
                    |f| json!({"what": f.what, "ok": f.ok, "detail": f.detail, "remedy": f.remedy}),
                )
                .collect();
            output::json(&rows)?;
        } else {
            for finding in &findings {
                let mark = if finding.ok { "ok   " } else { "WRONG" };
                output::say(&format!("{mark}  {:14}  {}", finding.what, finding.detail));
                if let Some(remedy) = &finding.remedy {
                    output::say(&format!("       {:14}  → {remedy}", ""));
                }
            }
        }
        match findings.iter().all(|finding| finding.ok) {
            true => Ok(()),
            false => Err(Failure::Silent),
        }
    }
}

fn parts(ready: &serde_json::Value) -> String {
    let components = ready["components"].as_array().into_iter().flatten();
    let shown = components.map(|component| match component["ok"].as_bool() {
        Some(true) => component["name"].as_str().unwrap_or_default().to_owned(),
        _ => format!("{} (not ready)", component["name"].as_str().unwrap_or_default()),
    });
    shown.collect::<Vec<_>>().join(", ")
}
