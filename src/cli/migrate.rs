//! `stoa migrate`

use super::{Context, Failure, Outcome, output};
use crate::boot;
use serde_json::json;

/// `serve` and `import` do this by themselves; this is for doing it before, or looking.
#[derive(Debug, clap::Args)]
pub(crate) struct Migrate {
    /// Only list the steps, done and to do.
    #[arg(long)]
    status: bool,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

impl Migrate {
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let (config, _) = context.config(&[])?;
        let look = self.status || self.dry_run;
        let steps = boot::migrate(&config, &context.folder, look)
            .await
            .map_err(|error| Failure::Failed(error.to_string()))?;
        if context.json {
            let rows: Vec<_> =
                steps.iter().map(|s| json!({"step": s.name, "done": s.done})).collect();
            return output::json(&rows);
        }
        for step in &steps {
            let mark = match (step.done, look) {
                (true, _) => "done",
                (false, true) => "to do",
                (false, false) => "done now",
            };
            output::say(&format!("{mark:8}  {}", step.name));
        }
        Ok(())
    }
}
