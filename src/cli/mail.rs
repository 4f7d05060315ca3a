//! `stoa mail list|retry`

use super::{Context, Outcome, client::escaped, output};
use http::Method;
use serde_json::{Value, json};

/// The running server's queue of mail: what waits, what was sent, and what was given up and why.
#[derive(Debug, clap::Args)]
pub(crate) struct Mail {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Those given up, or in another state, the newest first.
    List {
        /// waiting, sent or failed.
        #[arg(long, default_value = "failed")]
        state: String,
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Try mails again, now: given up or waiting.
    Retry {
        /// As `list` shows them.
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

impl Mail {
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let server = context.running_server()?;
        match &self.what {
            What::List { state, limit } => {
                let path = format!("/ops/mail.json?state={}&limit={limit}", escaped(state));
                list(context, &server.get(&path).await?)
            }
            What::Retry { ids } => {
                for id in ids {
                    let path = format!("/ops/mail/{}/retry", escaped(id));
                    let _: Value = server.change(Method::POST, &path, None).await?;
                }
                match context.json {
                    true => output::json(&json!({"retried": ids})),
                    false => {
                        output::say(&format!("{} to be tried now", ids.len()));
                        Ok(())
                    }
                }
            }
        }
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
            ["id", "kind", "recipient", "attempts", "created_at", "due_at", "failure"]
                .iter()
                .map(|key| output::cell(row, key))
                .collect()
        })
        .collect();
    output::table(&["ID", "KIND", "TO", "TRIES", "MADE", "DUE", "FAILURE"], &rows);
    output::talk(&format!("{} waiting, {} given up", answer["waiting"], answer["failed"]));
    Ok(())
}
