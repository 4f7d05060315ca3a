//! How far long work is: a bar on a terminal, else a line every five seconds.

use super::output;
use indicatif::{ProgressBar, ProgressStyle};
use std::{io::IsTerminal, time::Duration};

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

pub(crate) struct Progress {
    what: &'static str,
    bar: Option<ProgressBar>,
    last_line: tokio::time::Instant,
    started: tokio::time::Instant,
}

impl Progress {
    pub(crate) fn new(what: &'static str, quiet: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new(0);
            let form = "{msg} {bar:32} {percent:>3} % · {prefix} · {eta} left";
            if let Ok(style) = ProgressStyle::with_template(form) {
                bar.set_style(style);
            }
            bar.set_message(what);
            bar
        });
        let now = tokio::time::Instant::now();
        Self { what, bar, last_line: now, started: now }
    }

    /// `done` of `total` in whatever moves evenly; `rows` is what the user counts.
    pub(crate) fn show(&mut self, done: u64, total: u64, rows: u64) {
        let elapsed = self.started.elapsed().as_secs_f64().max(0.001);
        let rate = rows as f64 / elapsed;
        let words = format!("{rows} rows, {rate:.0}/s");
        match &self.bar {
            Some(bar) => {
                bar.set_length(total.max(done));
                bar.set_position(done);
                bar.set_prefix(words);
            }
            None if self.last_line.elapsed() >= LINE_EVERY => {
                self.last_line = tokio::time::Instant::now();
                let part = done.saturating_mul(100).checked_div(total).unwrap_or_default();
                output::talk(&format!("{}: {part} %, {words}", self.what));
            }
            None => {}
        }
    }

    pub(crate) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
