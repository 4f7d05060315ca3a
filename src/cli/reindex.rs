//! `stoa reindex`

use super::{Context, Failure, Outcome, output, progress::Progress};
use http::Method;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Builds a shadow index from the documents, catches up with the log and swaps: questions are
/// answered from the old one until then.
#[derive(Debug, clap::Args)]
pub(crate) struct Reindex {}

/// A rebuild as the API tells it.
#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    state: String,
    done: u64,
    total: u64,
    #[serde(default)]
    message: Option<String>,
}

impl Reindex {
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let mut progress = Progress::new("reindex", context.json);
        let last = match context.server()? {
            Some(server) => {
                const PATH: &str = "/api/v1/search/reindex";
                let mut seen: Seen = server.change(Method::POST, PATH, None).await?;
                while seen.state == "running" {
                    progress.show(seen.done, seen.total, seen.done);
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    seen = server.get(PATH).await?;
                }
                seen
            }
            None => {
                let offline = context.offline("stoa reindex").await?;
                let show = |done, total| progress.show(done, total, done);
                let ended = offline.reindex(show).await;
                offline.stop().await;
                let (total, message) = match ended {
                    Ok(total) => (total, None),
                    Err(message) => (0, Some(message)),
                };
                let state = if message.is_none() { "succeeded" } else { "failed" };
                Seen { state: state.into(), done: total, total, message }
            }
        };
        progress.end();
        if last.state != "succeeded" {
            let why = last.message.unwrap_or_else(|| "the server's log says why".into());
            return Err(Failure::Failed(format!("the reindex failed: {why}")));
        }
        if context.json {
            return output::json(&last);
        }
        output::say(&format!("{} products indexed", last.total));
        Ok(())
    }
}
