//! How far long work is: a bar on a terminal, else a line every five seconds.

use super::output;
use indicatif::{ProgressBar, ProgressStyle};
use std::{io::IsTerminal, time::Duration};

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

pub(crate) struct Progress {
    what: &'static str,
    unit: Unit,
    bar: Option<ProgressBar>,
    last_line: tokio::time::Instant,
    started: tokio::time::Instant,
}

/// What the user counts.
#[derive(Debug, Clone, Copy)]
enum Unit {
    Rows,
    Bytes,
}

impl Unit {
    fn words(self, done: u64, a_second: f64) -> String {
        match self {
            Self::Rows => format!("{done} rows, {a_second:.0}/s"),
            Self::Bytes => format!("{:.1} MB, {:.1} MB/s", done as f64 / 1e6, a_second / 1e6),
        }
    }
}

impl Progress {
    pub(crate) fn new(what: &'static str, quiet: bool) -> Self {
        Self::counting(what, Unit::Rows, quiet)
    }

    pub(crate) fn in_bytes(what: &'static str, quiet: bool) -> Self {
        Self::counting(what, Unit::Bytes, quiet)
    }

    fn counting(what: &'static str, unit: Unit, quiet: bool) -> Self {
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
        Self { what, unit, bar, last_line: now, started: now }
    }

    /// `done` of `total` in whatever moves evenly; `counted` is what the user counts.
    pub(crate) fn show(&mut self, done: u64, total: u64, counted: u64) {
        let elapsed = self.started.elapsed().as_secs_f64().max(0.001);
        let words = self.unit.words(counted, counted as f64 / elapsed);
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
