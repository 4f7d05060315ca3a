//! `stoa config show|check`

use super::{Context, Outcome, output};
use serde_json::json;

#[derive(Debug, clap::Args)]
pub(crate) struct Config {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Every key with its value, as a configuration file would have it.
    Show {
        /// Say where each value comes from: default, file, environment variable or flag.
        #[arg(long)]
        origin: bool,
    },
    /// Say whether the configuration is valid; exit code 2 when it isn't.
    Check,
}

impl Config {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let (_, settings) = context.config(&[])?;
        match self.what {
            What::Check if context.json => output::json(&json!({"valid": true})),
            What::Check => {
                output::say("the configuration is valid");
                Ok(())
            }
            What::Show { .. } if context.json => {
                let rows: Vec<_> = settings
                    .iter()
                    .map(
                        |s| json!({"key": s.key, "value": s.shown, "origin": s.origin.to_string()}),
                    )
                    .collect();
                output::json(&rows)
            }
            What::Show { origin } => {
                let mut section = "";
                for setting in &settings {
                    let (of, name) = setting.key.rsplit_once('.').unwrap_or(("", &setting.key));
                    if of != section {
                        let gap = if section.is_empty() { "" } else { "\n" };
                        output::say(&format!("{gap}[{of}]"));
                        section = of;
                    }
                    let tail =
                        if origin { format!("  # {}", setting.origin) } else { String::new() };
                    output::say(&format!("{name} = {}{tail}", setting.shown));
                }
                Ok(())
            }
        }
    }
}
