//! `stoa doctor`

use super::{Context, Failure, Outcome, output};
use crate::{
    boot::{self, AuditFound, Finding},
    domain::audit::Link,
};
use serde_json::json;

const EXAMPLES: &str = "\
Examples:
  stoa doctor                 everything, with what to do about each fault
  stoa doctor audit           whether the audit log is whole
  stoa doctor audit --noted 42:9f86…     and still holds what was noted down";

/// Looks at the configuration, the data folder, the database and what follows it (documents and
/// search index), and says for each thing that is wrong what to do. Changes nothing. Exit code 1
/// when something is wrong.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Doctor {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Read the audit log from its beginning and say whether an entry was edited or taken out.
    ///
    /// Whoever owns the database could make the whole log anew. So note down what this prints last,
    /// elsewhere, and give it with --noted the next time: it must still be there.
    Audit {
        /// A place and link that were printed before.
        #[arg(long, value_name = "PLACE:LINK")]
        noted: Option<String>,
    },
}

impl Doctor {
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        if let Some(What::Audit { noted }) = self.what {
            return audit(context, noted.as_deref()).await;
        }
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

async fn audit(context: &Context, noted: Option<&str>) -> Outcome {
    let noted = noted.map(read_noted).transpose()?;
    let (config, _) = context.config(&[])?;
    let found = boot::doctor_audit(&config, &context.folder, noted).await;
    let found = found.map_err(|error| Failure::Failed(error.to_string()))?;
    let AuditFound { read, broken, noted } = &found;
    if context.json {
        output::json(&json!({
            "whole": broken.is_none(), "place": read.place, "link": read.link.to_string(),
            "broken": broken.as_ref().map(ToString::to_string), "noted_is_there": noted,
        }))?;
    } else {
        match broken {
            None => output::say(&format!("whole: {} entries, up to {0}:{}", read.place, read.link)),
            Some(broken) => output::say(&format!("WRONG: {broken}; before it all is whole")),
        }
        if *noted == Some(false) {
            output::say("WRONG: what was noted down is not in it: the log was made anew or cut");
        }
    }
    match broken.is_none() && *noted != Some(false) {
        true => Ok(()),
        false => Err(Failure::Silent),
    }
}

fn read_noted(text: &str) -> Result<(i64, Link), Failure> {
    let wrong = || Failure::Usage(format!("--noted takes PLACE:LINK as printed, not `{text}`"));
    let (place, link) = text.split_once(':').ok_or_else(wrong)?;
    Ok((place.parse().map_err(|_| wrong())?, link.parse().map_err(|_| wrong())?))
}

fn parts(ready: &serde_json::Value) -> String {
    let components = ready["components"].as_array().into_iter().flatten();
    let shown = components.map(|component| match component["ok"].as_bool() {
        Some(true) => component["name"].as_str().unwrap_or_default().to_owned(),
        _ => format!("{} (not ready)", component["name"].as_str().unwrap_or_default()),
    });
    shown.collect::<Vec<_>>().join(", ")
}
