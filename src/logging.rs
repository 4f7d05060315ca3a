//! Log lines: text for a person at a terminal, JSON for everything else, always on standard error.

use serde::Deserialize;
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, fmt};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogConfig {
    pub(crate) level: String,
    pub(crate) format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    Auto,
    Text,
    Json,
}

/// Reads a level or a filter such as `info,stoa::http=debug`.
pub(crate) fn filter(text: &str) -> Result<EnvFilter, String> {
    let quiet = |filter: EnvFilter| match "ractor=warn".parse() {
        // Its spans would stand in every line that an actor writes.
        Ok(directive) if !text.contains("ractor") => filter.add_directive(directive),
        _ => filter,
    };
    EnvFilter::try_new(text)
        .map(quiet)
        .map_err(|error| format!("must be a level such as info, or a log filter: {error}"))
}

/// Starts logging for this process; a second call changes nothing.
pub(crate) fn start(config: &LogConfig) {
    let terminal = std::io::stderr().is_terminal();
    let filter = filter(&config.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match config.format {
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).try_init(),
        LogFormat::Auto if !terminal => {
            lines.json().flatten_event(true).with_span_list(false).try_init()
        }
        _ => lines.with_ansi(terminal).with_target(false).try_init(),
    };
    // Already started: the tests of one process share a subscriber.
    drop(started);
}
